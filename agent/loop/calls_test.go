package loop_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

// greedy is a model that calls so many tools in each answer, and a toolbox that
// counts them.
type greedy struct {
	calls, answers int
	ran            int
	steps          []loop.Step
}

func (g *greedy) Answer(context.Context, loop.Question, func(string)) (loop.Answer, error) {
	if g.answers--; g.answers < 0 {
		return loop.Answer{Text: "done", Finish: chat.FinishStop}, nil
	}
	a := loop.Answer{Finish: chat.FinishToolCalls}
	for i := range g.calls {
		a.Calls = append(a.Calls, loop.Call{Name: "any", Arguments: json.RawMessage(fmt.Sprintf(`{"n":%d,"of":%d}`, i, g.answers))})
	}
	return a, nil
}

func (*greedy) Specs() []loop.Spec               { return []loop.Spec{{Name: "any"}} }
func (*greedy) ReadOnly(string) bool             { return true }
func (*greedy) Source(loop.Call) string          { return "" }
func (*greedy) Permit(loop.Call) loop.Permission { return loop.Permission{Kind: loop.Allow} }
func (*greedy) Think(string)                     {}
func (*greedy) Show(string)                      {}
func (g *greedy) Run(context.Context, loop.Call) (string, error) {
	g.ran++
	return fmt.Sprint(g.ran), nil
}

func (g *greedy) Record(_ context.Context, steps ...loop.Step) error {
	g.steps = append(g.steps, steps...)
	return nil
}

func TestTheCallsOfAnAnswerAndOfATurnAreBounded(t *testing.T) {
	for _, c := range []struct{ calls, answers, before, ran int }{
		{loop.MaxCalls, 1, 0, loop.MaxCalls},
		{3000, 1, 0, loop.MaxCalls},
		{3000, 2, 0, 2 * loop.MaxCalls},
		{loop.MaxCalls + 1, 8, 0, loop.MaxTurnCalls},
		{10, 3, 5, 30}, // earlier turns count for nothing
		{20, 20, 0, loop.MaxTurnCalls},
	} {
		g := &greedy{calls: c.calls, answers: c.answers}
		var messages []loop.Message
		for range c.before {
			messages = append(messages, loop.Message{Role: chat.RoleUser, Text: "earlier"}, loop.Message{Role: chat.RoleAssistant, Calls: make([]loop.Call, loop.MaxCalls)})
		}
		messages = append(messages, loop.Message{Role: chat.RoleUser, Text: "go"})
		out, err := loop.Turn{Model: g, Tools: g, Recorder: g}.Run(t.Context(), loop.State{Messages: messages})
		if err != nil {
			t.Fatal(err)
		}
		if g.ran != c.ran {
			t.Errorf("%d answers of %d calls: %d ran, want %d", c.answers, c.calls, g.ran, c.ran)
		}
		results, skipped := 0, 0
		for _, st := range append(g.steps, out.Steps...) {
			if st.Result == nil {
				continue
			}
			results++
			if st.Result.Status == chat.ToolSkipped {
				skipped++
				if !strings.Contains(st.Result.Output, "at most") {
					t.Errorf("a call that did not run is told %q", st.Result.Output)
				}
			}
		}
		if results != c.calls*c.answers || skipped != results-c.ran {
			t.Errorf("%d answers of %d calls: %d results, %d of them skipped", c.answers, c.calls, results, skipped)
		}
	}
}
