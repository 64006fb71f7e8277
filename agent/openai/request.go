package openai

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"unicode/utf8"

	"github.com/loongclaw/loongclaw/pkg/fault"
)

// Request is what a client asks.
type Request struct {
	Model        string // its own name for the model; it comes back in the answer
	Instructions string // its system messages
	Greeting     string // what the assistant said before any user did, or where the client's window cuts an exchange in two
	Earlier      []Exchange
	Message      string   // the user's last words
	Images       [][]byte // that stand with them
	Stream       bool
	WantUsage    bool // in the stream, too

	Limit int    // the most tokens that it wants; 0 where it does not say
	Task  string // what its metadata calls the request's purpose
	Store bool   // it asks that the answer be kept

	Format *Format // nil: text

	Tools   []Tool
	Choice  Choice
	OneCall bool // it takes one call at a time

	// Begun is what was done for the message so far, where the messages end with
	// results of the client's tools, and Results are those of the last calls. Without
	// the message these came from beyond the client's window.
	Begun   []Step
	Said    string // by then, in all of them
	Results []Result
}

// Format is the JSON that a client wants for an answer.
type Format struct {
	Name   string
	Schema json.RawMessage // empty: any object
	Strict bool
	Call   bool // it wants it as the arguments of a call of the tool of this name
}

// Exchange is a message of the user and what was answered.
type Exchange struct {
	User      string
	Assistant string   // all that it said, before calls and after them
	Images    [][]byte // that stand with the user's message
	Steps     []Step   // the answers that called tools
	Last      string   // where there are such, what it said behind them
}

// Step is an answer that called tools of the client, and what these gave.
type Step struct {
	Text    string
	Calls   []Call
	Results []Result
}

// Call is a call of a client's tool.
type Call struct{ ID, Name, Arguments string }

// Result is what a call of a client's tool gave.
type Result struct{ CallID, Text string }

// wire is the request as it comes. What only tunes a model (temperature,
// max_tokens, seed, …) is the owner's to set here, and passed over.
type wire struct {
	Model    string        `json:"model"`
	Messages []wireMessage `json:"messages"`
	Stream   bool          `json:"stream"`
	Options  struct {
		IncludeUsage bool `json:"include_usage"`
	} `json:"stream_options"`

	// These would change what kind of answer comes.
	N              *float64        `json:"n"` // some write 1.0
	Tools          json.RawMessage `json:"tools"`
	ToolChoice     json.RawMessage `json:"tool_choice"`
	Parallel       json.RawMessage `json:"parallel_tool_calls"`
	Functions      json.RawMessage `json:"functions"`
	FunctionCall   json.RawMessage `json:"function_call"`
	Stop           json.RawMessage `json:"stop"`
	Logprobs       json.RawMessage `json:"logprobs"`
	Audio          json.RawMessage `json:"audio"`
	ResponseFormat json.RawMessage `json:"response_format"`
	Modalities     json.RawMessage `json:"modalities"`
	WebSearch      json.RawMessage `json:"web_search_options"`
	Attachments    json.RawMessage `json:"attachments"`

	// These only help to tell what a request is for, so whatever they hold is taken.
	MaxTokens           json.RawMessage `json:"max_tokens"`
	MaxCompletionTokens json.RawMessage `json:"max_completion_tokens"`
	Metadata            json.RawMessage `json:"metadata"`
	Store               json.RawMessage `json:"store"`
}

type wireMessage struct {
	Role    string          `json:"role"`
	Content json.RawMessage `json:"content"`

	// These are a part of what is said, which an answer to the text alone would miss.
	ToolCalls    json.RawMessage `json:"tool_calls"`
	ToolCallID   string          `json:"tool_call_id"`
	FunctionCall json.RawMessage `json:"function_call"`
	Images       json.RawMessage `json:"images"`
	Audio        json.RawMessage `json:"audio"`
	Attachments  json.RawMessage `json:"attachments"`
}

// refuse names what a message holds beside its text, "" where that is nothing.
func (m wireMessage) refuse() (field string) {
	calls := m.ToolCalls
	if m.Role == roleAssistant {
		calls = nil
	}
	for _, f := range []struct {
		name  string
		value json.RawMessage
	}{{"tool_calls", calls}, {"function_call", m.FunctionCall}, {"images", m.Images}, {"audio", m.Audio}, {"attachments", m.Attachments}} {
		if asked(f.value) {
			return f.name
		}
	}
	return ""
}

