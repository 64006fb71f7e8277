package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loongclaw/loongclaw/deploy/internal/client"
	"github.com/loongclaw/loongclaw/deploy/internal/fakeprovider"
)

// say sends a chat frame and waits for the end of its run.
func say(t *testing.T, s *client.Socket, session, message string) (*client.Ledger, client.Event) {
	t.Helper()
	if err := s.Send("chat", map[string]any{"message": message, "sessionId": session}); err != nil {
		t.Fatal(err)
	}
	l := client.NewLedger()
	return l, until(t, s, l, typed("run_finished"))
}

// transports runs a test over the WebSocket, over SSE and over JSON: what one
// transport can do, all can.
func transports(t *testing.T, test func(t *testing.T, c *client.Client, chat func(session, message string))) {
	w := shared(t)
	for _, over := range []string{"ws", "sse", "json"} {
		t.Run(over, func(t *testing.T) {
			t.Parallel()
			c := w.user(t)
			test(t, c, func(session, message string) {
				t.Helper()
				switch over {
				case "ws":
					s := dial(t, c, "/ws")
					say(t, s, session, message)
					s.Cut()
				case "sse":
					s, err := c.Chat(limited(t), session, message)
					if err != nil {
						t.Fatal(err)
					}
					until(t, s, client.NewLedger(), typed("run_finished"))
					s.Cut()
				case "json":
					ask(t, c, session, message)
				}
			})
		})
	}
}

func TestDefect01WebChatRemembers(t *testing.T) {
	t.Parallel()
	w := shared(t)
	transports(t, func(t *testing.T, c *client.Client, chat func(session, message string)) {
		chat("a", "记住：我家的猫叫小花")
		a := do(t, c, 200, "GET", "/api/memory/search?keyword=%E5%B0%8F%E8%8A%B1", nil)
		if !strings.Contains(string(a.Body), "小花") {
			t.Errorf("memory search: got %s, want what was said", a.Body)
		}
		s := script(fakeprovider.Round{Chunks: 1})
		s.Pad = "我家的猫叫什么名字？"
		chat("b", s.Message())
		rs := w.model.Requests(s.ID)
		if len(rs) == 0 || !strings.Contains(rs[0].Recalled(), "小花") {
			t.Errorf("another session's prompt does not recall the memory: %+v", rs)
		}
	})
}

func TestDefect02WebChatHasTools(t *testing.T) {
	t.Parallel()
	w := shared(t)
	transports(t, func(t *testing.T, c *client.Client, chat func(session, message string)) {
		s := script(call("get_current_time", `{"timezone":"Asia/Shanghai"}`), fakeprovider.Round{Chunks: 3})
		chat("a", s.Message())
		h := history(t, c, "a", "")
		if n := len(h.Messages); n == 0 || h.Messages[n-1].Content != s.Answer(1) {
			t.Errorf("history: got %q, want it to end with %q", contents(h), s.Answer(1))
		}
		rs := w.model.Requests(s.ID)
		if len(rs) != 2 || !slices.Contains(rs[0].Tools, "get_current_time") {
			t.Fatalf("the provider was asked %d times with tools %v, want 2 times with get_current_time", len(rs), rs)
		}
		if last := rs[1].Messages[len(rs[1].Messages)-1]; last.Role != "tool" || !strings.Contains(last.Content, "Asia/Shanghai") {
			t.Errorf("the second request ends with %+v, want the tool's result", last)
		}
	})
}

func TestDefect03EachMessageIsSentOnce(t *testing.T) {
	t.Parallel()
	w := shared(t)
	transports(t, func(t *testing.T, _ *client.Client, chat func(session, message string)) {
		first := script(fakeprovider.Round{Chunks: 2})
		second := script(call("get_current_time", `{}`), fakeprovider.Round{Chunks: 2})
		chat("a", first.Message())
		chat("a", second.Message())
		for i, r := range w.model.Requests(second.ID) {
			var got []string
			for _, m := range r.Messages {
				if m.Role != "system" {
					got = append(got, m.Role)
				}
			}
			want := []string{"user", "assistant", "user", "assistant", "tool"}[:3+2*i]
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("request %d (-want +got):\n%s", i, diff)
			}
		}
	})
}

