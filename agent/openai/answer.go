package openai

import (
	"encoding/json"
	"time"

	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// Model is the one model that clients see: the agent.
const Model = "loongclaw"

// Done ends a stream.
const Done = "[DONE]"

// Usage is a count of tokens in OpenAI's words.
type Usage struct {
	PromptTokens     int `json:"prompt_tokens"`
	CompletionTokens int `json:"completion_tokens"`
	TotalTokens      int `json:"total_tokens"`
}

func usageOf(u *chat.Usage) *Usage {
	if u == nil {
		return nil
	}
	return &Usage{u.PromptTokens, u.CompletionTokens, u.TotalTokens}
}

// Answer names an answer that is being given.
type Answer struct {
	ID      string
	Model   string
	Created time.Time
}

type completion struct {
	ID      string   `json:"id"`
	Object  string   `json:"object"`
	Created int64    `json:"created"`
	Model   string   `json:"model"`
	Choices []choice `json:"choices"`
	Usage   *Usage   `json:"usage,omitempty"`
}

type choice struct {
	Index        int      `json:"index"`
	Message      *message `json:"message,omitempty"`
	Delta        *message `json:"delta,omitempty"`
	FinishReason *string  `json:"finish_reason"`
}

type message struct {
	Role    string  `json:"role,omitempty"`
	Content *string `json:"content,omitempty"`
}

var stop = "stop"

func (a Answer) object(kind string, usage *chat.Usage, choices ...choice) json.RawMessage {
	if choices == nil {
		choices = []choice{}
	}
	b, err := json.Marshal(completion{a.ID, kind, a.Created.Unix(), a.Model, choices, usageOf(usage)})
	if err != nil {
		panic(err) // strings and numbers only
	}
	return b
}

// Whole is the answer in one piece.
func (a Answer) Whole(text string, usage *chat.Usage) json.RawMessage {
	return a.object("chat.completion", usage, choice{Message: &message{chat.RoleAssistant, &text}, FinishReason: &stop})
}

const chunk = "chat.completion.chunk"

// First opens a stream: whose turn it is.
func (a Answer) First() json.RawMessage {
	empty := ""
	return a.object(chunk, nil, choice{Delta: &message{chat.RoleAssistant, &empty}})
}

// Piece is what comes next.
func (a Answer) Piece(text string) json.RawMessage {
	return a.object(chunk, nil, choice{Delta: &message{Content: &text}})
}

// Last says that nothing more comes.
func (a Answer) Last() json.RawMessage {
	return a.object(chunk, nil, choice{Delta: &message{}, FinishReason: &stop})
}

// Count is the chunk with the usage, for those who asked for it.
func (a Answer) Count(usage *chat.Usage) json.RawMessage {
	if usage == nil {
		usage = &chat.Usage{}
	}
	return a.object(chunk, usage)
}

// Failure is how a stream tells an error that came after its head.
func Failure(f *fault.Error) json.RawMessage {
	type inner struct {
		Message   string `json:"message"`
		Type      string `json:"type"`
		Code      string `json:"code"`
		Hint      string `json:"hint,omitempty"`
		RequestID string `json:"requestId,omitempty"`
	}
	b, err := json.Marshal(map[string]inner{"error": {f.Message, "server_error", string(f.Code), f.Hint, f.RequestID}})
	if err != nil {
		panic(err) // strings only
	}
	return b
}

// Models is the list of models.
func Models(since time.Time) any {
	return map[string]any{"object": "list", "data": []map[string]any{{"id": Model, "object": "model", "created": since.Unix(), "owned_by": "loongclaw"}}}
}
