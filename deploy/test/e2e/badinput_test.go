package e2e

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/loongclaw/loongclaw/deploy/internal/client"
	"github.com/loongclaw/loongclaw/deploy/internal/fakeprovider"
)

// nothingLost says that bad input left the session as it was.
func nothingLost(t *testing.T, c *client.Client, session string, want int) {
	t.Helper()
	if h := history(t, c, session, ""); len(h.Messages) != want {
		t.Errorf("the session has %d messages, want %d", len(h.Messages), want)
	}
}

func TestBadBodies(t *testing.T) {
	t.Parallel()
	c := shared(t).user(t)
	ask(t, c, "default", "before")
	for _, tt := range []struct{ body, code string }{
		{``, "invalid_json"},
		{`{"message":`, "invalid_json"},
		{`{"message":"x"} and more`, "invalid_json"},
		{"\x00\x01\x02", "invalid_json"},
		{`"text"`, "invalid_request"},
		{`[]`, "invalid_request"},
		{`{"message":5}`, "invalid_request"},
		{`{"message":{"a":1}}`, "invalid_request"},
		{`{"message":["x"]}`, "invalid_request"},
		{`{"message":"x","sessionId":5}`, "invalid_request"},
		{`{"message":null}`, "missing_message"},
		{`{"message":""}`, "missing_message"},
		{`{"message":" \n\t "}`, "missing_message"},
		{`{}`, "missing_message"},
	} {
		for _, path := range []string{"/api/chat", "/api/sessions/default/runs"} {
			if strings.Contains(tt.body, "sessionId") && path != "/api/chat" {
				continue // the path names the session; an unknown field is ignored
			}
			t.Run(path+" "+tt.body, func(t *testing.T) {
				refused(t, c, 400, tt.code, "POST", path, tt.body)
			})
		}
	}
	nothingLost(t, c, "default", 2)
}

func TestUnknownFieldsAreIgnored(t *testing.T) {
	t.Parallel()
	c := shared(t).user(t)
	do(t, c, 200, "POST", "/api/chat", `{"message":"x","sessionId":"a","later":{"deep":[1]}}`)
	s := dial(t, c, "/ws")
	if err := s.SendRaw([]byte(`{"type":"chat","later":1,"data":{"message":"y","sessionId":"a","more":[]}}`)); err != nil {
		t.Fatal(err)
	}
	until(t, s, client.NewLedger(), typed("run_finished"))
	nothingLost(t, c, "a", 4)
}

func TestBadFramesKeepTheSocketOpen(t *testing.T) {
	t.Parallel()
	c := shared(t).user(t)
	s := dial(t, c, "/ws")
	for _, tt := range []struct{ frame, code string }{
		{``, "invalid_json"},
		{`hello`, "invalid_json"},
		{`{"type":"chat"`, "invalid_json"},
		{`[]`, ""},
		{`{}`, "invalid_request"},
		{`{"type":""}`, "invalid_request"},
		{`{"type":7}`, ""},
		{`{"type":"chat"}`, "missing_message"},
		{`{"type":"chat","data":"x"}`, "invalid_request"},
		{`{"type":"chat","data":{"message":5}}`, "invalid_request"},
		{`{"type":"chat","data":{"message":"x","sessionId":{}}}`, "invalid_request"},
		{`{"type":"chat","data":{"message":"x","sessionId":"../x"}}`, "invalid_session"},
		{`{"type":"chat","data":{"message":"x","sessionId":"a\u0000b"}}`, "invalid_session"},
		{`{"type":"chat","data":{"message":"x","sessionId":"` + strings.Repeat("s", 300) + `"}}`, "invalid_session"},
		{`{"type":"get_history","data":{"sessionId":"a/b"}}`, "invalid_session"},
		{`{"type":"subscribe","data":{"sessionId":"no-such-session"}}`, "not_found"},
		{`{"type":"cancel","data":{"sessionId":"no-such-session"}}`, "not_found"},
		{`{"type":"approve","data":{"approvalId":"x","decision":"yes"}}`, "invalid_request"},
		{`{"type":"approve","data":{"approvalId":"no-such-approval","decision":"once"}}`, "not_found"},
	} {
		if err := s.SendRaw([]byte(tt.frame)); err != nil {
			t.Fatalf("%s: %v", tt.frame, err)
		}
		e := until(t, s, client.NewLedger(), func(client.Event) bool { return true })
		if f := e.Fault(); e.Type != "error" || f.Code == "" || f.Error == "" || tt.code != "" && f.Code != tt.code {
			t.Errorf("%.120s: got %v, want an error with code %q", tt.frame, e, tt.code)
		}
	}
	say(t, s, "default", "after all that")
	nothingLost(t, c, "default", 2)
}

