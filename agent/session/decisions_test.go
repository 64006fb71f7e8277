package session_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/session"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// record writes steps of a run, and its end.
func (d *driver) record(run string, end *session.Finished, steps ...loop.Step) {
	d.t.Helper()
	for {
		made, err := d.state.Record(session.Progress{RunID: run, Owner: here, Steps: steps, End: end, Room: 1 << 20, Now: d.now, NewID: d.id})
		if err != nil {
			d.t.Fatal(err)
		}
		d.commit(made.Records)
		if !made.More {
			return
		}
	}
}

func answer(round int, text string, calls ...loop.Call) loop.Step {
	finish := chat.FinishStop
	if len(calls) > 0 {
		finish = chat.FinishToolCalls
	}
	return loop.Step{Answer: &loop.AnswerStep{Answer: loop.Answer{Text: text, Calls: calls, Finish: finish, Model: "openai/m"}, Round: round}}
}

func writeCall(id string) loop.Call {
	return loop.Call{ID: id, Name: "write_file", Arguments: json.RawMessage(`{"path":"a"}`)}
}

// asked brings a run to a question and returns the question's id.
func (d *driver) asked() (run, approvalID string) {
	d.t.Helper()
	sub := d.message("write a file")
	c := writeCall("c1")
	d.record(sub.Run.RunID, nil, answer(1, "I write it.", c), loop.Step{Call: &c}, loop.Step{Ask: &loop.AskStep{Call: c, Scope: "write a"}})
	events := d.events("")
	return sub.Run.RunID, events[len(events)-1].ApprovalID
}

// done gives a run's answer and its end.
func (d *driver) done(run, text string) {
	d.t.Helper()
	d.record(run, &session.Finished{Status: chat.RunDone}, answer(1, text))
}

func carrier(o session.Owner) session.Carrier { return session.Carrier{Owner: o} }

func TestWhatIsNext(t *testing.T) {
	later := 25 * time.Hour
	cases := map[string]struct {
		given func(d *driver)
		who   session.Carrier
		after time.Duration
		want  session.Action
		run   int // which of the session's runs, in the order of their messages, from 1
	}{
		"an empty session":              {func(*driver) {}, carrier(here), 0, session.Nothing, 0},
		"a run that was just started":   {func(d *driver) { d.message("hello") }, carrier(here), 0, session.RunNow, 1},
		"a run that was carried out":    {func(d *driver) { d.message("hello") }, session.Carrier{Owner: here, Executed: 2}, 0, session.RunNow, 1},
		"another agent's run":           {func(d *driver) { d.message("hello") }, carrier(there), 0, session.Foreign, 1},
		"another agent's, claimed":      {func(d *driver) { d.message("hello") }, session.Carrier{Owner: there, Claimed: 2}, 0, session.RunNow, 1},
		"an older claim":                {func(d *driver) { d.message("hello") }, session.Carrier{Owner: there, Claimed: 1}, 0, session.Foreign, 1},
		"an earlier process's":          {func(d *driver) { d.message("hello") }, carrier(session.Owner{Instance: "a", Process: "a2"}), 0, session.RunNow, 1},
		"a message that waits":          {func(d *driver) { r := d.message("one"); d.message("two"); d.done(r.Run.RunID, "1") }, carrier(here), 0, session.RunNow, 2},
		"one that waits while draining": {func(d *driver) { r := d.message("one"); d.message("two"); d.done(r.Run.RunID, "1") }, session.Carrier{Owner: here, Draining: true}, 0, session.WaitTurn, 0},
		"a question":                    {func(d *driver) { d.asked() }, session.Carrier{Owner: here, Executed: 2}, 0, session.WaitUser, 1},
		"a question of another agent":   {func(d *driver) { d.asked() }, carrier(there), 0, session.WaitUser, 1},
		"a question that has expired":   {func(d *driver) { d.asked() }, session.Carrier{Owner: here, Executed: 2}, later, session.RunNow, 1},
		"a decision": {func(d *driver) {
			_, id := d.asked()
			d.decide(id, chat.DecideOnce)
		}, carrier(there), 0, session.RunNow, 1},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			d := newDriver(t)
			c.given(d)
			d.now = d.now.Add(c.after)
			step := d.state.Next(c.who, d.now)
			if step.Action != c.want {
				t.Fatalf("action = %d, want %d", step.Action, c.want)
			}
			var runs []string
			for _, e := range d.events("") {
				if e.Type == chat.TypeMessage {
					runs = append(runs, e.RunID)
				}
			}
			if c.run > 0 && step.RunID != runs[c.run-1] {
				t.Errorf("run = %s, want that of message %d of %v", step.RunID, c.run, runs)
			}
			d.commit(step.Records)
			if now, ok := d.state.Runs().Current(); step.Action == session.RunNow && (!ok || now.ID != step.RunID || now.Owner != c.who.Owner) {
				t.Errorf("after the start the current run is %+v", now)
			}
		})
	}
}

