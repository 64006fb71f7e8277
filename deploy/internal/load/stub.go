package load

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/loongclaw/loongclaw/pkg/sse"
)

// Stub is an agent that thinks of nothing: it is ready, streams a fixed number
// of events to each POST and answers any GET with a small JSON. It believes
// everybody.
type Stub struct {
	URL    string
	Served atomic.Int64 // streams written to their end

	events [][]byte
	http   *http.Server
}

// StartStub listens on a free port. Each stream has n events, each in a write of
// its own.
func StartStub(n int) (*Stub, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &Stub{URL: "http://" + l.Addr().String()}
	for i := range n {
		s.events = append(s.events, stubEvent(i, n))
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/chat", s.chat)
	mux.HandleFunc("GET /", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"sessionId":"default","messages":[]}`)
	})
	s.http = &http.Server{Handler: mux, ReadHeaderTimeout: 30 * time.Second}
	go func() { _ = s.http.Serve(l) }()
	return s, nil
}

// Close ends it.
func (s *Stub) Close() { _ = s.http.Close() }

func stubEvent(i, n int) []byte {
	typ, rest := "message_chunk", fmt.Sprintf(`"messageId":"m","parentId":"u","content":"第%d块 "`, i)
	if i == n-1 {
		typ, rest = "run_finished", `"status":"done"`
	}
	id := fmt.Sprintf("c%d", i)
	data := fmt.Sprintf(`{"type":%q,"sessionId":"default","runId":"r","cursor":%q,"timestamp":"2026-01-01T00:00:00.000Z",%s}`, typ, id, rest)
	return sse.Append(nil, sse.Event{ID: id, Type: typ, Data: []byte(data)})
}

func (s *Stub) chat(w http.ResponseWriter, r *http.Request) {
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	flush := http.NewResponseController(w)
	for _, e := range s.events {
		if _, err := w.Write(e); err != nil {
			return
		}
		if err := flush.Flush(); err != nil {
			return
		}
	}
	s.Served.Add(1)
}
