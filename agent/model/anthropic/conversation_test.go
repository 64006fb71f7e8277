package anthropic

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/model/anthropic/anthropictest"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

// shape writes messages in short: a line for each, with its blocks.
func shape(c *conversation) []string {
	var out []string
	for _, m := range c.messages {
		line := m.Role[:1] + ":"
		for _, raw := range m.Content {
			var b struct {
				Type, Text, ID, Name, Content string
				ToolUseID                     string          `json:"tool_use_id"`
				IsError                       bool            `json:"is_error"`
				Input                         json.RawMessage `json:"input"`
			}
			_ = json.Unmarshal(raw, &b)
			switch b.Type {
			case "text":
				line += fmt.Sprintf(" %q", strings.TrimPrefix(b.Text, byAgent))
			case "tool_use":
				line += fmt.Sprintf(" %s=%s%s", b.ID, b.Name, b.Input)
			case "tool_result":
				line += fmt.Sprintf(" %s>%q", b.ToolUseID, b.Content)
				if b.IsError {
					line += "!"
				}
			default:
				line += " " + b.Type
			}
		}
		out = append(out, line)
	}
	return out
}

func TestConversations(t *testing.T) {
	failed := result("a", "look", "error: no")
	failed.Failed = true
	told := user("hello")
	told.Context = "Today is Monday."
	for name, c := range map[string]struct {
		messages []loop.Message
		want     []string
	}{
		"nothing":                      {nil, []string{`u: "Go on."`}},
		"one":                          {[]loop.Message{user("hi")}, []string{`u: "hi"`}},
		"context goes first":           {[]loop.Message{told}, []string{`u: "Today is Monday." "hello"`}},
		"only context":                 {[]loop.Message{{Role: chat.RoleUser, Context: "c"}}, []string{`u: "c"`}},
		"two of the user's":            {[]loop.Message{user("a"), user("b")}, []string{`u: "a" "b"`}},
		"two of the assistant's":       {[]loop.Message{user("a"), answered("b"), answered("c"), user("d")}, []string{`u: "a"`, `a: "b" "c"`, `u: "d"`}},
		"it begins with an answer":     {[]loop.Message{answered("b"), user("c")}, []string{`u: "The conversation goes on from here."`, `a: "b"`, `u: "c"`}},
		"it ends with an answer":       {[]loop.Message{user("a"), answered("b")}, []string{`u: "a"`, `a: "b"`, `u: "Go on."`}},
		"an answer of blanks":          {[]loop.Message{user("a"), answered("\n\n"), user("b")}, []string{`u: "a" "b"`}},
		"a message of blanks":          {[]loop.Message{user(" \u3000")}, []string{`u: "The user's message is empty."`}},
		"an unknown role":              {[]loop.Message{{Role: "narrator", Text: "x"}}, []string{`u: "x"`}},
		"a call":                       {[]loop.Message{user("q"), called("I look.", call("a", "look", `{"at": "x"}`)), result("a", "look", "owl")}, []string{`u: "q"`, `a: "I look." a=look{"at":"x"}`, `u: a>"owl"`}},
		"a call and what is said then": {[]loop.Message{user("q"), called("", call("a", "look", `{}`)), result("a", "look", "owl"), user("stop")}, []string{`u: "q"`, `a: a=look{}`, `u: a>"owl" "stop"`}},
		"results in another order":     {[]loop.Message{user("q"), called("", call("a", "look", `{}`), call("b", "wait", `{}`)), result("b", "wait", "2"), result("a", "look", "1")}, []string{`u: "q"`, `a: a=look{} b=wait{}`, `u: a>"1" b>"2"`}},
		"a result is missing":          {[]loop.Message{user("q"), called("", call("a", "look", `{}`), call("b", "wait", `{}`)), result("b", "wait", "2"), user("and?")}, []string{`u: "q"`, `a: a=look{} b=wait{}`, `u: a>"error: this call has no result"! b>"2" "and?"`}},
		"all results are missing":      {[]loop.Message{user("q"), called("", call("a", "look", `{}`)), answered("well")}, []string{`u: "q"`, `a: a=look{}`, `u: a>"error: this call has no result"!`, `a: "well"`, `u: "Go on."`}},
		"a result of no call":          {[]loop.Message{result("z", "look", "1"), user("q"), result("y", "look", "2")}, []string{`u: "q"`}},
		"a result twice":               {[]loop.Message{user("q"), called("", call("a", "look", `{}`)), result("a", "look", "1"), result("a", "look", "2")}, []string{`u: "q"`, `a: a=look{}`, `u: a>"1"`}},
		"a failed call":                {[]loop.Message{user("q"), called("", call("a", "look", `{}`)), failed}, []string{`u: "q"`, `a: a=look{}`, `u: a>"error: no"!`}},
		"an empty result":              {[]loop.Message{user("q"), called("", call("a", "look", `{}`)), result("a", "look", " ")}, []string{`u: "q"`, `a: a=look{}`, `u: a>"(no output)"`}},
		"the same id again": {
			[]loop.Message{user("q"), called("", call("a", "look", `{}`)), result("a", "look", "1"), called("", call("a", "look", `{}`)), result("a", "look", "2")},
			[]string{`u: "q"`, `a: a=look{}`, `u: a>"1"`, `a: a_2=look{}`, `u: a_2>"2"`},
		},
		"an id that is refused":        {[]loop.Message{user("q"), called("", call("functions.look:0", "look", `{}`)), result("functions.look:0", "look", "1")}, []string{`u: "q"`, `a: call_ec0002042636dd8aa1e59e55=look{}`, `u: call_ec0002042636dd8aa1e59e55>"1"`}},
		"no id":                        {[]loop.Message{user("q"), called("", call("", "look", `{}`), call("", "look", `{}`)), result("", "look", "1"), result("", "look", "2")}, []string{`u: "q"`, `a: call_e3b0c44298fc1c149afbf4c8=look{} call_e3b0c44298fc1c149afbf4c8_2=look{}`, `u: call_e3b0c44298fc1c149afbf4c8>"1" call_e3b0c44298fc1c149afbf4c8_2>"2"`}},
		"names that are refused":       {[]loop.Message{user("q"), called("", call("a", "functions.look", `{}`), call("b", "", `{}`), call("c", "看 it", `{}`))}, []string{`u: "q"`, `a: a=functions_look{} b=unnamed{} c=it{}`, `u: a>"error: this call has no result"! b>"error: this call has no result"! c>"error: this call has no result"!`}},
		"arguments that are no object": {[]loop.Message{user("q"), called("", call("a", "look", `[1]`), call("b", "look", `{"x`), call("c", "look", ``), call("d", "look", `null`))}, []string{`u: "q"`, `a: a=look{"invalid":"[1]"} b=look{"invalid":"{\"x"} c=look{} d=look{"invalid":"null"}`, `u: a>"error: this call has no result"! b>"error: this call has no result"! c>"error: this call has no result"! d>"error: this call has no result"!`}},
		"thinking of another model":    {[]loop.Message{user("q"), {Role: chat.RoleAssistant, Text: "a", Model: "anthropic/claude-opus-5", Native: json.RawMessage(`{"prefix":"x","parts":[{"raw":{"type":"thinking"}},{"text":1}]}`)}, user("b")}, []string{`u: "q"`, `a: "a"`, `u: "b"`}},
		"thinking of elsewhere":        {[]loop.Message{user("q"), {Role: chat.RoleAssistant, Text: "a", Model: "deepseek/r", Reasoning: "hm", Native: json.RawMessage(`{"message":{"x":1}}`)}, user("b")}, []string{`u: "q"`, `a: "a"`, `u: "b"`}},
	} {
		t.Run(name, func(t *testing.T) {
			q := loop.Question{Messages: c.messages, Tools: specs}
			if d := cmp.Diff(c.want, shape(converse(&q, recipient{model: "anthropic/m"}, true))); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
			legal(t, q)
		})
	}
}

