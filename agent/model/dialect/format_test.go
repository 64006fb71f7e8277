package dialect_test

import (
	"encoding/json"
	"net/url"
	"testing"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/model/dialect"
)

// What a provider does not know is not asked of it: it would be refused, or ignored.
func TestTheFormatOfAnAnswer(t *testing.T) {
	const object, schema = `{"type":"json_object"}`, `{"type":"json_schema","json_schema":{"name":"label","strict":true,"schema":{"type":"object"}}}`
	byASchema := &loop.Format{Name: "label", Schema: json.RawMessage(`{"type":"object"}`), Strict: true}
	for _, tt := range []struct {
		provider, at   string
		format         *loop.Format
		want           string
		withoutASchema string
	}{
		{"openai", "https://api.openai.com/v1", byASchema, schema, object},
		{"openai", "http://localhost:8000/v1", byASchema, "", ""},
		{"gemini", "https://generativelanguage.googleapis.com/v1beta/openai", byASchema, schema, object},
		{"deepseek", "https://api.deepseek.com", byASchema, object, object},
		{"kimi", "https://api.moonshot.cn/v1", byASchema, object, object},
		{"glm", "https://open.bigmodel.cn/api/paas/v4", byASchema, object, object},
		{"qwen", "https://dashscope.aliyuncs.com/compatible-mode/v1", byASchema, object, object},
		{"groq", "https://api.groq.com/openai/v1", byASchema, object, object},
		{"ollama", "http://127.0.0.1:11434/v1", byASchema, schema, object},
		{"minimax", "https://api.minimaxi.com/v1", byASchema, "", ""},
		{"openai", "https://api.openai.com/v1", nil, "", ""},
	} {
		at, err := url.Parse(tt.at)
		if err != nil {
			t.Fatal(err)
		}
		who := dialect.Asked{Provider: tt.provider, Model: "m", Rules: dialect.Of(tt.provider, "m", at)}
		ask := func(f *loop.Format) string {
			var body struct {
				Format json.RawMessage `json:"response_format"`
			}
			if err := json.Unmarshal(dialect.Request(loop.Question{Messages: []loop.Message{user("x")}, Format: f}, who, dialect.Options{}), &body); err != nil {
				t.Fatal(err)
			}
			return string(body.Format)
		}
		if got := ask(tt.format); got != tt.want {
			t.Errorf("%s at %s: got %s, want %s", tt.provider, tt.at, got, tt.want)
		}
		if tt.format != nil {
			if got := ask(&loop.Format{}); got != tt.withoutASchema {
				t.Errorf("%s at %s, any JSON: got %s, want %s", tt.provider, tt.at, got, tt.withoutASchema)
			}
		}
	}
}
