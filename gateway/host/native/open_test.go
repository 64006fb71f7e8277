package native

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/loongclaw/loongclaw/gateway/edge"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

func allows(m edge.Most) option { return func(_ *edge.Config, h *Config) { h.Most = m } }

const bob = "Bearer " + bobToken

// wants fails where an answer is not this error.
func wants(t *testing.T, resp *http.Response, body string, code fault.Code, words string) {
	t.Helper()
	if f := fault.FromResponse(resp.StatusCode, []byte(body)); resp.StatusCode != code.Status() || f.Code != code || !strings.Contains(f.Hint, words) {
		t.Errorf("got %d %s, want %s and a hint at %s", resp.StatusCode, body, code, words)
	}
}

// upload begins a PUT and leaves its last byte out.
func (r *rig) upload(t *testing.T, n int) net.Conn {
	t.Helper()
	conn := r.connect(t)
	_, _ = fmt.Fprintf(conn, "PUT /api/files/f HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n", aliceToken, n)
	_, _ = conn.Write(bytes.Repeat([]byte("x"), n-1))
	return conn
}

// eater reads bodies to their end.
func eater(w http.ResponseWriter, r *http.Request) {
	n, err := io.Copy(io.Discard, r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	_, _ = fmt.Fprint(w, n)
}

// A long body goes through as it comes: whole, and without being held here.
func TestLongBodiesPassThrough(t *testing.T) {
	content := make([]byte, 8<<20)
	for i := range content {
		content[i] = byte(i * i >> 3)
	}
	var sum [sha256.Size]byte
	r := newRig(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		sum = sha256.Sum256(b)
		w.WriteHeader(http.StatusCreated)
	}))
	resp := r.open(t, http.MethodPut, "/api/files/f", bytes.NewReader(content))
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusCreated || sum != sha256.Sum256(content) {
		t.Errorf("got %d, and the file is another", resp.StatusCode)
	}
}

func TestUnfinishedUploadsAreNotHeld(t *testing.T) {
	r := newRig(t, http.HandlerFunc(eater), allows(edge.Most{BodyBytes: 1 << 30, Streams: 1, Sockets: 1}))
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	conns := make([]net.Conn, 40)
	for i := range conns {
		conns[i] = r.upload(t, 8<<20)
	}
	after := heap()
	if after > before+64<<20 {
		t.Errorf("40 unfinished uploads of 8 MiB take %d MiB", (after-before)>>20)
	}
	for _, conn := range conns {
		_, _ = conn.Write([]byte("x"))
		b := make([]byte, 12)
		if _, err := io.ReadFull(conn, b); err != nil || string(b) != "HTTP/1.1 200" {
			t.Fatalf("got %q, %v", b, err)
		}
		_ = conn.Close()
	}
	if n := len(r.host.open.by); n != 0 {
		t.Errorf("%d users are still counted", n)
	}
}

// What one user has on the way is bounded: the next body waits, and is refused only
// when nothing ends. Others are not held up.
func TestBytesOnTheWayAreBounded(t *testing.T) {
	r := newRig(t, http.HandlerFunc(eater), allows(edge.Most{BodyBytes: 10 << 20, Streams: 1, Sockets: 1}))
	r.host.open.wait = 300 * time.Millisecond
	first := r.upload(t, 8<<20)
	big := strings.Repeat("x", 4<<20)
	resp, body := r.do(t, http.MethodPut, "/api/files/g", big)
	wants(t, resp, body, fault.CodeRateLimited, "MAX_OPEN_BODY_BYTES")
	chunks := r.open(t, http.MethodPut, "/api/files/g", struct{ io.Reader }{strings.NewReader("x")}) // may be as long as a file
	b, _ := io.ReadAll(chunks.Body)
	_ = chunks.Body.Close()
	wants(t, chunks, string(b), fault.CodeRateLimited, "MAX_OPEN_BODY_BYTES")
	if resp, _ := r.do(t, http.MethodPut, "/api/files/g", "small"); resp.StatusCode != 200 {
		t.Errorf("a small one has room: got %d", resp.StatusCode)
	}
	r.host.open.wait = 20 * time.Second
	go func() {
		time.Sleep(200 * time.Millisecond)
		_, _ = first.Write([]byte("x"))
	}()
	if resp, body := r.do(t, http.MethodPut, "/api/files/g", big); resp.StatusCode != 200 || body != fmt.Sprint(len(big)) {
		t.Errorf("the one that waited: got %d %s", resp.StatusCode, body)
	}
}

