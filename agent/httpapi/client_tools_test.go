package httpapi

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loongclaw/loongclaw/agent/bucket/disk"
	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// caller is a model that does what the user's message says: rounds between bars, in
// each a text and calls, as in "I look. +weather {} +clock {} | done".
type caller struct {
	mu    sync.Mutex
	asked []loop.Question
}

func (m *caller) Answer(_ context.Context, q loop.Question, onText func(string)) (loop.Answer, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asked = append(m.asked, q)
	script, round := "", 0
	for _, msg := range q.Messages {
		switch {
		case msg.Role == chat.RoleUser && msg.Text != "":
			script, round = msg.Text, 0
		case msg.Role == chat.RoleAssistant && len(msg.Calls) > 0:
			round++
		}
	}
	rounds := strings.Split(script, "|")
	parts := strings.Split(rounds[min(round, len(rounds)-1)], "+")
	a := loop.Answer{Text: strings.TrimSpace(parts[0]), Finish: chat.FinishStop, Model: "m/m", Usage: &chat.Usage{PromptTokens: 10, CompletionTokens: 1, TotalTokens: 11}}
	if a.Text == "fail" {
		return loop.Answer{}, fault.New(fault.CodeProviderBusy, "the provider is busy", "try again").After(time.Second)
	}
	for i, p := range parts[1:] {
		name, args, _ := strings.Cut(strings.TrimSpace(p), " ")
		a.Calls = append(a.Calls, loop.Call{ID: fmt.Sprintf("c%d", i), Name: name, Arguments: json.RawMessage(args)})
		a.Finish = chat.FinishToolCalls
	}
	if a.Text != "" {
		onText(a.Text)
	}
	return a, nil
}

// last is what the model was asked last.
func (m *caller) last() loop.Question {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.asked[len(m.asked)-1]
}

func (m *caller) times() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.asked)
}

// client is a client of /v1 with tools of its own.
type client struct {
	*rig
	model *caller
	more  string // what it sends beside messages
	key   string
}

const weatherAndClock = `"tools":[{"type":"function","function":{"name":"weather","description":"the weather","parameters":{"type":"object"}}},{"type":"function","function":{"name":"clock"}}]`

func newClient(t *testing.T) *client {
	t.Helper()
	m := &caller{}
	store, err := disk.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return &client{rig: newRigOn(t, store, m, 10*time.Millisecond), model: m, more: weatherAndClock}
}

// toolAnswer is what a client makes of an answer.
type toolAnswer struct {
	ID      string
	Content string
	Finish  string
	Calls   []toolCall
	Tokens  int

	message json.RawMessage
}

type toolCall struct{ ID, Name, Arguments string }

func (c *client) post(messages ...string) *httptest.ResponseRecorder {
	body := `{"messages":[` + strings.Join(messages, ",") + `]`
	if c.more != "" {
		body += "," + c.more
	}
	q := c.request(http.MethodPost, chat.PathCompletions, body+"}")
	if c.key != "" {
		q.Header.Set(chat.HeaderIdempotencyKey, c.key)
	}
	return c.do(q)
}

func (c *client) ask(messages ...string) toolAnswer {
	c.t.Helper()
	w := c.post(messages...)
	var got struct {
		ID    string
		Usage struct {
			Total int `json:"total_tokens"`
		}
		Choices []struct {
			Message json.RawMessage
			Finish  string `json:"finish_reason"`
		}
	}
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != 200 || len(got.Choices) != 1 {
		c.t.Fatalf("got %d %s", w.Code, w.Body)
	}
	out := toolAnswer{ID: got.ID, Finish: got.Choices[0].Finish, Tokens: got.Usage.Total, message: got.Choices[0].Message}
	var m struct {
		Content *string
		Calls   []struct {
			ID       string
			Type     string
			Function struct{ Name, Arguments string }
		} `json:"tool_calls"`
	}
	if err := json.Unmarshal(out.message, &m); err != nil {
		c.t.Fatal(err)
	}
	if m.Content != nil {
		out.Content = *m.Content
	}
	for _, k := range m.Calls {
		if k.Type != "function" || len(k.ID) > 40 {
			c.t.Errorf("a call of the type %q with the id %q", k.Type, k.ID)
		}
		out.Calls = append(out.Calls, toolCall{k.ID, k.Function.Name, k.Function.Arguments})
	}
	return out
}

