package native

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"

	"github.com/loongclaw/loongclaw/gateway/edge"
	"github.com/loongclaw/loongclaw/gateway/limit"
	"github.com/loongclaw/loongclaw/pkg/sse"
)

func dial(t *testing.T, r *rig, path string, o *websocket.DialOptions) *websocket.Conn {
	t.Helper()
	if o == nil {
		o = &websocket.DialOptions{HTTPHeader: http.Header{"Authorization": {"Bearer " + aliceToken}}}
	}
	c, _, err := websocket.Dial(t.Context(), strings.Replace(r.url, "http", "ws", 1)+path, o)
	if err != nil {
		t.Fatal(err)
	}
	c.SetReadLimit(-1)
	t.Cleanup(func() { _ = c.CloseNow() })
	if f := next(t, c); f["type"] != "connected" || f["message"] != "已连接到 LoongClaw" || !strings.HasPrefix(f["clientId"].(string), "client_") {
		t.Fatalf("first frame: %v", f)
	}
	return c
}

func next(t *testing.T, c *websocket.Conn) map[string]any {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	kind, b, err := c.Read(ctx)
	if err != nil || kind != websocket.MessageText {
		t.Fatalf("reading a frame: %v %v", kind, err)
	}
	var f map[string]any
	if err := json.Unmarshal(b, &f); err != nil {
		t.Fatalf("frame %q: %v", b, err)
	}
	return f
}

func say(t *testing.T, c *websocket.Conn, frame string) {
	t.Helper()
	if err := c.Write(t.Context(), websocket.MessageText, []byte(frame)); err != nil {
		t.Fatal(err)
	}
}

// talker is an agent with one session, whose events are numbers.
type talker struct {
	mu     sync.Mutex
	events []string
	more   chan struct{}
	open   atomic.Int32 // event streams now
	opened atomic.Int32 // and ever
	cut    chan struct{}
	seen   []string
}

func newTalker() *talker { return &talker{more: make(chan struct{}), cut: make(chan struct{})} }

func (a *talker) add(n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for range n {
		a.events = append(a.events, fmt.Sprintf(`{"type":"message_chunk","content":"%d"}`, len(a.events)))
	}
	close(a.more)
	a.more = make(chan struct{})
}

// restart cuts every stream.
func (a *talker) restart() {
	a.mu.Lock()
	defer a.mu.Unlock()
	close(a.cut)
	a.cut = make(chan struct{})
}

func (a *talker) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b, _ := io.ReadAll(r.Body)
	u, err := user(r)
	if err != nil {
		w.WriteHeader(401)
		return
	}
	a.mu.Lock()
	a.seen = append(a.seen, strings.TrimSpace(fmt.Sprintf("%s %s %s %s %s", u, r.Method, r.URL.EscapedPath(), r.Header.Get("Idempotency-Key"), b)))
	a.mu.Unlock()
	switch {
	case strings.HasSuffix(r.URL.Path, "/events"):
		a.stream(w, r)
	case strings.HasSuffix(r.URL.Path, "/runs"):
		w.WriteHeader(202)
		_, _ = io.WriteString(w, `{"runId":"run","messageId":"m","sessionId":"s","cursor":"0"}`)
		go a.add(2)
	case strings.HasPrefix(r.URL.Path, "/api/history/gone"):
		w.WriteHeader(404)
		_, _ = io.WriteString(w, `{"error":"no such session","code":"not_found"}`)
	case r.Method == http.MethodGet:
		_, _ = io.WriteString(w, ` {"sessionId":"s","messages":[]}`)
	}
}

func (a *talker) stream(w http.ResponseWriter, r *http.Request) {
	a.open.Add(1)
	a.opened.Add(1)
	defer a.open.Add(-1)
	w.Header().Set("Content-Type", "text/event-stream")
	_ = http.NewResponseController(w).Flush()
	at := 0
	_, _ = fmt.Sscan(r.URL.Query().Get("after"), &at)
	for {
		a.mu.Lock()
		events, more, cut := a.events[at:], a.more, a.cut
		a.mu.Unlock()
		for _, e := range events {
			at++
			_, _ = w.Write(sse.Append(nil, sse.Event{ID: fmt.Sprint(at), Type: "message_chunk", Data: []byte(e)}))
		}
		_ = http.NewResponseController(w).Flush()
		select {
		case <-more:
		case <-cut:
			panic(http.ErrAbortHandler)
		case <-r.Context().Done():
			return
		}
	}
}

