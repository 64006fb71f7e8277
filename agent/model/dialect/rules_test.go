package dialect_test

import (
	"net/url"
	"regexp"
	"testing"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/model/dialect"
	"github.com/loongclaw/loongclaw/agent/model/modeltest"
)

// TestEachRuleIsNeeded switches off what one row says and expects a refusal: a
// rule that nobody would miss is not tested, or not needed.
func TestEachRuleIsNeeded(t *testing.T) {
	without := func(rule dialect.Rule) func(*dialect.Rules) { return func(r *dialect.Rules) { r.On &^= rule } }
	for name, c := range map[string]struct {
		off func(*dialect.Rules)
		by  []string // strict providers who refuse then
	}{
		"Alternate":    {without(dialect.Alternate), []string{"deepseek", "mistral", "gemini", "minimax", "siliconflow", "ollama", "lmstudio", "openrouter", "bedrock", "gemma", "llamacpp", "vllm-mistral", "unknown"}},
		"UserFirst":    {without(dialect.UserFirst), modeltest.Strict()},
		"UserLast":     {without(dialect.UserLast), modeltest.Strict()},
		"Bridge":       {without(dialect.Bridge), []string{"mistral", "openrouter", "openrouter-mistral", "gemma", "llamacpp", "ollama", "lmstudio", "vllm-mistral", "unknown"}},
		"NoBlanks":     {without(dialect.NoBlanks), modeltest.Strict()},
		"Results":      {without(dialect.Results), modeltest.Strict()},
		"LegalIDs":     {without(dialect.LegalIDs), modeltest.Strict()},
		"LegalNames":   {without(dialect.LegalNames), modeltest.Strict()},
		"LegalArgs":    {without(dialect.LegalArgs), modeltest.Strict()},
		"Declared":     {without(dialect.Declared), modeltest.Strict()},
		"NamedResults": {without(dialect.NamedResults), []string{"gemini", "llamacpp", "unknown"}},
		"SystemInUser": {without(dialect.SystemInUser), []string{"gemma"}},
		"OwnThoughts":  {without(dialect.OwnThoughts), []string{"deepseek", "kimi", "glm", "qwen", "doubao", "minimax", "siliconflow", "gemini", "openrouter", "openrouter-gemini", "ollama", "lmstudio", "bedrock", "llamacpp", "vllm-deepseek", "unknown"}},

		"no tool_choice":    {func(r *dialect.Rules) { r.On |= dialect.ChoiceNone }, []string{"glm", "bedrock"}},
		"the form of ids":   {func(r *dialect.Rules) { r.ID = regexp.MustCompile(`.`); r.OwnIDs = false }, []string{"openai", "deepseek", "kimi", "mistral", "gemini", "vllm-mistral", "openrouter-mistral", "unknown"}},
		"content beside":    {func(r *dialect.Rules) { r.Content = dialect.ContentEmpty }, []string{"anthropic", "doubao", "xai", "bedrock"}},
		"no null beside":    {func(r *dialect.Rules) { r.Content = dialect.ContentNull }, []string{"deepseek", "qwen", "doubao", "ollama", "lmstudio", "llamacpp", "unknown"}},
		"reasoning":         {func(r *dialect.Rules) { r.Need = dialect.NeedNothing }, []string{"deepseek", "kimi", "vllm-kimi", "vllm-deepseek"}},
		"reasoning in each": {func(r *dialect.Rules) { r.Need = dialect.NeedCalls }, []string{"deepseek", "vllm-deepseek"}},
		"no reasoning":      {func(r *dialect.Rules) { r.Reasoning = "reasoning_content" }, []string{"openai", "groq", "mistral", "anthropic", "cerebras", "xai"}},
		"no native fields":  {func(r *dialect.Rules) { r.Native = true }, []string{"openai", "groq", "mistral", "anthropic", "cerebras", "xai"}},
		"signatures":        {func(r *dialect.Rules) { r.Signature = dialect.SignatureNone }, []string{"gemini", "openrouter-gemini"}},
		"the limit's field": {func(r *dialect.Rules) { r.MaxTokens = "max_tokens" }, []string{"openai"}},
		"the other field":   {func(r *dialect.Rules) { r.MaxTokens = "max_completion_tokens" }, []string{"glm", "mistral"}},
		"stream_options":    {func(r *dialect.Rules) { r.StreamUsage = true }, []string{"glm", "mistral"}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, strict := range c.by {
				refused := false
				for _, g := range targets {
					if g.strict != strict {
						continue
					}
					a := g.asked()
					c.off(&a.Rules)
					for _, q := range odd(g.name()) {
						refused = refused || g.refused(t, q, a) != ""
					}
				}
				if !refused {
					t.Errorf("%s takes every odd conversation without this rule", strict)
				}
			}
		})
	}
}

