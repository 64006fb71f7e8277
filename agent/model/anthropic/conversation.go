package anthropic

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"hash"
	"strings"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/model/dialect"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

// What is said where Anthropic demands that something is said, named as what it
// is, so that the model does not take it for the user's word.
const (
	byAgent  = "[Added by the agent, not written by the user.] "
	opening  = byAgent + "The conversation goes on from here."
	closing  = byAgent + "Go on."
	nothing  = byAgent + "The user's message is empty."
	noOutput = "(no output)"
	noResult = "error: this call has no result"
)

const (
	roleUser      = "user"
	roleAssistant = "assistant"
)

// message is one message of a request.
type message struct {
	Role    string            `json:"role"`
	Content []json.RawMessage `json:"content"`
}

// recipient is who is asked.
type recipient struct {
	model string // as PROVIDER/NAME
	sees  bool   // it reads images
}

// conversation is a question as Anthropic takes it. It refuses a whole conversation
// for one call without a result, one result without its call, one blank text, or
// two turns of the same side; so none of these is ever written, whatever was cut off
// the conversation's start or lost in a crash.
type conversation struct {
	recipient
	thoughts bool // thinking goes back

	names    *names
	system   []json.RawMessage
	tools    []json.RawMessage
	messages []message
	choice   loop.Choice
	single   bool // one call at a time
	stubs    bool // the tools are only those that the conversation once called

	ids  ids
	open []openCall
	sum  hash.Hash // of all that was written so far
}

// openCall is a call of the last message, whose result is still to be written.
type openCall struct {
	id     string // on the wire
	own    string
	name   string
	result *loop.Message
}

// converse writes a question. Without thoughts no thinking goes back, which the
// provider takes for any conversation.
func converse(question *loop.Question, who recipient, thoughts bool) *conversation {
	q := *question
	if q.NoCalls && len(q.Tools) == 0 {
		q.Messages = dialect.Told(q.Messages) // else the tools that were called had to be declared
	}
	return compose(&q, who, thoughts)
}

func compose(q *loop.Question, who recipient, thoughts bool) *conversation {
	c := &conversation{recipient: who, names: newNames(q.Tools), ids: ids{}, sum: sha256.New(), choice: q.Choice, single: q.OneCall}
	c.declare(q)
	if strings.TrimSpace(q.System) != "" {
		c.system = []json.RawMessage{text(q.System)}
		c.write("system", c.system[0])
	}
	refused := 0 // whose thinking the provider has refused already
	for i := range q.Messages {
		if m := &q.Messages[i]; m.Model == who.model && isPlain(m) {
			refused = i
		}
	}
	for i := range q.Messages {
		c.thoughts = thoughts && i >= refused
		switch m := &q.Messages[i]; m.Role {
		case loop.RoleTool:
			c.result(m)
		case chat.RoleAssistant:
			c.close()
			c.assistant(m)
		default:
			c.close()
			c.user(m)
		}
	}
	c.close()
	if len(c.messages) == 0 || c.last() == roleAssistant {
		c.push(roleUser, text(closing))
	}
	return c
}

// declare writes the tools. A conversation that called some and has none now
// declares those that it called: calls of tools that nobody declared are refused.
func (c *conversation) declare(q *loop.Question) {
	specs := q.Tools
	if len(specs) == 0 {
		for i := range q.Messages {
			for _, call := range q.Messages[i].Calls {
				specs = append(specs, loop.Spec{Name: wireName(call.Name), Description: "Cannot be called any more."})
			}
		}
		c.stubs = len(specs) > 0
		c.names = newNames(specs)
	}
	c.tools = c.names.declared(specs)
	for _, t := range c.tools {
		c.write("tool", t)
	}
}

// write adds to the sum of what stands before.
func (c *conversation) write(what string, block json.RawMessage) {
	_, _ = c.sum.Write(append(append([]byte(what+" "), block...), '\n')) // a hash takes all
}

// prefix sums up all that was written so far, cache marks apart: they move, and
// are no part of what the model reads.
func (c *conversation) prefix() string { return hex.EncodeToString(c.sum.Sum(nil)[:16]) }

func (c *conversation) last() string {
	if len(c.messages) == 0 {
		return ""
	}
	return c.messages[len(c.messages)-1].Role
}

