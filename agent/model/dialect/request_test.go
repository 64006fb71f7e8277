package dialect_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/model/dialect"
	"github.com/loongclaw/loongclaw/agent/model/modeltest"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

func find(t *testing.T, strict string) target {
	t.Helper()
	for _, g := range targets {
		if g.strict == strict {
			return g
		}
	}
	t.Fatalf("no target %s", strict)
	return target{}
}

// TestForms has the bytes of what is written for some providers.
func TestForms(t *testing.T) {
	const clock = "get_current_time"
	asks := func(me string) loop.Message { return calls(me, call("abcDEF123", clock, `{"a":"<1>"}`)) }
	answer := result("abcDEF123", clock, "noon")
	for _, c := range []struct {
		strict string
		in     func(me string) []loop.Message
		want   []string
	}{
		{"openai", func(me string) []loop.Message {
			return []loop.Message{{Role: chat.RoleUser, Context: "[c]", Text: "hi"}, user("?"), asks(me), answer}
		}, []string{
			`{"role":"user","content":"[c]\n\nhi"}`,
			`{"role":"user","content":"?"}`,
			`{"role":"assistant","content":null,"tool_calls":[{"id":"abcDEF123","type":"function","function":{"name":"get_current_time","arguments":"{\"a\":\"<1>\"}"}}]}`,
			`{"role":"tool","tool_call_id":"abcDEF123","content":"noon"}`,
		}},
		{"mistral", func(me string) []loop.Message {
			return []loop.Message{user("hi"), user("?"), asks(me), answer, user("go on")}
		}, []string{
			`{"role":"user","content":"hi\n\n?"}`,
			`{"role":"assistant","content":"","tool_calls":[{"id":"abcDEF123","type":"function","function":{"name":"get_current_time","arguments":"{\"a\":\"<1>\"}"}}]}`,
			`{"role":"tool","tool_call_id":"abcDEF123","name":"get_current_time","content":"noon"}`,
			`{"role":"assistant","content":"I have the results of these calls."}`,
			`{"role":"user","content":"go on"}`,
		}},
		{"deepseek", func(me string) []loop.Message {
			return []loop.Message{user("?"), said(me, "Once upon"), user("go on"), asks("openai/m"), answer, thinking(me, "noon"), user("?")}
		}, []string{
			`{"role":"user","content":"?"}`,
			`{"role":"assistant","content":"Once upon","reasoning_content":"Answer: Once upon"}`,
			`{"role":"user","content":"go on"}`,
			`{"role":"assistant","content":"","reasoning_content":"Next: get_current_time {\"a\":\"<1>\"}","tool_calls":[{"id":"abcDEF123","type":"function","function":{"name":"get_current_time","arguments":"{\"a\":\"<1>\"}"}}]}`,
			`{"role":"tool","tool_call_id":"abcDEF123","content":"noon"}`,
			`{"role":"assistant","content":"noon","reasoning_content":"thought-of-deepseek","reasoning_details":[{"data":"thought-of-deepseek","type":"reasoning.encrypted"}]}`,
			`{"role":"user","content":"?"}`,
		}},
		{"gemini", func(me string) []loop.Message {
			return []loop.Message{user("?"), thinking(me, "", call("x", clock, "{}"), call("y", clock, "{}")), result("x", clock, "1"), result("y", clock, "2"), asks("openai/m"), answer}
		}, []string{
			`{"role":"user","content":"?"}`,
			`{"role":"assistant","content":"","reasoning_details":[{"data":"thought-of-gemini","type":"reasoning.encrypted"}],"tool_calls":[{"id":"x","type":"function","function":{"name":"get_current_time","arguments":"{}"},"extra_content":{"google":{"thought_signature":"thought-of-gemini"}}},{"id":"y","type":"function","function":{"name":"get_current_time","arguments":"{}"}}]}`,
			`{"role":"tool","tool_call_id":"x","name":"get_current_time","content":"1"}`,
			`{"role":"tool","tool_call_id":"y","name":"get_current_time","content":"2"}`,
			`{"role":"assistant","content":"","tool_calls":[{"id":"abcDEF123","type":"function","function":{"name":"get_current_time","arguments":"{\"a\":\"<1>\"}"},"extra_content":{"google":{"thought_signature":"skip_thought_signature_validator"}}}]}`,
			`{"role":"tool","tool_call_id":"abcDEF123","name":"get_current_time","content":"noon"}`,
		}},
		{"openrouter-gemini", func(me string) []loop.Message {
			return []loop.Message{user("?"), asks("openrouter/anthropic/claude-sonnet-4-5"), answer}
		}, []string{
			`{"role":"user","content":"?"}`,
			`{"role":"assistant","content":"","reasoning_details":[{"type":"reasoning.encrypted","data":"skip_thought_signature_validator","id":"abcDEF123","format":"google-gemini-v1","index":0}],"tool_calls":[{"id":"abcDEF123","type":"function","function":{"name":"get_current_time","arguments":"{\"a\":\"<1>\"}"}}]}`,
			`{"role":"tool","tool_call_id":"abcDEF123","content":"noon"}`,
		}},
		{"minimax", func(me string) []loop.Message {
			return []loop.Message{user("?"), {Role: chat.RoleAssistant, Text: "yes", Model: me, Reasoning: "hm"}, user("?")}
		}, []string{
			`{"role":"user","content":"?"}`,
			`{"role":"assistant","content":"<think>\nhm\n</think>\n\nyes"}`,
			`{"role":"user","content":"?"}`,
		}},
		{"doubao", func(me string) []loop.Message { return []loop.Message{user("?"), asks(me), answer} }, []string{
			`{"role":"user","content":"?"}`,
			`{"role":"assistant","content":"Calling get_current_time.","tool_calls":[{"id":"abcDEF123","type":"function","function":{"name":"get_current_time","arguments":"{\"a\":\"<1>\"}"}}]}`,
			`{"role":"tool","tool_call_id":"abcDEF123","content":"noon"}`,
		}},
		{"gemma", func(me string) []loop.Message { return []loop.Message{said(me, "tail"), user("hi")} }, []string{
			`{"role":"user","content":"persona\n\n[Added by the agent, not written by the user.] The conversation goes on from here."}`,
			`{"role":"assistant","content":"tail"}`,
			`{"role":"user","content":"hi"}`,
		}},
		{"unknown", func(me string) []loop.Message {
			return []loop.Message{user("?"), calls(me, call("", "functions.x", `{"x`), call("a", clock, "[1]")), result("a", clock, ""), said(me, "no"), said(me, "yes")}
		}, []string{
			`{"role":"user","content":"?"}`,
			`{"role":"assistant","content":"","tool_calls":[{"id":"BThbM2A2P","type":"function","function":{"name":"functions_x","arguments":"{\"invalid_arguments\":\"{\\\"x\"}"}},{"id":"a","type":"function","function":{"name":"get_current_time","arguments":"{\"invalid_arguments\":\"[1]\"}"}}]}`,
			`{"role":"tool","tool_call_id":"BThbM2A2P","name":"functions_x","content":"error: this call has no result"}`,
			`{"role":"tool","tool_call_id":"a","name":"get_current_time","content":"(no output)"}`,
			`{"role":"assistant","content":"no\n\nyes"}`,
			`{"role":"user","content":"[Added by the agent, not written by the user.] Go on."}`,
		}},
	} {
		t.Run(c.strict, func(t *testing.T) {
			g := find(t, c.strict)
			var got []string
			for _, m := range dialect.Messages(loop.Question{System: "persona", Messages: c.in(g.name())}, g.asked()) {
				if !bytes.HasPrefix(m, []byte(`{"role":"system"`)) {
					got = append(got, string(m))
				}
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("messages (-want +got):\n%s", d)
			}
		})
	}
}

