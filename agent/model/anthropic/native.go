package anthropic

import (
	"encoding/json"
	"unicode/utf8"

	"github.com/loongclaw/loongclaw/agent/loop"
)

// native is what this adapter keeps of an answer beside its text and calls: the
// order of its blocks, and those of them that are neither. It stands in a journal,
// so that its fields keep their meaning.
type native struct {
	Prefix string  `json:"prefix"`          // sums up what stood before the answer
	Plain  bool    `json:"plain,omitempty"` // the thinking before it was refused, and is not to go back any more
	Parts  []piece `json:"parts"`
}

// piece is a block of an answer. Exactly one field is set.
type piece struct {
	Text int             `json:"text,omitempty"` // so many bytes of the answer's text
	Call *int            `json:"call,omitempty"` // which of the answer's calls
	Raw  json.RawMessage `json:"raw,omitempty"`  // any other block, as it came
}

// maxNative is the most that is kept of an answer. Thinking is of use to the next
// requests, but not at the price of a journal that nobody can read.
const maxNative = 1 << 20

// readNative reads what was kept of an answer of ours. It gives nothing where there
// is none, or where the answer has changed since: a text that was forgotten is not
// to come back by its blocks.
func readNative(msg *loop.Message) (native, bool) {
	var n native
	if len(msg.Native) == 0 || json.Unmarshal(msg.Native, &n) != nil {
		return native{}, false
	}
	size, calls := 0, 0
	for _, p := range n.Parts {
		switch {
		case p.Raw != nil:
			if kindOf(p.Raw) == "" {
				return native{}, false
			}
		case p.Call != nil:
			if *p.Call != calls {
				return native{}, false
			}
			calls++
		case p.Text <= 0 || p.Text > len(msg.Text)-size:
			return native{}, false
		default:
			size += p.Text
			if size < len(msg.Text) && !utf8.RuneStart(msg.Text[size]) {
				return native{}, false
			}
		}
	}
	return n, size == len(msg.Text) && calls == len(msg.Calls)
}

// isPlain reports whether the thinking before an answer was refused.
func isPlain(msg *loop.Message) bool {
	var n native
	return len(msg.Native) > 0 && json.Unmarshal(msg.Native, &n) == nil && n.Plain
}

// kindOf is a block's type, empty where it is no block.
func kindOf(raw json.RawMessage) string {
	var b map[string]json.RawMessage // a struct would take "Type" for it, too
	var kind string
	if json.Unmarshal(raw, &b) != nil || json.Unmarshal(b["type"], &kind) != nil {
		return ""
	}
	return kind
}

// isThought reports whether a block is thinking, which is bound to what stands
// before it.
func isThought(raw json.RawMessage) bool {
	kind := kindOf(raw)
	return kind == "thinking" || kind == "redacted_thinking"
}