// two is a gateway before two agents; alice is the first one's, as order gives them.
func two(t *testing.T, first, second http.HandlerFunc) (r *rig, asked *[2]atomic.Int32) {
	t.Helper()
	asked = &[2]atomic.Int32{}
	var at atomic.Int32 // the next to answer as the first
	serve := func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/ready" {
			return
		}
		if at.Add(1) == 1 {
			asked[0].Add(1)
			first(w, r)
			return
		}
		asked[1].Add(1)
		second(w, r)
	}
	other := httptest.NewServer(http.HandlerFunc(serve))
	t.Cleanup(other.Close)
	return newRig(t, http.HandlerFunc(serve), func(e *edge.Config, _ *Config) { e.Agents = append(e.Agents, other.URL) }), asked
}

// A body that an agent has begun to take is never sent to another; one that nobody
// wanted yet is.
func TestPassedOnBodiesAreSentOnce(t *testing.T) {
	big := strings.Repeat("x", 2<<20-100)
	for name, tc := range map[string]struct {
		first  http.HandlerFunc
		status int
		second int32
	}{
		"broke off while it read": {func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.CopyN(io.Discard, r.Body, 1<<20)
			panic(http.ErrAbortHandler)
		}, 502, 0},
		"broke off when it had all": {func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			panic(http.ErrAbortHandler)
		}, 502, 0},
		"drains, and has taken nothing": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = io.WriteString(w, `{"error":"x","code":"draining"}`)
		}, 200, 1},
		"drains, and has read it": {func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = io.WriteString(w, `{"error":"x","code":"draining"}`)
		}, 503, 0},
	} {
		t.Run(name, func(t *testing.T) {
			r, asked := two(t, tc.first, eater)
			resp, body := r.do(t, http.MethodPost, "/api/chat", big, "Idempotency-Key", "k")
			if resp.StatusCode != tc.status || asked[0].Load() != 1 || asked[1].Load() != tc.second {
				t.Errorf("got %d %.100s, the agents were asked %d and %d times", resp.StatusCode, body, asked[0].Load(), asked[1].Load())
			}
			if tc.second > 0 && body != fmt.Sprint(len(big)) {
				t.Errorf("the second got %s bytes of %d", body, len(big))
			}
		})
	}
}

// What breaks off on the client's side is an error to the agent, and the client's own.
func TestALongBodyThatBreaksOff(t *testing.T) {
	ended := make(chan error, 1)
	r := newRig(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, err := io.Copy(io.Discard, r.Body)
		ended <- err
		panic(http.ErrAbortHandler)
	}))
	conn := r.upload(t, 4<<20)
	_ = conn.(*net.TCPConn).CloseWrite()
	answer, _ := io.ReadAll(conn)
	if !bytes.HasPrefix(answer, []byte("HTTP/1.1 400")) {
		t.Errorf("got %.200q, want 400", answer)
	}
	if err := <-ended; err == nil {
		t.Error("the agent took half a file for a whole one")
	}
}

// An agent that answers before it has read the body is heard, and the client is not
// waited for.
func TestAnAgentMayAnswerEarly(t *testing.T) {
	for name, read := range map[string]int64{"at once": 0, "in the middle": 1 << 20} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.CopyN(io.Discard, r.Body, read)
				w.WriteHeader(http.StatusConflict)
				_, _ = io.WriteString(w, "early")
			}))
			conn := r.connect(t)
			_, _ = fmt.Fprintf(conn, "PUT /api/files/f HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n", aliceToken, 8<<20)
			_, _ = conn.Write(bytes.Repeat([]byte("x"), 3<<19)) // and no more
			answer, err := io.ReadAll(conn)
			if !bytes.HasPrefix(answer, []byte("HTTP/1.1 409")) || !bytes.HasSuffix(answer, []byte("early")) {
				t.Errorf("got %.200q, %v", answer, err)
			}
		})
	}
}

// stays is an agent whose streams stay open until their readers go.
func stays(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	_, _ = io.WriteString(w, ": here\n\n")
	_ = http.NewResponseController(w).Flush()
	<-r.Context().Done()
}

