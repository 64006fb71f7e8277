package loop

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

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

// ErrTooLong is in the chain of the error of a question that is longer than the
// model's context window. A shorter one may be answered.
var ErrTooLong = errors.New("the conversation is too long for the model")

// Question is what a model is asked. A model sees System, Tools and all but the
// last messages byte for byte as in the question before it, so that a provider
// reads them from its cache; what changes stands in a message's Context.
type Question struct {
	System    string    // persona and rules
	Messages  []Message // oldest first; the last one is the user's or a tool's
	Tools     []Spec    // what the conversation's calls are of, also where none may be made
	NoCalls   bool      // the tools are declared and must not be called; without Tools, calls in sight are told in words
	Choice    Choice    // what must be called, where something must
	OneCall   bool      // an answer makes one call at most
	Model     string    // who is asked first, as GET /api/models names it; empty or unknown: the default
	RequestID string    // for the provider's log and ours

	// OnReasoning gets the reasoning as it comes, whole characters only; its pieces
	// join to Answer.Reasoning, or to its beginning. nil is nobody.
	OnReasoning func(piece string)

	Format *Format // the form that the answer is to have, for providers that can hold a model to it; nil is text
}

// Format is an answer in JSON. That it is wanted, and in what form, stands in the
// system text, too: not every provider can be told.
type Format struct {
	Name   string          // of the schema
	Schema json.RawMessage // empty: any object
	Strict bool            // nothing but what the schema says
}

// Message is one message of the conversation as a model sees it.
type Message struct {
	Role    string // chat.RoleUser, chat.RoleAssistant or RoleTool
	Text    string
	Context string // of a user's message: what the agent adds to it, fenced and named as what it is; it precedes Text
	Calls   []Call // of an assistant's message

	Attached []Attached // of a user's message: the files that stand with it, before Text

	CallID string // of a tool's message: the call that it answers
	Name   string // of a tool's message: the tool
	Failed bool   // of a tool's message: the call did not do what it was to do
	Client bool   // of a tool's message: it is the client's, and ran there

	Summary bool     // it stands for older messages; see SummaryMessage
	From    []string // of a summary, and of what the agent adds: the tools whose results it was made from

	// Of an assistant's message: who gave it, and what only that provider is shown
	// of it again.
	Model     string          // as Answer.Model
	Reasoning string          // as Answer.Reasoning
	Native    json.RawMessage // as Answer.Native
}

// Provider is the part of Model before the slash, empty where it is not known:
// who gets Reasoning and Native back.
func (m *Message) Provider() string {
	provider, _, _ := strings.Cut(m.Model, "/")
	return provider
}

// NotRun reports whether a tool's message says that its call did not run.
func (m *Message) NotRun() bool {
	return m.Failed && (strings.HasPrefix(m.Text, chat.ToolDenied+": ") || strings.HasPrefix(m.Text, chat.ToolSkipped+": "))
}

// RoleTool is who says a tool's result.
const RoleTool = "tool"

// Call is a tool call that a model asked for.
type Call struct {
	ID        string          `json:"id"` // the provider's; may be empty or repeated
	Name      string          `json:"name"`
	Arguments json.RawMessage `json:"arguments"`        // as sent: a model may send what is no JSON object
	Client    bool            `json:"client,omitempty"` // of a tool that the client brought along, which runs it
}

// Answer is what a model said.
type Answer struct {
	Text      string
	Calls     []Call
	Finish    chat.Finish // why it ended: never empty, and chat.FinishToolCalls wherever there are calls to run
	Reasoning string
	Native    json.RawMessage // what the provider added and wants back (signatures and the like), in a form that only its adapter reads
	Usage     *chat.Usage     // nil where the provider did not say
	Model     string          // which model answered, as PROVIDER/NAME
}

// Message is the answer as a part of the conversation.
func (a *Answer) Message() Message {
	return Message{Role: chat.RoleAssistant, Text: a.Text, Calls: a.Calls, Model: a.Model, Reasoning: a.Reasoning, Native: a.Native}
}

// Spec describes a tool to a model.
type Spec struct {
	Name        string          `json:"name"`
	Description string          `json:"description"`
	Parameters  json.RawMessage `json:"parameters"` // a JSON schema of type object
}
