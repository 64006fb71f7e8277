package loop_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

// desk is a turn with a client: tools whose names begin with "their" are the client's.
type desk struct {
	answers []loop.Answer
	asked   []loop.Question
	permit  loop.Permission
	ran     []string
	steps   []string // what was recorded
	batch   int
}

func (d *desk) Answer(_ context.Context, q loop.Question, onText func(string)) (loop.Answer, error) {
	d.asked = append(d.asked, q)
	a := loop.Answer{Text: "done", Finish: chat.FinishStop}
	if len(d.answers) > 0 {
		a, d.answers = d.answers[0], d.answers[1:]
	}
	if a.Text != "" {
		onText(a.Text)
	}
	return a, nil
}

func (d *desk) Specs() []loop.Spec {
	return []loop.Spec{{Name: "our"}, {Name: "their"}, {Name: "theirs"}}
}
func (d *desk) ReadOnly(string) bool       { return false }
func (d *desk) Delegates(name string) bool { return strings.HasPrefix(name, "their") }
func (d *desk) Source(c loop.Call) string {
	if c.Client {
		return "the client"
	}
	return ""
}
func (d *desk) Permit(loop.Call) loop.Permission { return d.permit }
func (d *desk) Run(_ context.Context, c loop.Call) (string, error) {
	d.ran = append(d.ran, c.ID)
	return "ran", nil
}

func (d *desk) Show(string)  {}
func (d *desk) Think(string) {}
func (d *desk) Record(_ context.Context, steps ...loop.Step) error {
	d.batch++
	for _, s := range steps {
		switch {
		case s.Answer != nil:
			d.steps = append(d.steps, "answer")
		case s.Call != nil:
			d.steps = append(d.steps, "call "+s.Call.ID)
		case s.Ask != nil:
			d.steps = append(d.steps, "ask "+s.Ask.Call.ID)
		case s.Result != nil:
			d.steps = append(d.steps, fmt.Sprintf("%s %s", s.Result.Status, s.Result.Call.ID))
		case s.Handed != nil:
			d.steps = append(d.steps, "handed "+strings.Join(s.Handed.Calls, " "))
		}
	}
	return nil
}

func calls(all ...string) loop.Answer {
	a := loop.Answer{Finish: chat.FinishToolCalls}
	for _, one := range all {
		id, rest, _ := strings.Cut(one, " ")
		name, args, ok := strings.Cut(rest, " ")
		if !ok {
			args = "{}"
		}
		a.Calls = append(a.Calls, loop.Call{ID: id, Name: name, Arguments: json.RawMessage(args)})
	}
	return a
}

