package langchain

import (
	"github.com/tmc/langchaingo/llms"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/model/dialect"
)

// history writes the request. What the library is given in its place has nothing
// of the conversation: its request is thrown away, and with it the forms that it
// cannot write.
func (m *Model) history(q loop.Question) (placeholder []llms.MessageContent, body []byte) {
	body = dialect.Request(q, dialect.Asked{Provider: m.provider, Model: m.name, Rules: m.dialect, Sees: m.sees},
		dialect.Options{MaxTokens: m.maxTokens, Temperature: m.temperature})
	return []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, "placeholder")}, body
}