func (d *driver) decide(approvalID, decision string) {
	d.t.Helper()
	records, _, err := d.state.Decide(approvalID, decision, d.now)
	if err != nil {
		d.t.Fatal(err)
	}
	d.commit(records)
}

func TestARunThatEndsTheProcessEachTimeIsGivenUp(t *testing.T) {
	d := newDriver(t)
	run := d.message("hello").Run.RunID
	for n := 2; ; n++ {
		step := d.state.Next(carrier(session.Owner{Instance: "a", Process: fmt.Sprint("a", n)}), d.now)
		d.commit(step.Records)
		if step.Action == session.GiveUp {
			break
		}
		if n > 10 {
			t.Fatal("it is started again and again")
		}
	}
	if r, _ := d.state.Runs().Get(run); r.Status != chat.RunInterrupted || r.Starts != 5 {
		t.Errorf("status %q after %d starts", r.Status, r.Starts)
	}
}

func TestTheFirstDecisionCounts(t *testing.T) {
	d := newDriver(t)
	_, id := d.asked()
	d.decide(id, chat.DecideDeny)
	if _, _, err := d.state.Decide(id, chat.DecideOnce, d.now); fault.CodeOf(err) != fault.CodeConflict {
		t.Errorf("a second decision: %v", err)
	}
	d.now = d.now.Add(48 * time.Hour)
	if _, _, err := d.state.Decide(id, chat.DecideOnce, d.now); fault.CodeOf(err) != fault.CodeConflict {
		t.Errorf("a late one: %v", err)
	}
	if _, _, err := d.state.Decide("apr_x.cw", chat.DecideOnce, d.now); fault.CodeOf(err) != fault.CodeNotFound {
		t.Errorf("one about nothing: %v", err)
	}
}

func TestAKeyStandsForOneMessage(t *testing.T) {
	d := newDriver(t)
	send := func(text, key string) (session.Submitted, error) {
		return d.state.Submit(session.Message{RunID: d.id("run"), MessageID: d.id("msg"), Content: text, Key: key}, here, d.now)
	}
	first, err := send("hello", "k")
	if err != nil {
		t.Fatal(err)
	}
	d.commit(first.Records)
	d.done(first.Run.RunID, "hi")
	again, err := send("hello", "k")
	if err != nil || !again.Repeated || len(again.Records) != 0 || again.Run != first.Run {
		t.Errorf("sent again: %+v, %v; the first was %+v", again, err, first)
	}
	if _, err := send("another", "k"); fault.CodeOf(err) != fault.CodeIdempotency {
		t.Errorf("another body under the key: %v", err)
	}
	d.now = d.now.Add(25 * time.Hour)
	if late, err := send("another", "k"); err != nil || late.Repeated {
		t.Errorf("a day later: %+v, %v", late, err)
	}
}

func TestMessagesWaitInOrderAndNotWithoutEnd(t *testing.T) {
	d := newDriver(t)
	d.message("0")
	for i := range chat.MaxWaiting {
		if sub := d.message(fmt.Sprint(i + 1)); sub.Starts {
			t.Fatalf("message %d starts beside the first", i+1)
		}
	}
	_, err := d.state.Submit(session.Message{RunID: "r", MessageID: "m", Content: "more"}, here, d.now)
	if fault.CodeOf(err) != fault.CodeSessionBusy {
		t.Errorf("one more: %v", err)
	}
	for range chat.MaxWaiting + 1 {
		step := d.state.Next(carrier(here), d.now)
		if step.Action != session.RunNow {
			t.Fatalf("action %d", step.Action)
		}
		d.commit(step.Records)
		d.done(step.RunID, "answer")
	}
	var texts []string
	for _, m := range d.state.History(false).Messages {
		if m.Role == chat.RoleUser {
			texts = append(texts, m.Content)
		}
	}
	if want := strings.Split("0 1 2 3 4 5 6 7 8", " "); !slices.Equal(texts, want) {
		t.Errorf("messages %v, want %v", texts, want)
	}
}

