package langchain

import (
	"encoding/json"
	"fmt"
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
		"glm":              {Config{Provider: GLM}, map[string]any{"model": "glm-4-flash", "stream": true, "temperature": 0.7}},
		"deepseek":         {Config{Provider: DeepSeek}, map[string]any{"model": "deepseek-flash", "stream": true, "temperature": 0.7, "stream_options": usage}},
		"kimi, fixed":      {Config{Provider: Kimi}, map[string]any{"model": "kimi-k2.6", "stream": true, "stream_options": usage}},
		"kimi, free":       {Config{Provider: Kimi, Model: "moonshot-v1-8k"}, map[string]any{"model": "moonshot-v1-8k", "stream": true, "temperature": 0.7, "stream_options": usage}},
		"openai itself":    {Config{Provider: OpenAI}, map[string]any{"model": "gpt-4.1-mini", "stream": true, "temperature": 0.7, "stream_options": usage}},
		"openai, thinking": {Config{Provider: OpenAI, Model: "o3"}, map[string]any{"model": "o3", "stream": true, "stream_options": usage}},
		"openai elsewhere": {Config{Provider: OpenAI, URL: "http://else/v1", Model: "m", MaxTokens: 9}, map[string]any{"model": "m", "stream": true, "max_tokens": 9.0, "temperature": 0.7, "stream_options": usage}},
		"anthropic":        {Config{Provider: Anthropic}, map[string]any{"model": "claude-sonnet-5-5", "stream": true, "stream_options": usage}},
		"ollama":           {Config{Provider: Ollama}, map[string]any{"model": "qwen3", "stream": true, "temperature": 0.7, "stream_options": usage}},
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

// TestWhatIsSentIsTakenByStrictProviders asks through the whole adapter: what a
// journal may hold is answered by a provider that refuses what the real one does.
// That each odd conversation is taken by each provider is shown in model/dialect.
func TestWhatIsSentIsTakenByStrictProviders(t *testing.T) {
	for strict, c := range map[string]Config{
		"openai":   {Provider: OpenAI},
		"deepseek": {Provider: DeepSeek},
		"kimi":     {Provider: Kimi},
		"glm":      {Provider: GLM},
		"ollama":   {Provider: Ollama},
		"mistral":  {Provider: OpenAI, URL: "https://api.mistral.ai/v1", Model: "mistral-large-latest"},
		"gemini":   {Provider: OpenAI, URL: "http://door/openai", Upstream: "https://generativelanguage.googleapis.com/v1beta/openai", Model: "gemini-3-pro-preview"},
		"unknown":  {Provider: OpenAI, URL: "http://llm.internal/v1", Model: "m"},
	} {
		t.Run(strict, func(t *testing.T) {
			bubble(t, c, func(t *testing.T, s *modeltest.Server, m *Model) {
				s.Strict(strict)
				q := hello()
				q.Messages = []loop.Message{
					{Role: chat.RoleAssistant, Text: "cut off"},
					{Role: chat.RoleUser, Text: "a"},
					{Role: chat.RoleUser, Context: "[today]", Text: "b"},
					{Role: chat.RoleAssistant, Model: "other/x", Reasoning: modeltest.Thought("other"), Calls: []loop.Call{{Name: "functions.add", Arguments: json.RawMessage(`{"x`)}, {ID: "call_1", Name: ""}}},
					{Role: loop.RoleTool, CallID: "call_1"},
					{Role: chat.RoleUser, Text: "c"},
					{Role: chat.RoleAssistant, Text: " \n"},
					{Role: chat.RoleUser, Text: "d"},
				}
				for range 3 { // what it answers is then a part of the history
					s.Script(modeltest.Reply{Reasoning: modeltest.Thought(m.provider), Calls: twoCalls})
					got := ask(t, t.Context(), m, q)
					if got.err != nil {
						t.Fatalf("%v; sent %s", got.err, s.Last().Raw)
					}
					q.Messages = append(q.Messages, got.Answer.Message(),
						loop.Message{Role: loop.RoleTool, CallID: "a", Name: "add", Text: "3"},
						loop.Message{Role: loop.RoleTool, CallID: "b", Name: "add"})
				}
				q.NoCalls = true
				q.Messages = append(q.Messages, loop.Message{Role: chat.RoleUser, Context: "no more calls"})
				if got := ask(t, t.Context(), m, q); got.err != nil {
					t.Fatalf("%v; sent %s", got.err, s.Last().Raw)
				}
			})
		})
	}
}

// TestRequestsShareTheirBeginning: request by request the body begins with the
// bytes of the one before, up to the end of its messages.
func TestRequestsShareTheirBeginning(t *testing.T) {
	bubble(t, Config{Provider: DeepSeek}, func(t *testing.T, s *modeltest.Server, m *Model) {
		q := hello()
		before := ""
		for n := range 30 {
			q.Messages = append(q.Messages[:len(q.Messages):len(q.Messages)], loop.Message{Role: chat.RoleUser, Context: fmt.Sprintf("[day %d]", n), Text: "next"})
			for _, reply := range []modeltest.Reply{{Reasoning: "hm", Calls: twoCalls}, {Text: "done", Reasoning: "so"}} {
				s.Script(reply)
				got := ask(t, t.Context(), m, q)
				if got.err != nil {
					t.Fatal(got.err)
				}
				body := string(s.Last().Raw)
				if !strings.HasPrefix(body, before) {
					t.Fatalf("turn %d: the request\n%s\ndoes not begin with\n%s", n, body, before)
				}
				before = strings.TrimSuffix(body, "]}")
				q.Messages = append(q.Messages, got.Answer.Message())
				for _, c := range got.Calls {
					q.Messages = append(q.Messages, loop.Message{Role: loop.RoleTool, CallID: c.ID, Name: c.Name, Text: "3"})
				}
			}
		}
	})
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
