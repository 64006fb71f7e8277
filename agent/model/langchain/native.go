package langchain

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

// native is Answer.Native as this adapter writes it: what a provider added to its
// message and to the calls in it and wants back, signatures above all. It is
// JSON, so that it can stand in a record:
//
//	{"message": {FIELD: VALUE, …}, "calls": [{FIELD: VALUE, …} or null, …]}
//
// The fields have the provider's names and values, and go back beside the ones
// that a request has anyway. Calls are those of Answer.Calls, by position; one
// without fields is null, and the list ends at the last that has any.
type native struct {
	Message fields   `json:"message,omitempty"`
	Calls   []fields `json:"calls,omitempty"`
}

// Half a signature is none, so where there is more of such fields than is kept of an
// answer all of them are left out.
const (
	maxNative  = 1 << 20
	maxJoins   = 1024 // pieces of fields that are joined as JSON
	maxDetails = 1024
)

// encode writes it, nil where there is nothing.
func (n *native) encode() json.RawMessage {
	for len(n.Calls) > 0 && len(n.Calls[len(n.Calls)-1]) == 0 {
		n.Calls = n.Calls[:len(n.Calls)-1]
	}
	if len(n.Message) == 0 && len(n.Calls) == 0 {
		return nil
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(n) != nil || b.Len() > maxNative {
		return nil
	}
	return bytes.TrimSpace(b.Bytes())
}

// keeper gathers such fields over the deltas of an answer.
type keeper struct {
	size    int // of what is kept
	joins   int
	message fields
	details []detail
}

// full reports whether there is more than is kept.
func (k *keeper) full() bool {
	return k.size > maxNative || k.joins > maxJoins || len(k.details) > maxDetails
}

// add keeps what a delta of the message brought.
func (k *keeper) add(d *delta) {
	k.message = k.merge(k.message, d.extra)
	for _, one := range d.details {
		if !k.full() {
			k.detail(one)
		}
	}
}

// fields are those of the message.
func (k *keeper) fields() fields {
	if len(k.details) == 0 {
		return k.message
	}
	all := make([]fields, len(k.details))
	for i := range k.details {
		all[i] = k.details[i].whole()
	}
	b, err := json.Marshal(all)
	if err != nil {
		return k.message
	}
	out := fields{"reasoning_details": b}
	for name, v := range k.message {
		out[name] = v
	}
	return out
}

// detail is an entry of reasoning_details. Its texts come in many pieces.
type detail struct {
	fields
	texts map[string]*strings.Builder
}

// inPieces reports whether a field of an entry is a text that goes on.
func inPieces(name string, v json.RawMessage) bool {
	return (name == "text" || name == "summary" || name == "signature") && v[0] == '"'
}

// put adds a field, and returns by how much the entry grew.
func (d *detail) put(name string, v json.RawMessage) int {
	if !inPieces(name, v) {
		grown := len(v) - len(d.fields[name])
		d.fields[name] = v
		return grown
	}
	var text rawText
	read(v, &text)
	b := d.texts[name]
	if b == nil {
		b = new(strings.Builder)
		d.texts[name] = b
	} else if name == "signature" && b.String() == string(text) {
		return 0 // the same once more
	}
	b.WriteString(string(text))
	return len(text)
}

// whole is the entry with its texts.
func (d *detail) whole() fields {
	for name, b := range d.texts {
		d.fields[name] = quoted(string(joinSurrogates([]byte(b.String()))))
	}
	return d.fields
}

// detail joins a piece of reasoning_details. OpenRouter streams the text and the
// summary of an entry in pieces with one type and index, and its signature after
// them; encrypted entries come whole, and several may have one index.
func (k *keeper) detail(one fields) {
	var last *detail
	for i := range k.details {
		last = &k.details[i]
		if present(one["data"]) && bytes.Equal(last.fields["data"], one["data"]) && sameDetail(last.fields, one) {
			return // the same once more
		}
	}
	if last == nil || !sameDetail(last.fields, one) || present(one["data"]) && present(last.fields["data"]) {
		k.details = append(k.details, detail{fields{}, map[string]*strings.Builder{}})
		last = &k.details[len(k.details)-1]
		for name := range one {
			k.size += len(name)
		}
	}
	for name, v := range one {
		if _, has := last.fields[name]; present(v) || !has {
			k.size += last.put(name, v)
		}
	}
}

// sameDetail reports whether two pieces are of one entry.
func sameDetail(a, b fields) bool {
	same := func(name string) bool {
		return !present(a[name]) || !present(b[name]) || bytes.Equal(a[name], b[name])
	}
	return same("type") && same("index") && same("id")
}

// opaque are words in the names of fields whose text may come in pieces; the text
// of any other field is a word that the newest one replaces.
var opaque = []string{"signature", "encrypted", "opaque", "thought", "reasoning", "data"}

// merge adds fields of a later delta: objects by their fields, lists to their end,
// and what is said again only once.
func (k *keeper) merge(have, more fields) fields {
	for name, v := range more {
		old, ok := have[name]
		if k.full() || ok && bytes.Equal(old, v) {
			continue
		}
		if have == nil {
			have = fields{}
		}
		if !ok {
			k.size += len(name)
		}
		next := v
		if ok {
			next = k.joined(name, old, v)
		}
		k.size += len(next) - len(old)
		have[name] = next
	}
	return have
}

// joined is a field that goes on with another value.
func (k *keeper) joined(name string, old, v json.RawMessage) json.RawMessage {
	k.joins++
	switch {
	case old[0] == '{' && v[0] == '{':
		var a, b fields
		_, _ = json.Unmarshal(old, &a), json.Unmarshal(v, &b) // both are objects
		if m, err := json.Marshal(k.merge(a, b)); err == nil {
			return m
		}
	case old[0] == '[' && v[0] == '[':
		var a, b []json.RawMessage
		_, _ = json.Unmarshal(old, &a), json.Unmarshal(v, &b) // both are lists
		if l, err := json.Marshal(slices.Concat(a, b)); err == nil {
			return l
		}
	case old[0] == '"' && v[0] == '"' && has(strings.ToLower(name), opaque...):
		var x, y rawText
		read(old, &x)
		read(v, &y)
		return quoted(string(joinSurrogates([]byte(x + y))))
	default:
		k.joins--
	}
	return v
}