func TestCancel(t *testing.T) {
	type ends struct {
		Ended  []string
		Active bool
	}
	cases := map[string]struct {
		given   func(d *driver) (run string)
		carried bool
		want    ends
	}{
		"all, with one carried out": {func(d *driver) string { d.message("1"); d.message("2"); return "" }, true, ends{[]string{"run_3"}, true}},
		"all, with none":            {func(d *driver) string { d.message("1"); d.message("2"); return "" }, false, ends{[]string{"run_3", "run_1"}, false}},
		"one that waits":            {func(d *driver) string { d.message("1"); return d.message("2").Run.RunID }, true, ends{[]string{"run_3"}, false}},
		"a question":                {func(d *driver) string { run, _ := d.asked(); return run }, false, ends{[]string{"run_1"}, false}},
		"nothing":                   {func(*driver) string { return "" }, false, ends{}},
		"one that has ended":        {func(d *driver) string { r := d.message("1").Run.RunID; d.done(r, "x"); return r }, false, ends{}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			d := newDriver(t)
			run := c.given(d)
			got := d.state.Cancel(run, c.carried)
			if diff := cmp.Diff(c.want, ends{got.Ended, got.Active != ""}); diff != "" {
				t.Error(diff)
			}
			d.commit(got.Records)
			for _, id := range got.Ended {
				if r, _ := d.state.Runs().Get(id); r.Status != chat.RunCancelled {
					t.Errorf("%s is %q", id, r.Status)
				}
			}
		})
	}
}

// A call never lacks its result: a provider refuses a conversation with one that
// does.
func TestACancelledQuestionHasItsResult(t *testing.T) {
	d := newDriver(t)
	run, _ := d.asked()
	d.commit(d.state.Cancel(run, false).Records)
	next := d.message("go on")
	messages := d.turn(next.Run.RunID)
	var got []string
	for _, m := range messages {
		got = append(got, m.Role)
	}
	if want := []string{chat.RoleUser, chat.RoleAssistant, loop.RoleTool, chat.RoleUser}; !slices.Equal(got, want) {
		t.Errorf("the model sees %v, want %v", got, want)
	}
}

// turn returns what the model is shown for a run.
func (d *driver) turn(run string) []loop.Message {
	turn := d.state.Turn(run, has)
	return turn.Messages(session.Memory{Has: func(string) bool { return true }})
}

func TestStepsOfARunThatIsElsewhereAreRefused(t *testing.T) {
	d := newDriver(t)
	run := d.message("hello").Run.RunID
	d.commit(d.state.Next(session.Carrier{Owner: there, Claimed: 2}, d.now).Records)
	_, err := d.state.Record(session.Progress{RunID: run, Owner: here, Steps: []loop.Step{answer(1, "late")}, Room: 1 << 20, Now: d.now, NewID: d.id})
	if err == nil {
		t.Error("the process that had the run writes into it")
	}
}

// What was stored although the store said nothing is not written a second time.
func TestStepsAreRecordedOnce(t *testing.T) {
	d := newDriver(t)
	run := d.message("hello").Run.RunID
	c := writeCall("c1")
	steps := []loop.Step{answer(1, "", c), {Call: &c}, {Result: &loop.Result{Call: c, Status: chat.ToolOK, Output: "done"}}}
	d.record(run, nil, steps...)
	before := len(d.journal)
	d.record(run, &session.Finished{Status: chat.RunDone}, append(steps, answer(2, "written"))...)
	if got := len(d.journal) - before; got != 2 {
		t.Errorf("%d records, want the new answer and the end", got)
	}
}

