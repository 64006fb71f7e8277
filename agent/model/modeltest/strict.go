package modeltest

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode"
)

// Thought is a word that marks reasoning and signatures of one provider in tests.
// A strict provider refuses a request in which another one's mark stands, as real
// ones do with a signature that is not theirs.
func Thought(provider string) string { return "thought-of-" + provider }

// Strict lists the providers that Refuse plays.
func Strict() []string {
	names := make([]string, 0, len(strictness))
	for name := range strictness {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Strict makes the server refuse what the real provider of that name refuses. It
// looks at a request before any script does.
func (s *Server) Strict(provider string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.strict = provider
}

// Refuse says how a provider refuses a request, and false for one that it takes.
// It knows nothing of how requests are written here: it is the other side's
// opinion, made of what the real ones are known to refuse.
func Refuse(provider string, body []byte) (Reply, bool) {
	p, ok := strictness[provider]
	if !ok {
		return Reply{Status: 404, Body: `{"error":{"message":"no such strict provider"}}`}, true
	}
	if p.self == "" {
		p.self = provider
	}
	q, fault := readSent(body)
	if fault == "" {
		for _, check := range checks {
			if fault = check(q, &p); fault != "" {
				break
			}
		}
	}
	if fault == "" {
		return Reply{}, false
	}
	status := p.status
	if status == 0 {
		status = 400
	}
	b, _ := json.Marshal(map[string]any{"error": map[string]any{"message": fault, "type": "invalid_request_error", "code": p.code}})
	return Reply{Status: status, Body: string(b)}, true
}

// sent is a request as a provider reads it.
type sent struct {
	fields   map[string]json.RawMessage
	messages []sentMessage
	tools    []string // names of the declared ones
}

type sentMessage struct {
	fields  map[string]json.RawMessage
	role    string
	content *string  // nil: null, absent, or neither text nor parts; of parts their texts
	images  []string // their addresses
	calls   []sentCall
	callID  string
}

type sentCall struct {
	fields         map[string]json.RawMessage
	id, name, args string
}

func readSent(body []byte) (*sent, string) {
	q := &sent{}
	var known struct {
		Messages []json.RawMessage
		Tools    []struct {
			Function struct {
				Name       string
				Parameters json.RawMessage
			}
		}
	}
	if json.Unmarshal(body, &q.fields) != nil || json.Unmarshal(body, &known) != nil {
		return q, "the body is not valid JSON"
	}
	for _, t := range known.Tools {
		if len(t.Function.Parameters) == 0 {
			return q, "function parameters is empty"
		}
		q.tools = append(q.tools, t.Function.Name)
	}
	for _, raw := range known.Messages {
		m := sentMessage{}
		var f struct {
			Role    string
			Content json.RawMessage
			CallID  string            `json:"tool_call_id"`
			Calls   []json.RawMessage `json:"tool_calls"`
		}
		if json.Unmarshal(raw, &m.fields) != nil || json.Unmarshal(raw, &f) != nil {
			return q, "a message is not valid"
		}
		m.role, m.callID = f.Role, f.CallID
		var s string
		if len(f.Content) > 0 && f.Content[0] == '"' && json.Unmarshal(f.Content, &s) == nil {
			m.content = &s
		}
		if len(f.Content) > 0 && f.Content[0] == '[' {
			var fault string
			if m.images, fault = readParts(f.Content, &s); fault != "" {
				return q, fault
			}
			m.content = &s
		}
		for _, c := range f.Calls {
			k := sentCall{}
			var known struct {
				ID       string
				Function struct{ Name, Arguments string }
			}
			if json.Unmarshal(c, &k.fields) != nil || json.Unmarshal(c, &known) != nil {
				return q, "a tool call is not valid"
			}
			k.id, k.name, k.args = known.ID, known.Function.Name, known.Function.Arguments
			m.calls = append(m.calls, k)
		}
		q.messages = append(q.messages, m)
	}
	return q, ""
}

// blank reports whether a text has nothing but white space and marks without ink.
func blank(s string) bool {
	return strings.TrimFunc(s, func(c rune) bool { return unicode.IsSpace(c) || !unicode.IsGraphic(c) }) == ""
}

// text is a string field of a message.
func (m *sentMessage) text(field string) (string, bool) {
	var s string
	ok := json.Unmarshal(m.fields[field], &s) == nil && len(m.fields[field]) > 0
	return s, ok
}
