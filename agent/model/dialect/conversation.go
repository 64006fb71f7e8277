package dialect

import (
	"encoding/json"
	"strings"
	"unicode"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

// What is said where a provider demands that something is said. The user's side
// is named as what it is, so that a model does not take it for the user's word.
const (
	byAgent   = "[Added by the agent, not written by the user.] "
	opening   = byAgent + "The conversation goes on from here."
	closing   = byAgent + "Go on."
	bridging  = "I have the results of these calls."
	noOutput  = "(no output)"
	noResult  = "error: this call has no result"
	roleAgent = chat.RoleAssistant
)

// message is one message of a request before it is written.
type message struct {
	role   string
	lead   []part // of the user's: what stands before the text, where there are images
	text   string
	calls  []call
	callID string // of a result
	name   string // of a result

	reasoning string
	fields    map[string]json.RawMessage // that its provider added
}

type call struct {
	id, name, args string
	own            string // the id in the conversation
	result         *string
	fields         map[string]json.RawMessage
}

// conversation builds the messages of a request, each from what came before it.
type conversation struct {
	asked Asked
	rules *Rules
	ids   *ids
	out   []message
	open  []call // of the last message, with results as they come
}

func build(q loop.Question, a Asked) []message {
	c := &conversation{asked: a, rules: &a.Rules, ids: newIDs(&a.Rules)}
	system := q.System
	if c.rules.Has(SystemInUser) {
		system = ""
	}
	if !blank(system) || !c.rules.Has(NoBlanks) && system != "" {
		c.out = append(c.out, message{role: "system", text: system})
	}
	messages := limited(q.Messages, c.rules)
	if q.NoCalls && len(q.Tools) == 0 {
		messages = Told(messages)
	}
	for i := range messages {
		switch m := &messages[i]; m.Role {
		case loop.RoleTool:
			c.result(m)
		case roleAgent:
			c.assistant(m)
		default:
			c.user(m)
		}
	}
	c.settle()
	if c.rules.Has(UserLast) && (c.last() == nil || c.last().role == roleAgent) {
		c.say(closing)
	}
	if c.rules.Has(SystemInUser) && !blank(q.System) {
		c.prepend(q.System)
	}
	return c.out
}

// last is the newest message, nil where nobody has spoken yet.
func (c *conversation) last() *message {
	if n := len(c.out); n > 0 && c.out[n-1].role != "system" {
		return &c.out[n-1]
	}
	return nil
}

func (c *conversation) user(m *loop.Message) {
	c.settle()
	lead, text := c.asked.spoken(m)
	if len(lead) == 0 && blank(text) && c.rules.Has(NoBlanks) {
		return
	}
	c.say(text, lead...)
}

// say adds a text of the user's side, with what stands before it.
func (c *conversation) say(text string, lead ...part) {
	last := c.last()
	switch {
	case last != nil && last.role == chat.RoleUser && c.rules.Has(Alternate):
		last.goOn(text, lead)
		return
	case last != nil && last.role == loop.RoleTool && c.rules.Has(Bridge):
		c.out = append(c.out, message{role: roleAgent, text: bridging})
	}
	c.out = append(c.out, message{role: chat.RoleUser, lead: lead, text: text})
}

func (c *conversation) prepend(system string) {
	for i := range c.out {
		if m := &c.out[i]; m.role == chat.RoleUser {
			if len(m.lead) > 0 {
				m.lead = append([]part{{text: system}}, m.lead...)
			} else {
				m.text = join(system, m.text)
			}
			return
		}
	}
}

func (c *conversation) assistant(m *loop.Message) {
	c.settle()
	next := message{role: roleAgent, text: m.Text}
	if blank(m.Text) && c.rules.Has(NoBlanks) {
		if len(m.Calls) == 0 {
			return // nothing was said
		}
		next.text = ""
	}
	own := c.asked.gave(m) || !c.rules.Has(OwnThoughts)
	var native native
	if own {
		next.reasoning = m.Reasoning
		if c.rules.Native {
			native = readNative(m.Native)
			next.fields = native.Message
		}
	}
	for i, k := range m.Calls {
		next.calls = append(next.calls, call{
			id: c.ids.give(k.ID, c.asked.mayHaveGiven(m)), own: k.ID,
			name: c.rules.name(k.Name), args: c.rules.arguments(k.Arguments), fields: native.call(i),
		})
	}
	c.open = next.calls
	last := c.last()
	switch {
	case last == nil && c.rules.Has(UserFirst):
		c.say(opening)
	case last != nil && last.role == roleAgent && len(last.calls) == 0 && c.rules.Has(Alternate):
		last.absorb(next)
		return
	}
	c.out = append(c.out, next)
}

// absorb makes two messages of the assistant one.
func (m *message) absorb(next message) {
	m.text = join(m.text, next.text)
	m.reasoning = join(m.reasoning, next.reasoning)
	m.calls = next.calls
	if next.fields != nil {
		m.fields = next.fields
	}
}

// result takes the result of an open call; one of no call, or a second one, is
// left out.
func (c *conversation) result(m *loop.Message) {
	if !c.rules.Has(Results) {
		c.out = append(c.out, message{role: loop.RoleTool, text: m.Text, callID: m.CallID, name: m.Name})
		return
	}
	if k := c.find(m); k != nil {
		text := m.Text
		if blank(text) && c.rules.Has(NoBlanks) {
			text = noOutput
		}
		k.result = &text
	}
}

// find returns the open call that a result is of: by its id, or by its tool where
// one of the two has no id.
func (c *conversation) find(m *loop.Message) *call {
	for i := range c.open {
		if k := &c.open[i]; m.CallID != "" && k.own == m.CallID && k.result == nil {
			return k
		}
	}
	for i := range c.open {
		k := &c.open[i]
		if k.result == nil && (m.CallID == "" || k.own == "") && (m.Name == "" || k.name == c.rules.name(m.Name)) {
			return k
		}
	}
	return nil
}

// settle writes the results of the open calls, in the order of the calls: some
// templates tell them apart by nothing else.
func (c *conversation) settle() {
	if c.rules.Has(Results) {
		for _, k := range c.open {
			text := noResult
			if k.result != nil {
				text = *k.result
			}
			c.out = append(c.out, message{role: loop.RoleTool, text: text, callID: k.id, name: k.name})
		}
	}
	c.open = nil
}

// arguments are a call's arguments as every provider takes them back. A model may
// have written what is no JSON object; some refuse the conversation for good then.
func (r *Rules) arguments(args json.RawMessage) string {
	if !r.Has(LegalArgs) || loop.IsObject(args) {
		return string(args)
	}
	if blank(string(args)) {
		return "{}"
	}
	return string(object{}.text("invalid_arguments", string(args)).bytes())
}

// join sets a blank line between two texts.
func join(a, b string) string {
	switch {
	case blank(a):
		return b
	case blank(b):
		return a
	}
	return a + "\n\n" + b
}

// blank reports whether nothing of a text can be seen. Providers differ in what
// they take for blank; this is what any of them does.
func blank(s string) bool {
	return strings.IndexFunc(s, func(c rune) bool {
		return !unicode.IsSpace(c) && !unicode.IsControl(c) && !unicode.Is(unicode.Cf, c) && c != '\u2800' && c != '\u3164'
	}) < 0
}