func TestLargeStepsAreSpreadOverObjects(t *testing.T) {
	d := newDriver(t)
	run := d.message("hello").Run.RunID
	text := strings.Repeat("x", 600)
	var steps []loop.Step
	for i := range 5 {
		steps = append(steps, answer(i+1, text))
	}
	p := session.Progress{RunID: run, Owner: here, Steps: steps, End: &session.Finished{Status: chat.RunDone}, Room: 1500, Now: d.now, NewID: d.id}
	objects := 0
	for more := true; more; objects++ {
		made, err := d.state.Record(p)
		if err != nil {
			t.Fatal(err)
		}
		d.commit(made.Records)
		more = made.More
		if objects > 10 {
			t.Fatal("it never ends")
		}
	}
	if r, _ := d.state.Runs().Get(run); r.Rounds != 5 || r.Status != chat.RunDone || objects < 3 {
		t.Errorf("%d answers in %d objects, status %q", r.Rounds, objects, r.Status)
	}
}

func TestEditsAndNewAnswersAreBranches(t *testing.T) {
	d := newDriver(t)
	first := d.message("one")
	d.done(first.Run.RunID, "a")
	root := ""
	edit, err := d.state.Submit(session.Message{RunID: d.id("run"), MessageID: d.id("msg"), Content: "one, edited", ParentID: &root}, here, d.now)
	if err != nil {
		t.Fatal(err)
	}
	d.commit(edit.Records)
	d.done(edit.Run.RunID, "b")
	again, err := d.state.Regenerate(session.Again{RunID: d.id("run"), MessageID: first.Run.MessageID}, here, d.now)
	if err != nil {
		t.Fatal(err)
	}
	d.commit(again.Records)
	d.done(again.Run.RunID, "c")
	shown := func() string {
		var texts []string
		for _, m := range d.state.History(false).Messages {
			texts = append(texts, m.Content)
		}
		return strings.Join(texts, " · ")
	}
	if got := shown(); got != "one · c" {
		t.Errorf("shown: %s", got)
	}
	records, err := d.state.Update(session.Edit{Head: &edit.Run.MessageID})
	if err != nil {
		t.Fatal(err)
	}
	d.commit(records)
	if got := shown(); got != "one, edited · b" {
		t.Errorf("after the switch: %s", got)
	}
	if n := len(d.state.History(true).Messages); n != 5 {
		t.Errorf("%d messages in the tree, want 5", n)
	}
}

// A message that waits has no place yet: shown as the end of a branch, it would
// come to stand behind itself.
func TestAMessageThatWaitsIsNotShownAsABranch(t *testing.T) {
	d := newDriver(t)
	first := d.message("one").Run.RunID
	waits := d.message("two").Run.MessageID
	if _, err := d.state.Update(session.Edit{Head: &waits}); fault.CodeOf(err) != fault.CodeConflict {
		t.Fatalf("the switch to it: %v", err)
	}
	title := "a title"
	records, err := d.state.Update(session.Edit{Title: &title})
	if err != nil {
		t.Fatal(err)
	}
	// As versions up to 0.2 have written it.
	records[0].Body = json.RawMessage(fmt.Sprintf(`{"title":"a title","head":%q}`, waits))
	d.commit(records)
	d.done(first, "a")
	d.commit(d.state.Next(carrier(here), d.now).Records)
	if h := d.state.History(false); len(h.Messages) != 3 || h.Messages[2].Content != "two" {
		t.Errorf("shown: %+v", h.Messages)
	}
}

// has is the memory of a user who has forgotten nothing.
func has(string) bool { return true }

// What waits has its place on a branch only when its turn comes, also where its sender
// has said what it answers.
func TestAMessageThatWaitsStandsBesideNothing(t *testing.T) {
	d := newDriver(t)
	first := d.message("one")
	d.done(first.Run.RunID, "an answer")
	second := d.message("two")
	beside := func() (ids []string) {
		events, _ := d.state.Tail(10, chat.At(d.now))
		for _, e := range events {
			ids = append(ids, e.Siblings...)
		}
		return ids
	}
	parent := ""
	waits, err := d.state.Submit(session.Message{RunID: "run_w", MessageID: "msg_w", Content: "another beginning", ParentID: &parent}, here, d.now)
	if err != nil {
		t.Fatal(err)
	}
	d.commit(waits.Records)
	if got := beside(); len(got) > 0 {
		t.Errorf("while it waits %v stand beside one another", got)
	}
	d.done(second.Run.RunID, "another answer")
	d.commit(d.state.Next(carrier(here), d.now).Records)
	if got := beside(); len(got) == 0 {
		t.Error("when its turn has come it stands beside nothing")
	}
}
