package e2e

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loongclaw/loongclaw/deploy/internal/client"
	"github.com/loongclaw/loongclaw/deploy/internal/fakeprovider"
)

// isTime reports whether s is a timestamp as JavaScript writes it.
func isTime(s string) bool {
	_, err := time.Parse("2006-01-02T15:04:05.000Z", s)
	return err == nil
}

// object reads an answer's body as a JSON object.
func object(t *testing.T, a client.Answer) map[string]any {
	t.Helper()
	var m map[string]any
	if err := a.JSON(&m); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestOriginalHealthNeedsNoToken(t *testing.T) {
	t.Parallel()
	w := shared(t)
	m := object(t, do(t, client.New(w.Base, "", transport), 200, "GET", "/health", nil))
	if m["status"] != "ok" || m["agent"] != "熊大" || m["version"] == nil || m["version"] == "" {
		t.Errorf("got %v, want status ok, agent 熊大 and a version", m)
	}
	if ts, _ := m["timestamp"].(string); !isTime(ts) {
		t.Errorf("timestamp: got %q, want an ISO time", ts)
	}
}

func TestOriginalStats(t *testing.T) {
	t.Parallel()
	c := shared(t).user(t)
	ask(t, c, "one", "hello")
	ask(t, c, "two", "记住 this: the lake is deep")
	m := object(t, do(t, c, 200, "GET", "/api/stats", nil))
	if m["sessions"] != 2.0 {
		t.Errorf("sessions: got %v, want 2", m["sessions"])
	}
	if n, _ := m["tools"].(float64); n < 5 {
		t.Errorf("tools: got %v, want at least 5", m["tools"])
	}
	if n, ok := m["shortTermMemories"].(float64); !ok || n < 1 || n > 10 {
		t.Errorf("shortTermMemories: got %v, want 1 to 10", m["shortTermMemories"])
	}
}

func TestOriginalConfigNamesThePublicPort(t *testing.T) {
	t.Parallel()
	w := shared(t)
	m := object(t, do(t, w.user(t), 200, "GET", "/api/config", nil))
	port := w.Base[strings.LastIndex(w.Base, ":")+1:]
	if b, _ := json.Marshal(m["wsPort"]); string(b) != port {
		t.Errorf("wsPort: got %s, want %s", b, port)
	}
	if m["provider"] != "openai" || m["offline"] != false {
		t.Errorf("got provider %v and offline %v, want openai and false", m["provider"], m["offline"])
	}
}

func TestOriginalChat(t *testing.T) {
	t.Parallel()
	c := shared(t).user(t)
	a := do(t, c, 200, "POST", "/api/chat", map[string]any{"message": "你好"})
	m := object(t, a)
	if m["message"] != "收到：你好" || m["sessionId"] != "default" {
		t.Errorf("got %s, want the reply and sessionId default", a.Body)
	}
	if ts, _ := m["timestamp"].(string); !isTime(ts) {
		t.Errorf("timestamp: got %q, want an ISO time", ts)
	}
	if got, want := ask(t, c, "work", "again"), "收到：again"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestOriginalChatWithoutMessage(t *testing.T) {
	t.Parallel()
	c := shared(t).user(t)
	a := refused(t, c, 400, "missing_message", "POST", "/api/chat", map[string]any{"sessionId": "x"})
	if got, want := a.Fault().Error, "缺少 message 参数"; got != want {
		t.Errorf("got %q, want the original's %q", got, want)
	}
}

func TestOriginalHistoryAndClear(t *testing.T) {
	t.Parallel()
	c := shared(t).user(t)
	ask(t, c, "default", "first")
	ask(t, c, "other", "second")
	want := []string{"user: first", "assistant: 收到：first"}
	for _, path := range []string{"/api/history", "/api/history/default"} {
		var h client.History
		if err := do(t, c, 200, "GET", path, nil).JSON(&h); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, contents(h)); diff != "" || h.SessionID != "default" {
			t.Errorf("%s: sessionId %q, messages (-want +got):\n%s", path, h.SessionID, diff)
		}
	}
	m := object(t, do(t, c, 200, "DELETE", "/api/history", nil))
	if m["success"] != true || m["sessionId"] != "default" {
		t.Errorf("DELETE: got %v, want success and sessionId default", m)
	}
	if h := history(t, c, "default", ""); len(h.Messages) != 0 {
		t.Errorf("after clearing: got %v, want nothing", contents(h))
	}
	if h := history(t, c, "other", ""); len(h.Messages) != 2 {
		t.Errorf("the other session: got %v, want its two messages", contents(h))
	}
	ask(t, c, "default", "third")
	m = object(t, do(t, c, 200, "DELETE", "/api/history/all", nil))
	if m["success"] != true {
		t.Errorf("DELETE all: got %v, want success", m)
	}
	for _, s := range []string{"default", "other"} {
		if h := history(t, c, s, ""); len(h.Messages) != 0 {
			t.Errorf("%s after clearing all: got %v, want nothing", s, contents(h))
		}
	}
}

func TestOriginalMemorySearch(t *testing.T) {
	t.Parallel()
	c := shared(t).user(t)
	ask(t, c, "default", "记住 the harbour opens at six")
	ask(t, c, "default", "重要 the harbour closes at nine")
	var got struct {
		Results []struct {
			ID, Timestamp, Type, Importance, Content string
			Tags                                     []string
		}
	}
	if err := do(t, c, 200, "GET", "/api/memory/search?keyword=HARBOUR&type=event&limit=10", nil).JSON(&got); err != nil {
		t.Fatal(err)
	}
	if len(got.Results) != 2 {
		t.Fatalf("got %d results, want 2: %+v", len(got.Results), got)
	}
	r := got.Results[0]
	if !strings.Contains(r.Content, "closes at nine") {
		t.Errorf("the first result is %q, want the newest", r.Content)
	}
	if r.ID == "" || !isTime(r.Timestamp) || r.Type != "event" || r.Importance != "high" || !strings.Contains(strings.Join(r.Tags, " "), "conversation") {
		t.Errorf("got %+v, want id, timestamp, event, high and the tag conversation", r)
	}
	if err := do(t, c, 200, "GET", "/api/memory/search?keyword=harbour&limit=1", nil).JSON(&got); err != nil || len(got.Results) != 1 {
		t.Errorf("limit=1: got %d results (%v), want 1", len(got.Results), err)
	}
	if err := do(t, c, 200, "GET", "/api/memory/search?keyword=harbour&type=thought", nil).JSON(&got); err != nil || len(got.Results) != 0 {
		t.Errorf("type=thought: got %d results (%v), want 0", len(got.Results), err)
	}
}

func TestOriginalMemoryExport(t *testing.T) {
	t.Parallel()
	c := shared(t).user(t)
	ask(t, c, "default", "记住 the key is under the mat")
	var items []map[string]any
	for _, q := range []string{"", "?format=json"} {
		if err := do(t, c, 200, "GET", "/api/memory/export"+q, nil).JSON(&items); err != nil {
			t.Fatal(err)
		}
		if len(items) != 1 || !strings.Contains(items[0]["content"].(string), "under the mat") {
			t.Errorf("export%s: got %v, want the one item", q, items)
		}
	}
	a := do(t, c, 200, "GET", "/api/memory/export?format=md", nil)
	if ct := a.Header.Get("Content-Type"); !strings.HasPrefix(ct, "text/markdown") {
		t.Errorf("Content-Type: got %q, want text/markdown", ct)
	}
	at := items[0]["timestamp"].(string)
	for _, want := range []string{"# 记忆导出", "## " + at[:10], "### " + at, "**类型**", "**重要性**", "**标签**", "under the mat"} {
		if !strings.Contains(string(a.Body), want) {
			t.Errorf("the Markdown lacks %q:\n%s", want, a.Body)
		}
	}
	if a, err := c.Do(limited(t), "GET", "/api/memory/export?format=xml", nil); err != nil || a.Status < 400 || a.Fault().Code == "" {
		t.Errorf("format=xml: got %v (%v), want an error", a, err)
	}
}

func TestOriginalPage(t *testing.T) {
	t.Parallel()
	w := shared(t)
	a := do(t, client.New(w.Base, "", transport), 200, "GET", "/", nil)
	if ct := a.Header.Get("Content-Type"); !strings.HasPrefix(ct, "text/html") || !strings.Contains(strings.ToLower(string(a.Body)), "<html") {
		t.Errorf("got %q, %.80q, want the page", ct, a.Body)
	}
}

func TestOriginalNotFound(t *testing.T) {
	t.Parallel()
	c := shared(t).user(t)
	a := refused(t, c, 404, "not_found", "GET", "/api/no/such/path", nil)
	if a.Fault().Error != "Not found" {
		t.Logf("the original says %q, we say %q", "Not found", a.Fault().Error)
	}
}

// socketPaths are the two paths of the WebSocket.
var socketPaths = []string{"/ws", "/"}

func TestOriginalSocketChat(t *testing.T) {
	t.Parallel()
	w := shared(t)
	for _, path := range socketPaths {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			c := w.user(t)
			s := dial(t, c, path)
			if !strings.HasPrefix(s.ID, "client_") {
				t.Errorf("clientId: got %q, want client_…", s.ID)
			}
			talk := script(fakeprovider.Round{Chunks: 5, Delay: 20})
			if err := s.Send("chat", map[string]any{"message": talk.Message(), "sessionId": "default"}); err != nil {
				t.Fatal(err)
			}
			l := client.NewLedger()
			echo := until(t, s, l, typed("message"))
			if echo.Role != "user" || echo.Text() != talk.Message() || echo.RunID == "" {
				t.Errorf("echo: got %v, want the user's message with its runId", echo)
			}
			end := until(t, s, l, typed("run_finished"))
			if end.Status != "done" || end.RunID != echo.RunID {
				t.Errorf("got %v, want run %s done", end, echo.RunID)
			}
			answers := l.Answers[end.RunID]
			if len(answers) != 1 || answers[0].Role != "assistant" || answers[0].Text() != talk.Answer(0) {
				t.Errorf("got %v, want one message_complete of the assistant", answers)
			}
			if l.Chunks < 2 {
				t.Errorf("got %d chunks, want the answer in pieces", l.Chunks)
			}
		})
	}
}

