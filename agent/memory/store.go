package memory

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/loongclaw/loongclaw/agent/journal"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// The records of the user's journal that memory owns.
const (
	RecordSaved     = "memory_saved"
	RecordForgotten = "memory_forgotten"
)

// Store is one user's memory: what the records of the user's journal say, in
// the order in which they were applied. It is safe for concurrent use.
type Store struct {
	log Log
	now func() time.Time

	// turn lets one writer at a time look at what is there and append to it, so
	// that two of them cannot both find a thing missing. Apply does not take it.
	turn chan struct{}

	mu      sync.Mutex
	byID    map[string]*entry
	entries []*entry // oldest first
	bytes   int      // held by all contents and raws
	applied uint64   // records so far: the order of equal timestamps
	indexed bool     // every entry has its terms; false until the first search
}

// entry is an item and where it stood in an imported day file.
type entry struct {
	saved
	order uint64
	doc   document // made at the first search
}

// saved is the body of a memory_saved record. File, Places and Raw are there
// only for what was imported: the entry's file, its positions in it (the
// original wrote some entries twice), and its bytes where they are not what we
// would write ourselves.
type saved struct {
	Item   Item   `json:"item"`
	File   string `json:"file,omitempty"`
	Places []int  `json:"places,omitempty"`
	Raw    string `json:"raw,omitempty"`
}

type forgotten struct {
	ID string `json:"id"`
}

// Option changes how a Store is made.
type Option func(*Store)

// WithClock sets where the time comes from.
func WithClock(now func() time.Time) Option { return func(s *Store) { s.now = now } }

// New makes the empty memory of one user. Whoever loads the user's journal
// calls Apply for each of its records, and log calls it for those appended later.
func New(log Log, opts ...Option) *Store {
	s := &Store{
		log: log, now: time.Now,
		turn: make(chan struct{}, 1), byID: map[string]*entry{},
	}
	for _, o := range opts {
		o(s)
	}
	return s
}

// Apply takes in one record of the user's journal; records of other rooms are
// passed over. It never refuses an item for its size: what is in the journal is
// true, limits hold at the egress proxy (Save, Import).
func (s *Store) Apply(rec journal.Record) error {
	switch rec.Type {
	case RecordSaved:
		var b saved
		if err := json.Unmarshal(rec.Body, &b); err != nil || b.Item.ID == "" {
			return damaged(rec, err)
		}
		if b.Item.Tags == nil {
			b.Item.Tags = []string{}
		}
		s.applySaved(b)
	case RecordForgotten:
		var b forgotten
		if err := json.Unmarshal(rec.Body, &b); err != nil || b.ID == "" {
			return damaged(rec, err)
		}
		s.applyForgotten(b.ID)
	}
	return nil
}

func damaged(rec journal.Record, cause error) error {
	return fault.Wrap(cause, fault.CodeDamaged, fmt.Sprintf("a %s record of the user's journal cannot be read", rec.Type),
		"run: agent verify")
}

func (s *Store) applySaved(b saved) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.applied++
	if e, known := s.byID[b.Item.ID]; known {
		// An id never changes its item; a second record only adds places.
		e.Places = union(e.Places, b.Places)
		return
	}
	e := &entry{saved: b, order: s.applied}
	if s.indexed {
		e.doc = index(b.Item)
	}
	s.byID[b.Item.ID] = e
	s.bytes += e.size()
	at, _ := slices.BinarySearchFunc(s.entries, e, older)
	s.entries = slices.Insert(s.entries, at, e)
}

func (s *Store) applyForgotten(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.applied++
	e, known := s.byID[id]
	if !known {
		return
	}
	delete(s.byID, id)
	s.bytes -= e.size()
	at, _ := slices.BinarySearchFunc(s.entries, e, older)
	s.entries = slices.Delete(s.entries, at, at+1)
}

// older is the order of entries: by time, then as they were applied.
func older(a, b *entry) int {
	if c := a.Item.Timestamp.Compare(b.Item.Timestamp.Time); c != 0 {
		return c
	}
	switch {
	case a.order < b.order:
		return -1
	case a.order > b.order:
		return 1
	}
	return 0
}

func (e *entry) size() int { return len(e.Item.Content) + len(e.Raw) }

func union(a, b []int) []int {
	for _, p := range b {
		if at, found := slices.BinarySearch(a, p); !found {
			a = slices.Insert(a, at, p)
		}
	}
	return a
}

// clone keeps callers from changing what the store holds.
func (i Item) clone() Item {
	i.Tags = append([]string{}, i.Tags...)
	return i
}

// Len is how many items there are.
func (s *Store) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.entries)
}

// Recent gives at most n items, newest first.
func (s *Store) Recent(n int) []Item {
	s.mu.Lock()
	defer s.mu.Unlock()
	n = max(0, min(n, len(s.entries)))
	items := make([]Item, 0, n)
	for i := range n {
		items = append(items, s.entries[len(s.entries)-1-i].Item.clone())
	}
	return items
}

// Forget removes an item for good.
func (s *Store) Forget(ctx context.Context, id string) error {
	if err := s.takeTurn(ctx); err != nil {
		return err
	}
	defer s.endTurn()
	s.mu.Lock()
	_, known := s.byID[id]
	s.mu.Unlock()
	if !known {
		return fault.New(fault.CodeNotFound, "there is no memory "+quote(id), "search for it: GET /api/memory/search?keyword=…")
	}
	return s.append(ctx, RecordForgotten, forgotten{id})
}

// append writes one record; the log applies it before it returns.
func (s *Store) append(ctx context.Context, kind string, body any) error {
	rec, err := record(kind, body)
	if err != nil {
		return err
	}
	return s.log.Append(ctx, rec)
}

func record(kind string, body any) (journal.Record, error) {
	b, err := json.Marshal(body)
	if err != nil {
		return journal.Record{}, fault.Internal(fmt.Errorf("writing a %s record: %w", kind, err))
	}
	return journal.Record{Type: kind, Body: b}, nil
}

func (s *Store) takeTurn(ctx context.Context) error {
	select {
	case s.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (s *Store) endTurn() { <-s.turn }

// quote shows outside text in an error: short, and without control characters.
func quote(text string) string {
	if r := []rune(text); len(r) > 64 {
		text = string(r[:64]) + "…"
	}
	return fmt.Sprintf("%q", strings.ToValidUTF8(text, "?"))
}

// stamp is the time of something that happens now.
func (s *Store) stamp() chat.Time { return chat.At(s.now()) }