// push writes blocks of one side, into its last message where that is the last one.
func (c *conversation) push(role string, blocks ...json.RawMessage) {
	if len(blocks) == 0 {
		return
	}
	if len(c.messages) == 0 && role == roleAssistant {
		c.push(roleUser, text(opening))
	}
	if c.last() != role {
		c.messages = append(c.messages, message{Role: role})
	}
	m := &c.messages[len(c.messages)-1]
	m.Content = append(m.Content, blocks...)
	for _, b := range blocks {
		c.write(role, b)
	}
}

func (c *conversation) user(m *loop.Message) {
	said := func(s string) {
		if strings.TrimSpace(s) != "" {
			c.push(roleUser, text(s))
		}
	}
	said(m.Context)
	for i := range m.Attached {
		f := &m.Attached[i]
		said(f.Text(c.sees))
		if c.sees && f.Visible() {
			c.push(roleUser, imageOf(&f.Shown))
		}
	}
	said(m.Text)
	if len(m.Attached) == 0 && strings.TrimSpace(m.Context+m.Text) == "" {
		c.push(roleUser, text(nothing))
	}
}

func (c *conversation) assistant(m *loop.Message) {
	var calls []json.RawMessage
	for _, call := range m.Calls {
		id := c.ids.give(call.ID)
		c.open = append(c.open, openCall{id: id, own: call.ID, name: call.Name})
		calls = append(calls, encode(toolUse{"tool_use", id, c.names.of(call.Name), input(call.Arguments)}))
	}
	n, ok := native{}, false
	if m.Model == c.model {
		n, ok = readNative(m)
	}
	if ok {
		c.push(roleAssistant, c.blocks(n, m.Text, calls)...)
		return
	}
	if strings.TrimSpace(m.Text) != "" {
		c.push(roleAssistant, text(m.Text))
	}
	c.push(roleAssistant, calls...)
}

// blocks puts an answer together again as it was. Its thinking is left out where
// what stands before it is not what it was: the provider refuses it, or ignores it
// and says so with every request.
func (c *conversation) blocks(n native, said string, calls []json.RawMessage) []json.RawMessage {
	thoughts := c.thoughts && n.Prefix == c.prefix()
	var out []json.RawMessage
	plain := false // something but thinking is in it
	for _, p := range n.Parts {
		switch {
		case p.Raw != nil:
			if thought := isThought(p.Raw); thoughts || !thought {
				plain = plain || !thought
				out = append(out, p.Raw)
			}
		case p.Call != nil:
			out, plain = append(out, calls[*p.Call]), true
		default:
			var s string
			if s, said = said[:p.Text], said[p.Text:]; strings.TrimSpace(s) != "" {
				out, plain = append(out, text(s)), true
			}
		}
	}
	for len(out) > 0 && (!plain || isThought(out[len(out)-1])) {
		out = out[:len(out)-1] // thinking may not be all of a message, nor its end
	}
	return out
}

// result keeps the result of the call that it names; a result of no call, and a
// second one, is left out.
func (c *conversation) result(m *loop.Message) {
	for i := range c.open {
		if o := &c.open[i]; o.result == nil && m.CallID != "" && o.own == m.CallID {
			o.result = m
			return
		}
	}
	for i := range c.open {
		if o := &c.open[i]; o.result == nil && o.name == m.Name && (m.CallID == "" || o.own == "") {
			o.result = m
			return
		}
	}
}

// close writes the results of the last calls, all of them in the one message that
// follows, before anything that the user says there.
func (c *conversation) close() {
	for _, o := range c.open {
		r := toolResult{Type: "tool_result", ToolUseID: o.id, Content: noResult, IsError: true}
		if o.result != nil {
			r.Content, r.IsError = valid(o.result.Text), o.result.Failed
		}
		if strings.TrimSpace(r.Content) == "" {
			r.Content = noOutput
		}
		c.push(roleUser, encode(r))
	}
	c.open = nil
}

// thinks reports whether the answers since the user's last word begin with thinking.
// Where thinking has a budget the provider refuses to go on with calls that came
// without.
func (c *conversation) thinks() bool {
	n := len(c.messages)
	if n < 2 || kindOf(c.messages[n-1].Content[0]) != "tool_result" {
		return true // nothing goes on
	}
	return isThought(c.messages[n-2].Content[0])
}