// refuses asserts a refusal and gives its text.
func (c *client) refuses(status int, messages ...string) string {
	c.t.Helper()
	w := c.post(messages...)
	if w.Code != status {
		c.t.Fatalf("got %d %s, want %d", w.Code, w.Body, status)
	}
	return w.Body.String()
}

func result(k toolCall, text string) string {
	b, _ := json.Marshal(map[string]string{"role": "tool", "tool_call_id": k.ID, "content": text})
	return string(b)
}

// events gives the events of the only session.
func (c *client) events() []chat.Event {
	c.t.Helper()
	var out []chat.Event
	for id := range shown(c.t, c.rig) {
		w := newWire()
		c.ServeHTTP(w, c.request(http.MethodGet, chat.PathSessions+"/"+id+"/events?until=idle", ""))
		for line := range strings.Lines(w.text.String()) {
			if data, ok := strings.CutPrefix(line, "data: "); ok {
				var e chat.Event
				if err := json.Unmarshal([]byte(data), &e); err != nil {
					c.t.Fatal(err)
				}
				out = append(out, e)
			}
		}
	}
	return out
}

func (c *client) statuses() (all []string) {
	c.t.Helper()
	for _, e := range c.events() {
		if e.Type == chat.TypeRunFinished {
			all = append(all, e.Status)
		}
	}
	return all
}

// The client's tools stand beside ours, ours of a round run first, and the run goes on
// with the client's results.
func TestAClientRunsItsOwnTools(t *testing.T) {
	c := newClient(t)
	user := by("user", `I look. +weather {"city":"Oslo"} +get_current_time {} +clock {} | +weather {"city":"Rom"} | It is cold.`)
	first := c.ask(user)
	if first.Finish != "tool_calls" || first.Content != "I look." || len(first.Calls) != 2 || first.Tokens != 11 {
		t.Fatalf("got %+v", first)
	}
	if diff := cmp.Diff([]string{"weather", `{"city":"Oslo"}`, "clock", "{}"}, []string{first.Calls[0].Name, first.Calls[0].Arguments, first.Calls[1].Name, first.Calls[1].Arguments}); diff != "" {
		t.Errorf("the calls (-want +got):\n%s", diff)
	}
	var names []string
	for _, s := range c.model.last().Tools {
		names = append(names, s.Name)
	}
	if !slices.Contains(names, "get_current_time") || !slices.Contains(names, "weather") || !slices.Contains(names, "clock") {
		t.Errorf("the model knows %v", names)
	}
	ran := false
	for _, e := range c.events() {
		ran = ran || e.Type == chat.TypeToolResult && e.Name == "get_current_time" && e.Status == chat.ToolOK
	}
	if !ran {
		t.Error("our tool of the round has not run")
	}
	if n := c.Activity.Active(); n != 0 {
		t.Errorf("%d sessions are active while a client runs its tools", n)
	}
	said := []string{user, string(first.message), result(first.Calls[0], "minus four"), result(first.Calls[1], "noon")}
	second := c.ask(said...)
	if second.Finish != "tool_calls" || second.Content != "" || len(second.Calls) != 1 || second.Calls[0].ID == first.Calls[0].ID || second.Tokens != 11 {
		t.Fatalf("got %+v", second)
	}
	third := c.ask(append(said, string(second.message), result(second.Calls[0], "twenty"))...)
	if third.Finish != "stop" || third.Content != "It is cold." || third.Tokens != 11 {
		t.Fatalf("got %+v", third)
	}
	if ids := []string{first.ID, second.ID, third.ID}; len(slices.Compact(ids)) != 3 {
		t.Errorf("answers share an id: %v", ids)
	}
	// The results are another's words: fenced, each behind its call.
	var results []string
	for _, m := range c.model.last().Messages {
		if m.Role == loop.RoleTool && m.Client {
			results = append(results, m.Name)
			if !strings.HasPrefix(m.Text, "[the client's tool "+m.Name+": what stands between") {
				t.Errorf("a result without its fence: %q", m.Text)
			}
		}
	}
	if diff := cmp.Diff([]string{"weather", "clock", "weather"}, results); diff != "" {
		t.Errorf("what the model was told (-want +got):\n%s", diff)
	}
	// The conversation goes on in its session.
	more := c.ask(append(said, string(second.message), result(second.Calls[0], "twenty"), by("assistant", third.Content), by("user", "thanks"))...)
	if more.Content != "thanks" {
		t.Errorf("got %+v", more)
	}
	if all := only(t, shown(t, c.rig)); all[len(all)-1] != "thanks" {
		t.Errorf("the session holds %q", all)
	}
	if diff := cmp.Diff([]string{"done", "done"}, c.statuses()); diff != "" {
		t.Errorf("runs (-want +got):\n%s", diff)
	}
}

