package dialect_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/model/dialect"
	"github.com/loongclaw/loongclaw/agent/model/modeltest"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

// target is who is asked, and which strict provider then looks at the request.
type target struct{ strict, provider, model, url string }

var targets = []target{
	{"openai", "openai", "gpt-4.1-mini", "https://api.openai.com/v1/chat/completions"},
	{"deepseek", "deepseek", "deepseek-v4-flash", "http://127.0.0.1:2000/v1/chat/completions"},
	{"kimi", "kimi", "kimi-k2.6", "https://api.moonshot.cn/v1/chat/completions"},
	{"glm", "glm", "glm-4-flash", "https://open.bigmodel.cn/api/paas/v4/chat/completions"},
	{"qwen", "qwen", "qwen3-max", "https://dashscope.aliyuncs.com/compatible-mode/v1/chat/completions"},
	{"doubao", "doubao", "doubao-seed-2-0", "https://ark.cn-beijing.volces.com/api/v3/chat/completions"},
	{"minimax", "minimax", "MiniMax-M2.5", "https://api.minimaxi.com/v1/chat/completions"},
	{"siliconflow", "siliconflow", "Qwen/Qwen3-32B", "https://api.siliconflow.cn/v1/chat/completions"},
	{"anthropic", "anthropic", "claude-sonnet-4-5", "https://api.anthropic.com/v1/chat/completions"},
	{"gemini", "gemini", "gemini-3-pro-preview", "https://generativelanguage.googleapis.com/v1beta/openai/chat/completions"},
	{"mistral", "mistral", "mistral-large-latest", "https://api.mistral.ai/v1/chat/completions"},
	{"groq", "groq", "openai/gpt-oss-120b", "https://api.groq.com/openai/v1/chat/completions"},
	{"xai", "xai", "grok-4-1-fast", "https://api.x.ai/v1/chat/completions"},
	{"cerebras", "cerebras", "qwen-3", "https://api.cerebras.ai/v1/chat/completions"},
	{"openrouter", "openrouter", "z-ai/glm-5", "https://openrouter.ai/api/v1/chat/completions"},
	{"openrouter-gemini", "openrouter", "google/gemini-3-pro-preview", "https://openrouter.ai/api/v1/chat/completions"},
	{"openrouter-mistral", "openrouter", "mistralai/devstral-2512", "https://openrouter.ai/api/v1/chat/completions"},
	{"ollama", "ollama", "qwen3", "http://127.0.0.1:11434/v1/chat/completions"},
	{"lmstudio", "openai", "qwen2.5-7b-instruct", "http://127.0.0.1:1234/v1/chat/completions"},
	{"bedrock", "openai", "bedrock/us.anthropic.claude-sonnet-4-5", "http://litellm:4000/v1/chat/completions"},
	{"gemma", "openai", "gemma-2-9b-it", "http://127.0.0.1:8080/v1/chat/completions"},
	{"llamacpp", "openai", "m", "http://127.0.0.1:8080/v1/chat/completions"},
	{"vllm-mistral", "openai", "mistralai/Ministral-3-8B", "http://127.0.0.1:8000/v1/chat/completions"},
	{"vllm-kimi", "openai", "moonshotai/Kimi-K2-Thinking", "http://127.0.0.1:8000/v1/chat/completions"},
	{"vllm-deepseek", "openai", "deepseek-ai/DeepSeek-V4-Flash", "http://127.0.0.1:8000/v1/chat/completions"},
	{"unknown", "openai", "m", "http://127.0.0.1:2000/v1/chat/completions"},
	// The same rules hold for an address that was set under another name.
	{"openai", "deepseek", "gpt-4.1-mini", "https://api.openai.com/v1/chat/completions"},
}

func (g target) asked() dialect.Asked {
	u, _ := url.Parse(g.url)
	return dialect.Asked{Provider: g.provider, Model: g.model, Rules: dialect.Of(g.provider, g.model, u)}
}

