package langchain

import (
	"bytes"
	"encoding/json"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// The types of this file read JSON that may be of another type than OpenAI says:
// what does not fit is left out, and never makes the event around it unreadable.

// object is an object, or nothing: null, and the [] that some languages write for
// an object without fields.
type object[T any] struct{ value *T }

// UnmarshalJSON reads an object.
func (o *object[T]) UnmarshalJSON(b []byte) error {
	o.value = nil
	if b[0] == '{' {
		v := new(T)
		if json.Unmarshal(b, v) == nil {
			o.value = v
		}
	}
	return nil
}

func (o *object[T]) get() *T { return o.value }

// list is a list, or the one thing that stands in its place.
type list[T any] []T

// UnmarshalJSON reads a list.
func (l *list[T]) UnmarshalJSON(b []byte) error {
	*l = nil
	raws := []json.RawMessage{b}
	if b[0] == '[' {
		raws = elements(b, maxElements)
	}
	for _, raw := range raws {
		if raw[0] != '{' {
			continue
		}
		var v T
		if json.Unmarshal(raw, &v) == nil {
			*l = append(*l, v)
		}
	}
	return nil
}

// maxElements is how many things of a list are read: a list of a few MiB of empty
// ones would be many times as large in memory.
const maxElements = 4096

// elements are the first things of a list.
func elements(b []byte, most int) (out []json.RawMessage) {
	d := json.NewDecoder(bytes.NewReader(b))
	if _, err := d.Token(); err != nil {
		return nil
	}
	for d.More() && len(out) < most {
		var one json.RawMessage
		if d.Decode(&one) != nil {
			return out
		}
		out = append(out, one)
	}
	return out
}

// number is a whole number, however it is written; what is none is 0.
type number int

// UnmarshalJSON reads 3, 3.0 and "3".
func (n *number) UnmarshalJSON(b []byte) error {
	f, err := strconv.ParseFloat(strings.Trim(string(b), `"`), 64)
	*n = 0
	if err == nil && f > 0 && f < 1<<40 {
		*n = number(f)
	}
	return nil
}

// read reads a field that may be missing.
func read(raw json.RawMessage, to json.Unmarshaler) {
	if raw = bytes.TrimSpace(raw); len(raw) > 0 {
		_ = to.UnmarshalJSON(raw) // what it cannot read it leaves out
	}
}

// present reports whether a raw JSON field holds anything.
func present(raw json.RawMessage) bool {
	raw = bytes.TrimSpace(raw)
	return len(raw) > 0 && !bytes.Equal(raw, []byte("null"))
}

// fields are fields of JSON that mean nothing here.
type fields map[string]json.RawMessage

// others are the fields of an object that are in none of the lists and hold
// anything. A name of the lists in capitals is not kept either: nobody has read it,
// and beside the field itself it would go back as the same one twice.
func others(f map[string]json.RawMessage, known, notes []string) fields {
	var out fields
	for k, v := range f {
		listed := func(name string) bool { return strings.EqualFold(name, k) }
		if slices.ContainsFunc(known, listed) || slices.ContainsFunc(notes, listed) || !present(v) || string(v) == `""` || string(v) == "[]" || string(v) == "{}" {
			continue
		}
		if out == nil {
			out = fields{}
		}
		out[k] = v
	}
	return out
}

func keysOf[V any](m map[string]V) iter.Seq[string] { return maps.Keys(m) }