func (d *desk) run(t *testing.T, s loop.State) loop.Outcome {
	t.Helper()
	if len(s.Messages) == 0 {
		s.Messages = []loop.Message{{Role: chat.RoleUser, Text: "hello"}}
	}
	out, err := loop.Turn{Model: d, Tools: d, Recorder: d}.Run(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestCallsOfTheClientsTools(t *testing.T) {
	allow := loop.Permission{Kind: loop.Allow}
	ask := loop.Permission{Kind: loop.Ask, Scope: "it"}
	for name, tt := range map[string]struct {
		answers []loop.Answer
		state   loop.State
		permit  loop.Permission
		parked  bool
		steps   []string
		asked   int
	}{
		"one": {[]loop.Answer{calls("a their")}, loop.State{}, allow, true, []string{"answer", "call a", "handed a"}, 1},
		"ours of the round first": {
			[]loop.Answer{calls("a their", "b our", "c theirs", "d our")},
			loop.State{},
			allow, true,
			[]string{"answer", "call b", "ok b", "call d", "ok d", "call a", "call c", "handed a c"},
			1,
		},
		"ours is denied": {
			[]loop.Answer{calls("a their", "b our")},
			loop.State{},
			loop.Permission{Reason: "no"},
			true,
			[]string{"answer", "call b", "denied b", "call a", "handed a"},
			1,
		},
		"nobody can be asked": {
			[]loop.Answer{calls("a their", "b our")},
			loop.State{},
			ask, true,
			[]string{"answer", "call b", "denied b", "call a", "handed a"},
			1,
		},
		"the user is asked first": {
			[]loop.Answer{calls("a their", "b our")}, loop.State{Interactive: true}, ask, true, []string{"answer", "call b", "ask b"}, 1,
		},
		"arguments that are no object": {
			[]loop.Answer{calls("a their [1]"), calls("b their")},
			loop.State{},
			allow, true,
			[]string{"answer", "call a", "error a", "answer", "call b", "handed b"},
			2,
		},
		"one of two is no object": {
			[]loop.Answer{calls("a their [1]", "b their")}, loop.State{}, allow, true, []string{"answer", "call a", "error a", "call b", "handed b"}, 1,
		},
		"one call at a time": {
			[]loop.Answer{calls("a their", "b theirs", "c their")},
			loop.State{Client: loop.Client{OneCall: true}},
			allow, true,
			[]string{"answer", "call a", "call b", "skipped b", "call c", "skipped c", "handed a"},
			1,
		},
		"no calls": {
			[]loop.Answer{{Text: "I may not.", Calls: calls("a their").Calls, Finish: chat.FinishToolCalls}}, loop.State{Client: loop.Client{NoCalls: true}}, allow, false, nil, 1,
		},
		"ours only": {[]loop.Answer{calls("a our")}, loop.State{}, allow, false, []string{"answer", "call a", "ok a"}, 2},
		"it has them already": {
			nil, loop.State{Pending: []loop.Pending{{Call: loop.Call{ID: "a", Name: "their", Arguments: json.RawMessage("{}"), Client: true}, Stage: loop.AtClient}}}, allow, true, nil, 0,
		},
		"a crash before it had them": {
			nil, loop.State{Pending: []loop.Pending{{Call: loop.Call{ID: "a", Name: "their", Arguments: json.RawMessage("{}"), Client: true}, Stage: loop.Unknown}}}, allow, true, []string{"handed a"}, 0,
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := &desk{answers: tt.answers, permit: tt.permit}
			out := d.run(t, tt.state)
			if out.Parked != tt.parked || len(d.asked) != tt.asked {
				t.Errorf("parked %v after %d questions", out.Parked, len(d.asked))
			}
			if diff := cmp.Diff(tt.steps, d.steps); diff != "" {
				t.Errorf("recorded (-want +got):\n%s", diff)
			}
			for _, id := range d.ran {
				if !strings.Contains(strings.Join(tt.steps, " "), "ok "+id) {
					t.Errorf("%s ran here", id)
				}
			}
		})
	}
}

// The choice is the provider's to keep until the client's tool is called, and gives way
// where nothing can be called any more.
func TestAChoiceOfTheClient(t *testing.T) {
	one := loop.Choice{Kind: loop.ChooseOne, Name: "their"}
	d := &desk{answers: []loop.Answer{calls("a our"), calls("b their")}, permit: loop.Permission{Kind: loop.Allow}}
	d.run(t, loop.State{Client: loop.Client{Choice: one, OneCall: true}})
	for i, q := range d.asked {
		if q.Choice != one || !q.OneCall || q.NoCalls {
			t.Errorf("question %d: %+v", i, q.Choice)
		}
	}
	d = &desk{}
	d.run(t, loop.State{Client: loop.Client{Choice: loop.Choice{Kind: loop.ChooseOne, Name: "nobody's"}}})
	if d.asked[0].Choice != (loop.Choice{}) {
		t.Errorf("a tool that is not there: %+v", d.asked[0].Choice)
	}
	d = &desk{}
	d.run(t, loop.State{Rounds: loop.MaxRounds - 1, Client: loop.Client{Choice: one}})
	if q := d.asked[0]; q.Choice != (loop.Choice{}) || !q.NoCalls {
		t.Errorf("the last round: %+v, %v", q.Choice, q.NoCalls)
	}
	d = &desk{}
	d.run(t, loop.State{Client: loop.Client{Choice: one, NoCalls: true}})
	if q := d.asked[0]; q.Choice != (loop.Choice{}) || !q.NoCalls || len(q.Tools) != 3 || q.Messages[len(q.Messages)-1].Context != "" {
		t.Errorf("no calls: %+v", q)
	}
}

// A client that goes on has rounds and calls of its own each time.
func TestEachRequestOfAClientHasItsOwnBounds(t *testing.T) {
	messages := []loop.Message{{Role: chat.RoleUser, Text: "hello"}}
	for round := range 60 {
		a := loop.Message{Role: chat.RoleAssistant}
		var results []loop.Message
		for i := range 10 {
			c := loop.Call{ID: fmt.Sprintf("c%d_%d", round, i), Name: "their", Arguments: json.RawMessage("{}"), Client: true}
			a.Calls, results = append(a.Calls, c), append(results, loop.ResultMessage(c, chat.ToolOK, "out"))
		}
		messages = append(append(messages, a), results...)
	}
	d := &desk{answers: []loop.Answer{calls("a their")}}
	if out := d.run(t, loop.State{Messages: messages, Rounds: 60, Client: loop.Client{Rounds: 60}}); !out.Parked || d.asked[0].NoCalls {
		t.Errorf("parked %v, no calls %v, %v", out.Parked, d.asked[0].NoCalls, d.steps)
	}
	if d.steps[len(d.steps)-1] != "handed a" {
		t.Errorf("recorded %v", d.steps)
	}
	for _, m := range d.asked[0].Messages {
		if m.Role == loop.RoleTool && !strings.HasPrefix(m.Text, "[the client: ") {
			t.Fatalf("a result without its fence: %q", m.Text)
		}
	}
}
