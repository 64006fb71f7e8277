package loop_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// stage plays all that a turn meets, from a script, and writes down what the
// turn does with it.
type stage struct {
	t       *testing.T
	turn    turnText
	replies []reply
	tools   map[string]tool
	cancel  context.CancelFunc
	trace   strings.Builder
	batches int
	parked  bool
	owed    []string // ids of calls that need a result
	results []string // ids of calls that got one
}

// reply is one answer of the model.
type reply struct {
	Pieces    []string
	Calls     []struct{ ID, Name, Arguments string }
	Usage     *chat.Usage
	Fail      fault.Code // after the pieces
	Long      bool       // refused as too long
	Panic     string     // after the pieces
	Finish    chat.Finish
	Reasoning string
	Cancel    string // "" or "noticed", or "swallowed": a library that returns no error
	Repeat    int    // give it so often; 0 is once
}

// tool is what a tool does.
type tool struct {
	Permit   string // allow, ask, deny
	Scope    string
	Reason   string
	ReadOnly bool
	Output   string
	Fail     string
	Cancel   bool // while it runs
}

func (s *stage) say(format string, args ...any) { fmt.Fprintf(&s.trace, format+"\n", args...) }

func (s *stage) Answer(ctx context.Context, q loop.Question, onText func(string)) (loop.Answer, error) {
	last := q.Messages[len(q.Messages)-1]
	tools := "with tools"
	if q.NoCalls {
		tools = "with tools that must not be called"
	}
	if q.NoCalls && len(q.Tools) == 0 {
		tools = "without tools"
	}
	s.say("asked: %d messages, the last %s %q, %s", len(q.Messages), last.Role, last.Text, tools)
	if q.NoCalls != strings.Contains(last.Context, "No more tool calls") || q.System != "persona" || len(q.Tools) != 1 && !q.NoCalls || q.RequestID != "req_1" {
		s.t.Errorf("system %q, %d tools, context %q, request %q", q.System, len(q.Tools), last.Context, q.RequestID)
	}
	s.conversationIsWhole(q.Messages)
	if len(s.replies) == 0 {
		s.t.Fatal("the script has no further answer")
	}
	r := &s.replies[0]
	if r.Repeat--; r.Repeat <= 0 {
		s.replies = s.replies[1:]
	}
	a := loop.Answer{Text: strings.Join(r.Pieces, ""), Usage: r.Usage, Model: "script/1", Finish: r.Finish, Reasoning: r.Reasoning}
	if a.Finish == "" {
		a.Finish = chat.FinishStop
	}
	for _, p := range r.Pieces {
		onText(p)
	}
	for _, c := range r.Calls {
		a.Calls = append(a.Calls, loop.Call{ID: c.ID, Name: c.Name, Arguments: json.RawMessage(c.Arguments)})
	}
	switch {
	case r.Panic != "":
		panic(r.Panic)
	case r.Long:
		return a, fault.Wrap(loop.ErrTooLong, fault.CodeProviderFailed, "too long", "")
	case r.Cancel != "":
		s.cancel()
		if r.Cancel == "noticed" {
			return a, fmt.Errorf("the provider's request ended: %w", ctx.Err())
		}
	case r.Fail != "":
		return a, fault.New(r.Fail, "scripted", "")
	}
	return a, nil
}

// conversationIsWhole checks what every provider insists on: each call of an
// answer has its result right behind it.
func (s *stage) conversationIsWhole(messages []loop.Message) {
	var open []string
	for _, m := range messages {
		switch {
		case m.Role == loop.RoleTool && (len(open) == 0 || open[0] != m.CallID):
			s.t.Errorf("a result of %q where one of %v was due", m.CallID, open)
		case m.Role == loop.RoleTool:
			open = open[1:]
		case len(open) > 0:
			s.t.Errorf("no result of %v before a message of the %s", open, m.Role)
		}
		for _, c := range m.Calls {
			open = append(open, c.ID)
		}
	}
	if len(open) > 0 {
		s.t.Errorf("the model is asked with no result of %v", open)
	}
}

func (s *stage) Think(string) {}

func (s *stage) Show(piece string) { s.say("shown: %q", piece) }

func (s *stage) Record(ctx context.Context, steps ...loop.Step) error {
	if ctx.Err() != nil {
		s.t.Error("recording ends with the run that is cancelled: nobody would know whether it is durable")
	}
	if s.batches++; s.batches == s.turn.FailRecord {
		s.say("not recorded: %d steps", len(steps))
		return fault.Wrap(errors.New("connection reset"), fault.CodeStoreFailed, "the store did not answer", "")
	}
	s.say("recorded:")
	s.steps("  ", steps)
	return nil
}

func (s *stage) steps(indent string, steps []loop.Step) {
	for _, st := range steps {
		n := 0
		if a := st.Answer; a != nil {
			n++
			end := string(a.Finish)
			if a.Incomplete {
				end = "incomplete" + end
			}
			s.say("%sanswer %q of %s, %s", indent, a.Text, a.Model, end)
			for _, c := range a.Calls {
				s.say("%s  wants %s", indent, text(c))
				s.owed = append(s.owed, c.ID)
			}
		}
		if c := st.Call; c != nil {
			n++
			s.say("%scall %s", indent, text(*c))
		}
		if a := st.Ask; a != nil {
			n++
			s.say("%sask about %s: %q", indent, text(a.Call), a.Scope)
		}
		if r := st.Result; r != nil {
			n++
			s.say("%sresult of %s: %s %q", indent, r.Call.ID, r.Status, r.Output)
			s.results = append(s.results, r.Call.ID)
		}
		if n != 1 {
			s.t.Errorf("a step with %d fields", n)
		}
	}
}

func text(c loop.Call) string { return fmt.Sprintf("%s = %s %s", c.ID, c.Name, c.Arguments) }

func (s *stage) Specs() []loop.Spec { return []loop.Spec{{Name: "any"}} }

func (s *stage) ReadOnly(name string) bool { return s.tools[name].ReadOnly }
func (s *stage) Source(loop.Call) string   { return "" }

func (s *stage) Permit(c loop.Call) loop.Permission {
	d := s.tools[c.Name]
	switch d.Permit {
	case "allow":
		return loop.Permission{Kind: loop.Allow}
	case "ask":
		return loop.Permission{Kind: loop.Ask, Scope: d.Scope}
	case "deny":
		return loop.Permission{Kind: loop.Deny, Reason: d.Reason}
	}
	return loop.Permission{} // what a toolbox that knows nothing says
}

func (s *stage) Run(ctx context.Context, c loop.Call) (string, error) {
	s.say("run %s", text(c))
	d := s.tools[c.Name]
	if d.Cancel {
		s.cancel()
		return d.Output, ctx.Err()
	}
	if d.Fail != "" {
		return "", errors.New(d.Fail)
	}
	return d.Output, nil
}

var (
	_ loop.Model    = (*stage)(nil)
	_ loop.Toolbox  = (*stage)(nil)
	_ loop.Recorder = (*stage)(nil)
)
