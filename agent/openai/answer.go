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

	// These are there where the provider says so.
	PromptTokensDetails     *promptDetails `json:"prompt_tokens_details,omitempty"`
	CompletionTokensDetails *answerDetails `json:"completion_tokens_details,omitempty"`
}

type promptDetails struct {
	CachedTokens int `json:"cached_tokens"`
}

type answerDetails struct {
	ReasoningTokens int `json:"reasoning_tokens"`
}

func usageOf(u *chat.Usage) *Usage {
	if u == nil {
		return nil
	}
	count := &Usage{PromptTokens: u.PromptTokens, CompletionTokens: u.CompletionTokens, TotalTokens: u.TotalTokens}
	if u.CachedTokens > 0 {
		count.PromptTokensDetails = &promptDetails{u.CachedTokens}
	}
	if u.ReasoningTokens > 0 {
		count.CompletionTokensDetails = &answerDetails{u.ReasoningTokens}
	}
	return count
}

// finishReason is why an answer ended, in OpenAI's words, which have none for a
// refusal. An answer of an older journal, which does not say, had come to its end.
func finishReason(f chat.Finish) *string {
	reason := string(chat.FinishStop)
	switch f {
	case chat.FinishLength, chat.FinishContentFilter, chat.FinishToolCalls:
		reason = string(f)
	case chat.FinishRefusal:
		reason = string(chat.FinishContentFilter)
	}
	return &reason
}

// Answer names an answer that is being given.
type Answer struct {
	ID      string
	Model   string
	Created time.Time
	Call    string // the answer is a call of this tool; empty: it is text
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
	Role    string          `json:"role,omitempty"`
	Content json.RawMessage `json:"content,omitempty"`
	// Reasoning is beside the content, under the name that most clients know.
	Reasoning string `json:"reasoning_content,omitempty"`
	Calls     []call `json:"tool_calls,omitempty"`
}

type call struct {
	Index    *int   `json:"index,omitempty"` // in a stream
	ID       string `json:"id"`
	Type     string `json:"type"`
	Function struct {
		Name      string `json:"name"`
		Arguments string `json:"arguments"`
	} `json:"function"`
}

// orText is the answer as text where there is none to call anything with: the model
// would not give it.
func (a Answer) orText(f chat.Finish) Answer {
	if f == chat.FinishRefusal || f == chat.FinishContentFilter {
		a.Call = ""
	}
	return a
}

// said is a message that says a text, or calls the tool with it.
func (a Answer) said(role, text string, index *int) *message {
	if a.Call == "" {
		return &message{Role: role, Content: quoted(text)}
	}
	return &message{Role: role, Calls: []call{callOf(Call{"call_" + a.ID, a.Call, text}, index)}}
}

func callOf(c Call, index *int) call {
	out := call{Index: index, ID: c.ID, Type: "function"}
	out.Function.Name, out.Function.Arguments = c.Name, c.Arguments
	return out
}

// quoted is a text as JSON.
func quoted(text string) json.RawMessage {
	b, err := json.Marshal(text)
	if err != nil {
		panic(err) // a string can always be written
	}
	return b
}

// ends is why the answer ended, in OpenAI's words.
func (a Answer) ends(f chat.Finish) *string {
	if a.Call != "" && f != chat.FinishLength {
		f = chat.FinishToolCalls
	}
	return finishReason(f)
}

// Check reports why a text cannot be the answer: the arguments of a call are an
// object, and nobody may run a tool with others.
func (a Answer) Check(text string, finish chat.Finish) error {
	if a.orText(finish).Call == "" {
		return nil
	}
	var object map[string]json.RawMessage
	if json.Unmarshal([]byte(text), &object) != nil || object == nil {
		return fault.New(fault.CodeProviderFailed, "the model did not answer in JSON", "try again, or ask a larger model")
	}
	return nil
}

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

// Calling is the answer in one piece where it ends with calls of the client's tools.
func (a Answer) Calling(text, reasoning string, calls []Call, usage *chat.Usage) json.RawMessage {
	m := &message{Role: chat.RoleAssistant, Content: json.RawMessage("null"), Reasoning: reasoning}
	if text != "" {
		m.Content = quoted(text)
	}
	for _, c := range calls {
		m.Calls = append(m.Calls, callOf(c, nil))
	}
	return a.object("chat.completion", usage, choice{Message: m, FinishReason: finishReason(chat.FinishToolCalls)})
}

// Called is a call of a client's tool in a stream: whole, at its index.
func (a Answer) Called(i int, c Call) json.RawMessage {
	return a.object(chunk, nil, choice{Delta: &message{Calls: []call{callOf(c, &i)}}})
}

// Whole is the answer in one piece.
func (a Answer) Whole(text, reasoning string, finish chat.Finish, usage *chat.Usage) json.RawMessage {
	a = a.orText(finish)
	m := a.said(chat.RoleAssistant, text, nil)
	m.Reasoning = reasoning
	return a.object("chat.completion", usage, choice{Message: m, FinishReason: a.ends(finish)})
}

const chunk = "chat.completion.chunk"

// First opens a stream: whose turn it is.
func (a Answer) First() json.RawMessage {
	return a.object(chunk, nil, choice{Delta: &message{Role: chat.RoleAssistant, Content: quoted("")}})
}

// Piece is what comes next.
func (a Answer) Piece(text string) json.RawMessage {
	return a.object(chunk, nil, choice{Delta: a.said("", text, new(int))})
}

// Thought is what comes next of the reasoning.
func (a Answer) Thought(piece string) json.RawMessage {
	return a.object(chunk, nil, choice{Delta: &message{Reasoning: piece}})
}

// Last says that nothing more comes, and why.
func (a Answer) Last(finish chat.Finish) json.RawMessage {
	return a.object(chunk, nil, choice{Delta: &message{}, FinishReason: a.orText(finish).ends(finish)})
}

// Count is the chunk with the usage, for those who asked for it.
func (a Answer) Count(usage *chat.Usage) json.RawMessage {
	if usage == nil {
		usage = &chat.Usage{}
	}
	return a.object(chunk, usage)
}

// ModelEntry is what clients are told of the one model.
type ModelEntry struct {
	ID      string `json:"id"`
	Object  string `json:"object"`
	Created int64  `json:"created"`
	OwnedBy string `json:"owned_by"`
}

// ModelList is the list of models.
type ModelList struct {
	Object string       `json:"object"`
	Data   []ModelEntry `json:"data"`
}

// Models is the list of the one model there is.
func Models(since time.Time) ModelList {
	return ModelList{"list", []ModelEntry{theModel(since)}}
}

// ModelOf is one model. There is only the agent, whatever name it is asked by in
// a conversation: a client that looks a name up wants to know what there is.
func ModelOf(id string, since time.Time) (ModelEntry, error) {
	if id != Model {
		return ModelEntry{}, fault.New(fault.CodeNotFound, "there is no model of this name", "GET /v1/models lists the one there is, "+Model+"; a conversation takes any name for it").About("model")
	}
	return theModel(since), nil
}

func theModel(since time.Time) ModelEntry { return ModelEntry{Model, "model", since.Unix(), Model} }
