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

// maxNative is how much of such fields is kept of an answer. Half a signature is
// none, so what is larger is left out altogether.
const maxNative = 256 << 10

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
	size    int
	message fields
	details []map[string]json.RawMessage
}

// room reports whether more may be kept.
func (k *keeper) room(f fields) bool {
	for name, v := range f {
		k.size += len(name) + len(v)
	}
	return k.size <= maxNative
}

// add keeps what a delta of the message brought.
func (k *keeper) add(d *delta) {
	if len(d.extra) > 0 && k.room(d.extra) {
		k.message = merge(k.message, d.extra)
	}
	for _, one := range d.details {
		if k.room(one) {
			k.detail(one)
		}
	}
}

// fields are those of the message.
func (k *keeper) fields() fields {
	if k.size > maxNative {
		return nil
	}
	if len(k.details) == 0 {
		return k.message
	}
	b, err := json.Marshal(k.details)
	if err != nil {
		return k.message
	}
	return merge(k.message, fields{"reasoning_details": b})
}

// detail joins a piece of reasoning_details. OpenRouter streams the text and the
// summary of an entry in pieces with one type and index, and its signature after
// them; encrypted entries come whole, and several may have one index.
func (k *keeper) detail(one map[string]json.RawMessage) {
	n := len(k.details)
	if n == 0 || !sameDetail(k.details[n-1], one) {
		for _, d := range k.details {
			if present(one["data"]) && bytes.Equal(d["data"], one["data"]) && sameDetail(d, one) {
				return // the same once more
			}
		}
		own := make(map[string]json.RawMessage, len(one))
		for name, v := range one {
			own[name] = v
		}
		k.details = append(k.details, own)
		return
	}
	last := k.details[n-1]
	if present(one["data"]) && present(last["data"]) {
		if !bytes.Equal(one["data"], last["data"]) {
			k.details = append(k.details, one)
		}
		return
	}
	for name, v := range one {
		switch {
		case !present(v):
		case name == "text" || name == "summary" || name == "signature" && !bytes.Equal(v, last[name]):
			last[name] = joined(last[name], v)
		default:
			last[name] = v
		}
	}
}

// sameDetail reports whether two pieces are of one entry.
func sameDetail(a, b map[string]json.RawMessage) bool {
	same := func(name string) bool {
		return !present(a[name]) || !present(b[name]) || bytes.Equal(a[name], b[name])
	}
	return same("type") && same("index") && same("id")
}

// joined is a JSON string that goes on with another.
func joined(a, b json.RawMessage) json.RawMessage {
	var x, y rawText
	read(a, &x)
	read(b, &y)
	out, err := json.Marshal(strings.ToValidUTF8(string(joinSurrogates([]byte(x+y))), "\uFFFD"))
	if err != nil {
		return b
	}
	return out
}

// opaque are words in the names of fields whose text may come in pieces; the text
// of any other field is a word that the newest one replaces.
var opaque = []string{"signature", "encrypted", "opaque", "thought", "reasoning", "data"}

// merge adds fields of a later delta: objects by their fields, lists to their end,
// and what is said again only once.
func merge(have, more fields) fields {
	out := make(fields, len(have)+len(more))
	for name, v := range have {
		out[name] = v
	}
	for name, v := range more {
		old, ok := out[name]
		switch {
		case !ok || bytes.Equal(old, v):
			out[name] = v
		case old[0] == '{' && v[0] == '{':
			var a, b fields
			_, _ = json.Unmarshal(old, &a), json.Unmarshal(v, &b) // both are objects
			if m, err := json.Marshal(merge(a, b)); err == nil {
				out[name] = m
			}
		case old[0] == '[' && v[0] == '[':
			var a, b []json.RawMessage
			_, _ = json.Unmarshal(old, &a), json.Unmarshal(v, &b) // both are lists
			if l, err := json.Marshal(slices.Concat(a, b)); err == nil {
				out[name] = l
			}
		case old[0] == '"' && v[0] == '"' && has(strings.ToLower(name), opaque...):
			out[name] = joined(old, v)
		default:
			out[name] = v
		}
	}
	return out
}