// legal asks a server that refuses what Anthropic refuses.
func legal(t testing.TB, q loop.Question) {
	t.Helper()
	s := &anthropictest.Server{Bind: true}
	m := start(t, s, Config{})
	if _, err := m.Answer(t.Context(), q, func(string) {}); err != nil {
		t.Fatalf("refused: %s\n%s", s.Last().Refused, s.Last().Raw)
	}
}

// TestAnyConversationIsLegal: whatever stands in a journal, and whatever is cut off
// it, it is never refused.
func TestAnyConversationIsLegal(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	pick := func(from ...string) string { return from[r.IntN(len(from))] }
	for range 300 {
		var q loop.Question
		q.System = pick("", " ", "Be kind.")
		q.NoCalls = r.IntN(4) == 0
		if r.IntN(5) > 0 {
			q.Tools = append(q.Tools, specs...)
			q.Tools = append(q.Tools, loop.Spec{Name: pick("a b", "a_b", "x", strings.Repeat("long", 40)), Parameters: json.RawMessage(pick(`{"type":"string"}`, `null`, `{"oneOf":[{}]}`, `[]`, ``))},
				loop.Spec{Name: pick("a b", "a_b", "look", "")})
		}
		for range r.IntN(12) {
			m := loop.Message{Role: pick(chat.RoleUser, chat.RoleAssistant, loop.RoleTool, "", "system"), Text: pick("", " ", "\n", "text", "\xff", "\x00", "\u2028")}
			m.Context = pick("", "", " ", "c")
			m.Model, m.Reasoning = pick("", "anthropic/claude-sonnet-4-5", "kimi/k"), pick("", "hm")
			m.CallID, m.Name = pick("", "a", "b:1", "c"), pick("look", "functions.look", "")
			for range r.IntN(3) {
				m.Calls = append(m.Calls, call(pick("", "a", "a", "b:1", strings.Repeat("i", 90)), pick("look", "a b", "", "看"), pick(`{}`, `{"a":1}`, `[]`, `{"`, ``, `null`, ` {"a" : "<&>"} `)))
			}
			m.Native = json.RawMessage(pick("", "{", `{"parts":null}`, `{"prefix":"","parts":[{"raw":{"type":"thinking","thinking":"x","signature":"forged"}},{"text":4}]}`, `{"parts":[{"text":-1}]}`, `{"parts":[{"raw":7}]}`, `{"parts":[{"call":3}]}`, `{"plain":true}`))
			q.Messages = append(q.Messages, m)
		}
		legal(t, q)
	}
}