func TestOfOneNameTheClientsToolWins(t *testing.T) {
	c := newClient(t)
	c.more = `"tools":[{"type":"function","function":{"name":"get_current_time","description":"mine"}}]`
	user := by("user", "+get_current_time {} | done")
	first := c.ask(user)
	if len(first.Calls) != 1 || first.Calls[0].Name != "get_current_time" {
		t.Fatalf("got %+v", first)
	}
	times := 0
	for _, s := range c.model.last().Tools {
		if s.Name == "get_current_time" {
			times++
			if s.Description != "mine" {
				t.Errorf("the model is told of ours: %q", s.Description)
			}
		}
	}
	if times != 1 {
		t.Errorf("the tool is declared %d times", times)
	}
	if got := c.ask(user, string(first.message), result(first.Calls[0], "noon")); got.Content != "done" {
		t.Errorf("got %+v", got)
	}
	// For this request only.
	c.more = ""
	if got := c.ask(by("user", "+get_current_time {} | ours")); got.Content != "ours" || got.Finish != "stop" {
		t.Errorf("got %+v", got)
	}
}

func TestMissingResultsAreNamed(t *testing.T) {
	c := newClient(t)
	user := by("user", "+weather {} +clock {} | done")
	first := c.ask(user)
	if got := c.refuses(400, user, string(first.message), result(first.Calls[1], "noon")); !strings.Contains(got, first.Calls[0].ID) || strings.Contains(got, first.Calls[1].ID) {
		t.Errorf("got %s, want %s named alone", got, first.Calls[0].ID)
	}
	// Also where the client has left the call out of what it sends.
	lone := `{"role":"assistant","content":null,"tool_calls":[{"id":"` + first.Calls[1].ID + `","type":"function","function":{"name":"clock","arguments":"{}"}}]}`
	if got := c.refuses(400, user, lone, result(first.Calls[1], "noon")); !strings.Contains(got, first.Calls[0].ID) {
		t.Errorf("got %s", got)
	}
	if got := c.ask(user, string(first.message), result(first.Calls[0], "cold"), result(first.Calls[1], "noon")); got.Content != "done" {
		t.Errorf("with all of them: got %+v", got)
	}
}

// The same request again gives the same answer, and another one where it says other
// things or had failed.
func TestResultsThatAreSentAgain(t *testing.T) {
	c := newClient(t)
	user := by("user", "+weather {} | +clock {} | done")
	first := c.ask(user)
	said := []string{user, string(first.message), result(first.Calls[0], "cold")}
	second := c.ask(said...)
	asked := c.model.times()
	for range 2 {
		again := c.ask(said...)
		if diff := cmp.Diff(second.Calls, again.Calls); diff != "" || again.ID != second.ID || again.Tokens != second.Tokens {
			t.Errorf("again: got %+v, want %+v", again, second)
		}
	}
	more := append(said, string(second.message), result(second.Calls[0], "noon"))
	third := c.ask(more...)
	if again := c.ask(more...); again.Content != "done" || again.ID != third.ID {
		t.Errorf("again: got %+v, want %+v", again, third)
	}
	if again := c.ask(said...); again.ID != second.ID || len(again.Calls) != 1 {
		t.Errorf("the request before it: got %+v", again)
	}
	if n := c.model.times(); n != asked+1 {
		t.Errorf("the model was asked %d times, want %d", n, asked+1)
	}
	if all := only(t, shown(t, c.rig)); len(all) == 0 {
		t.Error("no session")
	}
	other := c.ask(user, string(first.message), result(first.Calls[0], "warm"))
	if other.Finish != "tool_calls" || other.Calls[0].ID == second.Calls[0].ID {
		t.Errorf("other results: got %+v", other)
	}
	if again := c.ask(user, string(first.message), result(first.Calls[0], "warm")); again.Calls[0].ID != other.Calls[0].ID {
		t.Errorf("other results again: got %+v, want %+v", again, other)
	}
}