func (g target) name() string { return g.provider + "/" + g.model }

// refused is what the strict provider says to a request; empty where it takes it.
func (g target) refused(t *testing.T, q loop.Question, a dialect.Asked) string {
	t.Helper()
	body := dialect.Request(q, a, dialect.Options{MaxTokens: 100, Temperature: 0.5})
	if !json.Valid(body) {
		t.Fatalf("not valid JSON: %s", body)
	}
	refusal, bad := modeltest.Refuse(g.strict, body)
	if !bad {
		return ""
	}
	return refusal.Body
}

var someTools = []loop.Spec{{Name: "get_current_time", Description: "the time"}, {Name: "write", Parameters: json.RawMessage(`{"type": "object", "properties": {}}`)}}

func user(text string) loop.Message { return loop.Message{Role: chat.RoleUser, Text: text} }

func said(model, text string) loop.Message {
	return loop.Message{Role: chat.RoleAssistant, Text: text, Model: model}
}

// thinking is an answer with all that its provider adds, marked as its own.
func thinking(model, text string, calls ...loop.Call) loop.Message {
	provider, _, _ := strings.Cut(model, "/")
	mark := modeltest.Thought(provider)
	n := map[string]any{"message": map[string]any{"reasoning_details": []any{map[string]any{"type": "reasoning.encrypted", "data": mark}}}}
	var all []any
	for i := range calls {
		extra := map[string]any{}
		if i == 0 {
			extra["extra_content"] = map[string]any{"google": map[string]any{"thought_signature": mark}}
		}
		all = append(all, extra)
	}
	n["calls"] = all
	b, _ := json.Marshal(n)
	return loop.Message{Role: chat.RoleAssistant, Text: text, Calls: calls, Model: model, Reasoning: mark, Native: b}
}

func calls(model string, calls ...loop.Call) loop.Message {
	return loop.Message{Role: chat.RoleAssistant, Calls: calls, Model: model}
}

func call(id, name, args string) loop.Call {
	return loop.Call{ID: id, Name: name, Arguments: json.RawMessage(args)}
}

func result(id, name, text string) loop.Message {
	return loop.Message{Role: loop.RoleTool, CallID: id, Name: name, Text: text}
}

