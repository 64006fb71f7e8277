package loop

import (
	"context"
	"encoding/json"

	"github.com/loongclaw/loongclaw/pkg/chat"
)

// Model answers a conversation. Implementations are in agent/model.
type Model interface {
	// Answer streams an answer: onText gets its text piece by piece, whole
	// UTF-8 characters only, never reasoning and never tool-call JSON, and the
	// pieces join to exactly Answer.Text. It returns when the answer is
	// complete. A broken-off answer is an error (a *fault.Error with a
	// provider_… code), never a short answer; what had been streamed is then
	// Answer.Text. When ctx ends, the provider's request is ended too and
	// ctx.Err() is in the error's chain.
	Answer(ctx context.Context, q Question, onText func(string)) (Answer, error)
}

// Question is what a model is asked.
type Question struct {
	System    string    // persona, recalled memories, rules
	Messages  []Message // oldest first; the last one is the user's or a tool's
	Tools     []Spec    // what the model may call
	RequestID string    // for the provider's log and ours
}

// Message is one message of the conversation as a model sees it.
type Message struct {
	Role      string // chat.RoleUser, chat.RoleAssistant or RoleTool
	Text      string
	Calls     []Call // of an assistant's message
	Reasoning string // what a reasoning provider wants back with the calls
	CallID    string // of a tool's message: the call that it answers
	Name      string // of a tool's message: the tool
}

// RoleTool is who says a tool's result.
const RoleTool = "tool"

// Call is a tool call that a model asked for.
type Call struct {
	ID        string          `json:"id"` // the provider's; may be empty or repeated
	Name      string          `json:"name"`
	Arguments json.RawMessage `json:"arguments"` // as sent: a model may send what is no JSON object
}

// Answer is what a model said.
type Answer struct {
	Text      string
	Calls     []Call
	Reasoning string
	Usage     *chat.Usage // nil where the provider did not say
	Model     string      // which model answered, as PROVIDER/NAME
}

// Spec describes a tool to a model.
type Spec struct {
	Name        string          `json:"name"`
	Description string          `json:"description"`
	Parameters  json.RawMessage `json:"parameters"` // a JSON schema of type object
}
