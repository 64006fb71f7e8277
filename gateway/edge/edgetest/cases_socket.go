package edgetest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/coder/websocket"

	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// socketCases are what a WebSocket does.
func socketCases() []testCase {
	return []testCase{
		{"websocket: a missing credential is 401", socketUnauthorized},
		{"websocket: an unknown origin is 403", socketOrigin},
		{"websocket: it opens on /ws and on /, with a header and with subprotocols", socketOpens},
		{"websocket: a chat becomes a run and its events become frames", socketChat},
		{"websocket: a stream that breaks goes on after its last event", socketResumes},
		{"websocket: a subscription begins with the last turns and goes on after its place", socketTail},
		{"websocket: history and its end become frames", socketHistory},
		{"websocket: an unknown type is an error and the socket stays open", socketUnknownType},
		{"websocket: a frame without data is an error and the socket stays open", socketWithoutData},
		{"websocket: a message above the limit closes with 1009", socketTooLarge},
		{"websocket: a token that may read may not chat", socketScope},
	}
}

// upgrade asks for a WebSocket without being able to speak it.
func (s *suite) upgrade(t *testing.T, token string, header map[string]string) answer {
	t.Helper()
	return s.upgradeAt(t, chat.PathSocket, token, header)
}

func (s *suite) upgradeAt(t *testing.T, path, token string, header map[string]string) answer {
	t.Helper()
	c := upgradeCall(path, header, nil)
	c.token = token
	return s.send(t, c)
}

// upgradeCall asks for a WebSocket; headers of the case win.
func upgradeCall(path string, header map[string]string, more http.Header) call {
	with := map[string]string{
		"Connection": "Upgrade", "Upgrade": "websocket",
		"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
	}
	for name, value := range header {
		with[name] = value
	}
	return call{path: path, header: with, more: more}
}

func socketUnauthorized(t *testing.T, s *suite) {
	s.upgrade(t, "", nil).wantFault(t, fault.CodeUnauthorized)
	s.wantAgentUntouched(t)
}

func socketOrigin(t *testing.T, s *suite) {
	s.upgrade(t, alice, map[string]string{"Origin": "https://evil.example.com"}).wantFault(t, fault.CodeOriginRefused)
}

// socket is an open WebSocket of a case.
type socket struct {
	t    *testing.T
	conn *websocket.Conn
	ctx  context.Context //nolint:containedctx // bounds the whole case
}

// dial opens a socket and takes its first frame.
func (s *suite) dial(t *testing.T, path string, header http.Header, subprotocols ...string) *socket {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	conn, resp, err := websocket.Dial(ctx, s.base+path, &websocket.DialOptions{HTTPHeader: header, Subprotocols: subprotocols})
	if err != nil {
		t.Fatalf("opening %s: %v", path, err)
	}
	if resp.Body != nil {
		_ = resp.Body.Close()
	}
	t.Cleanup(func() { _ = conn.CloseNow() })
	conn.SetReadLimit(1 << 20)
	k := &socket{t, conn, ctx}
	if got := k.next(); got.Type != chat.TypeConnected {
		t.Fatalf("first frame: got %+v, want connected", got)
	}
	return k
}

func bearer(token string) http.Header { return http.Header{"Authorization": {"Bearer " + token}} }

func (k *socket) send(text string) {
	k.t.Helper()
	if err := k.conn.Write(k.ctx, websocket.MessageText, []byte(text)); err != nil {
		k.t.Fatal(err)
	}
}

// frame is what the cases look at.
type frame struct {
	Type, Content, Code, Hint, SessionID string
}

func (k *socket) next() frame {
	k.t.Helper()
	_, b, err := k.conn.Read(k.ctx)
	if err != nil {
		k.t.Fatalf("reading a frame: %v", err)
	}
	var f frame
	if err := json.Unmarshal(b, &f); err != nil {
		k.t.Fatalf("%v in %s", err, b)
	}
	return f
}

// wantRefusal sends a frame that must be refused, and shows that the socket
// still works.
func (k *socket) wantRefusal(text string, code fault.Code) {
	k.t.Helper()
	k.send(text)
	if got := k.next(); got.Type != chat.TypeError || got.Code != string(code) || got.Hint == "" {
		k.t.Errorf("%s: got %+v, want the error %s with a hint", text, got, code)
	}
	k.wantPong()
}

// wantPong shows that the socket works.
func (k *socket) wantPong() {
	k.t.Helper()
	k.send(`{"type":"ping"}`)
	if got := k.next(); got.Type != chat.TypePong {
		k.t.Errorf("after it: got %+v, want pong", got)
	}
}

func socketOpens(t *testing.T, s *suite) {
	s.dial(t, "/ws", bearer(alice))
	s.dial(t, "/", bearer(alice))
	k := s.dial(t, "/ws", nil, "loongclaw", "bearer."+alice)
	if got := k.conn.Subprotocol(); got != "loongclaw" {
		t.Errorf("subprotocol: got %q, want loongclaw, and never the token", got)
	}
}