// odd are the conversations that a journal may hold and that somebody refuses. me
// is the one who is asked; other is another one who answered before.
func odd(me string) map[string]loop.Question {
	const other, clock = "other/x", "get_current_time"
	long := strings.Repeat("i", 83)
	all := map[string][]loop.Message{
		"one message":                      {user("hi")},
		"a failed run, then a message":     {user("hi"), user("are you there?")},
		"three failed runs":                {user("1"), user("2"), user("3")},
		"an empty answer":                  {user("hi"), said(me, ""), user("again")},
		"an answer of blanks":              {user("hi"), said(me, "\n\n"), user("again")},
		"an answer that cannot be seen":    {user("hi"), said(me, "\u200b\u00a0\ufeff"), user("again")},
		"a message of blanks":              {user("hi"), said(me, "yes"), user(" \n"), said(me, "?"), user("again")},
		"a message of blanks at the end":   {user("hi"), said(me, "yes"), user("\t")},
		"nothing but blanks":               {user(" ")},
		"no message":                       {},
		"a cancelled half answer":          {user("a story"), said(me, "Once upon"), user("go on")},
		"half an answer, then the rest":    {user("a story"), said(me, "Once upon"), said(me, " a time"), user("go on")},
		"half an answer, then a call":      {user("?"), said(me, "Let me see"), calls(me, call("a", clock, "{}")), result("a", clock, "noon"), said(me, "noon"), user("thanks")},
		"cancelled before the answer":      {user("?"), calls(me, call("a", clock, "{}")), result("a", clock, "skipped: cancelled"), user("go on")},
		"cancelled in each of two runs":    {user("?"), calls(me, call("a", clock, "{}")), result("a", clock, "x"), user("?"), calls(me, call("b", clock, "{}")), result("b", clock, "x"), user("go on")},
		"a cut that begins with an answer": {said(me, "tail"), user("hi")},
		"a cut that begins with a call":    {calls(me, call("a", clock, "{}")), result("a", clock, "noon"), said(me, "noon"), user("hi")},
		"a cut that begins with a result":  {result("a", clock, "noon"), said(me, "noon"), user("hi")},
		"the assistant speaks last":        {user("hi"), said(me, "yes")},
		"a call without a result":          {user("?"), calls(me, call("a", clock, "{}")), user("?")},
		"one of two calls without one":     {user("?"), calls(me, call("a", clock, "{}"), call("b", clock, "{}")), result("b", clock, "noon"), said(me, "x"), user("?")},
		"a result of no call":              {user("?"), result("x", clock, "noon"), said(me, "x"), user("?")},
		"two results of one call":          {user("?"), calls(me, call("a", clock, "{}")), result("a", clock, "1"), result("a", clock, "2"), said(me, "x"), user("?")},
		"results in another order":         {user("?"), calls(me, call("a", clock, "{}"), call("b", "write", "{}")), result("b", "write", "2"), result("a", clock, "1")},
		"an empty result":                  {user("?"), calls(me, call("a", clock, "{}")), result("a", clock, "")},
		"an own id":                        {user("?"), calls(me, call("abcDEF123", clock, "{}")), result("abcDEF123", clock, "noon")},
		"ids made here":                    {user("?"), calls(me, call("call_1", clock, "{}"), call("X", clock, "{}")), result("call_1", clock, "1"), result("X", clock, "2"), calls(me, call("X_1", clock, "{}")), result("X_1", clock, "3"), calls(me, call("call_3_0", clock, "{}")), result("call_3_0", clock, "4")},
		"the same id in one answer":        {user("?"), calls(me, call("a", clock, "{}"), call("a", clock, "{}")), result("a", clock, "1"), result("a", clock, "2")},
		"the same id in each round":        {user("?"), calls(me, call("a", clock, "{}")), result("a", clock, "1"), calls(me, call("a", clock, "{}")), result("a", clock, "2"), said(me, "x"), user("?"), calls(me, call("a", clock, "{}")), result("a", clock, "3")},
		"no ids":                           {user("?"), calls(me, call("", clock, "{}"), call("", "write", "{}")), result("", clock, "1"), result("", "write", "2"), calls(me, call("", clock, "{}")), result("", clock, "3")},
		"ids of other alphabets":           {user("?"), calls(other, call("functions.get_current_time:0", clock, "{}"), call("呼叫", clock, "{}"), call(long, clock, "{}")), result("functions.get_current_time:0", clock, "1"), result("呼叫", clock, "2"), result(long, clock, "3")},
		"made-up names":                    {user("?"), calls(me, call("a", "functions.get_current_time", "{}"), call("b", "get time", "{}"), call("c", "", "{}"), call("d", "现在几点", "{}"), call("e", "9lives", "{}"), call("f", strings.Repeat("n", 99), "{}")), result("a", "functions.get_current_time", "no such tool"), result("b", "get time", "no"), result("c", "", "no"), result("d", "现在几点", "no"), result("e", "9lives", "no"), result("f", strings.Repeat("n", 99), "no")},
		"arguments that are no object":     {user("?"), calls(me, call("a", clock, `{"x`), call("b", clock, ""), call("c", clock, "[1]"), call("d", clock, "null"), call("e", clock, `"{}"`)), result("a", clock, "1"), result("b", clock, "2"), result("c", clock, "3"), result("d", clock, "4"), result("e", clock, "5")},
		"blanks beside a call":             {user("?"), {Role: chat.RoleAssistant, Text: "\n\n", Calls: []loop.Call{call("a", clock, "{}")}, Model: me}, result("a", clock, "noon")},
		"text beside a call":               {user("?"), {Role: chat.RoleAssistant, Text: "I look.", Calls: []loop.Call{call("a", clock, "{}")}, Model: me}, result("a", clock, "noon")},
		"an answer without reasoning":      {user("?"), said(me, "yes"), user("?"), calls(me, call("a", clock, "{}")), result("a", clock, "noon")},
		"own thoughts":                     {user("?"), thinking(me, "", call("abcDEF123", clock, "{}"), call("abcDEF124", clock, "{}")), result("abcDEF123", clock, "noon"), result("abcDEF124", clock, "noon"), thinking(me, "It is noon."), user("thanks")},
		"another provider's thoughts":      {user("?"), thinking("deepseek-old/x", "", call("call_00_abc", clock, "{}")), result("call_00_abc", clock, "noon"), thinking("gemini-old/x", "It is noon."), user("thanks")},
		"thoughts of nobody known":         {user("?"), {Role: chat.RoleAssistant, Text: "yes", Reasoning: modeltest.Thought("somebody")}, user("thanks")},
		"a history without models":         {user("a"), said("", "b"), user("c"), said("", "d"), user("e")},
		"an unreadable native part":        {user("?"), {Role: chat.RoleAssistant, Text: "yes", Model: me, Native: json.RawMessage(`{"message":[1`)}, user("?")},
		"a native part with our fields":    {user("?"), {Role: chat.RoleAssistant, Text: "yes", Model: me, Native: json.RawMessage(`{"message":{"role":"system","content":null,"tool_calls":[]},"calls":[{"id":""}]}`)}, user("?")},
		"context before the words":         {{Role: chat.RoleUser, Text: "hi", Context: "[context] a day"}, said(me, "yes"), {Role: chat.RoleUser, Context: "[context] only"}},
	}
	out := map[string]loop.Question{}
	for name, messages := range all {
		out[name] = loop.Question{System: "persona", Tools: someTools, Messages: messages}
	}
	rounds := []loop.Message{user("loop")}
	for i := range 23 {
		id := "c" + string(rune('a'+i))
		rounds = append(rounds, calls(me, call(id, clock, `{"timezone":"UTC"}`)), result(id, clock, "noon"))
	}
	last := append(rounds[:len(rounds):len(rounds)], loop.Message{Role: chat.RoleUser, Context: "no more calls"})
	out["the 24th round"] = loop.Question{System: "persona", Tools: someTools, Messages: last, NoCalls: true}
	out["the 24th round, without a word"] = loop.Question{System: "persona", Tools: someTools, Messages: rounds, NoCalls: true}
	out["no calls at the first round"] = loop.Question{System: "persona", Tools: someTools, Messages: rounds[:1], NoCalls: true}
	out["calls, and tools no more"] = loop.Question{System: "persona", Messages: rounds}
	out["the 24th round, no tool declared"] = loop.Question{System: "persona", Messages: last, NoCalls: true}
	out["no tools, no calls"] = loop.Question{System: "persona", Messages: rounds[:1]}
	out["no tools, and none may be called"] = loop.Question{Messages: rounds[:1], NoCalls: true}
	out["a system text of blanks"] = loop.Question{System: " \n", Messages: rounds[:1], Tools: someTools}
	return out
}

func TestEveryProviderTakesEveryOddConversation(t *testing.T) {
	played := map[string]bool{}
	for _, g := range targets {
		played[g.strict] = true
		for name, q := range odd(g.name()) {
			if s := g.refused(t, q, g.asked()); s != "" {
				t.Errorf("%s (%s), %s: %s\n%s", g.strict, g.name(), name, s, dialect.Messages(q, g.asked()))
			}
		}
	}
	for _, name := range modeltest.Strict() {
		if !played[name] {
			t.Errorf("nobody asks the strict provider %s", name)
		}
	}
}
