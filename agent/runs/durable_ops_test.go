package runs_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/agent/model/modeltest"
	"github.com/loongclaw/loongclaw/agent/runs"
)

// counting counts what a store bills: class A changes and lists, class B reads.
// Deletions are free, and counted beside.
type counting struct {
	bucket.Bucket
	mu      sync.Mutex
	a, b, d int
	calls   []string
}

func (c *counting) count(n *int, what, key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	*n++
	c.calls = append(c.calls, what+" "+key)
}

func (c *counting) Get(ctx context.Context, key string) (bucket.Object, error) {
	c.count(&c.b, "get", key)
	return c.Bucket.Get(ctx, key)
}

func (c *counting) Put(ctx context.Context, key string, body []byte) (string, error) {
	c.count(&c.a, "put", key)
	return c.Bucket.Put(ctx, key, body)
}

func (c *counting) Create(ctx context.Context, key string, body []byte) (string, error) {
	c.count(&c.a, "create", key)
	return c.Bucket.Create(ctx, key, body)
}

func (c *counting) Replace(ctx context.Context, key string, body []byte, etag string) (string, error) {
	c.count(&c.a, "replace", key)
	return c.Bucket.Replace(ctx, key, body, etag)
}

func (c *counting) List(ctx context.Context, prefix, after string, limit int) ([]bucket.Entry, bool, error) {
	c.count(&c.a, "list", prefix)
	return c.Bucket.List(ctx, prefix, after, limit)
}

func (c *counting) Delete(ctx context.Context, key string) error {
	c.count(&c.d, "delete", key)
	return c.Bucket.Delete(ctx, key)
}

// taken gives the counts since the last call.
func (c *counting) taken() (ops, []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	o, calls := ops{c.a, c.b, c.d}, c.calls
	c.a, c.b, c.d, c.calls = 0, 0, 0, nil
	return o, calls
}

// saw waits until a call was made.
func (c *counting) saw(t *testing.T, what string) {
	t.Helper()
	for range 1000 {
		c.mu.Lock()
		for _, call := range c.calls {
			if strings.HasPrefix(call, what) {
				c.mu.Unlock()
				return
			}
		}
		c.mu.Unlock()
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("no %s", what)
}

type ops struct{ A, B, Delete int }

// TestOperationsOnTheStore holds what each part of a conversation costs on a
// store that bills by the request. docs/performance.md has these numbers.
func TestOperationsOnTheStore(t *testing.T) {
	r := newRig(t)
	c := &counting{Bucket: r.store}
	r.store = c
	m := r.resting("a", 300*time.Millisecond)
	var table strings.Builder
	row := func(what string, want ops) {
		t.Helper()
		got, calls := c.taken()
		fmt.Fprintf(&table, "%-46s A %2d  B %2d  deletes %d\n", what, got.A, got.B, got.Delete)
		if got != want {
			t.Errorf("%s: %+v, want %+v:\n\t%s", what, got, want, strings.Join(calls, "\n\t"))
		}
	}
	turn := func(session string) {
		t.Helper()
		run := start(t, m, session, "hello")
		read(t, m, session, run.Cursor, finished(run))
	}
	if _, err := m.Lists().Sessions(t.Context(), "alice", ""); err != nil {
		t.Fatal(err)
	}
	row("listing the sessions of a new user", ops{A: 2, B: 2})
	turn("s")
	row("first message of a new session and its answer", ops{A: 4, B: 1})
	turn("s")
	row("later message and its answer", ops{A: 2, B: 1})
	r.provider.Script(modeltest.Reply{Calls: []modeltest.Call{{Name: "get_current_time"}}}, modeltest.Reply{Text: "late"})
	turn("s")
	row("message, one tool call and the answer", ops{A: 4, B: 1})
	c.saw(t, "delete u/alice/open/")
	c.saw(t, "put u/alice/snap/end")
	row("coming to rest", ops{A: 2, Delete: 1})
	idle(t, m, "s")
	row("following an idle session", ops{})
	stop(t, m, time.Second)
	c.taken()
	m = r.resting("a", time.Hour)
	if _, err := m.History(t.Context(), "alice", "s", runs.View{}); err != nil {
		t.Fatal(err)
	}
	row("opening the user and a session of 3 turns, 8 objects", ops{A: 3, B: 10})
	stop(t, m, time.Second)
	t.Logf("requests to the store:\n%s", table.String())
}

// idle follows a session in which nothing happens.
func idle(t *testing.T, m *runs.Manager, session string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
	defer cancel()
	f, err := m.Follow(ctx, "alice", session, "")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for err == nil {
		_, err = f.Next(ctx)
	}
}
