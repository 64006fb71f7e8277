package edgetest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// noSocketCases stand in for socketCases on a host that ends no WebSocket: it
// must say so, and must still let nobody in.
func noSocketCases() []testCase {
	return []testCase{
		{"comes with the Durable Object, and the answer says so", socketToCome},
		{"a missing credential is 401", socketUnauthorized},
		{"an unknown origin is 403", socketOrigin},
	}
}

// socketCases run where the host ends WebSockets itself.
func socketCases() []testCase {
	return []testCase{
		{"a missing credential is 401", socketUnauthorized},
		{"an unknown origin is 403", socketOrigin},
		{"it opens on /ws and on /, with a header and with subprotocols", socketOpens},
		{"a chat becomes a run and its events become frames", socketChat},
		{"an unknown type is an error and the socket stays open", socketUnknownType},
		{"a frame without data is an error and the socket stays open", socketWithoutData},
		{"a message above the limit closes with 1009", socketTooLarge},
		{"a token that may read may not chat", socketScope},
	}
}

// upgrade asks for a WebSocket without being able to speak it.
func (s *suite) upgrade(t *testing.T, token string, header map[string]string) answer {
	t.Helper()
	return s.upgradeAt(t, chat.PathSocket, token, header)
}

func (s *suite) upgradeAt(t *testing.T, path, token string, header map[string]string) answer {
	t.Helper()
	with := map[string]string{
		"Connection": "Upgrade", "Upgrade": "websocket",
		"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
	}
	for name, value := range header {
		with[name] = value
	}
	return s.send(t, call{path: path, token: token, header: with})
}

func socketToCome(t *testing.T, s *suite) {
	a := s.upgrade(t, alice, nil)
	a.wantFault(t, fault.CodeUnavailable)
	if !strings.Contains(string(a.body), "Durable Object") {
		t.Errorf("got %s, want a hint at the Durable Object", a.body)
	}
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
