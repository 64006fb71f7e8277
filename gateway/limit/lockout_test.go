package limit

import (
	"encoding/json"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestLockouts(t *testing.T) {
	text, err := os.ReadFile("testdata/lockout.json")
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
	start := time.UnixMilli(1_800_000_000_000)
	for _, c := range cases {
		now := start
		l := NewLockouts(1000, func() time.Time { return now })
		for i, s := range c.Steps {
			now = start.Add(millis(s.At))
			want := Answer{s.Allowed, s.Remaining, millis(s.ResetMs), millis(s.RetryMs)}
			if diff := cmp.Diff(want, l.Strike("auth:a", Rate{c.N, time.Duration(c.Per) * time.Second})); diff != "" {
				t.Errorf("%s: step %d (-want +got):\n%s", c.Name, i, diff)
			}
		}
	}
}

func TestLockoutsAreBoundedAndALockOutlastsGuesses(t *testing.T) {
	l := NewLockouts(100, func() time.Time { return time.UnixMilli(1_800_000_000_000) })
	r := Rate{N: 1, Per: time.Minute}
	for range 2 {
		l.Strike("locked", r)
	}
	for i := range 10_000 {
		l.Strike(fmt.Sprint("stranger", i), r)
	}
	if len(l.keys) > 100 {
		t.Errorf("%d keys are kept, want at most 100", len(l.keys))
	}
	if l.Strike("locked", r).Allowed {
		t.Error("strangers made a lock forgotten")
	}
}