func TestStreamsAreBounded(t *testing.T) {
	r := newRig(t, http.HandlerFunc(stays), allows(edge.Most{BodyBytes: 1 << 20, Streams: 3, Sockets: 1}))
	ctx, end := context.WithCancel(t.Context())
	ask := func(ctx context.Context, token string) *http.Response {
		req, _ := http.NewRequestWithContext(ctx, http.MethodGet, r.url+"/api/sessions/s/events", http.NoBody)
		req.Header.Set("Authorization", token)
		resp, err := r.client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = resp.Body.Close() })
		return resp
	}
	for range 3 {
		if resp := ask(ctx, "Bearer "+aliceToken); resp.StatusCode != 200 {
			t.Fatalf("got %d", resp.StatusCode)
		}
	}
	resp := ask(t.Context(), "Bearer "+aliceToken)
	b, _ := io.ReadAll(resp.Body)
	wants(t, resp, string(b), fault.CodeRateLimited, "MAX_OPEN_STREAMS")
	if resp := ask(t.Context(), bob); resp.StatusCode != 200 {
		t.Errorf("another user: got %d", resp.StatusCode)
	}
	end()
	for began := time.Now(); ask(t.Context(), "Bearer "+aliceToken).StatusCode != 200; {
		if time.Since(began) > 10*time.Second {
			t.Fatal("streams that have ended are still counted")
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func TestSocketsAndWhatTheyFollowAreBounded(t *testing.T) {
	r := newRig(t, http.HandlerFunc(stays), allows(edge.Most{BodyBytes: 1 << 20, Streams: 2, Sockets: 2}))
	first, _ := dial(t, r, "/ws", nil), dial(t, r, "/ws", nil)
	_, resp, err := websocket.Dial(t.Context(), strings.Replace(r.url, "http", "ws", 1)+"/ws", &websocket.DialOptions{HTTPHeader: http.Header{"Authorization": {"Bearer " + aliceToken}}})
	if err == nil || resp == nil || resp.StatusCode != 429 {
		t.Fatalf("got %v, %v, want 429", resp, err)
	}
	for _, session := range []string{"a", "b", "a", "b"} { // who asks again has the same place
		say(t, first, `{"type":"subscribe","data":{"sessionId":"`+session+`"}}`)
	}
	say(t, first, `{"type":"subscribe","data":{"sessionId":"c"}}`)
	if f := next(t, first); f["code"] != "rate_limited" || f["sessionId"] != "c" || !strings.Contains(fmt.Sprint(f["hint"]), "MAX_OPEN_STREAMS") {
		t.Errorf("got %v", f)
	}
	_ = first.CloseNow()
	for began := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		c, _, err := websocket.Dial(t.Context(), strings.Replace(r.url, "http", "ws", 1)+"/ws", &websocket.DialOptions{HTTPHeader: http.Header{"Authorization": {"Bearer " + aliceToken}}})
		if err == nil {
			_ = c.CloseNow()
			return
		}
		if time.Since(began) > 10*time.Second {
			t.Fatal("a socket that has ended is still counted")
		}
	}
}

// upgrade opens a socket whose frames the test writes.
func (r *rig) upgrade(t *testing.T) net.Conn {
	t.Helper()
	conn := r.connect(t)
	_, _ = io.WriteString(conn, "GET /ws HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "+aliceToken+
		"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
	return conn
}

// frame is a masked frame, as clients send them.
func frame(first byte, payload string) []byte {
	b := []byte{first}
	switch n := len(payload); {
	case n < 126:
		b = append(b, 0x80|byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|127), uint64(n))
	}
	return append(append(b, 0, 0, 0, 0), payload...)
}

// Frames that ask for nothing are bounded, whatever they are.
func TestFloodsOfFramesEndTheSocket(t *testing.T) {
	for name, flood := range map[string][2][]byte{ // what comes once, and then again and again
		"pings":           {nil, frame(0x89, "")},
		"pings with text": {nil, frame(0x89, "hello")},
		"pongs":           {nil, frame(0x8a, "")},
		"empty pieces":    {frame(0x01, "{"), frame(0x00, "")},
		"small pieces":    {frame(0x01, "{"), frame(0x00, " ")},
		"our own pings":   {nil, frame(0x81, `{"type":"ping"}`)},
		"empty messages":  {nil, frame(0x82, "")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, newTalker())
			conn := r.upgrade(t)
			var said bytes.Buffer
			done := make(chan struct{})
			go func() {
				defer close(done)
				_, _ = io.Copy(&said, conn)
			}()
			_, _ = conn.Write(flood[0])
			many := bytes.Repeat(flood[1], 500)
			var err error
			for sent := 0; err == nil && sent < 1_000_000; sent += 500 {
				_, err = conn.Write(many)
			}
			if err == nil {
				t.Error("a million frames were taken")
			}
			_ = conn.Close()
			<-done
			if !bytes.Contains(said.Bytes(), []byte("\x03\xf0too many frames")) { // 1008
				t.Errorf("nobody said why: %.300q", said.Bytes())
			}
			for began := time.Now(); r.host.Sockets() > 0; time.Sleep(10 * time.Millisecond) {
				if time.Since(began) > 10*time.Second {
					t.Fatal("the socket is still there")
				}
			}
		})
	}
}

