package runs_test

import (
	"errors"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/agent/model/modeltest"
	"github.com/loongclaw/loongclaw/agent/runs"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

// untilIdle reads what is there until nothing runs.
func untilIdle(t *testing.T, m *runs.Manager, session, after string) []chat.Event {
	t.Helper()
	f, err := m.Follow(t.Context(), "alice", session, after)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	f.UntilIdle = true
	var all []chat.Event
	for {
		events, err := f.Next(t.Context())
		if errors.Is(err, runs.ErrIdle) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, events...)
	}
}

func TestAStreamUntilIdleHoldsTheWholeRunAndWhatWaitsBehindIt(t *testing.T) {
	r := newRig(t)
	m := r.agent("a")
	defer stop(t, m, time.Second)
	start(t, m, "s", "one")
	start(t, m, "s", "two")
	finished := 0
	events := untilIdle(t, m, "s", "")
	for _, e := range events {
		if e.Type == chat.TypeRunFinished {
			finished++
		}
	}
	if finished != 2 || events[len(events)-1].Type != chat.TypeRunFinished {
		t.Errorf("%d runs finished before the end, the last event is %s; want both, and an end at once", finished, events[len(events)-1].Type)
	}
	eventually(t, func() bool { return m.Activity().Active() == 0 }, "nothing runs, and yet something is active")
	// From its cursor nothing is left, and nothing is missed of what comes.
	last := events[len(events)-1].Cursor
	if more := untilIdle(t, m, "s", last); len(more) != 0 {
		t.Errorf("after the end: %d events, want none", len(more))
	}
	start(t, m, "s", "three")
	if more := untilIdle(t, m, "s", last); len(more) == 0 || more[0].Content == nil || *more[0].Content != "three" {
		t.Errorf("after the next message: %v, want it first", more)
	}
}

func TestWhatWaitsForTheUserIsIdle(t *testing.T) {
	r := newRig(t)
	m := r.agent("a")
	defer stop(t, m, time.Second)
	_, question := ask(t, r, m, "s")
	eventually(t, func() bool { return m.Activity().Active() == 0 }, "a parked run keeps the agent active")
	events := untilIdle(t, m, "s", "")
	if last := events[len(events)-1]; last.Type != chat.TypeApprovalRequired {
		t.Errorf("the last event is %s, want the question", last.Type)
	}
	if err := m.Approve(t.Context(), "alice", question.ApprovalID, chat.DecideOnce); err != nil {
		t.Fatal(err)
	}
	more := untilIdle(t, m, "s", events[len(events)-1].Cursor)
	if len(more) == 0 || more[len(more)-1].Type != chat.TypeRunFinished {
		t.Errorf("after the decision: %v, want the rest of the run", more)
	}
}

func TestARunThatStreamsIsActive(t *testing.T) {
	r := newRig(t)
	r.provider.Fallback(func(*modeltest.Request) modeltest.Reply {
		return modeltest.Reply{Text: "one two three", Chunks: 3, Fault: modeltest.FaultStall, After: 1}
	})
	m := r.agent("a")
	defer stop(t, m, time.Millisecond)
	run := start(t, m, "s", "hello")
	read(t, m, "s", run.Cursor, ofType(chat.TypeMessageChunk))
	for user, want := range map[string]int{"": 1, "alice": 1, "bob": 0} {
		if got := m.Activity().ActiveOf(user); got != want {
			t.Errorf("active of %q: got %d, want %d", user, got, want)
		}
	}
}

func TestADeletedSessionIsIdle(t *testing.T) {
	r := newRig(t)
	m := r.agent("a")
	defer stop(t, m, time.Second)
	run := start(t, m, "s", "hello")
	read(t, m, "s", run.Cursor, finished(run))
	f, err := m.Follow(t.Context(), "alice", "s", run.Cursor)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	f.UntilIdle = true
	if err := m.Delete(t.Context(), "alice", "s"); err != nil {
		t.Fatal(err)
	}
	cleared := false
	for {
		events, err := f.Next(t.Context())
		if errors.Is(err, runs.ErrIdle) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			cleared = cleared || e.Type == chat.TypeHistoryCleared
		}
	}
	if !cleared {
		t.Error("the end of the session was not told")
	}
}
