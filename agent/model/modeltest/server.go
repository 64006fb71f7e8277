package modeltest

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Server plays a provider. It is an http.Handler for any path that ends in
// /chat/completions or /models.
type Server struct {
	mu       sync.Mutex
	queue    []Reply
	fallback func(*Request) Reply
	strict   string // the provider whose refusals are played; empty: none
	requests []*Request
	arrived  chan struct{} // closed and renewed when a request comes
}

// New makes a server that echoes.
func New() *Server {
	return &Server{fallback: echo, arrived: make(chan struct{})}
}

// Script queues replies: each answers one request, before anything else does.
func (s *Server) Script(replies ...Reply) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queue = append(s.queue, replies...)
}

// Fallback sets what answers a request without a script; nil is the echo.
func (s *Server) Fallback(f func(*Request) Reply) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f == nil {
		f = echo
	}
	s.fallback = f
}

// Requests are those that came in so far, in order.
func (s *Server) Requests() []*Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]*Request(nil), s.requests...)
}

// Last is the newest request, nil before the first.
func (s *Server) Last() *Request {
	if all := s.Requests(); len(all) > 0 {
		return all[len(all)-1]
	}
	return nil
}

// Wait gives the n-th request, counted from 1, as soon as it has come in; nil
// when ctx ends first.
func (s *Server) Wait(ctx context.Context, n int) *Request {
	for {
		s.mu.Lock()
		all, arrived := s.requests, s.arrived
		s.mu.Unlock()
		if len(all) >= n {
			return all[n-1]
		}
		select {
		case <-arrived:
		case <-ctx.Done():
			return nil
		}
	}
}

// Reset forgets the requests and the queue.
func (s *Server) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests, s.queue = nil, nil
}

// ServeHTTP answers as a provider.
func (s *Server) ServeHTTP(w http.ResponseWriter, hr *http.Request) {
	switch {
	case strings.HasSuffix(hr.URL.Path, "/models"):
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"object":"list","data":[{"id":"stand-in","object":"model","owned_by":"modeltest"}]}`)
	case hr.Method != http.MethodPost || !strings.HasSuffix(hr.URL.Path, "/chat/completions"):
		http.Error(w, `{"error":{"message":"no such path"}}`, http.StatusNotFound)
	default:
		s.chat(w, hr)
	}
}

func (s *Server) chat(w http.ResponseWriter, hr *http.Request) {
	raw, err := io.ReadAll(hr.Body)
	r := &Request{Path: hr.URL.Path, Header: hr.Header.Clone(), Raw: raw, done: make(chan struct{})}
	var typed struct {
		Model    string    `json:"model"`
		Messages []Message `json:"messages"`
		Stream   bool      `json:"stream"`
	}
	if err == nil {
		err = json.Unmarshal(raw, &r.Body)
	}
	if err == nil {
		err = json.Unmarshal(raw, &typed)
	}
	if err != nil {
		http.Error(w, `{"error":{"message":"the body is not JSON","type":"invalid_request_error"}}`, http.StatusBadRequest)
		return
	}
	r.Model, r.Messages = typed.Model, typed.Messages
	reply := s.admit(r)
	defer close(r.done)
	ctx := hr.Context()
	a := &answer{ctx: ctx, w: w, r: r, reply: reply}
	if !typed.Stream && reply.Fault == "" && reply.Raw == "" {
		a.whole()
	} else {
		a.stream()
	}
	r.cancelled.Store(ctx.Err() != nil && !a.complete)
	if a.cut {
		panic(http.ErrAbortHandler) // how a handler breaks its connection
	}
}

func (s *Server) admit(r *Request) Reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, r)
	close(s.arrived)
	s.arrived = make(chan struct{})
	if s.strict != "" {
		if refusal, bad := Refuse(s.strict, r.Raw); bad {
			return refusal
		}
	}
	if len(s.queue) > 0 {
		next := s.queue[0]
		s.queue = s.queue[1:]
		return next
	}
	if scripted, ok := r.script(); ok {
		return scripted
	}
	return s.fallback(r)
}

// Tester is what Start needs of a testing.TB.
type Tester interface {
	Helper()
	Fatalf(format string, args ...any)
	Cleanup(f func())
}

// Start listens on a free loopback port until the test ends, and gives the base
// URL, http://127.0.0.1:PORT/v1.
func (s *Server) Start(t Tester) string {
	t.Helper()
	url, stop, err := s.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatalf("modeltest: listen: %v", err)
	}
	t.Cleanup(stop)
	return url
}

// Listen serves on an address until stop is called.
func (s *Server) Listen(addr string) (url string, stop func(), err error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return "", nil, err
	}
	stop = s.serve(l)
	return "http://" + l.Addr().String() + "/v1", stop, nil
}

func (s *Server) serve(l net.Listener) (stop func()) {
	srv := &http.Server{Handler: s, ReadHeaderTimeout: time.Minute}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = srv.Serve(l) // ends with ErrServerClosed
	}()
	return func() {
		_ = srv.Close()
		<-ended
	}
}

// Client gives a client whose every request, whatever its address, reaches this
// server without a socket, so that it works inside testing/synctest. stop ends
// the server behind it.
func (s *Server) Client() (c *http.Client, stop func()) {
	l := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
	end := s.serve(l)
	t := &http.Transport{DialContext: l.dial, DialTLSContext: l.dial}
	return &http.Client{Transport: t}, func() {
		t.CloseIdleConnections()
		end()
	}
}

var _ http.Handler = (*Server)(nil)