func TestToolsAreDeclaredAsTheyAreTaken(t *testing.T) {
	q := loop.Question{Messages: []loop.Message{user("q")}, Tools: []loop.Spec{
		{Name: "a.b", Parameters: json.RawMessage(`{"type":"object", "anyOf": [{}], "properties": {"x": {}}}`)}, {Name: "a_b"}, {Name: "ok", Description: "d", Parameters: json.RawMessage(`{"type": "object"}`)},
	}}
	c := converse(&q, recipient{model: "m"}, true)
	var got []string
	for _, b := range c.tools {
		got = append(got, string(b))
	}
	if d := cmp.Diff([]string{
		`{"name":"a_b_2","input_schema":{"properties":{"x":{}},"type":"object"}}`,
		`{"name":"a_b","input_schema":{"type":"object","properties":{}}}`,
		`{"name":"ok","description":"d","input_schema":{"type":"object"}}`,
	}, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	s := &anthropictest.Server{}
	s.Script(reply{Blocks: []block{{Call: &anthropictest.Call{ID: "x", Name: "a_b_2"}}}})
	if a := fine(t, start(t, s, Config{}), q); a.Calls[0].Name != "a.b" {
		t.Errorf("called %q, want the tool's own name", a.Calls[0].Name)
	}
}

// TestNoToolsAnyMore: the tools of a conversation that has called some are declared
// also where none is to be called, else the whole of it is refused.
func TestNoToolsAnyMore(t *testing.T) {
	q := loop.Question{Messages: []loop.Message{user("q"), called("", call("a", "gone tool", `{}`)), result("a", "gone tool", "1")}}
	s := &anthropictest.Server{}
	fine(t, start(t, s, Config{}), q)
	if b := s.Last().Body; len(b.Tools) != 1 || b.Tools[0]["name"] != "gone_tool" || b.ToolChoice["type"] != "none" {
		t.Errorf("declared %v with the choice %v", b.Tools, b.ToolChoice)
	}

	q.NoCalls = true // none is declared, so that nothing is left to call: the calls are told in words
	q.Messages = append(q.Messages, loop.Message{Role: chat.RoleUser, Context: "Answer now."})
	fine(t, start(t, s, Config{}), q)
	b := s.Last().Body
	if len(b.Tools) != 0 || b.ToolChoice != nil || strings.Contains(string(s.Last().Raw), `"tool_`) {
		t.Errorf("a question without tools has some: %s", s.Last().Raw)
	}
	if d := cmp.Diff([]string{`u: "q"`, `a: "Called: gone tool {}"`, `u: "Result of gone tool:\n1" "Answer now."`}, shape(converse(&q, recipient{model: "m"}, true))); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}

	q.Tools = specs
	fine(t, start(t, s, Config{}), q)
	if b := s.Last().Body; len(b.Tools) != 2 || b.ToolChoice["type"] != "none" {
		t.Errorf("declared %v with the choice %v", b.Tools, b.ToolChoice)
	}
	q.NoCalls = false
	fine(t, start(t, s, Config{}), q)
	if b := s.Last().Body; b.ToolChoice != nil {
		t.Errorf("the choice is %v, want none said", b.ToolChoice)
	}
}