func TestFramesBecomeCalls(t *testing.T) {
	a := newTalker()
	r := newRig(t, a)
	for _, path := range []string{"/ws", "/"} {
		dial(t, r, path, nil)
	}
	c := dial(t, r, "/ws", nil)
	say(t, c, `{"type":"ping"}`)
	if f := next(t, c); f["type"] != "pong" {
		t.Errorf("got %v", f)
	}
	say(t, c, `{"type":"get_history","data":{"sessionId":"熊 大"}}`)
	if f := next(t, c); f["type"] != "history" || f["sessionId"] != "s" {
		t.Errorf("got %v", f)
	}
	say(t, c, `{"type":"get_history","data":{"sessionId":"gone"}}`)
	if f := next(t, c); f["type"] != "error" || f["code"] != "not_found" || f["sessionId"] != "gone" || f["requestId"] == "" {
		t.Errorf("got %v", f)
	}
	say(t, c, `{"type":"clear_history"}`)
	if f := next(t, c); f["type"] != "history_cleared" || f["sessionId"] != "default" {
		t.Errorf("got %v", f)
	}
	say(t, c, `{"type":"cancel","data":{"sessionId":"s","runId":"r1"}}`)
	say(t, c, `{"type":"approve","data":{"approvalId":"a1","decision":"once"}}`)
	say(t, c, `{"type":"chat","data":{"message":"hi","sessionId":"s","idempotencyKey":"k"}}`)
	for want := range 2 {
		if f := next(t, c); f["content"] != fmt.Sprint(want) {
			t.Errorf("event %d: %v", want, f)
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	want := []string{
		"alice GET /api/history/%E7%86%8A%20%E5%A4%A7", "alice GET /api/history/gone", "alice DELETE /api/history/default",
		`alice POST /api/sessions/s/cancel  {"runId":"r1"}`, `alice POST /api/approvals/a1  {"decision":"once"}`,
		`alice POST /api/sessions/s/runs k {"message":"hi"}`, "alice GET /api/sessions/s/events",
	}
	if diff := cmp.Diff(want, a.seen); diff != "" {
		t.Errorf("the agent saw (-want +got):\n%s", diff)
	}
}

func TestASessionIsFollowedOnceAndThroughRestarts(t *testing.T) {
	a := newTalker()
	r := newRig(t, a)
	c := dial(t, r, "/ws", nil)
	total := 0
	expect := func(n int) {
		t.Helper()
		for range n {
			if f := next(t, c); f["content"] != fmt.Sprint(total) {
				t.Fatalf("event %d: got %v", total, f)
			}
			total++
		}
	}
	for range 3 {
		say(t, c, `{"type":"chat","data":{"message":"hi","sessionId":"s"}}`)
		expect(2)
	}
	if n := a.opened.Load(); n != 1 {
		t.Errorf("%d event streams for one session", n)
	}
	for range 3 {
		a.restart()
		a.add(3)
		expect(3)
	}
	say(t, c, `{"type":"subscribe","data":{"sessionId":"s","after":"10"}}`) // another place
	total = 10
	expect(5)
	a.add(1)
	expect(1)
	// The agent sees the end of the old stream a moment after the new one's start.
	for deadline := time.Now().Add(5 * time.Second); a.open.Load() != 1; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("%d event streams are open", a.open.Load())
		}
	}
	_ = c.CloseNow()
	for deadline := time.Now().Add(5 * time.Second); a.open.Load() != 0; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatal("the relay outlived its socket")
		}
	}
}

func TestBadFramesKeepTheSocketOpen(t *testing.T) {
	r := newRig(t, newTalker())
	c := dial(t, r, "/ws", nil)
	for frame, code := range map[string]string{
		"{": "invalid_json", `[]`: "invalid_request", `{"type":"x"}`: "unknown_type", `{"type":"chat"}`: "missing_message",
		`{"type":"chat","data":{"message":5}}`: "invalid_request", `{"type":"chat","data":{"message":"x","sessionId":"../x"}}`: "invalid_session",
	} {
		say(t, c, frame)
		if f := next(t, c); f["type"] != "error" || f["code"] != code {
			t.Errorf("%s: got %v, want %s", frame, f, code)
		}
	}
	if err := c.Write(t.Context(), websocket.MessageBinary, []byte(`{"type":"ping"}`)); err != nil {
		t.Fatal(err)
	}
	if f := next(t, c); f["code"] != "unsupported" {
		t.Errorf("binary: got %v", f)
	}
	say(t, c, `{"type":"ping"}`)
	if f := next(t, c); f["type"] != "pong" {
		t.Errorf("got %v", f)
	}
}

func TestTooLargeFramesCloseTheSocket(t *testing.T) {
	a := newTalker()
	r := newRig(t, a)
	for _, size := range []int{256<<10 + 1, 1 << 20, 4 << 20} {
		c := dial(t, r, "/ws", nil)
		say(t, c, `{"type":"chat","data":{"message":"`+strings.Repeat("x", size)+`"}}`)
		if f := next(t, c); f["code"] != "too_large" {
			t.Errorf("%d: got %v", size, f)
		}
		if _, _, err := c.Read(t.Context()); websocket.CloseStatus(err) != 1009 {
			t.Errorf("%d: got %v, want close 1009", size, err)
		}
	}
	c := dial(t, r, "/ws", nil)
	say(t, c, `{"type":"chat","data":{"message":"`+strings.Repeat("x", 256<<10)+`"}}`)
	if f := next(t, c); f["type"] != "message_chunk" {
		t.Errorf("256 KiB: got %v", f)
	}
}