func TestOriginalSocketHistory(t *testing.T) {
	t.Parallel()
	w := shared(t)
	for _, path := range socketPaths {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			c := w.user(t)
			ask(t, c, "talk", "one")
			s := dial(t, c, path)
			get := func() client.Event {
				t.Helper()
				if err := s.Send("get_history", map[string]any{"sessionId": "talk"}); err != nil {
					t.Fatal(err)
				}
				return until(t, s, client.NewLedger(), typed("history"))
			}
			h := get()
			if h.SessionID != "talk" || len(h.Messages) != 2 || h.Messages[0].Content != "one" || h.Messages[1].Role != "assistant" {
				t.Errorf("history: got %v, want the two messages of talk", h)
			}
			if err := s.Send("clear_history", map[string]any{"sessionId": "talk"}); err != nil {
				t.Fatal(err)
			}
			if e := until(t, s, client.NewLedger(), typed("history_cleared")); e.SessionID != "talk" {
				t.Errorf("got %v, want sessionId talk", e)
			}
			if h := get(); len(h.Messages) != 0 {
				t.Errorf("after clearing: got %v, want nothing", h)
			}
		})
	}
}

func TestOriginalSocketUnknownTypeKeepsItOpen(t *testing.T) {
	t.Parallel()
	s := dial(t, shared(t).user(t), "/")
	if err := s.Send("dance", nil); err != nil {
		t.Fatal(err)
	}
	e := until(t, s, client.NewLedger(), typed("error"))
	f := e.Fault()
	if f.Error != "未知消息类型: dance" || f.Code != "unknown_type" {
		t.Errorf("got %v, want 未知消息类型: dance with code unknown_type", e)
	}
	if err := s.Send("ping", nil); err != nil {
		t.Fatal(err)
	}
	until(t, s, client.NewLedger(), typed("pong"))
}

