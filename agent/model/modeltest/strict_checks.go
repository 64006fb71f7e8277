package modeltest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// strict is what one provider refuses beyond what all do.
type strict struct {
	self   string // under which name it is configured; empty: its own
	status int
	code   string

	alternate  bool // user and assistant, calls and results left out
	successive bool // two messages of one role
	bridge     bool // user behind tool
	noSystem   bool
	id         *regexp.Regexp
	name       *regexp.Regexp
	named      bool // results have a name

	nullContent  bool // refuses null beside calls
	emptyContent bool // refuses "" beside calls

	reasoning  string // the field
	always     bool   // in each message of the assistant, when there are tools
	withCalls  bool   // in each message with calls
	google     bool   // a signature in each first call
	openrouter bool   // reasoning_details beside calls

	messageFields []string // the others are refused; nil: none is
	bodyFields    []string // these are refused
	choices       []string // of tool_choice

	blind      bool // it knows no images
	images     int  // how many it takes; 0: as many as others
	imageBytes int  // of base64
}

// checks are asked one after the other; the first that says something refuses.
var checks = []func(*sent, *strict) string{
	checkFields, checkSystem, checkFirst, checkLast, checkRoles, checkContent, checkTools,
	checkCalls, checkResults, checkReasoning, checkSignatures, checkForeign, checkImages,
}

func checkFields(q *sent, p *strict) string {
	for _, k := range p.bodyFields {
		if q.fields[k] != nil {
			return "Extra inputs are not permitted: " + k
		}
	}
	if p.messageFields == nil {
		return ""
	}
	for i, m := range q.messages {
		for k := range m.fields {
			if !slices.Contains(p.messageFields, k) {
				return fmt.Sprintf("'messages.%d' : property '%s' is unsupported", i, k)
			}
		}
		for _, c := range m.calls {
			for k := range c.fields {
				if !slices.Contains([]string{"id", "type", "function"}, k) {
					return fmt.Sprintf("'messages.%d' : property '%s' is unsupported", i, k)
				}
			}
		}
	}
	return ""
}

func checkSystem(q *sent, p *strict) string {
	for i, m := range q.messages {
		if m.role != "system" {
			continue
		}
		if p.noSystem {
			return "System role not supported"
		}
		if i > 0 {
			return "chat content has invalid message role: system"
		}
	}
	return ""
}

// spoken are the messages but the system's.
func (q *sent) spoken() []sentMessage {
	if len(q.messages) > 0 && q.messages[0].role == "system" {
		return q.messages[1:]
	}
	return q.messages
}

func checkFirst(q *sent, _ *strict) string {
	all := q.spoken()
	if len(all) == 0 {
		return "contents is not specified"
	}
	if all[0].role != "user" {
		return "A conversation must start with a user message."
	}
	return ""
}

func checkLast(q *sent, _ *strict) string {
	if all := q.spoken(); len(all) > 0 && all[len(all)-1].role == "assistant" {
		return "Expected last role User or Tool (or Assistant with prefix True) for serving but got assistant"
	}
	return ""
}

func checkRoles(q *sent, p *strict) string {
	turn, before := "", ""
	for _, m := range q.spoken() {
		if p.bridge && m.role == "user" && before == "tool" {
			return "Unexpected role 'user' after role 'tool'"
		}
		if p.successive && m.role == before && m.role != "tool" {
			return "does not support successive user or assistant messages"
		}
		before = m.role
		if m.role == "tool" || len(m.calls) > 0 {
			continue
		}
		if p.alternate && m.role == turn {
			return "Conversation roles must alternate user/assistant/user/assistant/..."
		}
		turn = m.role
	}
	return ""
}

func checkContent(q *sent, p *strict) string {
	for i, m := range q.messages {
		beside := m.role == "assistant" && len(m.calls) > 0
		switch {
		case m.content == nil && !beside:
			return "Invalid value for 'content': expected a string, got null."
		case m.content == nil && p.nullContent:
			return "invalid message content type: <nil>"
		case m.content == nil:
		case beside && *m.content == "" && p.emptyContent:
			return "missing `messages.content` parameter"
		case beside && *m.content == "":
		case blank(*m.content) && len(m.images) == 0:
			return fmt.Sprintf("the message at position %d with role '%s' must not be empty: text content blocks must contain non-whitespace text", i, m.role)
		}
	}
	return ""
}