// TestNativeFieldsComeInOneOrder: they are kept as a map, and what is sent must be
// the same bytes each time.
func TestNativeFieldsComeInOneOrder(t *testing.T) {
	g := find(t, "unknown")
	m := loop.Message{Role: chat.RoleAssistant, Text: "yes", Model: g.name(), Native: json.RawMessage(`{"message":{"z":1,"a": [1, 2],"m":"<","c":{},"b":null,"k":0,"role":"user"}}`)}
	q := loop.Question{Messages: []loop.Message{user("?"), m, user("?")}}
	want := `{"role":"assistant","content":"yes","a":[1,2],"b":null,"c":{},"k":0,"m":"<","z":1}`
	for range 50 {
		if got := string(dialect.Messages(q, g.asked())[1]); got != want {
			t.Fatalf("%s\nwant %s", got, want)
		}
	}
}

// TestTheLastRound: the tools stay declared, and only what stands behind the
// messages says that none may be called.
func TestTheLastRound(t *testing.T) {
	q := loop.Question{System: "s", Messages: []loop.Message{user("?")}, Tools: someTools}
	for _, g := range targets {
		free := dialect.Request(q, g.asked(), dialect.Options{})
		bound := q
		bound.NoCalls = true
		got := dialect.Request(bound, g.asked(), dialect.Options{})
		want := string(free[:len(free)-1]) + `,"tool_choice":"none"}`
		if r := g.asked().Rules; !r.Has(dialect.ChoiceNone) {
			want = string(free)
		}
		if string(got) != want {
			t.Errorf("%s: %s\nwant %s", g.strict, got, want)
		}
	}
}

