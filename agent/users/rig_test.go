package users_test

import (
	"context"
	"errors"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/agent/bucket/disk"
	"github.com/loongclaw/loongclaw/agent/users"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

// crashing is a bucket whose deletes and puts fail from one on, as they do for a
// process that dies in between.
type crashing struct {
	bucket.Bucket
	mu      sync.Mutex
	deletes int // so many more are carried out; negative: all
	lists   int // how often it was listed
	listed  int // how many entries that gave
}

var errCrash = errors.New("the process died here")

func (c *crashing) Delete(ctx context.Context, key string) error {
	c.mu.Lock()
	left := c.deletes
	if left > 0 {
		c.deletes--
	}
	c.mu.Unlock()
	if left == 0 {
		return errCrash
	}
	return c.Bucket.Delete(ctx, key)
}

func (c *crashing) List(ctx context.Context, prefix, after string, limit int) ([]bucket.Entry, bool, error) {
	entries, more, err := c.Bucket.List(ctx, prefix, after, limit)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lists++
	c.listed += len(entries)
	return entries, more, err
}

func newStore(t *testing.T) *crashing {
	t.Helper()
	d, err := disk.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return &crashing{Bucket: d, deletes: -1}
}

// clock is a time that tests set.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func open(t *testing.T, b bucket.Bucket, name string, c *clock) *users.User {
	t.Helper()
	u, err := users.New(b, c.now).Get(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func session(id, title string) chat.Session {
	return chat.Session{ID: id, Title: title, CreatedAt: chat.At(noon), UpdatedAt: chat.At(noon), Messages: 2, Head: "msg_2"}
}

func row(id string, epoch uint64) users.SessionSummary {
	return users.SessionSummary{
		Session: session(id, "title of "+id), Epoch: epoch, Alive: true,
		Usage: chat.Usage{PromptTokens: 1, CompletionTokens: 2, TotalTokens: 3}, Tail: users.Anchor{Number: 7, Hash: "abc"},
	}
}

// fill writes objects of a session's life, named from its journal.
func fill(t *testing.T, b bucket.Bucket, user, id string, epoch uint64, names ...string) {
	t.Helper()
	for _, n := range names {
		if _, err := b.Put(t.Context(), path.Join(users.SessionPrefix(user, id, epoch), n), []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
}

// keys lists what is below a prefix, without it.
func keys(t *testing.T, b bucket.Bucket, prefix string) []string {
	t.Helper()
	entries, more, err := b.List(t.Context(), prefix, "", 0)
	if err != nil || more {
		t.Fatal(more, err)
	}
	var out []string
	for _, e := range entries {
		out = append(out, strings.TrimPrefix(e.Key, prefix))
	}
	slices.Sort(out)
	return out
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
