package memory_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/agent/journal"
	"github.com/loongclaw/loongclaw/agent/memory"
)

// memLog keeps records and applies them, as the user's journal does.
type memLog struct {
	mu      sync.Mutex
	records []journal.Record
	store   *memory.Store
	fail    error
}

var _ memory.Log = (*memLog)(nil)

func (l *memLog) Append(ctx context.Context, records ...journal.Record) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fail != nil {
		return l.fail
	}
	for _, r := range records {
		l.records = append(l.records, r)
		if err := l.store.Apply(r); err != nil {
			return err
		}
	}
	return nil
}

// clock goes on by a minute at each look, so that times differ.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) tick() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(time.Minute)
	return c.now
}

func newStore(t testing.TB) (*memory.Store, *memLog) {
	t.Helper()
	c := &clock{now: time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)}
	log := &memLog{}
	log.store = memory.New(log, memory.WithClock(c.tick))
	return log.store, log
}

// reload makes the memory anew from its log, as a restart does.
func reload(t testing.TB, log *memLog) *memory.Store {
	t.Helper()
	fresh := memory.New(log)
	for _, r := range log.records {
		if err := fresh.Apply(r); err != nil {
			t.Fatalf("Apply(%s): %v", r.Type, err)
		}
	}
	return fresh
}

func save(t testing.TB, s *memory.Store, content string, tags ...string) memory.Item {
	t.Helper()
	item, err := s.Save(t.Context(), memory.Item{Content: content, Tags: tags})
	if err != nil {
		t.Fatalf("Save(%q): %v", content, err)
	}
	return item
}

func contents(items []memory.Item) []string {
	texts := []string{}
	for _, i := range items {
		texts = append(texts, i.Content)
	}
	return texts
}
