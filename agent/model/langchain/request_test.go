package langchain

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/model/modeltest"
	"github.com/loongclaw/loongclaw/agent/model/wire"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

// TestRequestFields: each provider's own form of the same request.
func TestRequestFields(t *testing.T) {
	usage := map[string]any{"include_usage": true}
	for name, c := range map[string]struct {
		config Config
		want   map[string]any
	}{
		"glm":              {Config{Provider: GLM}, map[string]any{"model": "glm-4-flash", "stream": true, "max_tokens": 2000.0, "temperature": 0.7}},
		"deepseek":         {Config{Provider: DeepSeek}, map[string]any{"model": "deepseek-v4-flash", "stream": true, "max_tokens": 2000.0, "temperature": 0.7, "stream_options": usage}},
		"kimi, fixed":      {Config{Provider: Kimi}, map[string]any{"model": "kimi-k2.6", "stream": true, "max_tokens": 2000.0, "stream_options": usage}},
		"kimi, free":       {Config{Provider: Kimi, Model: "moonshot-v1-8k"}, map[string]any{"model": "moonshot-v1-8k", "stream": true, "max_tokens": 2000.0, "temperature": 0.7, "stream_options": usage}},
		"openai itself":    {Config{Provider: OpenAI}, map[string]any{"model": "gpt-4.1-mini", "stream": true, "max_completion_tokens": 2000.0, "temperature": 0.7, "stream_options": usage}},
		"openai, thinking": {Config{Provider: OpenAI, Model: "o3"}, map[string]any{"model": "o3", "stream": true, "max_completion_tokens": 2000.0, "stream_options": usage}},
		"openai elsewhere": {Config{Provider: OpenAI, URL: "http://else/v1", Model: "m", MaxTokens: 9}, map[string]any{"model": "m", "stream": true, "max_tokens": 9.0, "temperature": 0.7, "stream_options": usage}},
		"anthropic":        {Config{Provider: Anthropic}, map[string]any{"model": "claude-sonnet-4-5", "stream": true, "max_tokens": 2000.0, "stream_options": usage}},
		"ollama":           {Config{Provider: Ollama}, map[string]any{"model": "qwen3", "stream": true, "max_tokens": 2000.0, "temperature": 0.7, "stream_options": usage}},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, c.config, func(t *testing.T, s *modeltest.Server, m *Model) {
				if got := ask(t, t.Context(), m, hello()); got.err != nil {
					t.Fatal(got.err)
				}
				r := s.Last()
				if h := r.Header.Get("X-Request-Id"); h != "req-1" {
					t.Errorf("X-Request-Id %q, want req-1", h)
				}
				got := r.Body
				wantTools := []any{map[string]any{"type": "function", "function": map[string]any{"name": "add", "description": "adds", "parameters": map[string]any{"type": "object"}}}}
				if d := cmp.Diff(wantTools, got["tools"]); d != "" {
					t.Errorf("tools (-want +got):\n%s", d)
				}
				delete(got, "messages")
				delete(got, "tools")
				if d := cmp.Diff(c.want, got); d != "" {
					t.Errorf("request (-want +got):\n%s", d)
				}
			})
		})
	}
}

func TestBaseURLs(t *testing.T) {
	for _, c := range []struct{ provider, in, want string }{
		{GLM, "https://open.bigmodel.cn/api/paas/v4", "https://open.bigmodel.cn/api/paas/v4/chat/completions"},
		{GLM, "https://open.bigmodel.cn/api/paas/v4/", "https://open.bigmodel.cn/api/paas/v4/chat/completions"},
		{GLM, "https://open.bigmodel.cn/api/paas/v4/chat/completions", "https://open.bigmodel.cn/api/paas/v4/chat/completions"},
		{GLM, " https://open.bigmodel.cn/api/paas/v4/chat/completions/ ", "https://open.bigmodel.cn/api/paas/v4/chat/completions"},
		{OpenAI, "http://127.0.0.1:1234/v1?k=v", "http://127.0.0.1:1234/v1/chat/completions?k=v"},
		{OpenAI, "http://llm.internal/openai", "http://llm.internal/openai/chat/completions"},
		{OpenAI, "http://bare", "http://bare/chat/completions"},
		{Ollama, "http://127.0.0.1:11434", "http://127.0.0.1:11434/v1/chat/completions"},
		{Ollama, "http://127.0.0.1:11434/v1", "http://127.0.0.1:11434/v1/chat/completions"},
		{Anthropic, "https://api.anthropic.com", "https://api.anthropic.com/v1/chat/completions"},
		{Anthropic, "https://api.anthropic.com/v1/messages", "https://api.anthropic.com/v1/chat/completions"},
	} {
		u, err := endpoint(c.provider, c.in)
		if err != nil || u.String() != c.want {
			t.Errorf("endpoint(%s, %q) = %v, %v; want %s", c.provider, c.in, u, err, c.want)
		}
	}
	for _, bad := range []string{"", "host/v1", "ftp://host", "http://", "http://user:canary@ho st/", ":"} {
		_, err := endpoint(OpenAI, bad)
		if err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("endpoint(%q): error %v, want one without the address", bad, err)
		}
	}
}

