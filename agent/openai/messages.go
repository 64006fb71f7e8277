package openai

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

const (
	roleAssistant = chat.RoleAssistant
	roleTool      = "tool"
)

// conversation is what a client says was said, as far as it was read.
type conversation struct {
	instructions []string
	lead         Exchange   // what stands before the first message of the user: its window may begin in the midst of an exchange
	turns        []Exchange // each begins with a message of the user
	open         bool       // the last exchange has no answer yet
	last         string     // the role of the last message
	loose        []Result   // of calls before the client's window
}

// take sorts the messages: instructions, what was said before, and what is asked
// now. Messages of one side in a row are one.
func (q *Request) take(messages []wireMessage) error {
	var c conversation
	for i, m := range messages {
		if field := m.refuse(); field != "" {
			return fault.New(fault.CodeUnsupported, fmt.Sprintf("messages[%d]: %s is not served here", i, field), "send text, and calls of tools as tool_calls of the assistant").About(fmt.Sprintf("messages[%d].%s", i, field))
		}
		text, images, err := m.content()
		if err == nil && len(images) > 0 && m.Role != chat.RoleUser {
			err = fmt.Errorf("images of the role %q are not served here", m.Role)
		}
		if err != nil {
			return fault.New(fault.CodeUnsupported, fmt.Sprintf("messages[%d]: %s", i, err), "send text, and images as data: URIs with base64").About(fmt.Sprintf("messages[%d].content", i))
		}
		if err := c.add(m, text, images, i); err != nil {
			return err
		}
	}
	return c.end(q)
}

// now is the exchange that the next answer belongs to.
func (c *conversation) now() *Exchange {
	if len(c.turns) == 0 {
		return &c.lead
	}
	return &c.turns[len(c.turns)-1]
}

func (c *conversation) add(m wireMessage, text string, images [][]byte, i int) error {
	switch m.Role {
	case "system", "developer":
		c.instructions = append(c.instructions, text)
		return nil
	case chat.RoleUser:
		if !c.open {
			c.turns = append(c.turns, Exchange{})
		}
		c.open = true
		e := c.now()
		e.User, e.Images = joined(e.User, text), append(e.Images, images...)
	case roleAssistant:
		calls, err := m.calls(i)
		if err != nil {
			return err
		}
		c.open = false
		c.now().say(text, calls)
	case roleTool:
		if err := c.result(m, text, i); err != nil {
			return err
		}
	default:
		return fault.New(fault.CodeUnsupported, fmt.Sprintf("messages[%d]: the role %q is not served here", i, m.Role), "use system, developer, user, assistant and tool").About(fmt.Sprintf("messages[%d].role", i))
	}
	c.last = m.Role
	return nil
}

// say adds an answer to an exchange.
func (e *Exchange) say(text string, calls []Call) {
	if e.Assistant == "" {
		e.Assistant = text
	} else if text != "" || len(calls) == 0 {
		e.Assistant = joined(e.Assistant, text)
	}
	switch {
	case len(calls) > 0:
		if e.Last != "" { // it stands between two calls
			text, e.Last = joined(e.Last, text), ""
		}
		e.Steps = append(e.Steps, Step{Text: text, Calls: calls})
	case len(e.Steps) > 0:
		e.Last = joined(e.Last, text)
	}
}

// result takes what a call gave: one of the last answer that called something, or of
// one that stands before the client's window.
func (c *conversation) result(m wireMessage, text string, i int) error {
	about := fmt.Sprintf("messages[%d].tool_call_id", i)
	r := Result{m.ToolCallID, text}
	if r.CallID == "" {
		return fault.New(fault.CodeInvalidRequest, fmt.Sprintf("messages[%d]: a tool message has no tool_call_id", i), "send the id of the call that it answers").About(about)
	}
	results := &c.loose
	if e := c.now(); len(e.Steps) > 0 {
		step := &e.Steps[len(e.Steps)-1]
		if !slices.ContainsFunc(step.Calls, func(k Call) bool { return k.ID == r.CallID }) {
			return fault.New(fault.CodeInvalidRequest, fmt.Sprintf("messages[%d]: %.80q is no call of the assistant's message before it", i, r.CallID), "send tool messages right behind the assistant's message with their tool_calls").About(about)
		}
		results = &step.Results
	} else if len(c.turns) > 0 || c.lead.Assistant != "" {
		return fault.New(fault.CodeInvalidRequest, fmt.Sprintf("messages[%d]: no message with tool_calls stands before this tool message", i), "send the assistant's message with its tool_calls, too").About(about)
	}
	if slices.ContainsFunc(*results, func(o Result) bool { return o.CallID == r.CallID }) {
		return fault.New(fault.CodeInvalidRequest, fmt.Sprintf("messages[%d]: the call %.80q has two tool messages", i, r.CallID), "send one for each call").About(about)
	}
	*results = append(*results, r)
	return nil
}

