package dialect

import (
	"encoding/json"
	"strings"

	"github.com/loongclaw/loongclaw/agent/loop"
)

// native is what a provider added to a message and to its calls, by position.
type native struct {
	Message map[string]json.RawMessage   `json:"message"`
	Calls   []map[string]json.RawMessage `json:"calls"`
}

// reserved are the fields that are written here and nowhere else.
var reserved = map[string]bool{
	"role": true, "content": true, "tool_calls": true, "tool_call_id": true, "name": true,
	"id": true, "type": true, "function": true, "index": true,
}

// readNative reads Message.Native; what cannot be read is nothing.
func readNative(b json.RawMessage) native {
	var n native
	if len(b) == 0 || json.Unmarshal(b, &n) != nil {
		return native{}
	}
	for _, fields := range append(n.Calls, n.Message) {
		for k := range fields {
			if reserved[strings.ToLower(k)] {
				delete(fields, k)
			}
		}
	}
	return n
}

func (n *native) call(i int) map[string]json.RawMessage {
	if i < len(n.Calls) {
		return n.Calls[i]
	}
	return nil
}

// gave reports whether the one who is asked gave the answer: what it thought and
// added is then its own. A provider that stands before many vendors is taken for
// as many, since each of them signs for itself.
func (a Asked) gave(m *loop.Message) bool {
	provider, model, _ := strings.Cut(m.Model, "/")
	if provider == "" || provider != a.Provider {
		return false
	}
	was, _, ok := strings.Cut(model, "/")
	is, _, ok2 := strings.Cut(a.Model, "/")
	return !ok || !ok2 || was == is
}

// mayHaveGiven is gave for what old records do not tell.
func (a Asked) mayHaveGiven(m *loop.Message) bool { return m.Model == "" || a.gave(m) }

// skipSignature is what Google documents for calls that another model made.
const skipSignature = "skip_thought_signature_validator"

// sign sees to it that a message with calls has the signature that its provider
// refuses to miss. One that came is left as it came: of parallel calls only the
// first has one.
func (m *message) sign(s Signature) {
	if len(m.calls) == 0 {
		return
	}
	switch s {
	case SignatureGoogle:
		for _, k := range m.calls {
			if signed(k.fields["extra_content"]) {
				return
			}
		}
		for i := range m.calls {
			m.calls[i].fields = with(m.calls[i].fields, "extra_content",
				object{}.raw("google", object{}.text("thought_signature", skipSignature).bytes()).bytes())
		}
	case SignatureOpenRouter:
		var details []json.RawMessage
		if json.Unmarshal(m.fields["reasoning_details"], &details) != nil {
			details = nil
		}
		for _, d := range details {
			if encrypted(d) {
				return
			}
		}
		for _, k := range m.calls {
			details = append(details, object{}.text("type", "reasoning.encrypted").text("data", skipSignature).
				text("id", k.id).text("format", "google-gemini-v1").number("index", len(details)).bytes())
		}
		m.fields = with(m.fields, "reasoning_details", array(details))
	case SignatureNone:
	}
}

func signed(extra json.RawMessage) bool {
	var e struct {
		Google struct {
			Signature string `json:"thought_signature"`
		} `json:"google"`
	}
	return json.Unmarshal(extra, &e) == nil && e.Google.Signature != ""
}

func encrypted(detail json.RawMessage) bool {
	var d struct {
		Type string `json:"type"`
		Data string `json:"data"`
	}
	return json.Unmarshal(detail, &d) == nil && d.Type == "reasoning.encrypted" && d.Data != ""
}

// present reports whether a field holds anything.
func present(b json.RawMessage) bool {
	switch strings.TrimSpace(string(b)) {
	case "", "null", "[]", "{}", `""`:
		return false
	}
	return true
}

// with returns the fields with one more, and leaves those alone that were given.
func with(fields map[string]json.RawMessage, key string, value json.RawMessage) map[string]json.RawMessage {
	out := map[string]json.RawMessage{key: value}
	for k, v := range fields {
		if k != key {
			out[k] = v
		}
	}
	return out
}

// think sees to it that a message has the reasoning that its provider demands.
//
// What is missing is replaced by words made of the message itself. An empty text
// is taken for a missing one by some models, and the same words in each message
// are soon repeated by the model instead of an answer.
func (m *message) think(r *Rules) {
	if r.Need == NeedAll || r.Need == NeedCalls && len(m.calls) > 0 {
		if blank(m.reasoning) {
			m.reasoning = m.summary()
		}
	}
	if r.ThinkTags && !blank(m.reasoning) && !present(m.fields["reasoning_details"]) {
		m.text, m.reasoning = "<think>\n"+m.reasoning+"\n</think>\n\n"+m.text, ""
	}
	if m.fields[r.Reasoning] != nil {
		m.reasoning = "" // it stands in the field as it came
	}
}

// summary is what a message does, in a few words.
func (m *message) summary() string {
	if len(m.calls) == 0 {
		return "Answer: " + start(m.text)
	}
	var names []string
	for _, k := range m.calls {
		names = append(names, k.name+" "+start(k.args))
	}
	return "Next: " + strings.Join(names, "; ")
}

// start is the beginning of a text, cut between two characters.
func start(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > 60 {
		s = strings.ToValidUTF8(s[:60], "")
	}
	return s
}
