package runs_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/agent/memory"
	"github.com/loongclaw/loongclaw/agent/model/modeltest"
	"github.com/loongclaw/loongclaw/agent/runs"
	"github.com/loongclaw/loongclaw/agent/users"
)

// slowToLook is a store whose answers on the user's journal are late from a moment on,
// or errors at first.
type slowToLook struct {
	bucket.Bucket
	late, fails atomic.Bool
}

func (s *slowToLook) Get(ctx context.Context, key string) (bucket.Object, error) {
	if s.late.Load() && strings.HasPrefix(key, users.JournalPrefix("alice")) {
		time.Sleep(300 * time.Millisecond)
		if s.fails.Swap(false) {
			return bucket.Object{}, errors.New("no answer")
		}
	}
	return s.Bucket.Get(ctx, key)
}

// TestAMessageToAnEndedGenerationHasItsEffectsOnce has an agent take in a message for a
// generation of a session that another one has cleared a moment ago. The message is
// stored and its run begins before the agent learns of that, and is stored anew in the
// next generation: what its tools do is done there, and nowhere else.
func TestAMessageToAnEndedGenerationHasItsEffectsOnce(t *testing.T) {
	for name, c := range map[string]struct{ queued, fails bool }{
		"it begins at once":                      {},
		"it begins at once, and a look fails":    {fails: true},
		"it waits for another":                   {queued: true},
		"it waits for another, and a look fails": {queued: true, fails: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			b := r.resting("b", time.Hour)
			store := &slowToLook{Bucket: r.store}
			r.store = store
			a := r.resting("a", time.Hour)
			defer stop(t, a, time.Second)
			defer stop(t, b, time.Second)
			run := start(t, a, "s", "hello")
			read(t, a, "s", run.Cursor, finished(run))
			r.provider.Fallback(func(q *modeltest.Request) modeltest.Reply {
				if strings.Contains(q.LastUser(), "keep this") && q.LastResult() == "" {
					return calling("memory_save", `{"content":"the gate is closed at ten"}`)
				}
				return modeltest.Reply{Text: "kept"}
			})
			if c.queued {
				r.provider.Script(modeltest.Reply{Text: "one moment", Delay: 300})
				start(t, a, "s", "wait for me")
			}
			if err := b.Clear(t.Context(), "alice", "s"); err != nil {
				t.Fatal(err)
			}
			store.fails.Store(c.fails)
			store.late.Store(true)
			q := runs.Request{Message: "keep this", Key: "key", Interactive: true}
			run, err := a.Start(t.Context(), "alice", "s", q)
			if c.fails && err != nil {
				run, err = a.Start(t.Context(), "alice", "s", q)
			}
			if err != nil {
				t.Fatal(err)
			}
			read(t, a, "s", "", finished(run))
			u, err := b.Users().Get(t.Context(), "alice")
			if err != nil {
				t.Fatal(err)
			}
			if err := u.Refresh(t.Context()); err != nil {
				t.Fatal(err)
			}
			found, err := u.Memory.Search(t.Context(), memory.Query{Text: "gate"})
			if err != nil || len(found) != 1 {
				t.Errorf("it is remembered %d times (%v), want once", len(found), err)
			}
		})
	}
}
