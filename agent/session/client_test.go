package session_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/record"
	"github.com/loongclaw/loongclaw/agent/session"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

func theirCall(id string) loop.Call {
	return loop.Call{ID: id, Name: "weather", Arguments: json.RawMessage(`{"city":"Oslo"}`), Client: true}
}

// handOver has a run call two tools of its client, and wait for them.
func (d *driver) handOver(run string, round int, ids ...string) {
	d.t.Helper()
	var calls []loop.Call
	steps := []loop.Step{{}}
	for _, id := range ids {
		c := theirCall(id)
		calls, steps = append(calls, c), append(steps, loop.Step{Call: &c})
	}
	steps[0] = answer(round, "", calls...)
	d.record(run, nil, append(steps, loop.Step{Handed: &loop.HandedStep{Calls: ids}})...)
}

// waiting brings a run to the calls of its client.
func (d *driver) waiting() (run string, calls []chat.ClientCall) {
	d.t.Helper()
	sub := d.message("what is the weather?")
	d.handOver(sub.Run.RunID, 1, "c1", "c2")
	return sub.Run.RunID, d.handed()
}

// handed are the calls that a client was given last.
func (d *driver) handed() []chat.ClientCall {
	d.t.Helper()
	events := d.events("")
	for i := len(events) - 1; i >= 0; i-- {
		if events[i].Type == chat.TypeClientCalls {
			return events[i].Calls
		}
	}
	d.t.Fatal("a client was given nothing")
	return nil
}

func gave(calls []chat.ClientCall, texts ...string) []session.Output {
	var out []session.Output
	for i, text := range texts {
		out = append(out, session.Output{CallID: calls[i].ID, Text: text})
	}
	return out
}

func TestWhatIsNextWhereAClientHasCalls(t *testing.T) {
	moved := session.Carrier{Owner: here, Executed: 99}
	for name, c := range map[string]struct {
		given  func(d *driver)
		who    session.Carrier
		after  time.Duration
		want   session.Action
		status string // how the run ended, once the records are written
	}{
		"it waits":                 {func(d *driver) { d.waiting() }, moved, 0, session.WaitClient, ""},
		"another agent looks":      {func(d *driver) { d.waiting() }, carrier(there), 0, session.WaitClient, ""},
		"after a restart":          {func(d *driver) { d.waiting() }, carrier(session.Owner{Instance: "a", Process: "a2"}), 0, session.WaitClient, ""},
		"just before its end":      {func(d *driver) { d.waiting() }, moved, 24*time.Hour - time.Second, session.WaitClient, ""},
		"a day later":              {func(d *driver) { d.waiting() }, moved, 24*time.Hour + time.Second, session.GiveUp, chat.RunInterrupted},
		"a day later, elsewhere":   {func(d *driver) { d.waiting() }, carrier(there), 24*time.Hour + time.Second, session.GiveUp, chat.RunInterrupted},
		"something waits behind":   {func(d *driver) { r := d.message("1"); d.message("2"); d.handOver(r.Run.RunID, 1, "c1") }, moved, 0, session.GiveUp, chat.RunInterrupted},
		"the results are there":    {func(d *driver) { d.goOn("cold", "noon") }, carrier(there), 0, session.RunNow, ""},
		"results, and a day later": {func(d *driver) { d.goOn("cold", "noon") }, moved, 25 * time.Hour, session.RunNow, ""},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDriver(t)
			c.given(d)
			d.now = d.now.Add(c.after)
			step := d.state.Next(c.who, d.now)
			if step.Action != c.want {
				t.Fatalf("action = %d, want %d", step.Action, c.want)
			}
			d.commit(step.Records)
			if run, ok := d.state.Runs().Get(step.RunID); !ok || run.Status != c.status {
				t.Errorf("the run is %q, want %q", run.Status, c.status)
			}
			if c.want == session.WaitClient && (d.state.Runs().Busy() || d.state.Due() || !d.state.Runs().Unfinished() || d.state.Summary().State != chat.StateIdle) {
				t.Errorf("busy %v, due %v, unfinished %v, %s", d.state.Runs().Busy(), d.state.Due(), d.state.Runs().Unfinished(), d.state.Summary().State)
			}
		})
	}
}

// goOn brings a run to its client's calls and gives the results.
func (d *driver) goOn(texts ...string) session.Returned {
	d.t.Helper()
	_, calls := d.waiting()
	got, err := d.state.Return(session.Results{Outputs: gave(calls, texts...)}, d.now)
	if err != nil || !got.Known {
		d.t.Fatalf("got %+v, %v", got, err)
	}
	d.commit(got.Records)
	return got
}

