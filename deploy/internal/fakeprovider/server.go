package fakeprovider

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Request is one request as the provider saw it.
type Request struct {
	ID       string // the script's
	Round    int
	Attempt  int // of this script's round, from 1
	Messages []Message
	Tools    []string
	Choice   string // tool_choice, as it came
	Parallel string // parallel_tool_calls, as it came
	Model    string
	Stream   bool
	Auth     string
	Trace    string // traceparent
	// RequestID is the agent's name for what this belongs to.
	RequestID string

	Arrived   time.Time
	FirstByte time.Time // when the first piece of text had been written
	Written   int       // pieces of text
	Size      int64     // of its body, as it was said
	Refused   string    // why no provider would take it
	Finished  bool      // the fake provider did all that the script says
	Cancelled bool      // the asker went away before that
}

// Message is one message of a request.
type Message struct {
	Role       string
	Content    string
	ToolCalls  int
	ToolCallID string
}

// System is the text of the system messages.
func (r Request) System() string {
	var b strings.Builder
	for _, m := range r.Messages {
		if m.Role == "system" {
			b.WriteString(m.Content + "\n")
		}
	}
	return b.String()
}

// Recalled is what the agent adds to the user's messages: the day, and what it
// remembers.
func (r Request) Recalled() string {
	var b strings.Builder
	for _, m := range r.Messages {
		if m.Role == "user" && strings.HasPrefix(m.Content, "[Context ") {
			b.WriteString(m.Content + "\n")
		}
	}
	return b.String()
}

// Server is the fake provider.
type Server struct {
	URL string // base URL, with /v1

	http *http.Server

	mu       sync.Mutex
	requests []*Request
	attempts map[string]int
	gates    map[string]chan struct{}
	changed  chan struct{}
	done     chan struct{}
}

// Start listens on a free port of this machine's own.
func Start() (*Server, error) { return Listen("127.0.0.1:0") }

// Listen listens on an address.
func Listen(addr string) (*Server, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, err
	}
	s := &Server{
		URL:      "http://" + l.Addr().String() + "/v1",
		attempts: map[string]int{}, gates: map[string]chan struct{}{}, changed: make(chan struct{}), done: make(chan struct{}),
	}
	s.http = &http.Server{Handler: s, ReadHeaderTimeout: 30 * time.Second}
	go func() {
		_ = s.http.Serve(l)
		close(s.done)
	}()
	return s, nil
}

// Done is closed when it has ended.
func (s *Server) Done() <-chan struct{} { return s.done }

// Close ends it and every stream.
func (s *Server) Close() { _ = s.http.Close() }

// Open lets everybody through a gate, now and later.
func (s *Server) Open(gate string) {
	ch := s.gate(gate)
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-ch:
	default:
		close(ch)
	}
}

func (s *Server) gate(name string) chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gates[name] == nil {
		s.gates[name] = make(chan struct{})
	}
	return s.gates[name]
}

// Requests returns the requests of a script so far, oldest first; of all scripts
// when id is empty.
func (s *Server) Requests(id string) []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Request
	for _, r := range s.requests {
		if id == "" || r.ID == id {
			out = append(out, *r)
		}
	}
	return out
}

// Forget drops the record of what is finished, so that a long run needs no more
// memory than a short one.
func (s *Server) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = slices.DeleteFunc(s.requests, func(r *Request) bool { return r.Finished || r.Cancelled })
}

// Wait waits until the requests of a script are as ok wants them.
func (s *Server) Wait(ctx context.Context, id string, ok func([]Request) bool) error {
	for {
		s.mu.Lock()
		changed := s.changed
		s.mu.Unlock()
		if ok(s.Requests(id)) {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("the provider saw %s of %q: %w", summary(s.Requests(id)), id, ctx.Err())
		}
	}
}

func summary(rs []Request) string {
	parts := make([]string, 0, len(rs))
	for _, r := range rs {
		parts = append(parts, fmt.Sprintf("{round %d attempt %d written %d finished %v cancelled %v}", r.Round, r.Attempt, r.Written, r.Finished, r.Cancelled))
	}
	return fmt.Sprintf("%d requests %v", len(rs), parts)
}

// Arrived waits for the n-th request of a script.
func (s *Server) Arrived(ctx context.Context, id string, n int) error {
	return s.Wait(ctx, id, func(rs []Request) bool { return len(rs) >= n })
}

// Begun waits until the answers of n scripts whose ids have this prefix have
// their first piece.
func (s *Server) Begun(ctx context.Context, prefix string, n int) error {
	for {
		s.mu.Lock()
		changed := s.changed
		begun := 0
		for _, r := range s.requests {
			if r.Written > 0 && strings.HasPrefix(r.ID, prefix) {
				begun++
			}
		}
		s.mu.Unlock()
		if begun >= n {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("%d of %d answers of %s… have begun: %w", begun, n, prefix, ctx.Err())
		}
	}
}

// update changes a request's record and tells who waits.
func (s *Server) update(r *Request, change func(*Request)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(r)
	close(s.changed)
	s.changed = make(chan struct{})
}

type body struct {
	Model    string    `json:"model"`
	Stream   bool      `json:"stream"`
	Messages []message `json:"messages"`
	Tools    []struct {
		Function struct {
			Name string `json:"name"`
		} `json:"function"`
	} `json:"tools"`
	Choice   json.RawMessage `json:"tool_choice"`
	Parallel json.RawMessage `json:"parallel_tool_calls"`
}

type message struct {
	Role      string          `json:"role"`
	Content   json.RawMessage `json:"content"`
	ToolCalls []struct {
		ID       string `json:"id"`
		Function struct {
			Name string `json:"name"`
		} `json:"function"`
	} `json:"tool_calls"`
	ToolCallID string `json:"tool_call_id"`
}

// record notes a request and finds the script for it.
func (s *Server) record(b body, h http.Header) (*Request, Script) {
	r := &Request{
		Model: b.Model, Stream: b.Stream, Choice: string(b.Choice), Parallel: string(b.Parallel), Refused: b.refusal(), Arrived: time.Now(),
		Auth: h.Get("Authorization"), Trace: h.Get("Traceparent"), RequestID: h.Get("X-Request-Id"),
	}
	for _, t := range b.Tools {
		r.Tools = append(r.Tools, t.Function.Name)
	}
	last := ""
	for _, m := range b.Messages {
		msg := Message{Role: m.Role, Content: text(m.Content), ToolCalls: len(m.ToolCalls), ToolCallID: m.ToolCallID}
		r.Messages = append(r.Messages, msg)
		switch {
		case msg.Role == "user":
			last, r.Round = msg.Content, 0
		case msg.Role == "assistant" && msg.ToolCalls > 0:
			r.Round++
		}
	}
	script := read(last)
	r.ID = script.ID
	r.Round = min(r.Round, len(script.Rounds)-1)
	s.mu.Lock()
	key := fmt.Sprintf("%s %d", script.ID, r.Round)
	s.attempts[key]++
	r.Attempt = s.attempts[key]
	s.requests = append(s.requests, r)
	s.mu.Unlock()
	s.update(r, func(*Request) {})
	return r, script
}

// text reads content that is a string or a list of parts.
func text(raw json.RawMessage) string {
	var str string
	if json.Unmarshal(raw, &str) == nil {
		return str
	}
	var parts []struct {
		Text string `json:"text"`
	}
	_ = json.Unmarshal(raw, &parts)
	var b strings.Builder
	for _, p := range parts {
		b.WriteString(p.Text)
	}
	return b.String()
}
