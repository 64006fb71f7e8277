package anthropictest

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Reply says how one request is answered.
type Reply struct {
	Blocks  []Block
	Stop    string // "" is tool_use where there are calls, else end_turn; "none" leaves it out
	Usage   Usage  // the zero value is 10 tokens in and 5 out
	Chunks  int    // bytes of a delta; 0 is 7
	Details string // JSON of stop_details

	Fault Fault
	After int           // how many deltas come before the fault
	Delay time.Duration // between two deltas
	Whole bool          // one JSON answer, no stream

	Status     int    // other than 200: an error
	Kind       string // of the error; "" goes by the status
	Message    string // of the error
	RetryAfter string
	Raw        string // the body, byte for byte, instead of all above
	Type       string // the content type; "" is the right one
}

// Block is one content block to send.
type Block struct {
	Text      string
	Thinking  string
	Redacted  string // the data of a redacted block
	Call      *Call
	Raw       string // any other block, as JSON
	Citation  string // JSON of a citation, after the text
	Unsigned  bool   // of Thinking
	WholeCall bool   // the input comes with the beginning, not in pieces
}

// Call is a tool call to ask for.
type Call struct{ ID, Name, Input string }

// Usage is what the provider counts.
type Usage struct{ Input, Created, Read, Output, Thinking int }

// Fault is what goes wrong with a stream.
type Fault string

// What goes wrong.
const (
	None       Fault = ""
	Hang       Fault = "hang"        // nothing comes, not even a status
	Stall      Fault = "stall"       // after some deltas nothing more comes
	Pings      Fault = "pings"       // after some deltas only pings come
	Flood      Fault = "flood"       // a hundred pings before each delta, then it goes on
	Cut        Fault = "cut"         // the connection breaks
	End        Fault = "end"         // a clean end in the middle
	Error      Fault = "error"       // an error event, of the reply's Kind and Message
	NoStop     Fault = "no_stop"     // a stop reason, then a clean end
	Linger     Fault = "linger"      // complete, but for message_stop, and the connection stays open
	CRLF       Fault = "crlf"        // lines end with CR and LF
	CR         Fault = "cr"          // lines end with CR alone
	BOM        Fault = "bom"         // a byte order mark at the beginning
	NoNames    Fault = "no_names"    // data lines alone
	Twice      Fault = "twice"       // message_start comes two times
	Unknown    Fault = "unknown"     // events, deltas and fields that nobody knows in between
	EmptyError Fault = "empty_error" // "error":null in each event
	BadJSON    Fault = "bad_json"    // an event that is no JSON
)

// Server plays Anthropic. Its zero value answers each request with "ok".
type Server struct {
	Key        string // that must be shown; "" takes any but none
	Bind       bool   // thinking is checked for what stands before it
	NoSampling bool   // a temperature is refused, as the models from 4.7 on do
	MaxTokens  int    // the most that the model can give; 0 is 128,000
	Lenient    bool   // nothing is refused

	mu       sync.Mutex
	queue    []Reply
	fallback func(*Request) Reply
	requests []*Request
}

// Request is one request that came in.
type Request struct {
	Path    string
	Header  http.Header
	Raw     []byte
	Refused string // why it was, if it was
	Body    Body
}

// Script queues replies: each answers one request that is not refused.
func (s *Server) Script(replies ...Reply) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queue = append(s.queue, replies...)
}

// Fallback answers what has no script.
func (s *Server) Fallback(f func(*Request) Reply) {
	s.mu.Lock()
	defer s.mu.Unlock()
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

// ServeHTTP answers as Anthropic does.
func (s *Server) ServeHTTP(w http.ResponseWriter, hr *http.Request) {
	if hr.Method != http.MethodPost || !strings.HasSuffix(hr.URL.Path, "/messages") {
		refuse(w, &Refusal{404, "not_found_error", "Not found"}, "")
		return
	}
	raw, err := io.ReadAll(hr.Body)
	if err != nil {
		return
	}
	r := &Request{Path: hr.URL.Path, Header: hr.Header.Clone(), Raw: raw}
	refusal := s.check(r)
	if refusal != nil {
		r.Refused = refusal.Message
	}
	reply := s.admit(r, refusal == nil)
	switch {
	case refusal != nil:
		refuse(w, refusal, "")
	case reply.Fault == Hang:
		<-hr.Context().Done()
	case reply.Raw != "":
		w.Header().Set("Content-Type", or(reply.Type, "text/event-stream"))
		w.WriteHeader(max(reply.Status, http.StatusOK))
		_, _ = io.WriteString(w, reply.Raw)
	case reply.Status != 0 && reply.Status != http.StatusOK:
		refuse(w, &Refusal{reply.Status, or(reply.Kind, kinds[reply.Status]), or(reply.Message, "scripted")}, reply.RetryAfter)
	default:
		a := &answer{ctx: hr.Context(), w: w, r: r, reply: reply}
		a.play()
		if a.cut {
			panic(http.ErrAbortHandler) // how a handler breaks its connection
		}
	}
}

func (s *Server) admit(r *Request, legal bool) Reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, r)
	if !legal {
		return Reply{}
	}
	if len(s.queue) > 0 {
		next := s.queue[0]
		s.queue = s.queue[1:]
		return next
	}
	if s.fallback != nil {
		return s.fallback(r)
	}
	return Reply{Blocks: []Block{{Text: "ok"}}}
}

var kinds = map[int]string{
	400: "invalid_request_error", 401: "authentication_error", 402: "billing_error", 403: "permission_error", 404: "not_found_error",
	413: "request_too_large", 429: "rate_limit_error", 500: "api_error", 504: "timeout_error", 529: "overloaded_error",
}

// Refusal is an error in Anthropic's form.
type Refusal struct {
	Status  int
	Kind    string
	Message string
}

func refuse(w http.ResponseWriter, r *Refusal, retryAfter string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Request-Id", "req_011CFake")
	if retryAfter != "" {
		w.Header().Set("Retry-After", retryAfter)
	}
	w.WriteHeader(r.Status)
	_, _ = io.WriteString(w, errorJSON(r.Kind, r.Message))
}

func errorJSON(kind, message string) string {
	return `{"type":"error","error":{"type":` + strconv.Quote(kind) + `,"message":` + quote(message) + `},"request_id":"req_011CFake"}`
}

func quote(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		return `""`
	}
	return string(b)
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

var _ http.Handler = (*Server)(nil)
