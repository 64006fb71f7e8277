package loop

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/loongclaw/loongclaw/pkg/chat"
)

// ErrNotEnded is the error of a call whose tool was given up: it did not end when
// its time was over or its run was cancelled.
var ErrNotEnded = errors.New("it did not end")

// How many tools may be called. Rounds are bounded by MaxRounds, and a model may
// call thousands of tools in one of them.
const (
	MaxCalls     = 64  // of one answer
	MaxTurnCalls = 256 // of all answers of a turn
)

// tooMany says why a call of the newest answer does not run, "" when it may. What
// an earlier answer called beyond its own bound counts for nothing.
func tooMany(messages []Message, id string) string {
	before, at, newest := 0, -1, true
	for i := len(messages) - 1; i >= 0 && messages[i].Role != chat.RoleUser; i-- {
		if messages[i].Client && !messages[i].Failed {
			break // the client has said this: what came before was another request's
		}
		calls := messages[i].Calls
		switch {
		case len(calls) == 0:
		case newest:
			newest = false
			for n, c := range calls {
				if c.ID == id {
					at = n
					break
				}
			}
		default:
			before += min(len(calls), MaxCalls)
		}
	}
	switch {
	case at >= MaxCalls:
		return fmt.Sprintf("not run: one answer may call at most %d tools; call those that are left in the next one", MaxCalls)
	case at >= 0 && before+at >= MaxTurnCalls:
		return fmt.Sprintf("not run: one turn may call at most %d tools; answer with what you know", MaxTurnCalls)
	}
	return ""
}

// skipRest gives the calls that are left a result: every call has one.
func (t *turn) skipRest(err error) {
	why := "the turn ended before it"
	if errors.Is(err, context.Canceled) {
		why = "the user cancelled the turn before it"
	}
	// A question that was not recorded is not asked any more.
	t.held = slices.DeleteFunc(t.held, func(s Step) bool { return s.Ask != nil })
	for len(t.Pending) > 0 {
		p := t.Pending[0]
		if p.Stage == Fresh && !t.isHeld(p.Call) {
			t.held = append(t.held, Step{Call: &p.Call})
		}
		t.end(p.Call, chat.ToolSkipped, why)
	}
}

func (t *turn) isHeld(c Call) bool {
	for _, s := range t.held {
		if s.Call != nil && s.Call.ID == c.ID {
			return true
		}
	}
	return false
}

// unique makes the ids of new calls differ from all others of the turn. Some
// providers send none, some send the same one twice.
func (t *turn) unique(calls []Call) {
	used, numbers := map[string]bool{}, map[string]int{}
	for _, m := range t.Messages {
		for _, c := range m.Calls {
			used[c.ID] = true
		}
	}
	for i := range calls {
		id := calls[i].ID
		if id == "" {
			id = "call"
		}
		for base := id; used[id] || id == "call"; {
			numbers[base]++ // goes on where the last one of this name ended: there may be thousands
			id = fmt.Sprintf("%s_%d", base, numbers[base])
		}
		calls[i].ID, used[id] = id, true
	}
}

// IsObject reports whether arguments are what a tool takes.
func IsObject(b json.RawMessage) bool {
	var m map[string]json.RawMessage
	return json.Unmarshal(b, &m) == nil && m != nil
}

// settle gives every pending call its result, or parks the turn.
func (t *turn) settle(ctx context.Context) (parked bool, err error) {
	for len(t.Pending) > 0 {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		p := t.Pending[0]
		if p.Call.Client {
			parked, err := t.handOver(ctx)
			if parked || err != nil {
				return parked, err
			}
			continue
		}
		if p.Stage == Fresh {
			if why := tooMany(t.Messages, p.Call.ID); why != "" {
				t.held = append(t.held, Step{Call: &p.Call})
				t.end(p.Call, chat.ToolSkipped, why)
				continue
			}
			if parked, err := t.begin(ctx, &p); parked || err != nil {
				return parked, err
			}
		}
		switch p.Stage {
		case Asked:
			return true, t.flush(ctx)
		case Refused:
			t.end(p.Call, chat.ToolDenied, p.Why)
		case Unknown:
			if !t.Tools.ReadOnly(p.Call.Name) {
				t.end(p.Call, chat.ToolError, "outcome unknown: the agent was interrupted while this call ran. Check what it did before calling it again.")
				continue
			}
			t.run1(ctx, p.Call)
		default:
			t.run1(ctx, p.Call)
		}
	}
	return false, nil
}

// begin judges a fresh call and records what must be durable before its effect.
func (t *turn) begin(ctx context.Context, p *Pending) (parked bool, err error) {
	t.held = append(t.held, Step{Call: &p.Call})
	if !IsObject(p.Call.Arguments) {
		p.Stage, p.Why = Allowed, ""
		return false, nil // run1 says what is wrong
	}
	permit := t.Tools.Permit(p.Call)
	switch {
	case permit.Kind == Allow:
		p.Stage = Allowed
		return false, t.flush(ctx)
	case permit.Kind == Ask && t.Interactive:
		t.held = append(t.held, Step{Ask: &AskStep{Call: p.Call, Scope: permit.Scope, Sources: permit.Sources}})
		return true, t.flush(ctx)
	case permit.Kind == Ask:
		p.Stage, p.Why = Refused, "this needs the user's approval, and this caller cannot be asked. Say what you wanted to do; the user can approve it in WebChat or over the WebSocket."
	default:
		p.Stage, p.Why = Refused, permit.Reason
	}
	return false, nil
}

// run1 runs a call.
func (t *turn) run1(ctx context.Context, c Call) {
	if !IsObject(c.Arguments) {
		t.end(c, chat.ToolError, t.noObject(c))
		return
	}
	out, err := t.Tools.Run(ctx, c)
	switch {
	case err == nil:
		t.end(c, chat.ToolOK, out)
	case errors.Is(err, ErrNotEnded):
		t.end(c, chat.ToolError, err.Error())
	case ctx.Err() != nil:
		t.end(c, chat.ToolError, "cancelled while it ran; what it had done by then stays")
	default:
		t.end(c, chat.ToolError, err.Error())
	}
}

// noObject is what a model is told whose arguments are no JSON object.
func (t *turn) noObject(c Call) string {
	if t.cut[c.ID] {
		return "your answer reached its limit on length before the arguments were whole, so nothing was done; send less at once"
	}
	return "the arguments are not a JSON object; call it again with one"
}

// end gives the first pending call its result.
func (t *turn) end(c Call, status, output string) {
	t.loops.saw(c, status+output)
	t.held = append(t.held, Step{Result: &Result{Call: c, Status: status, Output: output}})
	t.Messages = append(t.Messages, ResultMessage(c, status, output))
	t.Pending = t.Pending[1:]
}

// ResultMessage is a call's result as the model sees it.
func ResultMessage(c Call, status, output string) Message {
	if status != chat.ToolOK {
		output = status + ": " + output
	}
	return Message{Role: RoleTool, CallID: c.ID, Name: c.Name, Text: output, Failed: status != chat.ToolOK, Client: c.Client}
}
