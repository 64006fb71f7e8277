package rollout

import (
	"strings"
	"testing"
	"time"
)

func TestJudge(t *testing.T) {
	r := Rules{Failed: 0.02, Enough: 20, Slower: 3, Slow: 500 * time.Millisecond}
	calm := Figures{Requests: 1000, Failures: 1, P95: 300 * time.Millisecond}
	for _, tt := range []struct {
		name        string
		now, before Figures
		red         string
	}{
		{"calm", calm, calm, ""},
		{"nobody asks", Figures{}, calm, ""},
		{"nobody asked before", calm, Figures{}, ""},
		{"too few to say", Figures{Requests: 2, Failures: 2}, calm, ""},
		{"a few, of few", Figures{Requests: 19, Failures: 3}, calm, ""},
		{"most of few", Figures{Requests: 4, Failures: 3}, calm, "most requests fail"},
		{"failures", Figures{Requests: 100, Failures: 3}, calm, "3 of 100 requests failed (3.0 %)"},
		{"as many as before", Figures{Requests: 100, Failures: 3}, Figures{Requests: 100, Failures: 3}, ""},
		{"more than before", Figures{Requests: 100, Failures: 30}, Figures{Requests: 100, Failures: 3}, "more than 3.0 %"},
		{"three times as slow", Figures{Requests: 100, P95: 900 * time.Millisecond}, calm, ""},
		{"slower", Figures{Requests: 100, P95: 901 * time.Millisecond}, calm, "too slow"},
		{"slower, but not slow", Figures{Requests: 100, P95: 500 * time.Millisecond}, Figures{Requests: 100, P95: time.Millisecond}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := r.judge(tt.now, tt.before)
			if (err == nil) != (tt.red == "") || err != nil && !strings.Contains(err.Error(), tt.red) {
				t.Errorf("got %v, want %q", err, tt.red)
			}
		})
	}
}
