package limit

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseRate(t *testing.T) {
	for s, want := range map[string]Rate{"30/m": {30, time.Minute}, "1/s": {1, time.Second}, " 600/h ": {600, time.Hour}} {
		if got, err := ParseRate(s); err != nil || got != want {
			t.Errorf("%q: got %v, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "30", "30/d", "0/m", "-1/m", "x/m", "1.5/s", "9999999/s", "30/m/m"} {
		if got, err := ParseRate(s); err == nil {
			t.Errorf("%q: got %v", s, got)
		}
	}
}

func TestLimiterIsExact(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	l := New(1000, func() time.Time { return now })
	r := Rate{N: 3, Per: time.Minute}
	want := []Answer{
		{true, 2, 20 * time.Second, 0},
		{true, 1, 40 * time.Second, 0},
		{true, 0, 60 * time.Second, 20 * time.Second},
		{false, 0, 60 * time.Second, 20 * time.Second},
	}
	for i, w := range want {
		if diff := cmp.Diff(w, l.Take("chat:a", r)); diff != "" {
			t.Errorf("take %d (-want +got):\n%s", i, diff)
		}
	}
	if !l.Take("chat:b", r).Allowed {
		t.Error("one user's limit met another")
	}
	now = now.Add(20 * time.Second)
	if got := l.Take("chat:a", r); !got.Allowed || got.Remaining != 0 {
		t.Errorf("after Retry-After: %v", got)
	}
	now = now.Add(time.Hour)
	for i := range 4 {
		if got := l.Take("chat:a", r).Allowed; got != (i < 3) {
			t.Errorf("after an hour, take %d: %v", i, got)
		}
	}
}

func TestLimiterHoldsUnderConcurrency(t *testing.T) {
	l := New(1000, func() time.Time { return time.Unix(1_800_000_000, 0) })
	var allowed atomic.Int32
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				if l.Take("k", Rate{N: 50, Per: time.Hour}).Allowed {
					allowed.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if got := allowed.Load(); got != 50 {
		t.Errorf("allowed %d of 50", got)
	}
}

func TestLimiterIsBoundedAndForgetsTheFullestFirst(t *testing.T) {
	l := New(160, func() time.Time { return time.Unix(1_800_000_000, 0) })
	r := Rate{N: 10, Per: time.Hour}
	for range 10 {
		l.Take("spent", r)
	}
	for i := range 10_000 {
		l.Take(fmt.Sprint("stranger", i), r)
	}
	keys := 0
	for i := range l.shards {
		keys += len(l.shards[i].buckets)
	}
	if keys > 160 {
		t.Errorf("%d keys are kept, want at most 160", keys)
	}
	if l.Take("spent", r).Allowed {
		t.Error("strangers made a limit forgotten")
	}
}
