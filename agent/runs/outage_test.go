package runs_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/agent/bucket/buckettest"
	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/model/modeltest"
	"github.com/loongclaw/loongclaw/agent/runs"
	"github.com/loongclaw/loongclaw/agent/session"
	"github.com/loongclaw/loongclaw/agent/tools"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// TestAnOutageIsSaidAsOne lets the store go away before each call that a request makes
// of it: whoever asked is told that the store did not answer, never of an internal error.
func TestAnOutageIsSaidAsOne(t *testing.T) {
	title := "title"
	requests := map[string]func(ctx context.Context, m *runs.Manager) error{
		"start": func(ctx context.Context, m *runs.Manager) error {
			_, err := m.Start(ctx, "alice", "s", runs.Request{Message: "hello", Key: "k"})
			return err
		},
		"start a session": func(ctx context.Context, m *runs.Manager) error {
			_, err := m.Start(ctx, "alice", "new", runs.Request{Message: "hello"})
			return err
		},
		"follow": func(ctx context.Context, m *runs.Manager) error { return followOnce(ctx, m) },
		"history": func(ctx context.Context, m *runs.Manager) error {
			_, err := m.History(ctx, "alice", "s", runs.View{})
			return err
		},
		"turns": func(ctx context.Context, m *runs.Manager) error {
			_, err := m.Turns(ctx, "alice", "s", "", 5, 100)
			return err
		},
		"sessions": func(ctx context.Context, m *runs.Manager) error {
			_, err := m.Lists().List(ctx, "alice", "hello")
			return err
		},
		"session": func(ctx context.Context, m *runs.Manager) error { _, err := m.Session(ctx, "alice", "s"); return err },
		"usage":   func(ctx context.Context, m *runs.Manager) error { _, err := m.Lists().Usage(ctx, "alice"); return err },
		"watch":   func(ctx context.Context, m *runs.Manager) error { return watchOnce(ctx, m) },
		"approvals": func(ctx context.Context, m *runs.Manager) error {
			_, err := m.Lists().Approvals(ctx, "alice")
			return err
		},
		"audit": func(ctx context.Context, m *runs.Manager) error {
			_, err := m.Audit().Entries(ctx, "alice")
			return err
		},
		"update": func(ctx context.Context, m *runs.Manager) error {
			_, err := m.Update(ctx, "alice", "s", session.Edit{Title: &title})
			return err
		},
		"cancel": func(ctx context.Context, m *runs.Manager) error {
			_, err := m.Cancel(ctx, "alice", "s", "")
			return err
		},
		"clear":     func(ctx context.Context, m *runs.Manager) error { return m.Clear(ctx, "alice", "s") },
		"delete":    func(ctx context.Context, m *runs.Manager) error { return m.Delete(ctx, "alice", "s") },
		"clear all": func(ctx context.Context, m *runs.Manager) error { return m.ClearAll(ctx, "alice") },
	}
	for name, request := range requests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for answered := int64(0); ; answered++ {
				r := newRig(t)
				before := r.agent("before")
				run := start(t, before, "s", "hello")
				read(t, before, "s", "", finished(run))
				stop(t, before, time.Second)
				store := buckettest.Ready(r.store)
				r.store = store
				m := r.agent("after")
				store.Break(answered)
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
				err := request(ctx, m)
				cancel()
				failed := store.Failed()
				store.Mend()
				stop(t, m, time.Second)
				if err != nil && fault.CodeOf(err) != fault.CodeStoreFailed {
					t.Errorf("after %d calls of the store: got %v (%s), want %s", answered, err, fault.CodeOf(err), fault.CodeStoreFailed)
				}
				if !failed {
					if err != nil || answered == 0 {
						t.Errorf("with %d calls of a store that answers: %v", answered, err)
					}
					return
				}
			}
		})
	}
}

func followOnce(ctx context.Context, m *runs.Manager) error {
	f, err := m.Follow(ctx, "alice", "s", "")
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.Next(ctx)
	return err
}

func watchOnce(ctx context.Context, m *runs.Manager) error {
	w, err := m.Lists().Watch(ctx, "alice", "")
	if err != nil {
		return err
	}
	w.Close()
	return nil
}

// breaker is a tool during which the store goes away for a while.
type breaker struct{ store *buckettest.Outage }

func (breaker) Spec() loop.Spec {
	return loop.Spec{Name: "breaker", Description: "breaks the store", Parameters: json.RawMessage(`{"type":"object"}`)}
}
func (breaker) ReadOnly() bool { return true }
func (breaker) Foreign() bool  { return false }

func (breaker) Judge(json.RawMessage, tools.Env) tools.Verdict {
	return tools.Verdict{Kind: tools.VerdictRun}
}

func (b breaker) Run(context.Context, json.RawMessage, tools.Env) (string, error) {
	b.store.Break(0)
	time.AfterFunc(2*time.Second, b.store.Mend)
	return "broken", nil
}

// TestARunWaitsForItsStore lets the store go away while a tool is at work and come
// back: the run goes on, and nobody is told that what was acknowledged has failed.
func TestARunWaitsForItsStore(t *testing.T) {
	r := newRig(t)
	store := buckettest.Ready(r.store)
	r.store = store
	m := r.agent("a", breaker{store})
	defer stop(t, m, time.Second)
	r.provider.Script(calling("breaker", "{}"), modeltest.Reply{Text: "done"})
	run := start(t, m, "s", "please")
	end := find(t, read(t, m, "s", "", finished(run)), chat.TypeRunFinished)
	if end.Status != chat.RunDone || !store.Failed() {
		t.Errorf("the run ended as %s: %v; the store failed meanwhile: %v", end.Status, end.Error, store.Failed())
	}
}