// TestACallIsToldWhereNoToolIsDeclared: nothing of a call is left that a provider
// could miss a declaration of, or that a model could call again.
func TestACallIsToldWhereNoToolIsDeclared(t *testing.T) {
	g := find(t, "bedrock")
	q := loop.Question{NoCalls: true, Messages: []loop.Message{
		user("?"), calls(g.name(), call("a", "get_current_time", `{"timezone":"UTC"}`), call("b", "write", "")),
		result("a", "get_current_time", "noon"), result("b", "write", ""),
		{Role: chat.RoleUser, Context: "answer now"},
	}}
	want := `"messages":[{"role":"user","content":"?"},{"role":"assistant","content":"Called: get_current_time {\"timezone\":\"UTC\"}; write"},` +
		`{"role":"user","content":"[Added by the agent, not written by the user.] Result of get_current_time:\nnoon\n\n[Added by the agent, not written by the user.] Result of write:\n(no output)\n\nanswer now"}]}`
	if got := string(dialect.Request(q, g.asked(), dialect.Options{})); !strings.HasSuffix(got, want) {
		t.Errorf("%s\nwant %s", got, want)
	}
}

// messagesOf are the bytes of a request up to the end of its messages, without
// the bracket behind the last one, and where its newest user message begins.
func messagesOf(t *rapid.T, body []byte) (text string, newest int) {
	var r struct {
		Messages []json.RawMessage `json:"messages"`
	}
	if err := json.Unmarshal(body, &r); err != nil {
		t.Fatal(err)
	}
	end := bytes.Index(body, []byte(`"messages":[`)) + len(`"messages":[`)
	for i, m := range r.Messages {
		if i > 0 {
			end++ // the comma
		}
		if bytes.HasPrefix(m, []byte(`{"role":"user"`)) {
			newest = end
		}
		if !bytes.HasPrefix(body[end:], m) {
			t.Fatalf("message %d is not where it is looked for", i)
		}
		end += len(m)
	}
	return string(body[:end]), newest
}

// TestAConversationsPrefixIsStable grows random conversations, with odd answers
// and with those of several providers, and asks at each point at which a turn
// would. What was sent up to the newest message of the user is sent again byte
// for byte; and all that was sent is, wherever the user's message was answered.
func TestAConversationsPrefixIsStable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := rapid.SampledFrom(targets).Draw(t, "target")
		a := g.asked()
		conversation := []loop.Message{}
		before, start, answered := "", 0, false
		ask := func() {
			q := loop.Question{System: "persona", Messages: conversation, Tools: someTools}
			last := conversation[len(conversation)-1]
			q.NoCalls = rapid.IntRange(0, 9).Draw(t, "bound") == 0 && last.Role == loop.RoleTool
			body := dialect.Request(q, a, dialect.Options{MaxTokens: 9})
			text, newest := messagesOf(t, body)
			if !strings.HasPrefix(text, before[:start]) {
				t.Fatalf("%s: changed before the newest message of the user:\n%s\n%s", g.strict, before[:start], text)
			}
			if answered && !strings.HasPrefix(text, before) {
				t.Fatalf("%s: changed:\n%s\n%s", g.strict, before, text)
			}
			if refusal, bad := modeltest.Refuse(g.strict, body); bad {
				t.Fatalf("%s: %s\n%s", g.strict, refusal.Body, text)
			}
			before, start = text, newest
		}
		words := rapid.SampledFrom([]string{"yes", "", "\n\n", "早上好", "\u200b", "a\"b<c>"})
		names := rapid.SampledFrom([]string{"get_current_time", "write", "functions.write", "", "写"})
		models := rapid.SampledFrom([]string{g.name(), "deepseek-old/x", ""})
		for n := range rapid.IntRange(1, 8).Draw(t, "turns") {
			conversation = append(conversation, loop.Message{Role: chat.RoleUser, Text: fmt.Sprintf("question %d", n), Context: rapid.SampledFrom([]string{"", "[context] it is Monday", "[context] you know a lot"}).Draw(t, "context")})
			ask()
			answered = false
			rounds := rapid.IntRange(0, 3).Draw(t, "rounds")
			for range rounds {
				var all []loop.Call
				for range rapid.IntRange(1, 3).Draw(t, "calls") {
					id := rapid.SampledFrom([]string{"a", "b", "call_1", "", "functions.x:0", "abcDEF123"}).Draw(t, "id")
					all = append(all, call(id, names.Draw(t, "name"), rapid.SampledFrom([]string{"{}", "", "{", `{"a": 1}`}).Draw(t, "args")))
				}
				next := thinking(models.Draw(t, "model"), words.Draw(t, "text"), all...)
				if next.Model == "" {
					next.Reasoning, next.Native = "", nil
				}
				conversation = append(conversation, next)
				for _, k := range all {
					conversation = append(conversation, result(k.ID, k.Name, words.Draw(t, "result")))
				}
				answered = true
				ask()
			}
			if text := words.Draw(t, "answer"); rapid.IntRange(0, 3).Draw(t, "ends") > 0 {
				conversation = append(conversation, said(models.Draw(t, "model"), text))
				answered = answered || strings.Trim(text, "\n\u200b") != ""
			}
		}
	})
}