func TestSocketAccess(t *testing.T) {
	r := newRig(t, newTalker(), func(e *edge.Config, _ *Config) { e.Limits.Chat = limit.Rate{N: 1, Per: time.Hour} })
	url := strings.Replace(r.url, "http", "ws", 1) + "/ws"
	bearer := http.Header{"Authorization": {"Bearer " + aliceToken}}
	for name, tc := range map[string]struct {
		header http.Header
		sub    []string
		status int
	}{
		"nothing":        {http.Header{}, nil, 401},
		"wrong":          {http.Header{"Authorization": {"Bearer nobody-knows-this"}}, nil, 401},
		"foreign origin": {http.Header{"Authorization": bearer["Authorization"], "Origin": {"https://evil.example"}}, nil, 403},
		"listed origin":  {http.Header{"Authorization": bearer["Authorization"], "Origin": {"https://app.example.com"}}, nil, 101},
		"own origin":     {http.Header{"Authorization": bearer["Authorization"], "Origin": {r.url}}, nil, 101},
		"subprotocol":    {http.Header{}, []string{"loongclaw", "bearer." + aliceToken}, 101},
	} {
		c, resp, err := websocket.Dial(t.Context(), url, &websocket.DialOptions{HTTPHeader: tc.header, Subprotocols: tc.sub})
		if resp == nil || resp.StatusCode != tc.status {
			t.Errorf("%s: got %v %v, want %d", name, resp, err, tc.status)
		}
		if err == nil {
			if tc.sub != nil && c.Subprotocol() != "loongclaw" {
				t.Errorf("%s: subprotocol %q", name, c.Subprotocol())
			}
			_ = c.CloseNow()
		}
	}
	reader := dial(t, r, "/ws", &websocket.DialOptions{Subprotocols: []string{"loongclaw", "bearer." + bobToken}})
	say(t, reader, `{"type":"chat","data":{"message":"hi"}}`)
	if f := next(t, reader); f["code"] != "forbidden" {
		t.Errorf("a reader's chat: %v", f)
	}
	c := dial(t, r, "/ws", nil)
	for range 2 {
		say(t, c, `{"type":"chat","data":{"message":"hi","sessionId":"q"}}`)
	}
	for f := next(t, c); ; f = next(t, c) {
		if f["type"] == "error" {
			if f["code"] != "rate_limited" || f["sessionId"] != "q" || f["retryAfter"] == nil {
				t.Errorf("got %v", f)
			}
			break
		}
	}
}

// TestAClientThatDoesNotReadIsCutOff has a ping wait for the write that is never
// taken: whichever of the two ends the socket, the log says why.
func TestAClientThatDoesNotReadIsCutOff(t *testing.T) {
	a := newTalker()
	var log safeBuffer
	r := newRig(t, a, func(_ *edge.Config, h *Config) {
		h.Timeouts.Write, h.Timeouts.Ping, h.Timeouts.Pong = 100*time.Millisecond, 90*time.Millisecond, 10*time.Second
		h.Log = slog.New(slog.NewTextHandler(&log, nil))
	})
	c := dial(t, r, "/ws", nil)
	say(t, c, `{"type":"subscribe","data":{"sessionId":"s"}}`)
	big := strings.Repeat("x", 1<<20)
	for range 64 {
		a.mu.Lock()
		a.events = append(a.events, `{"content":"`+big+`"}`)
		a.mu.Unlock()
	}
	a.add(1)
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		r.host.mu.Lock()
		n := len(r.host.sockets)
		r.host.mu.Unlock()
		if n == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the socket is still there")
		}
	}
	for deadline := time.Now().Add(5 * time.Second); !strings.Contains(log.String(), "did not read"); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the log does not say why the socket ended: %s", log.String())
		}
	}
}

func TestDeadPeersAndExpiredCredentialsEnd(t *testing.T) {
	var now atomic.Int64
	now.Store(time.Now().UnixNano())
	r := newRig(t, newTalker(), func(e *edge.Config, h *Config) {
		e.Now = func() time.Time { return time.Unix(0, now.Load()) }
		h.Timeouts.Ping, h.Timeouts.Pong = 20*time.Millisecond, 50*time.Millisecond
	})
	_, body := r.do(t, "POST", "/api/login", `{"code":"`+loginCode+`"}`)
	var in struct{ Token string }
	if err := json.Unmarshal([]byte(body), &in); err != nil || in.Token == "" {
		t.Fatalf("login: %q %v", body, err)
	}
	expiring := dial(t, r, "/ws", &websocket.DialOptions{Subprotocols: []string{"loongclaw", "bearer." + in.Token}})
	now.Add(int64(31 * 24 * time.Hour))
	if _, _, err := expiring.Read(t.Context()); websocket.CloseStatus(err) != 4401 {
		t.Errorf("got %v, want close 4401", err)
	}
	dead := dial(t, r, "/ws", nil) // its Read is never called again, so it never pongs
	_ = dead
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		r.host.mu.Lock()
		n := len(r.host.sockets)
		r.host.mu.Unlock()
		if n == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("a dead peer's socket is still there")
		}
	}
}
