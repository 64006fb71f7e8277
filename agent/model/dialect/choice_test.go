package dialect_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/model/dialect"
)

// Who can be held to a call is, and all others are told of it in words, at the end.
func TestTheChoiceOfTools(t *testing.T) {
	named := loop.Choice{Kind: loop.ChooseOne, Name: "weather"}
	const asOne, asAny = `{"type":"function","function":{"name":"weather"}}`, `"required"`
	for _, tt := range []struct {
		provider, at string
		choice       loop.Choice
		want         string // of tool_choice; empty: it is told in words
		single       bool   // parallel_tool_calls is sent
	}{
		{"openai", "https://api.openai.com/v1", named, asOne, true},
		{"openai", "https://api.openai.com/v1", loop.Choice{Kind: loop.ChooseAny}, asAny, true},
		{"openai", "http://localhost:8000/v1", named, asOne, true},
		{"openai", "http://localhost:8000/v1", loop.Choice{Kind: loop.ChooseAny}, asAny, true},
		{"gemini", "https://generativelanguage.googleapis.com/v1beta/openai", named, asOne, false},
		{"mistral", "https://api.mistral.ai/v1", loop.Choice{Kind: loop.ChooseAny}, asAny, true},
		{"groq", "https://api.groq.com/openai/v1", named, asOne, true},
		{"xai", "https://api.x.ai/v1", named, asOne, true},
		{"openrouter", "https://openrouter.ai/api/v1", named, asOne, true},
		{"deepseek", "https://api.deepseek.com", named, "", false},
		{"kimi", "https://api.moonshot.cn/v1", loop.Choice{Kind: loop.ChooseAny}, "", false},
		{"glm", "https://open.bigmodel.cn/api/paas/v4", named, "", false},
		{"qwen", "https://dashscope.aliyuncs.com/compatible-mode/v1", named, "", false},
		{"ollama", "http://127.0.0.1:11434/v1", named, "", false},
	} {
		at, err := url.Parse(tt.at)
		if err != nil {
			t.Fatal(err)
		}
		who := dialect.Asked{Provider: tt.provider, Model: "m", Rules: dialect.Of(tt.provider, "m", at)}
		ask := func(q loop.Question) (choice, parallel, last string) {
			q.Messages = []loop.Message{user("the weather?")}
			q.Tools = []loop.Spec{{Name: "weather"}, {Name: "clock"}}
			var body struct {
				Choice   json.RawMessage            `json:"tool_choice"`
				Parallel json.RawMessage            `json:"parallel_tool_calls"`
				Messages []struct{ Content string } `json:"messages"`
			}
			if err := json.Unmarshal(dialect.Request(q, who, dialect.Options{}), &body); err != nil {
				t.Fatal(err)
			}
			return string(body.Choice), string(body.Parallel), body.Messages[len(body.Messages)-1].Content
		}
		choice, parallel, last := ask(loop.Question{Choice: tt.choice, OneCall: true})
		if choice != tt.want || (parallel == "false") != (tt.single && tt.want != "") {
			t.Errorf("%s at %s: got tool_choice %s, parallel_tool_calls %s", tt.provider, tt.at, choice, parallel)
		}
		told := strings.Contains(last, "Added by the agent") && strings.Contains(last, "Answer with a call of ") && (tt.choice != named || strings.Contains(last, "weather,"))
		if told != (tt.want == "") || !strings.HasPrefix(last, "the weather?") && !told {
			t.Errorf("%s at %s: the last message is %q", tt.provider, tt.at, last)
		}
		if choice, parallel, last := ask(loop.Question{}); choice != "" || parallel != "" || last != "the weather?" {
			t.Errorf("%s at %s, freely: got %s, %s, %q", tt.provider, tt.at, choice, parallel, last)
		}
		if choice, _, last := ask(loop.Question{Choice: tt.choice, NoCalls: true}); choice != "" && choice != `"none"` || last != "the weather?" {
			t.Errorf("%s at %s, without calls: got %s, %q", tt.provider, tt.at, choice, last)
		}
	}
}