// TestHistory: whatever conversation comes in, what goes out is one that
// providers take: each call with its result, each result after its call.
func TestHistory(t *testing.T) {
	call := func(id, args string) loop.Call { return loop.Call{ID: id, Name: "f", Arguments: json.RawMessage(args)} }
	user := loop.Message{Role: chat.RoleUser, Text: "u"}
	for name, c := range map[string]struct {
		in   []loop.Message
		want []string
	}{
		"a round of two": {
			[]loop.Message{user, {Role: chat.RoleAssistant, Text: "t", Calls: []loop.Call{call("a", "{}"), call("b", "{}")}}, {Role: loop.RoleTool, CallID: "b", Text: "2"}, {Role: loop.RoleTool, CallID: "a", Text: "1"}},
			[]string{"user u", "assistant t [a f {}] [b f {}]", "tool b 2", "tool a 1"},
		},
		"empty ids": {
			[]loop.Message{user, {Role: chat.RoleAssistant, Calls: []loop.Call{call("", "{}"), call("", "{}")}}, {Role: loop.RoleTool, Name: "f", Text: "1"}, {Role: loop.RoleTool, Name: "f", Text: "2"}},
			[]string{"user u", "assistant  [call_2_0 f {}] [call_2_1 f {}]", "tool call_2_0 1", "tool call_2_1 2"},
		},
		"ids that repeat between rounds": {
			[]loop.Message{user, {Role: chat.RoleAssistant, Calls: []loop.Call{call("a", "{}")}}, {Role: loop.RoleTool, CallID: "a", Text: "1"}, {Role: chat.RoleAssistant, Calls: []loop.Call{call("a", "{}")}}, {Role: loop.RoleTool, CallID: "a", Text: "2"}},
			[]string{"user u", "assistant  [a f {}]", "tool a 1", "assistant  [call_4_0 f {}]", "tool call_4_0 2"},
		},
		"a call without a result": {
			[]loop.Message{{Role: chat.RoleAssistant, Calls: []loop.Call{call("a", "{}")}}, user},
			[]string{"assistant  [a f {}]", "tool a error: this call has no result", "user u"},
		},
		"a result without a call": {[]loop.Message{{Role: loop.RoleTool, CallID: "x", Text: "?"}, user}, []string{"user u"}},
		"empty messages":          {[]loop.Message{{Role: chat.RoleAssistant}, {Role: chat.RoleUser}, user}, []string{"user u"}},
		"arguments that are no object": {
			[]loop.Message{{Role: chat.RoleAssistant, Calls: []loop.Call{call("a", `{"x`), call("b", ""), call("c", "[1]")}}, {Role: loop.RoleTool, CallID: "a"}, {Role: loop.RoleTool, CallID: "b"}, {Role: loop.RoleTool, CallID: "c", Text: "1"}},
			[]string{`assistant  [a f {"invalid_arguments":"{\"x"}] [b f {}] [c f {"invalid_arguments":"[1]"}]`, "tool a (no output)", "tool b (no output)", "tool c 1"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, Config{}, func(t *testing.T, s *modeltest.Server, m *Model) {
				if got := ask(t, t.Context(), m, loop.Question{System: "s", Messages: c.in}); got.err != nil {
					t.Fatal(got.err)
				}
				got := lines(s.Last())
				if d := cmp.Diff(append([]string{"system s"}, c.want...), got); d != "" {
					t.Errorf("messages (-want +got):\n%s", d)
				}
			})
		})
	}
}

func lines(r *modeltest.Request) []string {
	var out []string
	for _, m := range r.Messages {
		s := m.Role + " " + m.Content
		if m.ToolCallID != "" {
			s = m.Role + " " + m.ToolCallID + " " + m.Content
		}
		for _, c := range m.Calls {
			s += " [" + c.ID + " " + c.Function.Name + " " + c.Function.Arguments + "]"
		}
		out = append(out, s)
	}
	return out
}

func TestIDsThatAnthropicTakes(t *testing.T) {
	m, err := New(Config{Provider: Anthropic, Key: "k"})
	if err != nil {
		t.Fatal(err)
	}
	tr := &transcript{m: m, used: map[string]bool{}}
	if got := tr.wireID("functions.add:0", 0); !plainID.MatchString(got) {
		t.Errorf("id %q, want letters, digits, _ and -", got)
	}
}

func TestHintsNameRealVariables(t *testing.T) {
	u := &url.URL{Scheme: "http", Host: "h"}
	for provider, want := range map[string]string{GLM: "GLM_API_URL", OpenAI: "OPENAI_BASE_URL", Kimi: "KIMI_API_URL", Anthropic: "ANTHROPIC_BASE_URL", Ollama: "OLLAMA_URL"} {
		m := &Model{provider: provider, url: u, secrets: wire.SecretsOf("", &url.URL{})}
		if got := m.webPage().Hint; !strings.Contains(got, want) {
			t.Errorf("hint %q, want %s in it", got, want)
		}
	}
}
