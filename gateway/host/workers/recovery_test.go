package workers_test

import (
	"encoding/json"
	"strconv"
	"testing"

	"github.com/loongclaw/loongclaw/pkg/fault"
)

// TestMisbehavingCore runs a core that misbehaves on demand in workerd.
func TestMisbehavingCore(t *testing.T) {
	build := misbehaving(t)
	t.Run("costs one request", func(t *testing.T) { costsOneRequest(t, build) })
	t.Run("isolates draw different random bytes", func(t *testing.T) { drawsDifferently(t, build) })
	t.Run("a timer for later costs nothing", func(t *testing.T) { wantsLater(t, build) })
	t.Run("refused configuration", func(t *testing.T) { refusesConfiguration(t, build) })
}

// costsOneRequest: whatever a core does wrong, the next request is answered.
func costsOneRequest(t *testing.T, build string) {
	tests := []struct {
		path         string
		sameInstance bool // a panic is recovered inside Go; the rest costs the instance
		timers       int
	}{
		{"/panic", true, 0},
		{"/exit", false, 0},
		{"/fatal", false, 0},
		{"/deadlock", false, 0},
		{"/wait", false, 1},
	}
	for _, tt := range tests {
		t.Run(tt.path[1:], func(t *testing.T) {
			w := startWorkerd(t, build, nil)
			status, body := w.get(tt.path)
			var got fault.Error
			if err := json.Unmarshal([]byte(body), &got); err != nil {
				t.Fatalf("body is not the JSON error: %q", body)
			}
			if status != 500 || got.Code != fault.CodeInternal || got.RequestID == "" || got.Hint == "" {
				t.Errorf("%s: got %d %s, want 500 with code, hint and request id", tt.path, status, body)
			}
			if status, body := w.get("/"); status != 200 || body != "ok" {
				t.Errorf("the next request: got %d %q, want 200 ok", status, body)
			}
			p := w.probe()
			if p.SameInstance != tt.sameInstance || p.Timers != tt.timers {
				t.Errorf("got %+v, want sameInstance %v and timers %d", p, tt.sameInstance, tt.timers)
			}
		})
	}
}

// wantsLater: what Go puts off, as its housekeeping is, is done within a later call. It gets
// no timer, and no request pays for that.
func wantsLater(t *testing.T, build string) {
	w := startWorkerd(t, build, nil)
	const wanted = 3
	for range wanted {
		if status, body := w.get("/later"); status != 200 || body != "ok" {
			t.Errorf("got %d %q, want 200 ok", status, body)
		}
	}
	ran := ""
	for range 100 {
		if _, ran = w.get("/ran"); ran == strconv.Itoa(wanted) {
			break
		}
	}
	if ran != strconv.Itoa(wanted) {
		t.Errorf("%s of what was put off ran within later calls, want %d", ran, wanted)
	}
	if p := w.probe(); !p.SameInstance {
		t.Errorf("got %+v, want the same instance", p)
	}
}

// drawsDifferently: the seed of the boot is the same for
// every isolate of a build, so what is drawn after it must not come from it.
func drawsDifferently(t *testing.T, build string) {
	seen := make(map[string]bool)
	for range 2 {
		w := startWorkerd(t, build, nil)
		for range 2 {
			_, body := w.get("/random")
			if len(body) != 32 {
				t.Fatalf("got %q, want 16 bytes in hex", body)
			}
			if seen[body] {
				t.Fatalf("%s was drawn twice", body)
			}
			seen[body] = true
		}
	}
}

// refusesConfiguration: a Worker without a valid configuration lets nobody
// in and says what to set.
func refusesConfiguration(t *testing.T, build string) {
	w := startWorkerd(t, build, map[string]string{"REFUSE": "1"})
	status, body := w.get("/")
	got := fault.FromResponse(status, []byte(body))
	if status != 503 || got.Code != fault.CodeUnavailable || got.Hint == "" {
		t.Errorf("got %d %s, want 503 unavailable with a hint", status, body)
	}
}
