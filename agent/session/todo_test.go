package session_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/session"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

// todo has a run write a list and end.
func (d *driver) todo(run, status, output string) {
	d.t.Helper()
	c := loop.Call{ID: d.id("call"), Name: chat.ToolTodo, Arguments: json.RawMessage(`{"items":[]}`)}
	d.record(run, nil, answer(1, "", c), loop.Step{Call: &c}, loop.Step{Result: &loop.Result{Call: c, Status: status, Output: output}})
	d.record(run, &session.Finished{Status: chat.RunDone}, answer(2, "written"))
}

const (
	halfDone = `{"items":[{"text":"find the bear","state":"done"},{"text":"bring honey","state":"open"}]}`
	allDone  = `{"items":[{"text":"find the bear","state":"done"}]}`
)

// shown returns the list of the shown branch, as JSON.
func shown(s *session.State) string {
	h := s.History(false)
	if h.Todo == nil {
		return ""
	}
	b, _ := json.Marshal(h.Todo)
	return string(b)
}

func TestAListIsWhatItsBranchWroteLast(t *testing.T) {
	d := newDriver(t)
	first := d.message("what is to be done?")
	d.todo(first.Run.RunID, chat.ToolOK, halfDone)
	if got := shown(d.state); got != halfDone {
		t.Errorf("after the call: %s", got)
	}
	var events []string
	for _, e := range d.events("") {
		if e.Type == chat.TypeToolResult || e.Type == chat.TypeTodo {
			events = append(events, e.Type)
		}
		if e.Type == chat.TypeTodo && (e.RunID != first.Run.RunID || len(e.Items) != 2 || e.Items[0].State != chat.TodoDone) {
			t.Errorf("the event: %+v", e)
		}
	}
	if d := cmp.Diff([]string{chat.TypeToolResult, chat.TypeTodo}, events); d != "" {
		t.Error(d)
	}
	second := d.message("go on")
	d.done(second.Run.RunID, "I am at it")
	if got := shown(d.state); got != halfDone {
		t.Errorf("a turn without a list took it away: %s", got)
	}
	third := d.message("and now?")
	d.todo(third.Run.RunID, chat.ToolOK, allDone)
	if got := shown(d.state); got != allDone {
		t.Errorf("after the second list: %s", got)
	}
	records, err := d.state.Update(session.Edit{Head: &second.Run.MessageID})
	if err != nil {
		t.Fatal(err)
	}
	d.commit(records)
	// The branch of a message goes on to its end, which is the third turn's.
	if got := shown(d.state); got != allDone {
		t.Errorf("the branch's end: %s", got)
	}
	root := ""
	edit, err := d.state.Submit(session.Message{RunID: d.id("run"), MessageID: d.id("msg"), ParentID: &root, Content: "elsewhere"}, here, d.now)
	if err != nil {
		t.Fatal(err)
	}
	d.commit(edit.Records)
	d.done(edit.Run.RunID, "another branch")
	if got := shown(d.restarted()); got != shown(d.state) || got != "" {
		t.Errorf("a branch with a beginning of its own: %q", got)
	}
}

func TestOnlyAListIsAList(t *testing.T) {
	for name, c := range map[string]struct{ status, output string }{
		"refused":           {chat.ToolDenied, halfDone},
		"failed":            {chat.ToolError, "there are too many items"},
		"somebody else's":   {chat.ToolOK, "written"},
		"a list of nothing": {chat.ToolOK, `{"items":[{"text":"","state":"open"}]}`},
		"no state of ours":  {chat.ToolOK, `{"items":[{"text":"a","state":"later"}]}`},
	} {
		d := newDriver(t)
		d.todo(d.message("hello").Run.RunID, c.status, c.output)
		if got := shown(d.state); got != "" {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestTheModelIsToldWhatIsOpen(t *testing.T) {
	d := newDriver(t)
	all := session.Memory{Has: func(string) bool { return true }}
	tell := func(text string) (string, []string) {
		t.Helper()
		sub := d.message(text)
		turn := d.state.Turn(sub.Run.RunID, all.Has)
		told := turn.Tell("fence", "Monday, 2026-03-02", nil)
		messages := turn.Messages(all)
		if told != nil {
			made, err := d.state.Record(session.Progress{RunID: sub.Run.RunID, Owner: here, Steps: []loop.Step{answer(1, "well")}, Context: told, Room: 1 << 20, Now: d.now, NewID: d.id})
			if err != nil {
				t.Fatal(err)
			}
			d.commit(made.Records)
			d.record(sub.Run.RunID, &session.Finished{Status: chat.RunDone})
		} else {
			d.done(sub.Run.RunID, "well")
		}
		last := messages[len(messages)-1]
		return last.Context, last.From
	}
	if told, _ := tell("hello"); strings.Contains(told, "to be done") {
		t.Errorf("told of a list before there was one: %s", told)
	}
	web := d.message("search and plan")
	call := loop.Call{ID: "w1", Name: "web_search", Arguments: json.RawMessage(`{}`)}
	d.record(web.Run.RunID, nil, answer(1, "", call), loop.Step{Call: &call}, loop.Step{Result: &loop.Result{Call: call, Status: chat.ToolOK, Output: "found"}})
	list := loop.Call{ID: "w2", Name: chat.ToolTodo, Arguments: json.RawMessage(`{}`)}
	d.record(web.Run.RunID, nil, answer(2, "", list), loop.Step{Call: &list}, loop.Step{Result: &loop.Result{Call: list, Status: chat.ToolOK, Output: halfDone}})
	d.record(web.Run.RunID, &session.Finished{Status: chat.RunDone}, answer(3, "planned"))

	told, from := tell("go on")
	if !strings.Contains(told, "- [done] find the bear\n- [open] bring honey\n") || !slices.Contains(from, "web_search") {
		t.Errorf("told %q, seen %q", told, from)
	}
	if told, _ := tell("and?"); strings.Contains(told, "honey") {
		t.Errorf("told again what it was told: %s", told)
	}
	done := d.message("done")
	d.todo(done.Run.RunID, chat.ToolOK, allDone)
	if told, _ := tell("anything left?"); strings.Contains(told, "to be done") {
		t.Errorf("told of a list that is done: %s", told)
	}
}