// Parse reads a request.
func Parse(raw []byte) (Request, error) {
	var w wire
	if !utf8.Valid(raw) {
		return Request{}, fault.New(fault.CodeInvalidJSON, "the body is not UTF-8", "send JSON as UTF-8")
	}
	if err := json.Unmarshal(raw, &w); err != nil {
		var typ *json.UnmarshalTypeError
		if errors.As(err, &typ) {
			return Request{}, fault.New(fault.CodeInvalidRequest, fmt.Sprintf("the field %q has the wrong type: %s", typ.Field, typ.Value), "send what OpenAI's API takes: docs/PROTOCOL.md").About(typ.Field)
		}
		return Request{}, fault.New(fault.CodeInvalidJSON, "the body is not JSON", `send {"model":"loongclaw","messages":[{"role":"user","content":"…"}]} as UTF-8`)
	}
	format, err := w.format()
	if err != nil {
		return Request{}, err
	}
	if err := w.refuse(); err != nil {
		return Request{}, err
	}
	tools, err := w.tools()
	if err != nil {
		return Request{}, err
	}
	if format != nil && !format.Call && len(tools.all) > 0 {
		return Request{}, fault.New(fault.CodeUnsupported, "response_format beside tools is not served here", "leave one of them out; what form the answer is to have can be said in a message").About("response_format")
	}
	q := Request{Model: w.Model, Stream: w.Stream, WantUsage: w.Options.IncludeUsage, Limit: w.limit(), Task: w.task(), Store: string(bytes.TrimSpace(w.Store)) == "true", Format: format, Tools: tools.all, Choice: tools.choice, OneCall: tools.one}
	if q.Model == "" {
		q.Model = Model
	}
	if err := q.take(w.Messages); err != nil {
		return Request{}, err
	}
	if q.Format != nil && len(q.Results) > 0 {
		if !q.Format.Call {
			return Request{}, fault.New(fault.CodeUnsupported, "response_format with the results of tools is not served here", "leave it out; what form the answer is to have can be said in a message").About("response_format")
		}
		q.Format = nil
	}
	return q, nil
}

// limit is the most tokens that the client wants, by either name.
func (w *wire) limit() int {
	for _, raw := range []json.RawMessage{w.MaxCompletionTokens, w.MaxTokens} {
		var n float64
		if json.Unmarshal(raw, &n) == nil && n >= 1 && n <= math.MaxInt32 {
			return int(n)
		}
	}
	return 0
}

// task is the purpose that a chat client's server writes into its metadata.
func (w *wire) task() string {
	var m struct {
		Task string `json:"task"`
	}
	_ = json.Unmarshal(w.Metadata, &m) // metadata may be anything; then it names none
	return m.Task
}

// asked reports whether a field that may change the answer says anything.
func asked(raw json.RawMessage) bool {
	switch string(bytes.TrimSpace(raw)) {
	case "", "null", "[]", "false", `""`:
		return false
	}
	return true
}

// refuse names what is asked and not to be had: an answer of another kind than
// was asked for would be worse than none.
func (w *wire) refuse() error {
	no := func(field, what, hint string) error {
		return fault.New(fault.CodeUnsupported, what+" is not served here", hint).About(field)
	}
	switch {
	case w.N != nil && *w.N != 1:
		return no("n", "n other than 1", "ask once for each answer")
	case asked(w.Functions):
		return no("functions", "functions", "send them as tools")
	case asked(w.ToolChoice) && !asked(w.Tools):
		return no("tool_choice", "tool_choice without tools", "leave it out: the agent chooses among its own tools")
	case asked(w.FunctionCall):
		return no("function_call", "function_call without functions", "leave it out: the agent chooses among its own tools")
	case asked(w.Stop):
		return no("stop", "stop", "leave it out")
	case asked(w.Logprobs):
		return no("logprobs", "logprobs", "leave it out")
	case asked(w.Audio):
		return no("audio", "audio", "ask for text")
	case asked(w.Modalities) && string(bytes.Join(bytes.Fields(w.Modalities), nil)) != `["text"]`:
		return no("modalities", "a modality other than text", "ask for text")
	case asked(w.WebSearch):
		return no("web_search_options", "web_search_options", "leave it out: the agent reads pages with its own tools")
	case asked(w.Attachments):
		return no("attachments", "attachments", "leave them out, or put the file into the workspace with PUT /api/files/{path} and name it in the message")
	}
	return nil
}