func socketChat(t *testing.T, s *suite) {
	s.agent.answers(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusAccepted)
			_, _ = io.WriteString(w, `{"runId":"r1","messageId":"m1","sessionId":"s","cursor":"c0"}`)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		for i, typ := range []string{chat.TypeMessage, chat.TypeMessageChunk, chat.TypeMessageComplete} {
			_, _ = fmt.Fprintf(w, "id: c%d\nevent: %s\ndata: {\"type\":%q,\"sessionId\":\"s\",\"cursor\":\"c%d\",\"content\":\"熊%d\"}\n\n", i+1, typ, typ, i+1, i)
			flush(w)
		}
		<-r.Context().Done()
	})
	k := s.dial(t, "/ws", bearer(alice))
	k.send(`{"type":"chat","data":{"message":"你好","sessionId":"s"}}`)
	for i, typ := range []string{chat.TypeMessage, chat.TypeMessageChunk, chat.TypeMessageComplete} {
		got := k.next()
		if want := (frame{Type: typ, Content: fmt.Sprintf("熊%d", i), SessionID: "s"}); got != want {
			t.Errorf("frame %d: got %+v, want %+v", i, got, want)
		}
	}
	first := s.agent.requests()[0]
	if first.uri != "/api/sessions/s/runs" || !strings.Contains(string(first.body), "你好") {
		t.Errorf("the agent got %s %s, want the message as a run", first.uri, first.body)
	}
}

func socketResumes(t *testing.T, s *suite) {
	var asked atomic.Int32
	s.agent.answers(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		n := asked.Add(1)
		_, _ = fmt.Fprintf(w, "id: c%d\nevent: message_chunk\ndata: {\"type\":\"message_chunk\",\"sessionId\":\"s\",\"content\":\"%d after %s\"}\n\n", n, n, r.URL.Query().Get("after")) // #nosec G705 -- an event stream of a test, no page
		flush(w)
		if n == 2 {
			<-r.Context().Done()
		}
	})
	k := s.dial(t, "/ws", bearer(bob))
	k.send(`{"type":"subscribe","data":{"sessionId":"s","after":"c0"}}`)
	for _, want := range []string{"1 after c0", "2 after c1"} {
		if got := k.next(); got.Content != want {
			t.Errorf("got %+v, want %q", got, want)
		}
	}
}

func socketTail(t *testing.T, s *suite) {
	var asked atomic.Int32
	s.agent.answers(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		if asked.Add(1) == 1 {
			_, _ = io.WriteString(w, "id: c7\n\n") // where it stands: there is nothing to tell
			return
		}
		q := r.URL.Query()
		_, _ = fmt.Fprintf(w, "id: c8\nevent: message_chunk\ndata: {\"type\":\"message_chunk\",\"sessionId\":\"s\",\"content\":\"after %s tail %s\"}\n\n", q.Get("after"), q.Get("tail")) // #nosec G705 -- an event stream of a test, no page
		flush(w)
		<-r.Context().Done()
	})
	k := s.dial(t, "/ws", bearer(bob))
	k.send(`{"type":"subscribe","data":{"sessionId":"s","tail":2}}`)
	if got := k.next(); got.Content != "after c7 tail " {
		t.Errorf("got %+v, want what follows the place", got)
	}
	first := s.agent.requests()[0]
	if u, err := url.Parse(first.uri); err != nil || u.Path != "/api/sessions/s/events" || u.Query().Get("tail") != "2" || u.Query().Has("after") {
		t.Errorf("the agent got %s, want the last 2 turns", first.uri)
	}
	k.wantRefusal(`{"type":"subscribe","data":{"sessionId":"s","tail":-1}}`, fault.CodeInvalidRequest)
}

func socketHistory(t *testing.T, s *suite) {
	s.agent.answers(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			_, _ = io.WriteString(w, ` {"sessionId":"熊","messages":[]}`)
		}
	})
	k := s.dial(t, "/ws", bearer(alice))
	k.send(`{"type":"get_history","data":{"sessionId":"熊"}}`)
	k.send(`{"type":"clear_history","data":{"sessionId":"熊"}}`)
	for _, want := range []frame{{Type: chat.TypeHistory, SessionID: "熊"}, {Type: chat.TypeHistoryCleared, SessionID: "熊"}} {
		if got := k.next(); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
}

func socketUnknownType(t *testing.T, s *suite) {
	s.dial(t, "/ws", bearer(alice)).wantRefusal(`{"type":"dance"}`, fault.CodeUnknownType)
}

func socketWithoutData(t *testing.T, s *suite) {
	s.dial(t, "/ws", bearer(alice)).wantRefusal(`{"type":"chat"}`, fault.CodeMissingMessage)
}

func socketTooLarge(t *testing.T, s *suite) {
	k := s.dial(t, "/ws", bearer(alice))
	k.send(`{"type":"chat","data":{"message":"` + strings.Repeat("x", chat.MaxMessage+1) + `"}}`)
	if got := k.next(); got.Code != string(fault.CodeTooLarge) {
		t.Errorf("got %+v, want too_large", got)
	}
	_, _, err := k.conn.Read(k.ctx)
	if got := websocket.CloseStatus(err); got != websocket.StatusMessageTooBig {
		t.Errorf("close: got %d (%v), want 1009", got, err)
	}
	s.wantAgentUntouched(t)
}

func socketScope(t *testing.T, s *suite) {
	s.dial(t, "/ws", bearer(bob)).wantRefusal(`{"type":"chat","data":{"message":"hi"}}`, fault.CodeForbidden)
}