func TestNobodyGetsInWithoutACredential(t *testing.T) {
	t.Parallel()
	w := shared(t)
	for _, token := range []string{"", "not-a-token-at-all"} {
		c := client.New(w.Base, token, transport)
		for _, path := range []string{"/api/stats", "/api/config", "/api/history", "/api/memory/search", "/api/sessions"} {
			refused(t, c, 401, "unauthorized", http.MethodGet, path, nil)
		}
		refused(t, c, 401, "unauthorized", http.MethodPost, "/api/chat", map[string]any{"message": "x"})
		if s, err := c.Dial(limited(t), "/ws"); err == nil {
			s.Cut()
			t.Errorf("token %q opened a WebSocket", token)
		}
	}
}

func TestAReaderMayReadAndNotChat(t *testing.T) {
	t.Parallel()
	w := shared(t)
	c := client.New(w.Base, "token-of-the-reader", transport)
	do(t, c, 200, "GET", "/api/history", nil)
	refused(t, c, 403, "forbidden", "POST", "/api/chat", map[string]any{"message": "x"})
	s := dial(t, c, "/ws")
	if err := s.Send("chat", map[string]any{"message": "x"}); err != nil {
		t.Fatal(err)
	}
	if e := until(t, s, client.NewLedger(), typed("error")); e.Fault().Code != "forbidden" {
		t.Errorf("got %v, want code forbidden", e)
	}
}
