package edgetest

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"
)

// agent stands in for the agent. Each case says how it answers.
type agent struct {
	url string

	mu     sync.Mutex
	addr   string
	server *httptest.Server
	answer http.HandlerFunc
	seen   []seen
}

// seen is a request that the agent got.
type seen struct {
	method, uri, host string
	header            http.Header
	body              []byte
	bodyErr           error
}

func startAgent(t *testing.T) *agent {
	t.Helper()
	a := &agent{}
	a.reset()
	a.listen(t, "127.0.0.1:0")
	a.url = a.server.URL
	t.Cleanup(func() { a.stop() })
	return a
}

func (a *agent) listen(t *testing.T, addr string) {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", addr)
	if err != nil {
		t.Fatalf("the stand-in for the agent: %v", err)
	}
	a.addr = listener.Addr().String()
	a.server = &httptest.Server{
		Listener: listener,
		Config:   &http.Server{Handler: http.HandlerFunc(a.serve), ReadHeaderTimeout: patience},
	}
	a.server.Start()
}

// stop makes connections to the agent be refused, until start.
func (a *agent) stop() {
	a.server.CloseClientConnections()
	a.server.Close()
}

func (a *agent) start(t *testing.T) {
	t.Helper()
	a.listen(t, a.addr)
}

// reset forgets what was seen and answers like a healthy agent.
func (a *agent) reset() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.seen = nil
	a.answer = func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"status":"ok"}`)
	}
}

// answers sets how the agent answers from now on.
func (a *agent) answers(h http.HandlerFunc) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.answer = h
}

func (a *agent) serve(w http.ResponseWriter, r *http.Request) {
	if lives(w, r) {
		return
	}
	got := seen{method: r.Method, uri: r.RequestURI, host: r.Host, header: r.Header.Clone()}
	got.body, got.bodyErr = io.ReadAll(r.Body)
	a.mu.Lock()
	a.seen = append(a.seen, got)
	answer := a.answer
	a.mu.Unlock()
	answer(w, r)
}

// requests are those that the agent got since the case began.
func (a *agent) requests() []seen {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]seen(nil), a.seen...)
}

// only is the one request that the agent got.
func (a *agent) only(t *testing.T) seen {
	t.Helper()
	all := a.requests()
	if len(all) != 1 {
		t.Fatalf("the agent got %d requests, want 1: %+v", len(all), all)
	}
	return all[0]
}

// within waits for a channel, at most as long as the suite's patience.
func within[T any](t *testing.T, c <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatalf("%s did not happen within %s", what, patience)
		panic("unreachable")
	}
}

// lives answers what the object of a container asks of its own accord. The
// gateway's requests have no such paths.
func lives(w http.ResponseWriter, r *http.Request) bool {
	if r.Host != "agent.internal" {
		return false
	}
	w.Header().Set("Connection", "close") // as the agent does
	switch r.URL.Path {
	case "/door":
		w.WriteHeader(http.StatusNoContent)
	case "/ready":
		w.WriteHeader(http.StatusOK)
	case "/active":
		_, _ = io.WriteString(w, `{"active":0}`)
	default:
		return false
	}
	return true
}