func TestDefect04RecallFindsRelatedWords(t *testing.T) {
	t.Parallel()
	w := shared(t)
	for _, tt := range []struct{ name, said, asked, want string }{
		{"chinese", "记住：我最喜欢的城市是杭州，因为西湖很美", "请问我喜欢哪个城市呢", "杭州"},
		{"english", "重要: my daughter's birthday is on the third of May", "when is the birthday of my daughter?", "third of May"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := w.user(t)
			ask(t, c, "a", tt.said)
			ask(t, c, "b", tt.asked)
			rs := w.model.Requests("")
			i := slices.IndexFunc(rs, func(r fakeprovider.Request) bool {
				return strings.HasSuffix(r.Messages[len(r.Messages)-1].Content, tt.asked)
			})
			if i < 0 || !strings.Contains(rs[i].Recalled(), tt.want) {
				t.Fatalf("the prompt for %q lacks %q", tt.asked, tt.want)
			}
			if !strings.Contains(rs[i].Recalled(), "相关记忆") {
				t.Errorf("the prompt does not name the memories as the original does (**相关记忆**): %q", rs[i].Recalled())
			}
		})
	}
}

func TestDefect05SeveralToolRounds(t *testing.T) {
	t.Parallel()
	c := shared(t).user(t)
	round := func() fakeprovider.Round { return call("get_current_time", `{"timezone":"UTC"}`) }
	two := round()
	two.Calls = append(two.Calls, fakeprovider.Call{ID: two.Calls[0].ID, Name: "list_directory", Args: `{"path":"."}`})
	middle := round()
	middle.Chunks = 2
	s := script(round(), middle, two, fakeprovider.Round{Chunks: 4})
	r := start(t, c, "a", s.Message())
	l := client.NewLedger()
	var calls, results []string
	end := until(t, follow(t, c, client.OverSSE, "a", ""), l, func(e client.Event) bool {
		switch e.Type {
		case "tool_call":
			if !json.Valid(e.Arguments) || !strings.HasPrefix(string(e.Arguments), "{") {
				t.Errorf("arguments are no object: %v", e)
			}
			calls = append(calls, e.CallID+e.Name)
		case "tool_result":
			if e.Status != "ok" {
				t.Errorf("got %v, want status ok", e)
			}
			results = append(results, e.CallID+e.Name)
		}
		return finished(r.RunID)(e)
	})
	if end.Status != "done" || len(calls) != 4 {
		t.Fatalf("got %v after calls %v, want done after 4 calls", end, calls)
	}
	slices.Sort(calls)
	slices.Sort(results)
	if diff := cmp.Diff(calls, results); diff != "" {
		t.Errorf("calls and results differ (-calls +results):\n%s", diff)
	}
	if len(slices.Compact(calls)) != 4 {
		t.Errorf("call ids are not unique within the run although the provider repeats them: %v", calls)
	}
	var stretches []string
	for _, a := range l.Answers[r.RunID] {
		stretches = append(stretches, a.Text())
	}
	if diff := cmp.Diff([]string{s.Answer(1), s.Answer(3)}, stretches); diff != "" {
		t.Errorf("stretches of answer (-want +got):\n%s", diff)
	}
}

// toolRun runs one tool call and gives its result.
func toolRun(t *testing.T, c *client.Client, name, args string) client.Event {
	t.Helper()
	session := fresh("tool")
	r := start(t, c, session, script(call(name, args), fakeprovider.Round{Chunks: 1}).Message())
	return until(t, follow(t, c, client.OverSSE, session, r.Cursor), client.NewLedger(), typed("tool_result"))
}

