package anthropic

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/model/wire"
)

// part is one block of an answer as it comes together.
type part struct {
	kind  string
	start map[string]json.RawMessage // the block as it began
	lossy bool                       // something came of it that is not understood: it cannot go back

	size   int // of text: bytes of the answer's text
	joiner wire.Joiner

	id, name string // of a call
	args     []byte // of a call, or of a block with input that only this protocol has

	thought   strings.Builder // of thinking
	signature string
}

// parts are the blocks of an answer, over all the messages that it took to give it.
type parts struct {
	all       []*part
	text      strings.Builder
	reasoning strings.Builder
	lastText  *part
	mixed     bool // texts came in turn: which bytes are whose is not known
}

// begin begins a block.
func (p *parts) begin(raw json.RawMessage) *part {
	var b struct {
		Type     string    `json:"type"`
		Text     wire.Text `json:"text"`
		Thinking wire.Text `json:"thinking"`
		Sign     string    `json:"signature"`
		ID       wire.Text `json:"id"`
		Name     wire.Text `json:"name"`
	}
	n := &part{}
	if json.Unmarshal(raw, &n.start) != nil || json.Unmarshal(raw, &b) != nil {
		n.start, n.lossy = nil, true
	}
	n.kind = b.Type
	if n.start = exactNames(n.start); n.start != nil && n.kind != "" {
		n.start["type"] = encode(n.kind)
	}
	p.all = append(p.all, n)
	switch n.kind {
	case "text":
		p.say(n, string(b.Text))
	case "thinking":
		n.signature = b.Sign
		p.think(n, string(b.Thinking))
	case "tool_use":
		n.id, n.name = whole(b.ID), whole(b.Name)
	}
	return n
}

// blockNames are the fields of blocks that are read here. encoding/json takes a name
// in any case for them, which the provider does not when a block goes back.
var blockNames = []string{"type", "text", "thinking", "signature", "data", "id", "name", "input", "citations"}

// exactNames gives the fields of a block the names under which they were read.
func exactNames[V any](block map[string]V) map[string]V {
	for _, name := range slices.Sorted(maps.Keys(block)) {
		v := block[name]
		for _, exact := range blockNames {
			if name == exact || !strings.EqualFold(name, exact) {
				continue
			}
			delete(block, name)
			if _, ok := block[exact]; !ok {
				block[exact] = v
			}
		}
	}
	return block
}

func whole(t wire.Text) string { return strings.ToValidUTF8(string(t), "\uFFFD") }

// say takes a piece of a text block and returns what of it is whole.
func (p *parts) say(n *part, piece string) string { return p.shown(n, n.joiner.Add(piece)) }

// shown takes text that is whole.
func (p *parts) shown(n *part, s string) string {
	if s == "" {
		return ""
	}
	p.mixed = p.mixed || (n.size > 0 && p.lastText != n)
	p.lastText = n
	n.size += len(s)
	p.text.WriteString(s)
	return s
}

func (p *parts) think(n *part, piece string) {
	s := n.joiner.Add(piece)
	n.thought.WriteString(s)
	p.reasoning.WriteString(s)
}

// end closes a block and returns what of its text was held back until now.
func (p *parts) end(n *part) string {
	rest := n.joiner.Rest()
	if n.kind == "thinking" {
		n.thought.WriteString(rest)
		p.reasoning.WriteString(rest)
		return ""
	}
	return p.shown(n, rest)
}

// delta is what comes of a block.
type delta struct {
	Type      string    `json:"type"`
	Text      wire.Text `json:"text"`
	Thinking  wire.Text `json:"thinking"`
	Signature string    `json:"signature"`
	Partial   wire.Text `json:"partial_json"`
}

// add takes a delta and returns the text that is ready.
func (p *parts) add(n *part, d *delta) string {
	switch {
	case d.Type == "text_delta" && n.kind == "text":
		return p.say(n, string(d.Text))
	case d.Type == "thinking_delta" && n.kind == "thinking":
		p.think(n, string(d.Thinking))
	case d.Type == "signature_delta" && n.kind == "thinking":
		n.signature = d.Signature
	case d.Type == "input_json_delta" && n.kind != "text" && n.kind != "thinking":
		n.args = append(n.args, d.Partial...)
	case d.Type == "citations_delta":
		// Where a text comes from is shown nowhere yet, and need not go back.
	default:
		n.lossy = true
	}
	return ""
}