// end makes the request of what was read.
func (c *conversation) end(q *Request) error {
	q.Instructions = strings.Join(c.instructions, "\n\n")
	for i := range c.turns { // a message may be an image and nothing else
		if len(c.turns[i].Images) > 0 && strings.TrimSpace(c.turns[i].User) == "" {
			c.turns[i].User = imageOnly
		}
	}
	if q.Images = c.now().Images; len(q.Images) > chat.MaxAttachments {
		return fault.New(fault.CodeInvalidRequest, fmt.Sprintf("a message has at most %d images", chat.MaxAttachments), "send the others with another message").About("messages")
	}
	if c.last == roleTool {
		return c.goesOn(q)
	}
	if c.open && strings.TrimSpace(c.now().User) == "" {
		return fault.New(fault.CodeMissingMessage, "缺少 message 参数: the user's last message is empty", `end messages with {"role":"user","content":"…"}`).About("messages")
	}
	if !c.open {
		return fault.New(fault.CodeMissingMessage, "缺少 message 参数: the last message is not the user's", `end messages with {"role":"user","content":"…"}, or with tool messages for all tool_calls`).About("messages")
	}
	q.Greeting = c.lead.Assistant
	q.Earlier, q.Message = c.turns[:len(c.turns)-1], c.now().User
	return nil
}

// goesOn makes a request that brings the results of calls.
func (c *conversation) goesOn(q *Request) error {
	e := *c.now()
	q.Message, q.Begun, q.Said, q.Results = e.User, e.Steps, e.Assistant, c.loose
	if len(c.turns) > 0 {
		q.Greeting, q.Earlier = c.lead.Assistant, c.turns[:len(c.turns)-1]
	}
	if len(e.Steps) == 0 {
		return nil
	}
	step := e.Steps[len(e.Steps)-1]
	var missing []string
	for _, k := range step.Calls {
		if !slices.ContainsFunc(step.Results, func(r Result) bool { return r.CallID == k.ID }) {
			missing = append(missing, k.ID)
		}
	}
	if len(missing) > 0 {
		return fault.New(fault.CodeInvalidRequest, "tool messages are missing for the calls "+strings.Join(missing, ", "),
			`send {"role":"tool","tool_call_id":"…","content":"…"} for each call of the assistant's last message`).About("messages")
	}
	q.Results = step.Results
	return nil
}

// Bounds of what a client says was called: longer than any honest one.
const (
	maxCallID   = 256
	maxCallName = 256
)

// calls are those that a message of the assistant made.
func (m wireMessage) calls(i int) ([]Call, error) {
	if !asked(m.ToolCalls) {
		return nil, nil
	}
	about := fmt.Sprintf("messages[%d].tool_calls", i)
	bad := func(why string) error {
		return fault.New(fault.CodeInvalidRequest, fmt.Sprintf("messages[%d].tool_calls: %s", i, why), `send the tool_calls that you were given: [{"id":"…","type":"function","function":{"name":"…","arguments":"{}"}}]`).About(about)
	}
	var in []struct {
		ID       string `json:"id"`
		Type     string `json:"type"`
		Function struct {
			Name      string          `json:"name"`
			Arguments json.RawMessage `json:"arguments"`
		} `json:"function"`
	}
	if json.Unmarshal(m.ToolCalls, &in) != nil {
		return nil, bad("they are not what OpenAI's API takes")
	}
	out := make([]Call, 0, len(in))
	for _, c := range in {
		switch {
		case c.Type != "" && c.Type != "function":
			return nil, fault.New(fault.CodeUnsupported, fmt.Sprintf("messages[%d].tool_calls: the type %.40q is not served here", i, c.Type), "use tools of the type function").About(about)
		case c.ID == "" || len(c.ID) > maxCallID:
			return nil, bad("a call has no id, or one of more than 256 bytes")
		case c.Function.Name == "" || len(c.Function.Name) > maxCallName:
			return nil, bad("a call has no name, or one of more than 256 bytes")
		case slices.ContainsFunc(out, func(o Call) bool { return o.ID == c.ID }):
			return nil, bad(fmt.Sprintf("two calls have the id %.80q", c.ID))
		}
		arguments, err := argumentsOf(c.Function.Arguments)
		if err != nil {
			return nil, bad("the arguments of a call are neither a text nor an object")
		}
		out = append(out, Call{c.ID, c.Function.Name, arguments})
	}
	return out, nil
}

// argumentsOf are a call's arguments: a text, or, as some send it, the object itself.
func argumentsOf(raw json.RawMessage) (string, error) {
	var text string
	switch {
	case bytes.HasPrefix(raw, []byte("{")):
		return string(raw), nil
	case len(raw) > 0:
		if err := json.Unmarshal(raw, &text); err != nil {
			return "", err
		}
	}
	if strings.TrimSpace(text) == "" {
		return "{}", nil
	}
	return text, nil
}

func joined(before, text string) string {
	if before == "" {
		return text
	}
	return before + "\n\n" + text
}