func checkTools(q *sent, p *strict) string {
	declared := len(q.tools) > 0
	if q.fields["tools"] != nil && !declared {
		return "Extra inputs are not permitted: tools"
	}
	choice := strings.Trim(string(q.fields["tool_choice"]), `"`)
	switch {
	case choice == "":
	case !declared:
		return "tool_choice is only allowed when tools are specified"
	case p.choices != nil && !slices.Contains(p.choices, choice):
		return "Tool choice must be auto"
	}
	for _, m := range q.messages {
		if (len(m.calls) > 0 || m.role == "tool") && !declared {
			return "The toolConfig field must be defined when using toolUse and toolResult content blocks."
		}
	}
	return ""
}

func checkCalls(q *sent, p *strict) string {
	seen := map[string]bool{}
	for i, m := range q.messages {
		for _, c := range m.calls {
			var args map[string]json.RawMessage
			switch {
			case c.id == "" || seen[c.id]:
				return "Duplicate tool call id in assistant message"
			case !p.id.MatchString(c.id):
				return fmt.Sprintf("Tool call id was %s but must match %s", c.id, p.id)
			case !p.name.MatchString(c.name):
				return fmt.Sprintf("Invalid 'messages[%d].tool_calls[0].function.name': string does not match pattern %s", i, p.name)
			case json.Unmarshal([]byte(c.args), &args) != nil || args == nil:
				return "invalid function arguments json string"
			}
			seen[c.id] = true
		}
	}
	return ""
}

// checkResults: all results of a message's calls stand right behind it.
func checkResults(q *sent, p *strict) string {
	var open []string
	for _, m := range q.messages {
		if m.role != "tool" {
			if len(open) > 0 {
				return "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. Not the same number of function calls and responses"
			}
			for _, c := range m.calls {
				open = append(open, c.id)
			}
			continue
		}
		i := slices.Index(open, m.callID)
		if i < 0 {
			return fmt.Sprintf("tool result's tool id(%s) not found: messages with role 'tool' must be a response to a preceding message with 'tool_calls'", m.callID)
		}
		open = slices.Delete(open, i, i+1)
		if name, _ := m.text("name"); p.named && name == "" {
			return "function_response.name: Name cannot be empty."
		}
	}
	if len(open) > 0 {
		return "tool messages responding to each 'tool_call_id' are missing"
	}
	return ""
}

func checkReasoning(q *sent, p *strict) string {
	for i, m := range q.messages {
		if m.role != "assistant" || !(p.always && len(q.tools) > 0 || p.withCalls && len(m.calls) > 0) {
			continue
		}
		if s, _ := m.text(p.reasoning); blank(s) {
			return fmt.Sprintf("The `%s` in the thinking mode must be passed back to the API: it is missing in assistant message at index %d", p.reasoning, i)
		}
	}
	return ""
}

func checkSignatures(q *sent, p *strict) string {
	for _, m := range q.messages {
		if len(m.calls) == 0 {
			continue
		}
		var extra struct {
			Google struct {
				Signature string `json:"thought_signature"`
			}
		}
		if _ = json.Unmarshal(m.calls[0].fields["extra_content"], &extra); p.google && extra.Google.Signature == "" {
			return "Function call is missing a thought_signature in functionCall parts."
		}
		if p.openrouter && !bytes.Contains(m.fields["reasoning_details"], []byte("reasoning.encrypted")) {
			return "Gemini models require OpenRouter reasoning details to be preserved in each request."
		}
	}
	return ""
}

var thought = regexp.MustCompile(`thought-of-[a-z]+`)

// checkForeign refuses what another provider thought or signed, in whatever field.
func checkForeign(q *sent, p *strict) string {
	for i, m := range q.messages {
		for k, v := range m.fields {
			for _, found := range thought.FindAllString(string(v), -1) {
				if found != Thought(p.self) {
					return fmt.Sprintf("Corrupted thought signature: messages[%d].%s is not of this model", i, k)
				}
			}
		}
	}
	return ""
}
