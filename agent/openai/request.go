package openai

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/loongclaw/loongclaw/pkg/chat"
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
	User, Assistant string
	Images          [][]byte // that stand with the user's message
}

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
	FunctionCall json.RawMessage `json:"function_call"`
	Images       json.RawMessage `json:"images"`
	Audio        json.RawMessage `json:"audio"`
	Attachments  json.RawMessage `json:"attachments"`
}

// refuse names what a message holds beside its text, "" where that is nothing.
func (m wireMessage) refuse() (field string) {
	for _, f := range []struct {
		name  string
		value json.RawMessage
	}{{"tool_calls", m.ToolCalls}, {"function_call", m.FunctionCall}, {"images", m.Images}, {"audio", m.Audio}, {"attachments", m.Attachments}} {
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
	q := Request{Model: w.Model, Stream: w.Stream, WantUsage: w.Options.IncludeUsage, Limit: w.limit(), Task: w.task(), Store: string(bytes.TrimSpace(w.Store)) == "true", Format: format}
	if q.Model == "" {
		q.Model = Model
	}
	return q, q.take(w.Messages)
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
	case asked(w.Tools):
		return no("tools", "tools", "leave them out: the agent calls its own tools; GET /api/tools lists them")
	case asked(w.Functions):
		return no("functions", "functions", "leave them out: the agent calls its own tools; GET /api/tools lists them")
	case asked(w.ToolChoice):
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

// take sorts the messages: instructions, what was said before, and what is asked
// now. Messages of one side in a row are one.
func (q *Request) take(messages []wireMessage) error {
	var instructions, greetings []string
	var turns []Exchange
	open := false // the last exchange has no answer yet
	for i, m := range messages {
		if field := m.refuse(); field != "" {
			return fault.New(fault.CodeUnsupported, fmt.Sprintf("messages[%d]: %s is not served here", i, field), "send text; the agent calls its own tools").About(fmt.Sprintf("messages[%d].%s", i, field))
		}
		text, images, err := m.content()
		if err == nil && len(images) > 0 && m.Role != "user" {
			err = fmt.Errorf("images of the role %q are not served here", m.Role)
		}
		if err != nil {
			return fault.New(fault.CodeUnsupported, fmt.Sprintf("messages[%d]: %s", i, err), "send text, and images as data: URIs with base64").About(fmt.Sprintf("messages[%d].content", i))
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
			last.User, last.Images = joined(last.User, text), append(last.Images, images...)
		case "assistant":
			if len(turns) == 0 {
				greetings = append(greetings, text)
				continue
			}
			open = false
			last := &turns[len(turns)-1]
			last.Assistant = joined(last.Assistant, text)
		default:
			return fault.New(fault.CodeUnsupported, fmt.Sprintf("messages[%d]: the role %q is not served here", i, m.Role), "use system, developer, user and assistant; the agent calls its own tools").About(fmt.Sprintf("messages[%d].role", i))
		}
	}
	for i := range turns { // a message may be an image and nothing else
		if len(turns[i].Images) > 0 && strings.TrimSpace(turns[i].User) == "" {
			turns[i].User = imageOnly
		}
	}
	if open && strings.TrimSpace(turns[len(turns)-1].User) == "" {
		return fault.New(fault.CodeMissingMessage, "缺少 message 参数: the user's last message is empty", `end messages with {"role":"user","content":"…"}`).About("messages")
	}
	if !open {
		return fault.New(fault.CodeMissingMessage, "缺少 message 参数: the last message is not the user's", `end messages with {"role":"user","content":"…"}`).About("messages")
	}
	q.Instructions, q.Greeting = strings.Join(instructions, "\n\n"), strings.Join(greetings, "\n\n")
	last := turns[len(turns)-1]
	q.Earlier, q.Message, q.Images = turns[:len(turns)-1], last.User, last.Images
	if len(q.Images) > chat.MaxAttachments {
		return fault.New(fault.CodeInvalidRequest, fmt.Sprintf("a message has at most %d images", chat.MaxAttachments), "send the others with another message").About("messages")
	}
	return nil
}

func joined(before, text string) string {
	if before == "" {
		return text
	}
	return before + "\n\n" + text
}

// imageOnly are the words of a message that has none.
const imageOnly = "(image)"

// content is a message's content: a string, or parts of text and images.
func (m wireMessage) content() (text string, images [][]byte, err error) {
	content := bytes.TrimSpace(m.Content)
	if len(content) == 0 || string(content) == "null" {
		return "", nil, nil
	}
	if json.Unmarshal(content, &text) == nil {
		return text, nil, nil
	}
	var parts []struct {
		Type, Text string
		Image      imageURL `json:"image_url"`
	}
	if json.Unmarshal(content, &parts) != nil {
		return "", nil, errors.New("content is neither text nor a list of parts")
	}
	var all strings.Builder
	for _, p := range parts {
		switch p.Type {
		case "text", "input_text", "output_text":
			all.WriteString(p.Text)
		case "image_url", "input_image":
			image, err := p.Image.data()
			if err != nil {
				return "", nil, err
			}
			images = append(images, image)
		default:
			return "", nil, fmt.Errorf("content of the type %q is not served here", p.Type)
		}
	}
	return all.String(), images, nil
}

// imageURL is an image's address: an object that holds it, or the address itself.
type imageURL string

// UnmarshalJSON takes both forms.
func (u *imageURL) UnmarshalJSON(b []byte) error {
	var o struct{ URL string }
	var s string
	if json.Unmarshal(b, &s) == nil {
		o.URL = s
	} else if err := json.Unmarshal(b, &o); err != nil {
		return err
	}
	*u = imageURL(o.URL)
	return nil
}

// data is the image that stands in the address itself. What lies elsewhere is not
// fetched: whoever may ask the agent could have it read any address then.
func (u imageURL) data() ([]byte, error) {
	const scheme = "data:"
	if len(u) < len(scheme) || !strings.EqualFold(string(u[:len(scheme)]), scheme) {
		return nil, errors.New("an image at an address is not served here")
	}
	head, data, ok := strings.Cut(string(u[len(scheme):]), ",")
	if !ok || !strings.HasSuffix(strings.ToLower(head), ";base64") {
		return nil, errors.New("a data: URI without base64 is not served here")
	}
	body, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(data), ""))
	if err != nil {
		body, err = base64.RawStdEncoding.DecodeString(data)
	}
	if err != nil || len(body) == 0 {
		return nil, errors.New("a data: URI whose base64 cannot be read is not served here")
	}
	return body, nil
}