func TestRowsAreFoundByAddressFirst(t *testing.T) {
	for _, c := range []struct{ provider, model, url, want string }{
		{"openai", "gpt-5", "https://api.openai.com/v1", "openai"},
		{"openai", "gpt-5", "https://mine.openai.azure.com/openai", "openai"},
		{"openai", "m", "https://api.deepseek.com/v1", "deepseek"},
		{"openai", "m", "https://API.DeepSeek.com.", "deepseek"},
		{"openai", "m", "https://openrouter.ai/api/v1", "openrouter"},
		{"openai", "m", "https://generativelanguage.googleapis.com/v1beta/openai", "gemini"},
		{"openai", "m", "https://dashscope-intl.aliyuncs.com/compatible-mode/v1", "qwen"},
		{"openai", "m", "https://api.z.ai/api/paas/v4", "glm"},
		{"openai", "m", "http://127.0.0.1:11434/v1", "ollama"},
		{"openai", "m", "http://127.0.0.1:1234/v1", "lmstudio"},
		{"openai", "m", "http://127.0.0.1:8080/v1", "unknown"},
		{"openai", "m", "https://api.openai.com.evil.example/v1", "unknown"},
		{"openai", "m", "https://notdeepseek.com/v1", "unknown"},
		{"deepseek", "m", "http://127.0.0.1:8080/v1", "deepseek"},
		{"deepseek", "m", "https://api.openai.com/v1", "openai"},
		{"ollama", "m", "http://box:8000/v1", "ollama"},
		{"somebody", "m", "http://box:8000/v1", "unknown"},
	} {
		u, err := url.Parse(c.url)
		if err != nil {
			t.Fatal(err)
		}
		if r := dialect.Of(c.provider, c.model, u); r.Name != c.want {
			t.Errorf("%s at %s: row %s, want %s", c.provider, c.url, r.Name, c.want)
		}
	}
	if r := dialect.Of("mistral", "m", nil); r.Name != "mistral" {
		t.Errorf("without an address: row %s", r.Name)
	}
	for model, want := range map[string]bool{"gemma-2-9b-it": true, "gemma2:9b": true, "google/gemma-7b-it": true, "gemma3:4b": false, "google/gemma-3-12b-it": false, "gemma-4-31b-it": false, "m": false} {
		r := dialect.Of("openai", model, nil)
		if got := r.Has(dialect.SystemInUser); got != want {
			t.Errorf("%s: system in the user's message %t, want %t", model, got, want)
		}
	}
}

// Behind an address of which nothing is known may be a model of Mistral, which
// gave each id that it takes back: what is made here must be of its form.
func TestMadeIDsAreTakenByAll(t *testing.T) {
	g := target{"vllm-mistral", "openai", "m", "http://127.0.0.1:2000/v1"}
	me := g.name()
	for name, messages := range map[string][]loop.Message{
		"the same id twice": {user("?"), calls(me, call("abcDEF123", "write", "{}"), call("abcDEF123_1", "write", "{}")), result("abcDEF123", "write", "1"), result("abcDEF123_1", "write", "2")},
		"no id":             {user("?"), calls(me, call("call_1", "write", "{}"), call("call_2", "write", "{}")), result("call_1", "write", "1"), result("call_2", "write", "2")},
		"made of a made one": {
			user("?"), calls(me, call("call_1", "write", "{}")), result("call_1", "write", "1"), said(me, "x"),
			user("?"), calls(me, call("call_1", "write", "{}"), call("call_1_1", "write", "{}")), result("call_1", "write", "1"), result("call_1_1", "write", "2"),
		},
		"another provider's": {user("?"), calls("deepseek/m", call("call_00_Xyz", "write", "{}")), result("call_00_Xyz", "write", "1")},
	} {
		if s := g.refused(t, loop.Question{Messages: messages, Tools: someTools}, g.asked()); s != "" {
			t.Errorf("%s: %s", name, s)
		}
	}
}
