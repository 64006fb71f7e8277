package session

import (
	"slices"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/record"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// Run is what the journal says of a run.
type Run struct {
	ID           string
	MessageID    string // the user's message that it answers
	Interactive  bool   // somebody can answer an approval
	RequestID    string
	Trace        string
	Instructions string // what its client says beside the message
	Owner        Owner  // who started it last
	Starts       int
	Started      uint64    // number of its last run_started
	StartedAt    chat.Time // when that was
	Rounds       int       // answers so far
	Status       string    // "", then how it ended
	Usage        *chat.Usage
}

// run is a run and what follows from it.
type run struct {
	Run
	entered    uint64 // number of the record that asked for it
	calls      map[string]*call
	order      []*call
	context    *Context       // what the model was told beside the message
	steps      []loop.Message // answers and results, as the model sees them
	last       string         // the last visible message of this run, or the user's
	before     uint64         // number of the run_started before the last
	summarised bool           // it has tried to summarise what came before it
	rooted     bool           // its message was sent with an empty parentId: a new beginning
	fresh      bool           // regenerated: its first answer is a sibling
	scopes     []string       // approved until it ends
	todo       *todoBody      // the list that it wrote last

	client   *Client // what its client has brought along last
	handed   *handed // the calls that it waits for its client with, or waited last
	adopted  int     // how many of its answers its client says were given elsewhere
	begun    uint64  // number of the last record of what was done elsewhere
	answered int     // how many it had given when its client spoke last
}

// call is a tool call of a run.
type call struct {
	loop.Call
	recorded bool
	question *question
	done     bool
}

// question is an approval that the user was asked for.
type question struct {
	askBody
	decision string
	expired  bool
	decided  uint64 // number of the decision's record
}

// named is a call's tool, where it stands among tools of ours.
func (c *call) named() string {
	if c.Client {
		return loop.ClientName(c.Name)
	}
	return c.Name
}

// call finds a call of the run, or adds it.
func (r *run) call(b callBody) *call {
	if c := r.calls[b.CallID]; c != nil {
		return c
	}
	c := &call{Call: loop.Call{ID: b.CallID, Name: b.Name, Arguments: b.Arguments, Client: b.Client}}
	r.calls[b.CallID] = c
	r.order = append(r.order, c)
	return c
}

// waitsFor is the question that a run stopped at, answered or not.
func (r *run) waitsFor() *question {
	for _, c := range r.order {
		if !c.done && !c.Client {
			return c.question
		}
	}
	return nil
}

// pending returns the calls of a run that have no result, and where each stands: ours
// first, since a client's are given to it when nothing is left to do here.
func (r *run) pending() []loop.Pending {
	var ours, theirs []loop.Pending
	for _, c := range r.order {
		switch {
		case c.done:
		case c.Client:
			theirs = append(theirs, r.stage(c))
		default:
			ours = append(ours, r.stage(c))
		}
	}
	return append(ours, theirs...)
}

// stage returns where a call stands that has no result.
func (r *run) stage(c *call) loop.Pending {
	p := loop.Pending{Call: c.Call}
	switch q := c.question; {
	case !c.recorded:
		p.Stage = loop.Fresh
	case c.Client && r.handed != nil && r.handed.returned == 0 && slices.Contains(r.handed.Calls, c.ID):
		p.Stage = loop.AtClient
	case q == nil:
		p.Stage = loop.Unknown
	case q.decision == "":
		p.Stage = loop.Asked
	case q.decision == chat.DecideDeny:
		p.Stage, p.Why = loop.Refused, "the user denied this call. Do not try it another way; ask what they want instead."
		if q.expired {
			p.Why = "nobody answered the question within 24 hours"
		}
	case q.decided > r.before:
		p.Stage = loop.Allowed
	default:
		p.Stage = loop.Unknown // it was allowed to an earlier start of this run
	}
	return p
}

// upTo returns a run's steps up to one of its answers, with the results of what
// that answer called.
func (r *run) upTo(step int) []loop.Message {
	if r == nil {
		return nil
	}
	end := min(step, len(r.steps))
	for end < len(r.steps) && r.steps[end].Role == loop.RoleTool {
		end++
	}
	return slices.Clone(r.steps[:end])
}

// handed is a set of calls that a run waits for its client with.
type handed struct {
	handedBody
	returned uint64 // number of the record of what came of them, 0 while nothing has
}

// atClient returns the calls that a run waits for its client with, nil where it does
// not.
func (r *run) atClient() *handed {
	if r == nil || r.Status != "" || r.handed == nil || r.handed.returned != 0 {
		return nil
	}
	return r.handed
}

// goOn takes in that the client has come back, and what it brings along now.
func (r *run) goOn(seq uint64, b returnedBody, c *Client) {
	if r.handed != nil && r.handed.returned == 0 {
		r.handed.returned = seq
	}
	r.answered, r.Starts = r.Rounds, 1
	if b.RequestID != "" {
		r.RequestID = b.RequestID
	}
	if b.Trace != "" {
		r.Trace = b.Trace
	}
	if b.Instructions != nil {
		r.Instructions = *b.Instructions
	}
	r.client = c
}

// closing is how a run ends that nobody carries out.
type closing struct {
	status string
	err    *fault.Error
	why    string            // its calls have no other result
	given  map[string]string // results that its client gave, by the ids of their calls
}

// close returns the records that end a run which nobody carries out: every call
// gets its result first.
func (r *run) close(how closing) []record.Record {
	var records []record.Record
	for _, c := range r.order {
		if c.done {
			continue
		}
		if !c.recorded {
			records = append(records, record.New(recCall, bodyOf(r, c.Call)))
		}
		if c.question != nil && c.question.decision == "" {
			records = append(records, record.New(recDecided, decidedBody{RunID: r.ID, ApprovalID: c.question.ApprovalID, Decision: chat.DecideDeny}))
		}
		result := resultBody{r.ID, c.ID, c.Name, chat.ToolSkipped, how.why}
		if text, ok := how.given[c.ID]; ok {
			result.Status, result.Output = chat.ToolOK, KeptResult(text)
		}
		records = append(records, record.New(recResult, result))
	}
	return append(records, record.New(recFinished, Finished{RunID: r.ID, Status: how.status, Error: how.err, Usage: r.Usage}))
}

func bodyOf(r *run, c loop.Call) callBody {
	return callBody{r.ID, c.ID, c.Name, object(c.Arguments), c.Client}
}
