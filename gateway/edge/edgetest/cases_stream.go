package edgetest

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/sse"
)

// streamCases are answers that take as long as a model does.
func streamCases() []testCase {
	return []testCase{
		{"events pass at once", eventsPass},
		{"changes of the list pass at once", listPasses},
		{"a streamed POST passes at once", postStreams},
		{"a long stream arrives whole", longStream},
		{"a client that goes away in mid-stream ends its request to the agent", cancelInStream},
		{"a client that goes away before the answer ends its request to the agent", cancelBefore},
		{"the place after which to go on reaches the agent", lastEventID},
		{"a stream that breaks off does not look whole", brokenStream},
	}
}

// paced answers with one event for each value of next, until it is closed.
func paced(next <-chan string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		w.WriteHeader(http.StatusOK)
		flush(w)
		for {
			select {
			case data, more := <-next:
				if !more {
					return
				}
				_, _ = io.WriteString(w, "data: "+data+"\n\n")
				flush(w)
			case <-r.Context().Done():
				return
			}
		}
	}
}

func flush(w http.ResponseWriter) { _ = http.NewResponseController(w).Flush() }

func eventsPass(t *testing.T, s *suite) { s.wantPaced(t, call{path: "/api/sessions/s/events"}) }

func listPasses(t *testing.T, s *suite) { s.wantPaced(t, call{path: chat.PathList}) }

func postStreams(t *testing.T, s *suite) {
	s.wantPaced(t, call{
		method: http.MethodPost, path: chat.PathChat, body: strings.NewReader(`{"message":"hi","stream":true}`),
		header: map[string]string{"Content-Type": "application/json", "Accept": "text/event-stream"},
	})
}

// wantPaced sends each event only after the one before it has arrived: a gateway
// that holds anything back never gets the next.
func (s *suite) wantPaced(t *testing.T, c call) {
	t.Helper()
	next := make(chan string)
	s.agent.answers(paced(next))
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c.token = alice
	resp := s.open(ctx, t, c)
	defer func() { _ = resp.Body.Close() }()
	if got := resp.Header.Get("Content-Type"); got != "text/event-stream" {
		t.Errorf("Content-Type: got %q, want text/event-stream", got)
	}
	lines := bufio.NewReader(resp.Body)
	for _, data := range []string{`{"n":1}`, `{"n":2}`, `{"n":3,"content":"熊"}`} {
		next <- data
		line, err := lines.ReadString('\n')
		if err != nil || line != "data: "+data+"\n" {
			t.Fatalf("got %q (%v), want the event %s", line, err, data)
		}
		if _, err := lines.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	close(next)
	if rest, err := io.ReadAll(lines); err != nil || len(rest) != 0 {
		t.Errorf("after the last event: got %q (%v), want the end", rest, err)
	}
}

func longStream(t *testing.T, s *suite) {
	event := "data: " + strings.Repeat("熊", 300) + "\n\n"
	const events = 2000
	s.agent.answers(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for range events {
			_, _ = io.WriteString(w, event)
			flush(w)
		}
	})
	a := s.send(t, call{path: "/api/sessions/s/events", token: alice})
	if want := strings.Repeat(event, events); string(a.body) != want {
		t.Errorf("got %d bytes, want %d as sent", len(a.body), len(want))
	}
}

// talksOn answers with a comment every few milliseconds, as agents do every few
// seconds, from when gone is closed until its request has ended. A host need
// notice a client that went away only when there is something to send: workerd
// on its own knows no earlier, Cloudflare and the native host do.
func talksOn(gone <-chan struct{}) (handler http.HandlerFunc, began, ended chan struct{}) {
	began, ended = make(chan struct{}, 1), make(chan struct{}, 1)
	return func(w http.ResponseWriter, r *http.Request) {
		began <- struct{}{}
		select {
		case <-gone:
		case <-r.Context().Done():
		}
		w.Header().Set("Content-Type", "text/event-stream")
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				_, _ = w.Write(sse.Comment)
				flush(w)
			case <-r.Context().Done():
				ended <- struct{}{}
				return
			}
		}
	}, began, ended
}

func cancelInStream(t *testing.T, s *suite) {
	now := make(chan struct{})
	close(now)
	handler, _, ended := talksOn(now)
	s.agent.answers(handler)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	resp := s.open(ctx, t, call{path: "/api/sessions/s/events", token: alice})
	defer func() { _ = resp.Body.Close() }()
	if _, err := resp.Body.Read(make([]byte, 64)); err != nil {
		t.Fatal(err)
	}
	cancel()
	within(t, ended, "the end of the request to the agent")
}

func cancelBefore(t *testing.T, s *suite) {
	left := make(chan struct{})
	handler, began, ended := talksOn(left)
	s.agent.answers(handler)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	gone := make(chan error, 1)
	req := s.request(ctx, t, call{path: "/api/sessions/s/events", token: alice})
	go func() {
		resp, err := s.client.Do(req)
		if err == nil {
			_ = resp.Body.Close()
		}
		gone <- err
	}()
	within(t, began, "the request to the agent")
	cancel()
	_ = within(t, gone, "the end of the client's request") // which way it ended does not matter
	close(left)
	within(t, ended, "the end of the request to the agent")
}

func lastEventID(t *testing.T, s *suite) {
	s.send(t, call{path: "/api/sessions/s/events?after=a", token: alice, header: map[string]string{chat.HeaderLastEventID: "b"}})
	got := s.agent.only(t)
	if id := got.header.Get(chat.HeaderLastEventID); id != "b" || !strings.HasSuffix(got.uri, "?after=a") {
		t.Errorf("the agent got %s with %s %q, want after=a and b", got.uri, chat.HeaderLastEventID, id)
	}
}

func brokenStream(t *testing.T, s *suite) {
	s.agent.answers(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, "data: 1\n\n")
		flush(w)
		panic(http.ErrAbortHandler) // closes the connection without the last chunk
	})
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	resp := s.open(ctx, t, call{path: "/api/sessions/s/events", token: alice})
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	// Where it breaks before the host has sent anything, that may be an error, too.
	if resp.StatusCode < 500 && (err == nil || errors.Is(err, context.DeadlineExceeded)) {
		t.Errorf("got %d, %q and the error %v, want a stream that breaks off", resp.StatusCode, b, err)
	}
}