func TestABinaryFrameIsAnErrorInWords(t *testing.T) {
	t.Parallel()
	c := shared(t).user(t)
	s := dial(t, c, "/ws")
	if err := s.SendBinary([]byte{0, 1, 2, 0xff}); err != nil {
		t.Fatal(err)
	}
	e, err := s.Next()
	if err != nil || e.Type != "error" || e.Fault().Code == "" {
		t.Fatalf("got %v (%v), want an error frame", e, err)
	}
	if err := s.Send("ping", nil); err != nil {
		t.Fatal(err)
	}
	until(t, s, client.NewLedger(), typed("pong"))
}

// text makes n bytes of text; its first characters are its name.
func text(n int) string {
	return strings.Repeat("0123456789abcdef", n/16+1)[:n]
}

func TestMessagesOf256KiBPassAndLongerDoNot(t *testing.T) {
	t.Parallel()
	c := shared(t).user(t)
	big := text(256 << 10)
	if got := ask(t, c, "a", big); got != "收到：(long)" {
		t.Errorf("got %q", got)
	}
	if h := history(t, c, "a", ""); len(h.Messages) != 2 || h.Messages[0].Content != big {
		t.Errorf("256 KiB came back as %d messages", len(h.Messages))
	}
	for _, n := range []int{256<<10 + 1, 1 << 20, 5 << 20} {
		for _, path := range []string{"/api/chat", "/api/sessions/default/runs"} {
			refused(t, c, 413, "too_large", "POST", path, map[string]any{"message": text(n)})
		}
	}
	nothingLost(t, c, "default", 0)
}

// TestEscapedMessagesPass sends Chinese as many clients do, in ASCII: twice as
// long on the wire as the message is.
func TestEscapedMessagesPass(t *testing.T) {
	t.Parallel()
	c := shared(t).user(t)
	n := (256 << 10) / len("好")
	do(t, c, 200, "POST", "/api/chat", `{"sessionId":"a","message":"`+strings.Repeat(`\u597d`, n)+`"}`)
	if h := history(t, c, "a", ""); len(h.Messages) != 2 || h.Messages[0].Content != strings.Repeat("好", n) {
		t.Errorf("the message came back as %d messages", len(h.Messages))
	}
}

func TestAFrameOf200KiBPassesAndOf1MiBCloses(t *testing.T) {
	t.Parallel()
	c := shared(t).user(t)
	s := dial(t, c, "/ws")
	if _, end := say(t, s, "a", text(200<<10)); end.Status != "done" {
		t.Errorf("200 KiB: got %v, want done", end)
	}
	for _, n := range []int{257 << 10, 1 << 20} {
		s := dial(t, c, "/ws")
		// The gateway may close before it has read all.
		_ = s.Send("chat", map[string]any{"message": text(n), "sessionId": "a"})
		var codes []string
		for {
			e, err := s.Next()
			if err == nil {
				codes = append(codes, e.Fault().Code)
				continue
			}
			if websocket.CloseStatus(err) != websocket.StatusMessageTooBig {
				t.Errorf("%d bytes: the socket ended with %v after %v, want 1009", n, err, codes)
			}
			break
		}
		if len(codes) != 1 || codes[0] != "too_large" {
			t.Errorf("%d bytes: got errors %v before the close, want too_large", n, codes)
		}
	}
	nothingLost(t, c, "a", 2)
}