func TestDefect06FileToolsWork(t *testing.T) {
	t.Parallel()
	c := shared(t).user(t)
	e := toolRun(t, c, "write_file", `{"path":"notes/today.txt","content":"买牛奶 🥛"}`)
	var wrote struct {
		Success bool
		Path    string
	}
	if err := json.Unmarshal([]byte(e.Out()), &wrote); err != nil || e.Status != "ok" || !wrote.Success || wrote.Path != "./workspace/notes/today.txt" {
		t.Errorf(`write_file: got %v, want {"success":true,"path":"./workspace/notes/today.txt"}`, e)
	}
	if e := toolRun(t, c, "read_file", `{"path":"notes/today.txt"}`); e.Status != "ok" || e.Out() != "买牛奶 🥛" {
		t.Errorf("read_file: got %v, want the file's text", e)
	}
	e = toolRun(t, c, "list_directory", `{"path":"notes"}`)
	var list []struct{ Name, Type string }
	if err := json.Unmarshal([]byte(e.Out()), &list); err != nil || len(list) != 1 || list[0].Name != "today.txt" || list[0].Type != "file" {
		t.Errorf("list_directory: got %v, want the one file", e)
	}
	if e := toolRun(t, c, "list_directory", `{}`); !strings.Contains(e.Out(), `"directory"`) {
		t.Errorf("list_directory of the root: got %v, want the folder notes", e)
	}
}

func TestDefect07PathsStayInTheWorkspace(t *testing.T) {
	t.Parallel()
	c := shared(t).user(t)
	for _, path := range []string{"../../../../../../etc/passwd", "/etc/passwd", "a/../../../../../../../etc/passwd", "....//....//etc/passwd"} {
		args, _ := json.Marshal(map[string]string{"path": path})
		if e := toolRun(t, c, "read_file", string(args)); e.Status == "ok" || strings.Contains(e.Out(), "root:") {
			t.Errorf("read_file %s: got %v, want an error", path, e)
		}
	}
}

func TestDefect10RestartKeepsSessionsAndMemory(t *testing.T) {
	t.Parallel()
	w := own(t, nil)
	c := w.user(t)
	ask(t, c, "trip", "记住 the train leaves at noon")
	ask(t, c, "trip", "重要 platform four")
	do(t, c, 200, "PATCH", client.SessionPath("trip", ""), map[string]any{"title": "去杭州"})
	toolRun(t, c, "write_file", `{"path":"ticket.txt","content":"seat 12A"}`)
	read := func() map[string]string {
		t.Helper()
		out := map[string]string{}
		for _, path := range []string{"/api/history/trip", "/api/sessions", "/api/memory/export?format=json", "/api/memory/search?keyword=train", "/api/stats"} {
			out[path] = string(do(t, c, 200, "GET", path, nil).Body)
		}
		out["file"] = toolRun(t, c, "read_file", `{"path":"ticket.txt"}`).Out()
		// toolRun makes a session of its own, which would show in the lists.
		delete(out, "/api/stats")
		out["/api/sessions"] = sessionRow(t, c, "trip")
		return out
	}
	before := read()
	if before["file"] != "seat 12A" || !strings.Contains(before["/api/sessions"], "去杭州") {
		t.Fatalf("before the restart: got %v", before)
	}
	for _, end := range []func(){w.Agent.Kill, func() {
		if !w.Agent.Stop(killAfter) {
			t.Error("the agent did not end within 20 s of SIGTERM")
		}
	}} {
		end()
		if err := w.StartAgent(limited(t)); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(before, read()); diff != "" {
			t.Errorf("after a restart (-before +after):\n%s", diff)
		}
	}
}

// sessionRow is a session's row in the list.
func sessionRow(t *testing.T, c *client.Client, id string) string {
	t.Helper()
	var list struct{ Sessions []map[string]any }
	if err := do(t, c, 200, "GET", "/api/sessions", nil).JSON(&list); err != nil {
		t.Fatal(err)
	}
	for _, s := range list.Sessions {
		if s["id"] == id {
			b, _ := json.Marshal(s)
			return string(b)
		}
	}
	return fmt.Sprintf("no session %q in %v", id, list)
}

func TestDefect12ClearingClearsTheServer(t *testing.T) {
	t.Parallel()
	c := shared(t).user(t)
	s := dial(t, c, "/ws")
	say(t, s, "default", "a thing to forget")
	if err := s.Send("clear_history", map[string]any{"sessionId": "default"}); err != nil {
		t.Fatal(err)
	}
	until(t, s, client.NewLedger(), typed("history_cleared"))
	if h := history(t, c, "default", ""); len(h.Messages) != 0 {
		t.Errorf("the server still has %q", contents(h))
	}
}

