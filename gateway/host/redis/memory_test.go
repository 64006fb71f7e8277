package redis

import (
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loongclaw/loongclaw/gateway/host/redis/redistest"
	"github.com/loongclaw/loongclaw/gateway/limit"
)

func open(t *testing.T, url string, now func() time.Time) (*Memory, *strings.Builder) {
	t.Helper()
	log := &strings.Builder{}
	m, err := Open(t.Context(), url, slog.New(slog.NewTextHandler(log, nil)), now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.Close() })
	return m, log
}

// Several gateways allow together what one would.
func TestGatewaysShareALimit(t *testing.T) {
	s := redistest.New(t)
	a, _ := open(t, s.URL, time.Now)
	b, _ := open(t, s.URL, time.Now)
	r := limit.Rate{N: 20, Per: time.Hour}
	first, err := a.Take(t.Context(), "chat:alice", r)
	if err != nil || !first.Allowed || first.Remaining != 19 || first.Reset <= 0 {
		t.Fatalf("got %+v, %v", first, err)
	}
	var allowed atomic.Int64
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for range 20 {
				got, err := []*Memory{a, b}[i%2].Take(context.Background(), "chat:alice", r)
				if err != nil {
					t.Error(err)
				}
				if got.Allowed {
					allowed.Add(1)
				} else if got.Remaining != 0 || got.RetryAfter <= 0 || got.RetryAfter > r.Per/20 || got.Reset > r.Per {
					t.Errorf("refused with %+v", got)
				}
			}
		})
	}
	wg.Wait()
	if got := allowed.Load(); got != 19 {
		t.Errorf("allowed %d more, want 19", got)
	}
	if got, err := b.Take(t.Context(), "chat:bob", r); err != nil || !got.Allowed {
		t.Errorf("one user's limit met another: %+v, %v", got, err)
	}
}

func TestGatewaysShareLocks(t *testing.T) {
	text, err := os.ReadFile("../../limit/testdata/lockout.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Name   string
		N, Per int
		Steps  []struct {
			At               int64
			Allowed          bool
			Remaining        int
			ResetMs, RetryMs int64
		}
	}
	if err := json.Unmarshal(text, &cases); err != nil || len(cases) == 0 {
		t.Fatalf("%d cases, %v", len(cases), err)
	}
	s := redistest.New(t)
	start := time.Now()
	now := start
	clock := func() time.Time { return now }
	a, _ := open(t, s.URL, clock)
	b, _ := open(t, s.URL, clock)
	for _, c := range cases {
		for i, step := range c.Steps {
			now = start.Add(time.Duration(step.At) * time.Millisecond)
			ms := func(n int64) time.Duration { return time.Duration(n) * time.Millisecond }
			want := limit.Answer{Allowed: step.Allowed, Remaining: step.Remaining, Reset: ms(step.ResetMs), RetryAfter: ms(step.RetryMs)}
			got, err := []*Memory{a, b}[i%2].Strike(t.Context(), "auth:"+c.Name, limit.Rate{N: c.N, Per: time.Duration(c.Per) * time.Second})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s: step %d (-want +got):\n%s", c.Name, i, diff)
			}
		}
	}
}

func TestWhatIsSpentIsSpentEverywhere(t *testing.T) {
	s := redistest.New(t)
	now := time.Now()
	clock := func() time.Time { return now }
	a, _ := open(t, s.URL, clock)
	b, _ := open(t, s.URL, clock)
	at := now.UnixMilli()
	want := func(m *Memory, key string, from, until int64, want bool) {
		t.Helper()
		if got, err := m.Spend(t.Context(), key, from, until); err != nil || got != want {
			t.Errorf("%s: got %v, %v, want %v", key, got, err, want)
		}
	}
	want(a, "ticket:1", at, at+60_000, true)
	want(b, "ticket:1", at, at+60_000, false)
	want(a, "ticket:1", at, at+60_000, false)
	want(b, "login:1", 0, 0, true)
	want(a, "login:1", 0, 0, false)
	want(a, "ticket:expired", at, at, false)
	want(a, "ticket:older than this memory", at-1, at+60_000, false)
	keys := a.client.Keys(t.Context(), prefix+"spent:*").Val()
	for _, k := range keys {
		if ttl := a.client.PTTL(t.Context(), k).Val(); strings.Contains(k, "ticket") && (ttl <= 0 || ttl > time.Minute) {
			t.Errorf("%s is kept for %s", k, ttl)
		}
	}
	// A Redis that lost its memory has lost what was spent: what is older does not count.
	s.Stop(t)
	now = now.Add(time.Second)
	if _, err := a.Spend(t.Context(), "ticket:2", at, at+60_000); err == nil {
		t.Error("a Redis that is gone spent something")
	}
	s.Start(t)
	now = now.Add(2 * retryPause)
	want(a, "ticket:1", at, at+60_000, false)
	want(a, "ticket:3", now.UnixMilli(), now.UnixMilli()+60_000, true)
}

// One that is gone is told once, costs no wait after the first, and is found again.
func TestARedisThatIsGone(t *testing.T) {
	s := redistest.New(t)
	now := time.Now()
	m, log := open(t, s.URL, func() time.Time { return now })
	r := limit.Rate{N: 1000, Per: time.Hour}
	if _, err := m.Take(t.Context(), "k", r); err != nil {
		t.Fatal(err)
	}
	s.Stop(t)
	for range 50 {
		if _, err := m.Take(t.Context(), "k", r); err == nil {
			t.Fatal("no error")
		}
	}
	s.Start(t)
	if _, err := m.Take(t.Context(), "k", r); err == nil {
		t.Error("it was asked before the pause was over")
	}
	now = now.Add(retryPause)
	gone, cancel := context.WithCancel(t.Context())
	cancel() // whoever asks may be gone: that says nothing of Redis
	if _, err := m.Take(gone, "k", r); err != nil {
		t.Errorf("after the pause: %v", err)
	}
	if got := strings.Count(log.String(), "level=WARN"); got != 1 || strings.Count(log.String(), "Redis answers again") != 1 {
		t.Errorf("the log:\n%s", log)
	}
}

func TestOpen(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	if _, err := Open(t.Context(), "redis://:geheim@[::1", log, time.Now); err == nil || strings.Contains(err.Error(), "geheim") {
		t.Errorf("got %v", err)
	}
	m, err := Open(t.Context(), "unix://"+t.TempDir()+"/none.sock", log, time.Now)
	if err != nil {
		t.Fatalf("a Redis that is not there yet: %v", err)
	}
	if _, err := m.Take(t.Context(), "k", limit.Rate{N: 1, Per: time.Second}); err == nil {
		t.Error("no error")
	}
	_ = m.Close()
}