func TestUnknownSessions(t *testing.T) {
	t.Parallel()
	c := shared(t).user(t)
	if h := history(t, c, "nope", ""); len(h.Messages) != 0 || h.SessionID != "nope" || h.Messages == nil {
		t.Errorf("history: got %+v, want sessionId nope and an empty list", h)
	}
	for _, r := range []struct {
		method, tail string
		body         any
	}{
		{"GET", "", nil},
		{"GET", "/events", nil},
		{"POST", "/cancel", map[string]any{}},
		{"POST", "/regenerate", map[string]any{}},
		{"PATCH", "", map[string]any{"title": "x"}},
		{"DELETE", "", nil},
	} {
		refused(t, c, 404, "not_found", r.method, client.SessionPath("nope", r.tail), r.body)
	}
	var list struct{ Sessions []any }
	if err := do(t, c, 200, "GET", "/api/sessions", nil).JSON(&list); err != nil || list.Sessions == nil || len(list.Sessions) != 0 {
		t.Errorf("looking created sessions: %v (%v), want an empty list", list.Sessions, err)
	}
}

func TestBadSessionIDs(t *testing.T) {
	t.Parallel()
	c := shared(t).user(t)
	for _, id := range []string{"../x", "..", ".", "a/b", `a\b`, "a\x00b", "a\nb", strings.Repeat("s", 300), "\xff\xfe"} {
		esc := url.PathEscape(id)
		if id == "." || id == ".." {
			esc = strings.ReplaceAll(id, ".", "%2E")
		}
		for _, r := range []struct{ method, path string }{
			{"GET", "/api/history/" + esc},
			{"DELETE", "/api/history/" + esc},
			{"GET", "/api/sessions/" + esc + "/events"},
			{"DELETE", "/api/sessions/" + esc},
		} {
			refused(t, c, 400, "invalid_session", r.method, r.path, nil)
		}
		refused(t, c, 400, "invalid_session", "POST", "/api/sessions/"+esc+"/runs", map[string]any{"message": "x"})
		if id != "\xff\xfe" { // JSON cannot carry it
			refused(t, c, 400, "invalid_session", "POST", "/api/chat", map[string]any{"message": "x", "sessionId": id})
		}
	}
	for _, id := range []string{"旅行 计划", "a b", "%2e%2e", "é", strings.Repeat("s", 128), "..a", "CON", "a:b*?"} {
		if got := ask(t, c, id, "hi"); got != "收到：hi" {
			t.Errorf("%q: got %q", id, got)
		}
		if h := history(t, c, url.PathEscape(id), ""); len(h.Messages) != 2 || h.SessionID != id {
			t.Errorf("%q: got %+v, want its two messages", id, h)
		}
	}
}

func TestCursorsThatAreNone(t *testing.T) {
	t.Parallel()
	c := shared(t).user(t)
	ask(t, c, "a", "x")
	r := start(t, c, "b", "y")
	await(t, c, "b", r.RunID)
	for _, cursor := range []string{r.Cursor, "garbage", "0", "%00", strings.Repeat("A", 5000), r.Cursor + "A", "-1"} {
		refused(t, c, 400, "invalid_cursor", "GET", client.SessionPath("a", "/events?after="+cursor), nil)
	}
	s, err := c.Subscribe(limited(t), "a", r.Cursor)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Cut)
	if e := until(t, s, client.NewLedger(), func(client.Event) bool { return true }); e.Type != "error" || e.Fault().Code != "invalid_cursor" {
		t.Errorf("subscribe with another session's cursor: got %v, want invalid_cursor", e)
	}
	say(t, s, "c", "still open")
}

func TestWrongMethods(t *testing.T) {
	t.Parallel()
	c := shared(t).user(t)
	for _, r := range []struct{ method, path string }{{"GET", "/api/chat"}, {"PUT", "/api/history"}, {"POST", "/api/stats"}, {"DELETE", "/health"}} {
		refused(t, c, 405, "method_not_allowed", r.method, r.path, nil)
	}
}

// endless returns bytes until it is told to stop.
type endless struct{ done <-chan struct{} }

func (e endless) Read(b []byte) (int, error) {
	select {
	case <-e.done:
		return 0, errors.New("the test is over")
	default:
	}
	for i := range b {
		b[i] = 'x'
	}
	return len(b), nil
}

