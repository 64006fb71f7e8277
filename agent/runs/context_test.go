package runs_test

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/memory"
	"github.com/loongclaw/loongclaw/agent/runs"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

// listener is a model that keeps what it is asked, and calls a tool first when the
// message says so.
type listener struct {
	mu    sync.Mutex
	asked []loop.Question
	panic string // a message that makes it panic
	end   chat.Finish
}

func (l *listener) Answer(_ context.Context, q loop.Question, onText func(string)) (loop.Answer, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	q.Messages = append([]loop.Message(nil), q.Messages...)
	l.asked = append(l.asked, q)
	last := q.Messages[len(q.Messages)-1]
	if l.panic != "" && last.Text == l.panic {
		onText("One moment")
		panic("the model's library is broken")
	}
	if strings.Contains(last.Text, "time") && last.Role == chat.RoleUser {
		return loop.Answer{Calls: []loop.Call{{ID: "c", Name: "get_current_time", Arguments: []byte(`{}`)}}, Finish: chat.FinishToolCalls, Model: "test/1"}, nil
	}
	onText("So be it.")
	end := l.end
	if end == "" {
		end = chat.FinishStop
	}
	return loop.Answer{Text: "So be it.", Finish: end, Model: "test/1", Reasoning: "hm", Native: []byte(`{"message":{"signature":"s"}}`)}, nil
}

// taken returns the questions since the last call.
func (l *listener) taken() []loop.Question {
	l.mu.Lock()
	defer l.mu.Unlock()
	asked := l.asked
	l.asked = nil
	return asked
}

// clock is a time that the test moves.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) forward(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func (r *rig) listening(l *listener, c *clock) *runs.Manager {
	return r.start(func(config *runs.Config) { config.Model, config.Now = l, c.Now })
}

// sayTo sends a message and waits for its run's end.
func sayTo(t *testing.T, m *runs.Manager, session, text string) []chat.Event {
	t.Helper()
	run := start(t, m, session, text)
	return read(t, m, session, run.Cursor, finished(run))
}

// A provider reads from its cache what is the same as in the request before.
func TestWhatWasSentStaysTheSame(t *testing.T) {
	r, l, c := newRig(t), &listener{}, &clock{now: time.Date(2026, 3, 4, 10, 0, 0, 0, time.UTC)}
	m := r.listening(l, c)
	u, err := m.Users().Get(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	for _, fact := range []string{"my cat is called Mimi", "my dog is called Rex", "my sister lives in Oslo"} {
		if _, err := u.Memory.Save(t.Context(), memory.Item{Type: "fact", Importance: "high", Content: fact, Source: "old"}); err != nil {
			t.Fatal(err)
		}
	}
	var before loop.Question
	contexts, days := 0, 0
	for n := range 30 {
		text := []string{"what is my cat called?", "what is the time?", "who is my dog?", "where does my sister live?", "go on"}[n%5]
		if n == 12 {
			c.forward(24 * time.Hour)
		}
		if n == 20 { // a restart reads the same conversation
			stop(t, m, time.Second)
			m = r.listening(l, c)
		}
		sayTo(t, m, "s", fmt.Sprintf("%s (%d)", text, n))
		for _, q := range l.taken() {
			if q.System != "persona" {
				t.Fatalf("the system text is %q", q.System)
			}
			if len(q.Messages) < len(before.Messages) {
				t.Fatalf("request %d is shorter than the one before", n)
			}
			for i, was := range before.Messages {
				if got := q.Messages[i]; !reflect.DeepEqual(got, was) {
					t.Fatalf("turn %d: message %d was\n%+v\nand is\n%+v", n, i, was, got)
				}
			}
			before = q
		}
	}
	for _, msg := range before.Messages {
		if strings.Contains(msg.Context, "Mimi") {
			contexts++
		}
		if strings.Contains(msg.Context, "Today is") {
			days++
		}
		if msg.Role == chat.RoleAssistant && len(msg.Calls) == 0 && (msg.Provider() != "test" || msg.Reasoning != "hm" || string(msg.Native) != `{"message":{"signature":"s"}}`) {
			t.Fatalf("an answer lost what its provider wants back: %+v", msg)
		}
	}
	if contexts != 1 || days != 2 {
		t.Errorf("the cat is in %d contexts, want 1; the day in %d, want 2", contexts, days)
	}

	// What the user forgets is gone from the next request on.
	items := u.Memory.Recent(10)
	u, err = m.Users().Get(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range items {
		if strings.Contains(i.Content, "Mimi") {
			if err := u.Memory.Forget(t.Context(), i.ID); err != nil {
				t.Fatal(err)
			}
		}
	}
	sayTo(t, m, "s", "and now?")
	asked := l.taken()
	all := fmt.Sprintf("%+v", asked[0].Messages)
	if strings.Contains(all, "Mimi") || !strings.Contains(all, "[forgotten]") {
		t.Errorf("what was forgotten is still sent: %v", strings.Contains(all, "Mimi"))
	}
	stop(t, m, time.Second)
	isWhole(t, r.store)
}

func TestAPanicEndsItsRunAndNothingElse(t *testing.T) {
	r, l, c := newRig(t), &listener{panic: "break"}, &clock{now: time.Now()}
	m := r.listening(l, c)
	events := sayTo(t, m, "s", "break")
	last := events[len(events)-1]
	if last.Status != chat.RunFailed || last.Error == nil || last.Error.Code != "internal" || strings.Contains(fmt.Sprint(last.Error.Message, last.Error.Hint), "library") {
		t.Errorf("the run ended as %+v, %v", last, last.Error)
	}
	if cut := find(t, events, chat.TypeMessageComplete); cut.Text() != "One moment" || !cut.Incomplete || cut.Finish != "" {
		t.Errorf("what was shown is %+v", cut)
	}
	law(t, events)
	if after := sayTo(t, m, "s", "go on"); after[len(after)-1].Status != chat.RunDone {
		t.Errorf("the session does not go on: %+v", after[len(after)-1])
	}
	asked := len(l.taken())
	stop(t, m, time.Second)
	m = r.listening(l, c)
	recoverAll(t, m)
	stop(t, m, time.Second)
	if again := len(l.taken()); asked != 2 || again != 0 {
		t.Errorf("asked %d times, and %d times after a restart", asked, again)
	}
}

func TestHowAnAnswerEndedIsKept(t *testing.T) {
	for _, end := range []chat.Finish{chat.FinishStop, chat.FinishLength, chat.FinishRefusal} {
		r, l, c := newRig(t), &listener{end: end}, &clock{now: time.Now()}
		m := r.listening(l, c)
		events := sayTo(t, m, "s", "hello")
		if done := find(t, events, chat.TypeMessageComplete); done.Finish != end || events[len(events)-1].Status != chat.RunDone {
			t.Errorf("%s: the event says %q, the run is %s", end, done.Finish, events[len(events)-1].Status)
		}
		h, err := m.History(t.Context(), "alice", "s", runs.View{})
		if err != nil || h.Messages[1].Finish != end {
			t.Errorf("%s: the history says %+v, %v", end, h.Messages, err)
		}
		lines, err := m.Audit().Entries(t.Context(), "alice")
		if err != nil {
			t.Fatal(err)
		}
		noted := 0
		for _, line := range lines {
			if line.What == "answer" && line.Finish == string(end) && line.Model == "test/1" {
				noted++
			}
		}
		if want := map[chat.Finish]int{chat.FinishLength: 1, chat.FinishRefusal: 1}[end]; noted != want {
			t.Errorf("%s: %d lines of the ledger, want %d", end, noted, want)
		}
		stop(t, m, time.Second)
	}
}
