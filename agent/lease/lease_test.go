package lease_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loongclaw/loongclaw/agent/lease"
)

// store is a store that notes what is done.
type store struct {
	mu       sync.Mutex
	done     []string
	last     time.Time
	released string
	err      error
	slow     time.Duration
}

func (s *store) do(what string) error {
	time.Sleep(s.slow)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.done = append(s.done, what)
	return s.err
}

func (s *store) Beat(context.Context, string, string) error  { return s.do("beat") }
func (s *store) Unbeat(context.Context, string) error        { return s.do("unbeat") }
func (s *store) Leave(context.Context, string, string) error { return s.do("leave") }
func (s *store) LastBeat(context.Context, string) (time.Time, string, error) {
	return s.last, s.released, s.err
}

func (s *store) seen() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.done)
}

type tasks struct{}

func (tasks) Go(do func())                                 { go do() }
func (tasks) After(d time.Duration, do func()) *time.Timer { return time.AfterFunc(d, do) }

var self = lease.Holder{Instance: "a", Process: "a1"}

func start(ctx context.Context) *lease.Leases {
	return lease.New(ctx, self, tasks{}, time.Now, slog.New(slog.DiscardHandler))
}

func TestHeartbeats(t *testing.T) {
	cases := map[string]struct {
		lasts time.Duration
		slow  time.Duration
		wants []string
	}{
		"a short run writes none":                    {lasts: 9 * time.Second},
		"a long run writes one an interval":          {lasts: 35 * time.Second, wants: []string{"beat", "beat", "beat", "unbeat"}},
		"one that ends while a heartbeat is written": {lasts: 12 * time.Second, slow: 5 * time.Second, wants: []string{"beat", "unbeat"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &store{slow: c.slow}
				l := start(t.Context())
				l.Acquire("u", s)
				l.Acquire("u", s)
				l.Release("u")
				time.Sleep(c.lasts)
				l.Release("u")
				time.Sleep(time.Minute)
				if got := s.seen(); !slices.Equal(got, c.wants) {
					t.Errorf("%v, want %v", got, c.wants)
				}
			})
		})
	}
}

func TestWhatIsLeftIsHandedOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		s, other := &store{}, &store{}
		l := start(ctx)
		l.Acquire("u", s)
		l.Acquire("v", other)
		time.Sleep(15 * time.Second)
		l.Leave("u", s)
		cancel()
		l.Release("u")
		l.Hand(t.Context())
		time.Sleep(time.Minute)
		if got, want := s.seen(), []string{"beat", "leave"}; !slices.Equal(got, want) {
			t.Errorf("%v, want %v: a heartbeat that is removed behind it would hide it", got, want)
		}
		if got := other.seen(); slices.Contains(got, "leave") {
			t.Errorf("nothing was left of this user: %v", got)
		}
	})
}

func TestWhatMayBeClaimed(t *testing.T) {
	now := time.Now()
	other := lease.Holder{Instance: "b", Process: "b1"}
	cases := map[string]struct {
		holder lease.Holder
		began  time.Duration // before now
		store  *store
		want   bool
	}{
		"an earlier process of this instance":    {lease.Holder{Instance: "a", Process: "a0"}, time.Second, &store{}, true},
		"nobody's":                               {lease.Holder{}, time.Second, &store{}, true},
		"one that has just begun":                {other, time.Second, &store{}, false},
		"one that was never heard of":            {other, time.Minute, &store{}, true},
		"one that is alive":                      {other, time.Hour, &store{last: now.Add(-20 * time.Second)}, false},
		"one that was not heard of for too long": {other, time.Hour, &store{last: now.Add(-31 * time.Second)}, true},
		"one that has released it":               {other, time.Second, &store{released: "b1"}, true},
		"one whose earlier process released":     {other, time.Second, &store{released: "b0"}, false},
		"one of which the store does not tell":   {other, time.Hour, &store{err: errors.New("no answer")}, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			l := lease.New(t.Context(), self, tasks{}, func() time.Time { return now }, slog.New(slog.DiscardHandler))
			if got := l.Claimable(t.Context(), c.store, c.holder, now.Add(-c.began)); got != c.want {
				t.Errorf("claimable = %v, want %v", got, c.want)
			}
		})
	}
}