func TestDefect14AFrameWithoutDataIsAnErrorInWords(t *testing.T) {
	t.Parallel()
	s := dial(t, shared(t).user(t), "/ws")
	for _, frame := range []string{`{"type":"chat"}`, `{"type":"chat","data":null}`, `{"type":"chat","data":{}}`} {
		if err := s.SendRaw([]byte(frame)); err != nil {
			t.Fatal(err)
		}
		e := until(t, s, client.NewLedger(), typed("error"))
		if f := e.Fault(); f.Code != "missing_message" || f.Error != "缺少 message 参数" {
			t.Errorf("%s: got %v, want missing_message in the original's words", frame, e)
		}
	}
	say(t, s, "default", "still here")
}

func TestDefect15CorsKnowsDeleteAndAuthorization(t *testing.T) {
	t.Parallel()
	w := shared(t)
	c := client.New(w.Base, "", transport)
	for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
		a, err := c.Do(limited(t), http.MethodOptions, "/api/history/default", nil,
			client.Header{Name: "Origin", Value: pageOrigin},
			client.Header{Name: "Access-Control-Request-Method", Value: method},
			client.Header{Name: "Access-Control-Request-Headers", Value: "authorization,content-type,idempotency-key,last-event-id"})
		if err != nil {
			t.Fatal(err)
		}
		allowed := strings.ToLower(a.Header.Get("Access-Control-Allow-Headers"))
		if a.Status/100 != 2 || a.Header.Get("Access-Control-Allow-Origin") != pageOrigin ||
			!strings.Contains(a.Header.Get("Access-Control-Allow-Methods"), method) ||
			!strings.Contains(allowed, "authorization") || !strings.Contains(allowed, "content-type") {
			t.Errorf("preflight of %s: got %d %v", method, a.Status, a.Header)
		}
	}
	user := w.user(t)
	a := do(t, user, 200, "GET", "/api/history", nil, client.Header{Name: "Origin", Value: pageOrigin})
	if got := a.Header.Get("Access-Control-Allow-Origin"); got != pageOrigin {
		t.Errorf("Access-Control-Allow-Origin: got %q, want %q", got, pageOrigin)
	}
	for _, stranger := range []string{"https://evil.example", "https://page.example.evil.example", "null", "http://page.example"} {
		a, err := user.Do(limited(t), "GET", "/api/history", nil, client.Header{Name: "Origin", Value: stranger})
		if err != nil {
			t.Fatal(err)
		}
		if got := a.Header.Get("Access-Control-Allow-Origin"); got != "" {
			t.Errorf("origin %s is let in: %q", stranger, got)
		}
	}
}

func TestDefect16ErrorsKeepInternalsInside(t *testing.T) {
	t.Parallel()
	c := shared(t).user(t)
	s := script(fakeprovider.Round{Status: 400})
	a := refused(t, c, 502, "provider_failed", "POST", "/api/chat", map[string]any{"message": s.Message()})
	for _, secret := range []string{"org-SECRET-UPSTREAM-DETAIL", "127.0.0.1", "goroutine", ".go:"} {
		if strings.Contains(string(a.Body), secret) {
			t.Errorf("the error shows %q: %s", secret, a.Body)
		}
	}
	for _, body := range []string{`{"message":`, `{"message":{"a":1}}`} {
		a, err := c.Do(limited(t), "POST", "/api/chat", body)
		if err != nil || strings.Contains(string(a.Body), "json:") || strings.Contains(string(a.Body), "Go struct") {
			t.Errorf("%s: got %v (%v), want no words of our libraries", body, a, err)
		}
	}
}

func TestDefect16StreamsCountUsage(t *testing.T) {
	t.Parallel()
	c := shared(t).user(t)
	st, err := c.Chat(limited(t), "a", script(call("get_current_time", `{}`), fakeprovider.Round{Chunks: 3}).Message())
	if err != nil {
		t.Fatal(err)
	}
	defer st.Cut()
	l := client.NewLedger()
	end := until(t, st, l, typed("run_finished"))
	// Two requests of 7 and 5 tokens each.
	if diff := cmp.Diff(&client.Usage{PromptTokens: 14, CompletionTokens: 10, TotalTokens: 24}, end.Usage); diff != "" {
		t.Errorf("usage of the run (-want +got):\n%s", diff)
	}
}
