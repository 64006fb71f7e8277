package limit

import (
	"testing"
	"time"
)

// FuzzRate: what is read can be counted with.
func FuzzRate(f *testing.F) {
	for _, text := range []string{"30/m", "1/s", " 600/h", "0/m", "1000001/s", "-1/m", "٣/m"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := ParseRate(text)
		if err == nil && (r.N < 1 || r.N > 1_000_000 || r.Per < time.Second || r.Per > time.Hour) {
			t.Errorf("%q gives %+v", text, r)
		}
	})
}

// FuzzStrikes: whatever the clock does, a lock has an end, and it is told.
func FuzzStrikes(f *testing.F) {
	f.Add(10, int64(60), []byte{0, 0, 1, 255, 3})
	f.Add(1, int64(3600), []byte{200, 200, 200})
	f.Fuzz(func(t *testing.T, n int, per int64, steps []byte) {
		r := Rate{N: max(1, n%100), Per: time.Duration(max(1, per%3600)) * time.Second}
		now := time.UnixMilli(1_800_000_000_000)
		var s FailedAttempts
		for _, step := range steps {
			now = now.Add(time.Duration(int8(step)) * time.Duration(step) * time.Second / 4) //nolint:gosec // also back
			var a Answer
			s, a = s.Strike(r, now)
			if a.Remaining < 0 || a.Remaining >= r.N || a.RetryAfter < 0 || a.RetryAfter > LongestLock(r) || a.Reset < 0 || a.Reset > LongestLock(r) {
				t.Fatalf("%+v at %s: %+v", s, now, a)
			}
			if !a.Allowed && a.RetryAfter == 0 {
				t.Fatalf("%+v at %s is refused without an end: %+v", s, now, a)
			}
		}
		if _, a := s.Strike(r, now.Add(2*LongestLock(r)+time.Second)); !a.Allowed {
			t.Errorf("%+v is locked for ever", s)
		}
	})
}
