package loop

import (
	"context"
	"slices"

	"github.com/loongclaw/loongclaw/pkg/chat"
)

// Choice says what an answer must call. The zero value leaves it to the model.
type Choice struct {
	Kind ChoiceKind `json:"kind,omitempty"`
	Name string     `json:"name,omitempty"` // of ChooseOne
}

// ChoiceKind says how far a model is free to call tools.
type ChoiceKind string

// The kinds of choice.
const (
	ChooseFreely ChoiceKind = ""
	ChooseAny    ChoiceKind = "any" // it calls some tool
	ChooseOne    ChoiceKind = "one" // it calls the tool of that name
)

// Client is what the client of a turn has brought along beside the message.
type Client struct {
	Choice  Choice // until one of its tools is called
	NoCalls bool   // nothing may be called
	OneCall bool   // it takes one call at a time
	Rounds  int    // how many answers were given before its last word: each request has MaxRounds of its own
}

// clientPrefix marks the name of a client's tool among names of ours. No tool's name
// can begin so.
const clientPrefix = "client:"

// ClientName is how a client's tool is called where it stands among tools of ours,
// of which one may have the same name.
func ClientName(name string) string { return clientPrefix + name }

// oneAtATime is what a model is told that called several of the client's tools.
const oneAtATime = "not run: one call at a time; make this one after the one before it has its result"

// delegate marks the calls that are the client's and puts ours before them: a round
// runs all that can run here before it waits.
func (t *turn) delegate(calls []Call) {
	d, ok := t.Tools.(Delegator)
	if !ok {
		return
	}
	for i, c := range calls {
		calls[i].Client = d.Delegates(c.Name)
	}
}

// oursFirst are the pending calls of an answer in the order in which they are settled.
func oursFirst(calls []Call) []Pending {
	var ours, theirs []Pending
	for _, c := range calls {
		if c.Client {
			theirs = append(theirs, Pending{Call: c})
		} else {
			ours = append(ours, Pending{Call: c})
		}
	}
	return append(ours, theirs...)
}

// handOver gives the client the calls that are left, which are all its own, and
// parks the turn. Those that it cannot be given have their result at once.
func (t *turn) handOver(ctx context.Context) (parked bool, err error) {
	if t.Pending[0].Stage == AtClient {
		return true, t.flush(ctx)
	}
	var handed []Pending
	var ids []string
	all := t.Pending
	for len(all) > 0 {
		p := all[0]
		all = all[1:]
		if p.Stage == Fresh {
			t.held = append(t.held, Step{Call: &p.Call})
		}
		status, why := t.unfit(p.Call, len(handed) > 0)
		if why == "" {
			handed, ids = append(handed, p), append(ids, p.Call.ID)
			continue
		}
		t.Pending = []Pending{p}
		t.end(p.Call, status, why)
	}
	if t.Pending = handed; len(handed) == 0 {
		return false, nil
	}
	t.held = append(t.held, Step{Handed: &HandedStep{Calls: ids}})
	return true, t.flush(ctx)
}

// unfit says why the client is not given a call, and nothing where it is. more says
// that it is given another one.
func (t *turn) unfit(c Call, more bool) (status, why string) {
	switch why := tooMany(t.Messages, c.ID); {
	case why != "":
		return chat.ToolSkipped, why
	case !IsObject(c.Arguments):
		return chat.ToolError, t.noObject(c)
	case t.Client.OneCall && more:
		return chat.ToolSkipped, oneAtATime
	}
	return "", ""
}

// choose says what the next answer may and must call.
func (t *turn) choose(q *Question) {
	q.Choice, q.OneCall = t.Client.Choice, t.Client.OneCall
	if t.Client.NoCalls || len(q.Tools) == 0 {
		q.NoCalls, q.Choice = len(q.Tools) > 0, Choice{}
		if t.deaf {
			q.Tools = nil
		}
	}
	if q.Choice.Kind == ChooseOne && !slices.ContainsFunc(q.Tools, func(s Spec) bool { return s.Name == q.Choice.Name }) {
		q.Choice = Choice{}
	}
}