// input is a block's input: what came in pieces, else what stood in its beginning.
// Without either there is none, which is how an empty object is said.
func (n *part) input() json.RawMessage {
	if joined := strings.TrimSpace(strings.ToValidUTF8(string(wire.JoinSurrogates(n.args)), "\uFFFD")); joined != "" {
		return json.RawMessage(joined)
	}
	if s := n.start["input"]; len(s) > 0 && !bytes.Equal(s, []byte("null")) {
		return s
	}
	return json.RawMessage("{}")
}

// calls gives the calls in the order in which they began. cut says that a limit
// ended the answer: then the input of a last call that is missing is not an empty
// one, but one that did not come.
func (p *parts) calls(names *names, cut bool) []loop.Call {
	var out []loop.Call
	for i, n := range p.all {
		if n.kind != "tool_use" {
			continue
		}
		name := n.name
		if ours, ok := names.ours[name]; ok {
			name = ours
		}
		args := n.input()
		if cut && i == len(p.all)-1 && len(n.args) == 0 && string(args) == "{}" {
			args = json.RawMessage("null")
		}
		out = append(out, loop.Call{ID: n.id, Name: name, Arguments: args})
	}
	return out
}

// raw is a block as it goes back; false where it cannot, or need not.
func (n *part) raw() (json.RawMessage, bool) {
	if n.start == nil || n.lossy {
		return nil, false
	}
	b := make(map[string]json.RawMessage, len(n.start))
	for k, v := range n.start {
		b[k] = v
	}
	switch n.kind {
	case "":
		return nil, false
	case "thinking":
		if n.signature == "" {
			return nil, false // without one it is refused
		}
		b["thinking"], b["signature"] = encode(n.thought.String()), encode(n.signature)
	default:
		if len(n.args) > 0 {
			b["input"] = n.input()
		}
	}
	return canonical(encode(b))
}

// native is what is kept of the answer beside its text and calls: nothing where
// there is nothing else to know. plain says that earlier thinking was refused.
func (p *parts) native(prefix string, plain bool) json.RawMessage {
	out, calls, more := native{Prefix: prefix, Plain: plain}, 0, plain
	for _, n := range p.all {
		switch n.kind {
		case "text":
			if n.size > 0 {
				out.Parts = append(out.Parts, piece{Text: n.size})
			}
		case "tool_use":
			at := calls
			out.Parts = append(out.Parts, piece{Call: &at})
			calls++
		default:
			raw, ok := n.raw()
			if !ok && n.kind != "thinking" && n.kind != "redacted_thinking" {
				return nil // its neighbours may speak of it: all or none
			}
			if ok {
				out.Parts = append(out.Parts, piece{Raw: raw})
				more = true
			}
		}
	}
	if p.mixed || !more {
		return nil
	}
	b, err := json.Marshal(out)
	if err != nil || len(b) > maxNative {
		return nil
	}
	return b
}

// so is the answer so far, for the request that continues it.
func (p *parts) so() []json.RawMessage {
	var out []json.RawMessage
	for _, n := range p.all {
		if n.kind == "text" {
			if s := p.textOf(n); strings.TrimSpace(s) != "" {
				out = append(out, text(s))
			}
		} else if raw, ok := n.raw(); ok {
			out = append(out, raw)
		}
	}
	for len(out) > 0 && isThought(out[len(out)-1]) {
		out = out[:len(out)-1]
	}
	return out
}

// textOf is the text of one block. Where texts came in turn it is all of it, once.
func (p *parts) textOf(n *part) string {
	if p.mixed {
		if n == p.lastText {
			return p.text.String()
		}
		return ""
	}
	at := 0
	for _, o := range p.all {
		if o == n {
			return p.text.String()[at : at+n.size]
		}
		if o.kind == "text" {
			at += o.size
		}
	}
	return ""
}
