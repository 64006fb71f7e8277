package runs_test

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/agent/model/modeltest"
	"github.com/loongclaw/loongclaw/agent/runs"
	"github.com/loongclaw/loongclaw/agent/session"
	"github.com/loongclaw/loongclaw/agent/users"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// intruder is a store in which something happens before so many reads of a session's
// journal have been answered.
type intruder struct {
	bucket.Bucket
	after  atomic.Int64
	once   sync.Once
	happen func()
}

func (i *intruder) Get(ctx context.Context, key string) (bucket.Object, error) {
	if strings.HasPrefix(key, users.SessionPrefix("alice", "s", 1)) && i.after.Add(-1) < 0 {
		i.once.Do(i.happen)
	}
	return i.Bucket.Get(ctx, key)
}

// TestWhatAnotherAgentHasEndedIsNotDamaged has an agent clear or delete a session
// before each object that another one reads of it to answer a request: objects that
// were listed are gone then, and nobody is told of damage.
func TestWhatAnotherAgentHasEndedIsNotDamaged(t *testing.T) {
	title := "title"
	requests := map[string]func(ctx context.Context, m *runs.Manager) error{
		"start": func(ctx context.Context, m *runs.Manager) error {
			_, err := m.Start(ctx, "alice", "s", runs.Request{Message: "more"})
			return err
		},
		"follow": func(ctx context.Context, m *runs.Manager) error {
			f, err := m.Follow(ctx, "alice", "s", "")
			if err != nil {
				return err
			}
			defer f.Close()
			_, err = f.Poll() // a generation that has just begun has nothing to wait for
			return err
		},
		"history": func(ctx context.Context, m *runs.Manager) error {
			_, err := m.History(ctx, "alice", "s", runs.View{})
			return err
		},
		"turns": func(ctx context.Context, m *runs.Manager) error {
			_, err := m.Turns(ctx, "alice", "s", "", 5, 100)
			return err
		},
		"session": func(ctx context.Context, m *runs.Manager) error { _, err := m.Session(ctx, "alice", "s"); return err },
		"update": func(ctx context.Context, m *runs.Manager) error {
			_, err := m.Update(ctx, "alice", "s", session.Edit{Title: &title})
			return err
		},
		"regenerate": func(ctx context.Context, m *runs.Manager) error {
			_, err := m.Regenerate(ctx, "alice", "s", "", "", "")
			return err
		},
		"cancel": func(ctx context.Context, m *runs.Manager) error {
			_, err := m.Cancel(ctx, "alice", "s", "")
			return err
		},
		"delete": func(ctx context.Context, m *runs.Manager) error { return m.Delete(ctx, "alice", "s") },
	}
	ends := map[string]func(ctx context.Context, m *runs.Manager) error{
		"cleared": func(ctx context.Context, m *runs.Manager) error { return m.Clear(ctx, "alice", "s") },
		"deleted": func(ctx context.Context, m *runs.Manager) error { return m.Delete(ctx, "alice", "s") },
	}
	for name, request := range requests {
		for how, end := range ends {
			t.Run(name+" while it is "+how, func(t *testing.T) {
				t.Parallel()
				for reads := int64(0); ; reads++ {
					r := newRig(t)
					other := r.agent("other")
					for range 2 {
						run := start(t, other, "s", "hello")
						read(t, other, "s", run.Cursor, finished(run))
					}
					store := &intruder{Bucket: r.store}
					store.after.Store(reads)
					happened := false
					store.happen = func() {
						happened = true
						if err := end(context.WithoutCancel(t.Context()), other); err != nil && fault.CodeOf(err) != fault.CodeNotFound {
							t.Error(err)
						}
					}
					r.store = store
					m := r.agent("a")
					ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
					err := request(ctx, m)
					cancel()
					if code := fault.CodeOf(err); err != nil && code != fault.CodeNotFound {
						t.Errorf("after %d reads: %v (%s)", reads, err, code)
					}
					stop(t, m, time.Second)
					stop(t, other, time.Second)
					if !happened {
						if reads == 0 {
							t.Error("nothing of the journal was read")
						}
						return
					}
				}
			})
		}
	}
}

// TestARunEndsWithItsSession has an agent delete the session in which another one
// gives an answer. That one has no record to find out by, and stops all the same:
// no tool runs for a conversation that is gone, and nothing is left of it.
func TestARunEndsWithItsSession(t *testing.T) {
	for name, end := range map[string]func(ctx context.Context, m *runs.Manager) error{
		"deleted": func(ctx context.Context, m *runs.Manager) error { return m.Delete(ctx, "alice", "s") },
		"cleared": func(ctx context.Context, m *runs.Manager) error { return m.Clear(ctx, "alice", "s") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			a, b := r.agent("a"), r.agent("b")
			c := r.resting("c", time.Hour) // it comes to no checkpoint, which looks, too
			defer stop(t, b, time.Second)
			defer stop(t, c, time.Second)
			// The first answer is written when the session is gone, and before anybody looks.
			r.provider.Script(modeltest.Reply{Text: "one moment please", Delay: 200, Calls: calling("get_current_time", "{}").Calls},
				modeltest.Reply{Text: strings.Repeat("one moment ", 50), Delay: 100})
			run := start(t, a, "s", "please")
			read(t, a, "s", run.Cursor, ofType(chat.TypeMessageChunk))
			if _, err := c.Session(t.Context(), "alice", "s"); err != nil {
				t.Fatal(err)
			}
			eventually(t, func() bool { return c.Activity().Active() == 1 }, "the run of another agent is not waited for")
			if err := end(t.Context(), b); err != nil {
				t.Fatal(err)
			}
			eventually(t, func() bool { return a.Activity().Active() == 0 }, "the run goes on")
			eventually(t, func() bool { return c.Activity().Active() == 0 }, "it is waited for still")
			eventually(t, func() bool {
				left, _, err := r.store.List(t.Context(), users.SessionPrefix("alice", "s", 1), "", 0)
				return err == nil && len(left) == 0
			}, "what it has written since is left in the store")
			stop(t, a, time.Second)
		})
	}
}

// TestACheckpointLeavesTheNextGenerationsMarker has a session come to its checkpoint
// in one agent when another one has cleared it and is at work in it again: a start must
// find that work.
func TestACheckpointLeavesTheNextGenerationsMarker(t *testing.T) {
	r := newRig(t)
	a, b := r.resting("a", time.Second), r.agent("b")
	defer stop(t, a, time.Second)
	defer stop(t, b, time.Second)
	run := start(t, a, "s", "hello")
	read(t, a, "s", run.Cursor, finished(run))
	if err := b.Clear(t.Context(), "alice", "s"); err != nil {
		t.Fatal(err)
	}
	r.provider.Script(modeltest.Reply{Text: strings.Repeat("one moment ", 20), Delay: 100})
	run = start(t, b, "s", "and now")
	u, err := b.Users().Get(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(2 * time.Second) // the checkpoint of a is over
	if markers, err := u.Markers(t.Context()); err != nil || len(markers) != 1 || markers[0].Epoch != 2 {
		t.Errorf("the markers are %+v, %v, want that of the second generation", markers, err)
	}
	read(t, b, "s", run.Cursor, finished(run))
}