func TestAKeyForEachRequest(t *testing.T) {
	c := newClient(t)
	user := by("user", "+weather {} | done")
	c.key = "k1"
	first := c.ask(user)
	if again := c.ask(user); again.Calls[0].ID != first.Calls[0].ID || c.model.times() != 1 {
		t.Errorf("got %+v, want %+v", again, first)
	}
	c.key = "k2"
	said := []string{user, string(first.message), result(first.Calls[0], "cold")}
	if got := c.ask(said...); got.Content != "done" {
		t.Errorf("got %+v", got)
	}
	if got := c.ask(said...); got.Content != "done" || c.model.times() != 2 {
		t.Errorf("again: got %+v after %d questions", got, c.model.times())
	}
}

func TestAFailedRunIsTriedAgain(t *testing.T) {
	c := newClient(t)
	user := by("user", "+weather {} | fail")
	first := c.ask(user)
	said := []string{user, string(first.message), result(first.Calls[0], "cold")}
	for want := 2; want < 5; want++ {
		c.refuses(503, said...)
		if n := c.model.times(); n != want {
			t.Errorf("the model was asked %d times, want %d", n, want)
		}
	}
}

// What the client sends of the conversation does not matter: the calls find it.
func TestResultsFindTheirRunWhateverTheClientSends(t *testing.T) {
	for name, send := range map[string]func(user, first string, results []string) []string{
		"all":             func(user, first string, results []string) []string { return append([]string{user, first}, results...) },
		"no user message": func(_, first string, results []string) []string { return append([]string{first}, results...) },
		"results only":    func(_, _ string, results []string) []string { return results },
		"other instructions": func(user, first string, results []string) []string {
			return append([]string{by("system", "it is another day"), user, first}, results...)
		},
		"the other order": func(user, first string, results []string) []string {
			return []string{user, first, results[1], results[0]}
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := newClient(t)
			user := by("user", "+weather {} +clock {} | done")
			first := c.ask(by("user", "hello"), by("assistant", "hello"), user)
			got := c.ask(send(user, string(first.message), []string{result(first.Calls[0], "cold"), result(first.Calls[1], "noon")})...)
			if got.Content != "done" {
				t.Errorf("got %+v", got)
			}
			if all := only(t, shown(t, c.rig)); all[len(all)-1] != "done" {
				t.Errorf("the session holds %q", all)
			}
		})
	}
}

// A client that goes on in another way ends the run, and what it has given by then is
// kept.
func TestAnotherMessageEndsTheRun(t *testing.T) {
	for name, tt := range map[string]struct {
		text    string
		results func(calls []toolCall) []string
		want    []string // what the model is told of the calls
	}{
		"without results":   {"I look. ", nil, []string{"skipped: the client went on without the result", "skipped: the client went on without the result"}},
		"without a word":    {"", nil, []string{"skipped: the client went on without the result", "skipped: the client went on without the result"}},
		"with one of two":   {"", func(k []toolCall) []string { return []string{result(k[1], "noon")} }, []string{"skipped: the client went on without the result", "noon"}},
		"with both of them": {"", func(k []toolCall) []string { return []string{result(k[0], "cold"), result(k[1], "noon")} }, []string{"cold", "noon"}},
	} {
		t.Run(name, func(t *testing.T) {
			c := newClient(t)
			user := by("user", tt.text+"+weather {} +clock {} | done")
			first := c.ask(user)
			said := []string{user, string(first.message)}
			if tt.results != nil {
				said = append(said, tt.results(first.Calls)...)
			}
			if got := c.ask(append(said, by("user", "never mind"))...); got.Content != "never mind" {
				t.Fatalf("got %+v", got)
			}
			if diff := cmp.Diff([]string{"interrupted", "done"}, c.statuses()); diff != "" {
				t.Errorf("runs (-want +got):\n%s", diff)
			}
			var told []string
			for _, m := range c.model.last().Messages {
				if m.Role == loop.RoleTool {
					told = append(told, m.Text)
				}
			}
			if len(told) != 2 || !strings.Contains(told[0], tt.want[0]) || !strings.Contains(told[1], tt.want[1]) {
				t.Errorf("the model is told %q, want %q", told, tt.want)
			}
			// The results come too late: the client says what was said, and it goes on from there.
			if got := c.ask(user, string(first.message), result(first.Calls[0], "cold"), result(first.Calls[1], "noon")); got.Content != "done" {
				t.Errorf("late results: got %+v", got)
			}
		})
	}
}