func TestResults(t *testing.T) {
	d := newDriver(t)
	run, calls := d.waiting()
	for _, p := range d.state.Turn(run, has).Pending {
		if p.Stage != loop.AtClient {
			t.Errorf("the call %s is at %d", p.Call.ID, p.Stage)
		}
	}
	if _, err := d.state.Return(session.Results{Outputs: gave(calls, "cold")}, d.now); fault.CodeOf(err) != fault.CodeInvalidRequest || !strings.Contains(err.Error(), calls[1].ID) || strings.Contains(err.Error(), calls[0].ID) {
		t.Errorf("one of two: got %v, want %s named", err, calls[1].ID)
	}
	for name, outputs := range map[string][]session.Output{
		"nothing":      nil,
		"other calls":  {{CallID: "call_x", Text: "cold"}},
		"one too many": append(gave(calls, "cold", "noon"), session.Output{CallID: "call_x"}),
	} {
		if got, err := d.state.Return(session.Results{Outputs: outputs}, d.now); err != nil || got.Known {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
	}
	got, err := d.state.Return(session.Results{Outputs: gave(calls, "cold", strings.Repeat("x", 2<<20)), Instructions: "be brief"}, d.now)
	if err != nil || !got.Known || got.Repeated {
		t.Fatalf("got %+v, %v", got, err)
	}
	d.commit(got.Records)
	events := d.events(got.Run.Cursor)
	if len(events) != 0 {
		t.Errorf("before it goes on there is %+v", events)
	}
	d.commit(d.state.Next(carrier(there), d.now).Records)
	now, _ := d.state.Runs().Current()
	if now.ID != run || now.Owner != there || now.Instructions != "be brief" {
		t.Errorf("the current run is %+v", now)
	}
	m := d.turn(run)
	last := m[len(m)-1]
	if !m[len(m)-2].Client || m[len(m)-2].Text != "cold" || !last.Client || len(last.Text) != loop.MaxResult {
		t.Errorf("the model is told %+v", m[len(m)-2])
	}
}

// The same results are the same request, also when the run has gone on; others are
// another conversation, and so are any once the run has failed.
func TestResultsAreTakenOnce(t *testing.T) {
	d := newDriver(t)
	first := d.goOn("cold", "noon")
	same := session.Results{Outputs: gave(d.handed(), "cold", "noon")}
	other := session.Results{Outputs: gave(d.handed(), "cold", "one")}
	look := func(when string) {
		t.Helper()
		if got, err := d.state.Return(same, d.now); err != nil || !got.Known || !got.Repeated || got.Run != first.Run || len(got.Records) > 0 {
			t.Errorf("%s: got %+v, %v", when, got, err)
		}
		if got, err := d.state.Return(other, d.now); err != nil || got.Known {
			t.Errorf("%s, others: got %+v, %v", when, got, err)
		}
	}
	look("at once")
	d.commit(d.state.Next(carrier(here), d.now).Records)
	d.handOver(first.Run.RunID, 2, "c3")
	look("with the next calls")
	second, err := d.state.Return(session.Results{Outputs: gave(d.handed(), "wind")}, d.now)
	if err != nil {
		t.Fatal(err)
	}
	d.commit(second.Records)
	look("with the next results")
	d.commit(d.state.Next(carrier(here), d.now).Records)
	d.record(first.Run.RunID, &session.Finished{Status: chat.RunDone}, answer(3, "cold and windy"))
	look("at the end")

	d = newDriver(t)
	first = d.goOn("cold", "noon")
	d.commit(d.state.Next(carrier(here), d.now).Records)
	d.record(first.Run.RunID, &session.Finished{Status: chat.RunFailed})
	if got, err := d.state.Return(session.Results{Outputs: gave(d.handed(), "cold", "noon")}, d.now); err != nil || got.Known {
		t.Errorf("of a run that failed: got %+v, %v", got, err)
	}
}

// What comes next ends a run that waits for its client, and does not wait itself.
func TestWhatComesNextEndsTheWait(t *testing.T) {
	for name, tt := range map[string]struct {
		next func(d *driver, calls []chat.ClientCall) session.Submitted
		told []string
	}{
		"a message": {func(d *driver, _ []chat.ClientCall) session.Submitted { return d.message("never mind") }, []string{
			"skipped: the client went on without the result", "skipped: the client went on without the result",
		}},
		"a message, and a result": {func(d *driver, calls []chat.ClientCall) session.Submitted {
			sub, err := d.state.Submit(session.Message{RunID: "r", MessageID: "m", Content: "never mind", Given: gave(calls, "cold")}, here, d.now)
			if err != nil {
				d.t.Fatal(err)
			}
			d.commit(sub.Records)
			return sub
		}, []string{"cold", "skipped: the client went on without the result"}},
		"the wish for another answer": {func(d *driver, _ []chat.ClientCall) session.Submitted {
			sub, err := d.state.Regenerate(session.Again{RunID: "r"}, here, d.now)
			if err != nil {
				d.t.Fatal(err)
			}
			d.commit(sub.Records)
			return sub
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDriver(t)
			run, calls := d.waiting()
			sub := tt.next(d, calls)
			if !sub.Starts {
				t.Error("it waits")
			}
			if r, _ := d.state.Runs().Get(run); r.Status != chat.RunInterrupted {
				t.Errorf("the run is %q", r.Status)
			}
			if events := d.events(sub.Run.Cursor); events[0].RunID != sub.Run.RunID {
				t.Errorf("its cursor leads to %+v", events[0])
			}
			var told []string
			for _, m := range d.turn(sub.Run.RunID) {
				if m.Role == loop.RoleTool {
					told = append(told, m.Text)
				}
			}
			if diff := cmp.Diff(tt.told, told); diff != "" {
				t.Errorf("what the model is told (-want +got):\n%s", diff)
			}
			if got, err := d.state.Return(session.Results{Outputs: gave(calls, "cold", "noon")}, d.now); err != nil || got.Known {
				t.Errorf("late results: got %+v, %v", got, err)
			}
		})
	}
}

func TestACancelledWaitHasItsResults(t *testing.T) {
	d := newDriver(t)
	run, calls := d.waiting()
	d.commit(d.state.Cancel(run, false).Records)
	if r, _ := d.state.Runs().Get(run); r.Status != chat.RunCancelled {
		t.Errorf("the run is %q", r.Status)
	}
	if got, err := d.state.Return(session.Results{Outputs: gave(calls, "cold", "noon")}, d.now); err != nil || got.Known {
		t.Errorf("results: got %+v, %v", got, err)
	}
}

// A crash between the calls and their handing over: they are handed over again, and
// none of them is taken for one that may have run.
func TestCallsThatWereNotHandedOver(t *testing.T) {
	d := newDriver(t)
	run := d.message("hello").Run.RunID
	c := theirCall("c1")
	d.record(run, nil, answer(1, "", c), loop.Step{Call: &c})
	step := d.state.Next(carrier(session.Owner{Instance: "a", Process: "a2"}), d.now)
	if step.Action != session.RunNow {
		t.Fatalf("action = %d", step.Action)
	}
	d.commit(step.Records)
	if p := d.state.Turn(run, has).Pending; len(p) != 1 || !p[0].Call.Client || p[0].Stage == loop.AtClient {
		t.Errorf("pending: %+v", p)
	}
}

// A run is given up for crashes, not for the results of its client.
func TestAClientMayComeBackOften(t *testing.T) {
	d := newDriver(t)
	run := d.message("hello").Run.RunID
	for round := 1; round < 20; round++ {
		d.handOver(run, round, "c"+strings.Repeat("x", round))
		got, err := d.state.Return(session.Results{Outputs: gave(d.handed(), "cold")}, d.now)
		if err != nil || !got.Known {
			t.Fatalf("round %d: %+v, %v", round, got, err)
		}
		d.commit(got.Records)
		d.commit(d.state.Next(carrier(here), d.now).Records)
	}
	if step := d.state.Next(carrier(session.Owner{Instance: "a", Process: "a2"}), d.now); step.Action != session.RunNow {
		t.Errorf("a crash after that: action = %d", step.Action)
	}
	if turn := d.state.Turn(run, has); turn.Answered != 19 {
		t.Errorf("its request has begun after %d answers", turn.Answered)
	}
}

// Tools that a session holds are not written again.
func TestToolsAreKeptOnce(t *testing.T) {
	d := newDriver(t)
	client := &session.Client{Tools: []loop.Spec{{Name: "weather", Parameters: json.RawMessage(`{"type":"object"}`)}}, OneCall: true}
	send := func() string {
		sub, err := d.state.Submit(session.Message{RunID: d.id("run"), MessageID: d.id("msg"), Content: "hello", Client: client}, here, d.now)
		if err != nil {
			t.Fatal(err)
		}
		d.commit(sub.Records)
		for _, s := range []*session.State{d.state, d.restarted()} {
			if got := s.Turn(sub.Run.RunID, has).Client; len(got.Tools) != 1 || got.Tools[0].Name != "weather" || !got.OneCall {
				t.Errorf("the turn has %+v", got)
			}
		}
		run := sub.Run.RunID
		d.handOver(run, 1, "c1")
		got, err := d.state.Return(session.Results{Outputs: gave(d.handed(), "cold"), Client: client}, d.now)
		if err != nil {
			t.Fatal(err)
		}
		d.commit(got.Records)
		d.commit(d.state.Next(carrier(here), d.now).Records)
		d.record(run, &session.Finished{Status: chat.RunDone}, answer(2, "done"))
		return run
	}
	send()
	send()
	held := 0
	for _, w := range d.journal {
		if strings.Contains(string(w.Record.Body), `"parameters":{"type":"object"}`) {
			held++
		}
	}
	if held != 1 {
		t.Errorf("the tools stand in %d records", held)
	}
}

// The ids that clients know name the session, are as short as OpenAI's, and are the
// same after a restart.
func TestWhatAClientKnowsACallBy(t *testing.T) {
	const name = "v1-abcdefghij0123456789"
	id := session.ClientCallID(name, 1, "run_1", "c1")
	if got, ok := session.OfClientCall(id); !ok || got != name || len(id) > 40 || !regexp.MustCompile(`^[a-zA-Z0-9_-]+$`).MatchString(id) {
		t.Errorf("%s leads to %q, %v", id, got, ok)
	}
	seen := map[string]bool{id: true}
	for _, other := range []string{
		session.ClientCallID(name, 2, "run_1", "c1"), session.ClientCallID(name, 1, "run_2", "c1"), session.ClientCallID(name, 1, "run_1", "c2"),
		session.ClientCallID("v1-abcdefghij01234567890000", 1, "run_1", "c1"), session.ClientCallID("work", 1, "run_1", "c1"),
	} {
		if seen[other] || len(other) > 40 {
			t.Errorf("%s is there twice, or too long", other)
		}
		seen[other] = true
	}
	for _, foreign := range []string{"", "call_1", "call_abc_def", "functions.weather:0", session.ClientCallID("work", 1, "run_1", "c1"), id + "x"} {
		if got, ok := session.OfClientCall(foreign); ok {
			t.Errorf("%q leads to %q", foreign, got)
		}
	}
}

// A reader that does not know of a wait must not go on with the run.
func TestAWaitIsNotPassedOver(t *testing.T) {
	d := newDriver(t)
	d.waiting()
	needs := 0
	for _, w := range d.journal {
		needs = max(needs, w.Record.Needs)
	}
	if needs != 1 || record.Reader < needs {
		t.Errorf("the journal needs %d", needs)
	}
}

// What was done elsewhere is there for the model and not for who has it already.
func TestAMessageThatSomethingWasDoneFor(t *testing.T) {
	d := newDriver(t)
	m := session.Message{
		RunID: "r", MessageID: "m", Content: "hello", Key: "k",
		Earlier: []session.Exchange{{RunID: "r0", QuestionID: "m0", AnswerID: "a0", User: "u", Assistant: "a", Done: []session.Done{
			{AnswerID: "d0", Text: "I look.", Calls: []loop.Call{{ID: "x", Name: "weather", Arguments: json.RawMessage("no object")}}},
		}}},
		Begun: []session.Done{{AnswerID: "d1", Calls: []loop.Call{{ID: "x", Name: "weather"}, {ID: "y", Name: "clock"}}, Outputs: []session.Output{{CallID: "y", Text: "noon"}, {CallID: "x", Text: "cold"}}}},
	}
	sub, err := d.state.Submit(m, here, d.now)
	if err != nil {
		t.Fatal(err)
	}
	d.commit(sub.Records)
	var told []string
	turn := d.state.Turn("r", has)
	if turn.Told() {
		t.Error("there is nothing to tell the model any more")
	}
	for _, m := range turn.Messages(session.Memory{Has: has}) {
		told = append(told, m.Role+" "+m.Text)
	}
	want := []string{"user u", "assistant I look.", "tool skipped: the client went on without the result", "assistant a", "user hello", "assistant ", "tool cold", "tool noon"}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Errorf("what the model is told (-want +got):\n%s", diff)
	}
	if step := d.state.Next(carrier(here), d.now); step.Action != session.RunNow || step.RunID != "r" {
		t.Errorf("next is %+v", step)
	}
	if events := d.events(sub.Run.Cursor); len(events) != 0 {
		t.Errorf("who has it is told %+v", events)
	}
	m.RunID, m.MessageID, m.Begun[0].AnswerID = "r2", "m2", "d2"
	if again, err := d.state.Submit(m, here, d.now); err != nil || !again.Repeated || again.Run != sub.Run {
		t.Errorf("again: got %+v, %v, want %+v", again, err, sub.Run)
	}
	m.Key = ""
	if _, err := d.state.Submit(m, here, d.now); err != session.ErrBegun { //nolint:errorlint // the very one
		t.Errorf("in a session that is not empty: got %v", err)
	}
}
