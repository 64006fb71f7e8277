package openai

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/loongclaw/loongclaw/pkg/fault"
)

// Request is what a client asks.
type Request struct {
	Model        string // its own name for the model; it comes back in the answer
	Instructions string // its system messages
	Earlier      []Exchange
	Message      string // the user's last words
	Stream       bool
	WantUsage    bool // in the stream, too
}

// Exchange is a message of the user and what was answered.
type Exchange struct{ User, Assistant string }

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
	N              *int            `json:"n"`
	Tools          json.RawMessage `json:"tools"`
	Functions      json.RawMessage `json:"functions"`
	Stop           json.RawMessage `json:"stop"`
	Logprobs       json.RawMessage `json:"logprobs"`
	ResponseFormat *struct {
		Type string `json:"type"`
	} `json:"response_format"`
	Audio json.RawMessage `json:"audio"`
}

type wireMessage struct {
	Role    string          `json:"role"`
	Content json.RawMessage `json:"content"`
}

// Parse reads a request.
func Parse(raw []byte) (Request, error) {
	var w wire
	if err := json.Unmarshal(raw, &w); err != nil {
		var typ *json.UnmarshalTypeError
		if errors.As(err, &typ) {
			return Request{}, fault.New(fault.CodeInvalidRequest, fmt.Sprintf("the field %q has the wrong type: %s", typ.Field, typ.Value), "send what OpenAI's API takes: docs/PROTOCOL.md")
		}
		return Request{}, fault.New(fault.CodeInvalidJSON, "the body is not JSON", `send {"model":"loongclaw","messages":[{"role":"user","content":"…"}]} as UTF-8`)
	}
	if err := w.refuse(); err != nil {
		return Request{}, err
	}
	q := Request{Model: w.Model, Stream: w.Stream, WantUsage: w.Options.IncludeUsage}
	if q.Model == "" {
		q.Model = Model
	}
	return q, q.take(w.Messages)
}

// refuse names what is asked and not to be had: an answer of another kind than
// was asked for would be worse than none.
func (w *wire) refuse() error {
	asked := func(raw json.RawMessage) bool {
		switch string(bytes.TrimSpace(raw)) {
		case "", "null", "[]", "false", `""`:
			return false
		}
		return true
	}
	no := func(field, hint string) error {
		return fault.New(fault.CodeUnsupported, field+" is not served here", hint)
	}
	switch {
	case w.N != nil && *w.N != 1:
		return no("n other than 1", "ask once for each answer")
	case asked(w.Tools) || asked(w.Functions):
		return no("tools", "leave them out: the agent calls its own tools; GET /api/tools lists them")
	case asked(w.Stop):
		return no("stop", "leave it out")
	case asked(w.Logprobs):
		return no("logprobs", "leave it out")
	case asked(w.Audio):
		return no("audio", "ask for text")
	case w.ResponseFormat != nil && w.ResponseFormat.Type != "" && w.ResponseFormat.Type != "text":
		return no("response_format "+w.ResponseFormat.Type, "ask for the format in a message")
	}
	return nil
}

// take sorts the messages: instructions, what was said before, and what is asked
// now. Messages of one side in a row are one.
func (q *Request) take(messages []wireMessage) error {
	var instructions []string
	var turns []Exchange
	open := false // the last exchange has no answer yet
	for i, m := range messages {
		text, err := m.text()
		if err != nil {
			return fault.New(fault.CodeUnsupported, fmt.Sprintf("messages[%d]: %s", i, err), "send text")
		}
		switch m.Role {
		case "system", "developer":
			instructions = append(instructions, text)
		case "user":
			if !open {
				turns = append(turns, Exchange{})
			}
			open = true
			last := &turns[len(turns)-1]
			last.User = joined(last.User, text)
		case "assistant":
			if len(turns) == 0 {
				// Nobody had said anything yet: a greeting.
				instructions = append(instructions, "You began the conversation with: "+text)
				continue
			}
			open = false
			last := &turns[len(turns)-1]
			last.Assistant = joined(last.Assistant, text)
		default:
			return fault.New(fault.CodeUnsupported, fmt.Sprintf("messages[%d]: the role %q is not served here", i, m.Role), "use system, developer, user and assistant; the agent calls its own tools")
		}
	}
	if !open {
		return fault.New(fault.CodeMissingMessage, "缺少 message 参数: the last message is not the user's", `end messages with {"role":"user","content":"…"}`)
	}
	q.Instructions = strings.Join(instructions, "\n\n")
	q.Earlier, q.Message = turns[:len(turns)-1], turns[len(turns)-1].User
	return nil
}

func joined(before, text string) string {
	if before == "" {
		return text
	}
	return before + "\n\n" + text
}

// text is a message's content: a string, or parts of text.
func (m wireMessage) text() (string, error) {
	content := bytes.TrimSpace(m.Content)
	if len(content) == 0 || string(content) == "null" {
		return "", nil
	}
	var s string
	if json.Unmarshal(content, &s) == nil {
		return s, nil
	}
	var parts []struct{ Type, Text string }
	if json.Unmarshal(content, &parts) != nil {
		return "", errors.New("content is neither text nor a list of parts")
	}
	var all strings.Builder
	for _, p := range parts {
		if p.Type != "text" && p.Type != "input_text" && p.Type != "output_text" {
			return "", fmt.Errorf("content of the type %q is not served here", p.Type)
		}
		all.WriteString(p.Text)
	}
	return all.String(), nil
}