// A message from the page ends it as well, and does not wait.
func TestAMessageFromThePageEndsTheRun(t *testing.T) {
	c := newClient(t)
	c.ask(by("user", "+weather {} | done"))
	for id := range shown(t, c.rig) {
		for _, row := range c.call(http.MethodGet, chat.PathSessions, "", 200)["sessions"].([]any) {
			if state := row.(map[string]any)["state"]; state != "idle" {
				t.Errorf("the session is %v", state)
			}
		}
		if got := c.call(http.MethodPost, chat.PathChat, `{"message":"hi","sessionId":"`+id+`"}`, 200); got["reply"] != "hi" && got["message"] != "hi" && !strings.Contains(fmt.Sprint(got), "hi") {
			t.Errorf("got %v", got)
		}
	}
	if diff := cmp.Diff([]string{"interrupted", "done"}, c.statuses()); diff != "" {
		t.Errorf("runs (-want +got):\n%s", diff)
	}
}

// It outlives the process, and another one goes on with it.
func TestResultsComeAfterARestart(t *testing.T) {
	m := &caller{}
	store, err := disk.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	before := &client{rig: newRigOn(t, store, m, 10*time.Millisecond), model: m, more: weatherAndClock}
	user := by("user", "I look. +weather {} | It is cold.")
	first := before.ask(user)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	before.Runs.Drain(ctx)
	cancel()
	after := &client{rig: newRigOn(t, store, m, 10*time.Millisecond), model: m, more: weatherAndClock}
	if n := after.Activity.Active(); n != 0 {
		t.Errorf("%d sessions are active", n)
	}
	said := []string{user, string(first.message), result(first.Calls[0], "minus four")}
	if got := after.ask(said...); got.Content != "It is cold." {
		t.Fatalf("got %+v", got)
	}
	if got := after.ask(append(said, by("assistant", "It is cold."), by("user", "thanks"))...); got.Content != "thanks" {
		t.Errorf("got %+v", got)
	}
	if all := only(t, shown(t, after.rig)); all[len(all)-1] != "thanks" {
		t.Errorf("the session holds %q", all)
	}
}

// A conversation that is new here may hold calls of the client's, and end with their
// results.
func TestAConversationFromElsewhereWithCalls(t *testing.T) {
	made := func(id, name string) string {
		return `{"role":"assistant","content":null,"tool_calls":[{"id":"` + id + `","type":"function","function":{"name":"` + name + `","arguments":"{\"a\":1}"}}]}`
	}
	tool := func(id, text string) string { return result(toolCall{ID: id}, text) }
	c := newClient(t)
	said := []string{
		by("user", "one"), made("x1", "weather"), tool("x1", "cold"), by("assistant", "eins"),
		by("user", "+clock {} | two"), made("x1", "clock"), tool("x1", "noon"),
	}
	got := c.ask(said...)
	if got.Content != "two" || got.Finish != "stop" {
		t.Fatalf("got %+v", got)
	}
	var told []string
	for _, m := range c.model.last().Messages {
		switch {
		case len(m.Calls) > 0:
			told = append(told, "call "+m.Calls[0].Name)
		case m.Role == loop.RoleTool:
			told = append(told, "result "+m.Name)
		default:
			told = append(told, m.Role)
		}
	}
	if diff := cmp.Diff([]string{"user", "call weather", "result weather", "assistant", "user", "call clock", "result clock"}, told); diff != "" {
		t.Errorf("what the model was told (-want +got):\n%s", diff)
	}
	if again := c.ask(said...); again.ID != got.ID || c.model.times() != 1 {
		t.Errorf("again: got %+v, want %+v", again, got)
	}
	if next := c.ask(append(said, by("assistant", "two"), by("user", "three"))...); next.Content != "three" {
		t.Errorf("got %+v", next)
	}
	if all := only(t, shown(t, c.rig)); all[0] != "one" || all[len(all)-1] != "three" {
		t.Errorf("the session holds %q", all)
	}
	// Of calls that nobody knows nothing can be made without the message.
	if got := c.refuses(400, made("x9", "clock"), tool("x9", "noon")); !strings.Contains(got, "x9") {
		t.Errorf("got %s", got)
	}
	if got := c.refuses(400, tool("call_abcdefghij0123456789_aaaaaaaaaa", "noon")); !strings.Contains(got, "no answer waits") {
		t.Errorf("got %s", got)
	}
}