// A long message in small pieces is none.
func TestALongMessageInPiecesIsNoFlood(t *testing.T) {
	agent := newTalker()
	r := newRig(t, agent)
	conn := r.upgrade(t)
	text := `{"type":"chat","data":{"message":"` + strings.Repeat("x", 200<<10) + `","sessionId":"s"}}`
	first := byte(0x01)
	for len(text) > 256 {
		_, _ = conn.Write(frame(first, text[:256]))
		first, text = 0x00, text[256:]
	}
	_, _ = conn.Write(frame(0x80, text))
	for began := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		agent.mu.Lock()
		n := len(agent.seen)
		agent.mu.Unlock()
		if n > 0 {
			return
		}
		if time.Since(began) > 10*time.Second {
			t.Fatal("the message did not arrive")
		}
	}
}

// Whatever pieces a connection is read in, the same frames are counted.
func TestTheMeterCountsFrames(t *testing.T) {
	var wire []byte
	for _, n := range []int{0, 1, 125, 126, 300, 1<<16 - 1, 1 << 16, 1<<16 + 1} {
		wire = append(wire, frame(0x82, strings.Repeat("\x89", n))...) // a payload that looks like headers
		wire = append(wire, 0x81, 1, 'x')                              // unmasked: its length is counted all the same
	}
	for _, step := range []int{1, 2, 3, 7, 1000, len(wire)} {
		m, got := &meter{}, 0
		for b := wire; len(b) > 0; {
			n := min(step, len(b))
			got += m.count(b[:n])
			b = b[n:]
		}
		if got != 16 || m.left != 0 || m.have != 0 {
			t.Errorf("in steps of %d: got %d, %d left", step, got, m.left)
		}
	}
	now := time.Unix(1, 0)
	m := &meter{now: func() time.Time { return now }}
	if !m.take(edge.FramesPerMinute) || m.take(1) {
		t.Error("the bucket is another size")
	}
	m.bucket = 0
	if now = now.Add(time.Second); !m.take(edge.FramesPerMinute/60) || m.take(1) {
		t.Error("it fills at another pace")
	}
}

// When an agent dies, what was seen of it a moment ago does not count any more.
func TestReadyIsHonestOnceARequestHasFailed(t *testing.T) {
	agent := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	r := newRig(t, http.NotFoundHandler(), func(e *edge.Config, _ *Config) { e.Agents = []string{agent.URL} })
	clock := time.Now() // stands still, so that nothing grows old by itself
	var mu sync.Mutex
	r.host.upstreams.now = func() time.Time { mu.Lock(); defer mu.Unlock(); return clock }
	if resp, _ := r.do(t, http.MethodGet, "/ready", ""); resp.StatusCode != 200 {
		t.Fatalf("got %d", resp.StatusCode)
	}
	agent.CloseClientConnections()
	agent.Close()
	if resp, _ := r.do(t, http.MethodGet, "/api/stats", ""); resp.StatusCode < 500 {
		t.Fatalf("got %d", resp.StatusCode)
	}
	if resp, body := r.do(t, http.MethodGet, "/ready", ""); resp.StatusCode != 503 {
		t.Errorf("got %d %s, want 503 as every request gets", resp.StatusCode, body)
	}
}