func TestABodyThatGrowsForEverIsCutOff(t *testing.T) {
	t.Parallel()
	c := shared(t).user(t)
	for _, path := range []string{"/api/chat", "/api/sessions/a/runs"} {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		body := io.MultiReader(strings.NewReader(`{"message":"`), endless{ctx.Done()})
		a, err := c.Do(ctx, http.MethodPost, path, body)
		cancel()
		if err != nil {
			// The gateway may hang up while we still write; it must have said why
			// to clients that listen, and it must not have waited for the end.
			if errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s: the gateway took it in for 30 s", path)
			}
			continue
		}
		isFault(t, path, a, 413, "too_large")
	}
	nothingLost(t, c, "a", 0)
}

func TestABodyThatStallsIsGivenUp(t *testing.T) {
	t.Parallel()
	w := shared(t)
	c := w.user(t)
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(w.Base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	began := time.Now()
	_, err = fmt.Fprintf(conn, "POST /api/chat HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"mess", c.Token)
	if err != nil {
		t.Fatal(err)
	}
	// Others are served meanwhile.
	if got := ask(t, c, "a", "meanwhile"); got != "收到：meanwhile" {
		t.Errorf("got %q", got)
	}
	if err := conn.SetReadDeadline(time.Now().Add(70 * time.Second)); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	switch {
	case err == nil:
		defer func() { _ = res.Body.Close() }()
		if res.StatusCode/100 != 4 {
			t.Errorf("got status %d, want 408 or another 4xx", res.StatusCode)
		}
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
	default:
		t.Errorf("after %v: %v, want an answer or the end of the connection", time.Since(began).Round(time.Second), err)
	}
	nothingLost(t, c, "default", 0)
}

func TestAForgedPassIsStripped(t *testing.T) {
	t.Parallel()
	w := shared(t)
	c, other := w.user(t), w.user(t)
	ask(t, other, "secret", "mine alone")
	for _, name := range []string{"X-LoongClaw-Pass", "X-LoongClaw-User", "X-Forwarded-User", "X-Loongclaw-Scopes"} {
		var h client.History
		a := do(t, c, 200, "GET", "/api/history/secret", nil, client.Header{Name: name, Value: "u1"})
		if err := a.JSON(&h); err != nil || len(h.Messages) != 0 {
			t.Errorf("%s: got %v", name, a)
		}
	}
	a, err := client.New(w.AgentURL(), c.Token, transport).Do(limited(t), "GET", "/api/history", nil)
	if err != nil || a.Status != 401 {
		t.Errorf("the agent without a pass: got %v (%v), want 401", a, err)
	}
}

func TestUsersNeverSeeEachOther(t *testing.T) {
	t.Parallel()
	w := shared(t)
	a, b := w.user(t), w.user(t)
	s := script(fakeprovider.Round{Chunks: 2})
	r := start(t, a, "same", s.Message())
	await(t, a, "same", r.RunID)
	ask(t, a, "same", "记住 the code is 4711")
	toolRun(t, a, "write_file", `{"path":"mine.txt","content":"a's"}`)
	refused(t, b, 404, "not_found", "GET", client.SessionPath("same", "/events"), nil)
	refused(t, b, 404, "not_found", "POST", client.SessionPath("same", "/cancel"), map[string]any{"runId": r.RunID})
	ask(t, b, "same", "b's own")
	if got := contents(history(t, b, "same", "?tree=1")); len(got) != 2 || got[0] != "user: b's own" {
		t.Errorf("b sees %q", got)
	}
	for _, path := range []string{"/api/memory/export", "/api/memory/search?keyword=code", "/api/sessions", "/api/sessions?q=code"} {
		if a := do(t, b, 200, "GET", path, nil); strings.Contains(string(a.Body), "4711") {
			t.Errorf("%s shows a's: %s", path, a.Body)
		}
	}
	if e := toolRun(t, b, "read_file", `{"path":"mine.txt"}`); e.Status == "ok" {
		t.Errorf("b reads a's file: %v", e)
	}
	// a's message cannot be branched from b's session of the same name.
	x, err := b.Do(limited(t), "POST", client.SessionPath("same", "/runs"), map[string]any{"message": "x", "parentId": r.MessageID})
	if err != nil || x.Status/100 != 4 {
		t.Errorf("branching from another user's message: got %v (%v), want 4xx", x, err)
	}
}