// How far the model is free to call is the client's to say.
func TestTheChoiceOfTools(t *testing.T) {
	for name, tt := range map[string]struct {
		more    string
		choice  loop.Choice
		noCalls bool
		one     bool
		finish  string
		calls   int
	}{
		"auto":     {`"tool_choice":"auto"`, loop.Choice{}, false, false, "tool_calls", 2},
		"none":     {`"tool_choice":"none"`, loop.Choice{}, true, false, "stop", 0},
		"required": {`"tool_choice":"required"`, loop.Choice{Kind: loop.ChooseAny}, false, false, "tool_calls", 2},
		"a named one": {
			`"tool_choice":{"type":"function","function":{"name":"clock"}}`, loop.Choice{Kind: loop.ChooseOne, Name: "clock"}, false, false, "tool_calls", 2,
		},
		"one at a time": {`"parallel_tool_calls":false`, loop.Choice{}, false, true, "tool_calls", 1},
	} {
		t.Run(name, func(t *testing.T) {
			c := newClient(t)
			c.more += "," + tt.more
			got := c.ask(by("user", "I look. +weather {} +clock {} | done"))
			q := c.model.last()
			if q.Choice != tt.choice || q.NoCalls != tt.noCalls || q.OneCall != tt.one {
				t.Errorf("the model was asked with %+v, %v, %v", q.Choice, q.NoCalls, q.OneCall)
			}
			if got.Finish != tt.finish || len(got.Calls) != tt.calls || got.Content != "I look." {
				t.Errorf("got %+v", got)
			}
		})
	}
	// The choice is that of its request.
	c := newClient(t)
	c.more += `,"tool_choice":"required"`
	user := by("user", "+weather {} | done")
	first := c.ask(user)
	c.more = weatherAndClock
	if got := c.ask(user, string(first.message), result(first.Calls[0], "cold")); got.Content != "done" || c.model.last().Choice != (loop.Choice{}) {
		t.Errorf("got %+v with %+v", got, c.model.last().Choice)
	}
}

// One forced tool is a label only where it asks for one.
func TestAForcedToolOfAProgramIsCalled(t *testing.T) {
	c := newClient(t)
	c.more = `"tools":[{"type":"function","function":{"name":"lookup","parameters":{"type":"object","properties":{"city":{"type":"string"}}}}}],"tool_choice":{"type":"function","function":{"name":"lookup"}}`
	user := by("user", `+lookup {"city":"Oslo"} | done`)
	first := c.ask(user)
	if first.Finish != "tool_calls" || len(first.Calls) != 1 || c.model.last().Choice.Name != "lookup" {
		t.Fatalf("got %+v with %+v", first, c.model.last().Choice)
	}
	c.more = ""
	if got := c.ask(user, string(first.message), result(first.Calls[0], "north")); got.Content != "done" {
		t.Errorf("got %+v", got)
	}
}

func TestCallsInAStream(t *testing.T) {
	c := newClient(t)
	w := newWire()
	c.ServeHTTP(w, c.request(http.MethodPost, chat.PathCompletions, `{"stream":true,"stream_options":{"include_usage":true},`+c.more+`,"messages":[`+by("user", `I look. +weather {"city":"Oslo"} +clock {} | done`)+`]}`))
	lines := strings.Split(strings.TrimSpace(w.text.String()), "\n\n")
	var text, finish string
	calls := map[int]*toolCall{}
	for _, line := range lines[:len(lines)-1] {
		var k struct {
			Choices []struct {
				Delta struct {
					Content string
					Calls   []struct {
						Index    *int
						ID       string
						Function struct{ Name, Arguments string }
					} `json:"tool_calls"`
				}
				Finish *string `json:"finish_reason"`
			}
		}
		if err := json.Unmarshal([]byte(strings.TrimPrefix(line, "data: ")), &k); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		for _, choice := range k.Choices {
			text += choice.Delta.Content
			for _, d := range choice.Delta.Calls {
				if d.Index == nil {
					t.Fatalf("a call without an index: %s", line)
				}
				if calls[*d.Index] == nil {
					calls[*d.Index] = &toolCall{ID: d.ID, Name: d.Function.Name}
				}
				calls[*d.Index].Arguments += d.Function.Arguments
			}
			if choice.Finish != nil {
				finish = *choice.Finish
			}
		}
	}
	if text != "I look." || finish != "tool_calls" || len(calls) != 2 || lines[len(lines)-1] != "data: [DONE]" || calls[0].Name != "weather" || calls[0].Arguments != `{"city":"Oslo"}` || calls[1].Name != "clock" {
		t.Errorf("got %q, %s, %+v, %+v", text, finish, calls[0], calls[1])
	}
}
