package native

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/gateway/edge"
)

// twin is one of two agents whose state the test sets.
type twin struct {
	name string
	srv  *httptest.Server
	mode atomic.Value // "", draining, cut

	mu  sync.Mutex
	got []string
}

func newTwin(t *testing.T, name string) *twin {
	w := &twin{name: name}
	w.mode.Store("")
	w.srv = httptest.NewServer(w)
	t.Cleanup(w.srv.Close)
	return w
}

func (w *twin) ServeHTTP(out http.ResponseWriter, r *http.Request) {
	mode := w.mode.Load()
	if r.URL.Path != "/ready" {
		w.mu.Lock()
		w.got = append(w.got, r.Method+" "+r.URL.Path)
		w.mu.Unlock()
	}
	switch {
	case mode == "draining" && (r.URL.Path == "/ready" || r.Method == "POST"):
		out.WriteHeader(http.StatusServiceUnavailable)
		_, _ = io.WriteString(out, `{"error":"about to stop","code":"draining","hint":"again"}`)
	case mode == "cut" && r.URL.Path != "/ready":
		panic(http.ErrAbortHandler)
	default:
		_, _ = io.WriteString(out, w.name)
	}
}

func (w *twin) took() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := strings.Join(w.got, ", ")
	w.got = nil
	return all
}

// pair is a gateway before two agents; first is the one that alice comes to.
func pair(t *testing.T, options ...option) (r *rig, first, second *twin) {
	a, b := newTwin(t, "a"), newTwin(t, "b")
	r = newRig(t, http.NotFoundHandler(), append([]option{func(e *edge.Config, _ *Config) { e.Agents = []string{a.srv.URL, b.srv.URL} }}, options...)...)
	if _, name := r.do(t, "GET", "/api/stats", ""); name == "b" {
		a, b = b, a
	}
	a.took()
	return r, a, b
}

// until asks until somebody answers with this name.
func (r *rig) until(t *testing.T, name string) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if _, got := r.do(t, "GET", "/api/stats", ""); got == name {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s never answers", name)
		}
	}
}

func TestAUserGoesElsewhereWhileTheirAgentDrainsAndComesBack(t *testing.T) {
	r, a, b := pair(t)
	a.mode.Store("draining")
	// At once, before anybody has looked, by the refusal itself.
	if resp, got := r.do(t, "POST", "/api/chat", `{"message":"x"}`); resp.StatusCode != 200 || got != b.name {
		t.Errorf("got %d %q", resp.StatusCode, got)
	}
	if got, want := a.took()+"; "+b.took(), "POST /api/chat; POST /api/chat"; got != want && got != "; POST /api/chat" {
		t.Errorf("took %q, want %q", got, want)
	}
	r.until(t, b.name)
	a.took()
	r.do(t, "POST", "/api/sessions/s/cancel", `{}`)
	if got := a.took(); got != "" {
		t.Errorf("the one that drains got %s", got)
	}
	a.mode.Store("")
	r.until(t, a.name)
}

func TestWhatReachedNobodyIsTriedElsewhere(t *testing.T) {
	r, a, b := pair(t)
	a.srv.Close()
	// One that is written to while it closes may have been read.
	r.host.Agent.(*http.Transport).CloseIdleConnections()
	for _, path := range []string{"/api/sessions/s/cancel", "/api/chat"} { // of which only one may be repeated
		if resp, got := r.do(t, "POST", path, `{"message":"x"}`); resp.StatusCode != 200 || got != b.name {
			t.Errorf("%s: got %d %q", path, resp.StatusCode, got)
		}
	}
	b.srv.Close()
	if resp, _ := r.do(t, "GET", "/api/stats", ""); resp.StatusCode != 503 {
		t.Errorf("nobody is there: got %d", resp.StatusCode)
	}
}

func TestWhatMayHaveBeenTakenIsRepeatedOnlyWhereThatIsHarmless(t *testing.T) {
	r, a, b := pair(t)
	for _, tc := range []struct {
		method, path string
		status       int
	}{
		{"GET", "/api/stats", 200},
		{"POST", "/api/chat", 200}, // by the gateway's own key
		{"POST", "/api/sessions/s/cancel", 502},
		{"DELETE", "/api/sessions/s", 502},
		{"PATCH", "/api/sessions/s", 502},
	} {
		a.mode.Store("cut")
		resp, _ := r.do(t, tc.method, tc.path, "{}")
		if took := b.took(); resp.StatusCode != tc.status || (took != "") != (tc.status == 200) {
			t.Errorf("%s %s: got %d, and the other one got %q", tc.method, tc.path, resp.StatusCode, took)
		}
		a.mode.Store("")
		r.until(t, a.name)
		b.took()
	}
}

func TestReadyWhileOneIsLeft(t *testing.T) {
	r, a, b := pair(t)
	for _, tc := range []struct {
		a, b string
		want int
	}{{"draining", "", 200}, {"draining", "draining", 503}, {"", "draining", 200}} {
		a.mode.Store(tc.a)
		b.mode.Store(tc.b)
		for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
			resp, _ := r.do(t, "GET", "/ready", "")
			if resp.StatusCode == tc.want {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("%+v: got %d", tc, resp.StatusCode)
			}
		}
	}
}

func TestAListMovesUsersAndABadOneDoesNot(t *testing.T) {
	a, b := newTwin(t, "a"), newTwin(t, "b")
	var list atomic.Value
	list.Store([]edge.Agent{{URL: a.srv.URL}, {URL: b.srv.URL, Users: []string{"bob"}}})
	r := newRig(t, http.NotFoundHandler(), func(e *edge.Config, h *Config) {
		e.Agents = []string{a.srv.URL}
		h.List = func() ([]edge.Agent, error) {
			if l := list.Load().([]edge.Agent); len(l) > 0 {
				return append([]edge.Agent(nil), l...), nil
			}
			return nil, io.ErrUnexpectedEOF
		}
	})
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if _, got := r.do(t, "GET", "/api/stats", "", "Authorization", "Bearer "+bobToken); got == "b" {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("bob's own agent never answers")
		}
	}
	r.until(t, "a")
	list.Store([]edge.Agent{})
	time.Sleep(1500 * time.Millisecond)
	r.until(t, "a")
	list.Store([]edge.Agent{{URL: b.srv.URL}, {URL: a.srv.URL, Backup: true}})
	r.until(t, "b")
	b.srv.Close()
	r.until(t, "a")
}
