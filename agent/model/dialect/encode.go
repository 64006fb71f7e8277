package dialect

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
)

// object writes a JSON object whose fields stand in the order in which they were
// added, so that the same message is always the same bytes.
type object struct{ b []byte }

func (o object) bytes() json.RawMessage {
	if o.b == nil {
		return json.RawMessage("{}")
	}
	return append(slices.Clip(o.b), '}')
}

func (o object) raw(key string, value json.RawMessage) object {
	if o.b == nil {
		o.b = append(o.b, '{')
	} else {
		o.b = append(o.b, ',')
	}
	o.b = append(append(append(o.b, quote(key)...), ':'), value...)
	return o
}

func (o object) text(key, value string) object { return o.raw(key, quote(value)) }

func (o object) number(key string, value int) object {
	return o.raw(key, strconv.AppendInt(nil, int64(value), 10))
}

// fields adds what a provider sent, by name.
func (o object) fields(f map[string]json.RawMessage) object {
	keys := make([]string, 0, len(f))
	for k := range f {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		var b bytes.Buffer
		if json.Compact(&b, f[k]) == nil {
			o = o.raw(k, b.Bytes())
		}
	}
	return o
}

// quote writes a string without the escapes that only a web page needs.
func quote(s string) []byte {
	if plain(s) {
		return append(append(append(make([]byte, 0, len(s)+2), '"'), s...), '"')
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string can always be written
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// plain reports whether a string stands in JSON as it is. Only ASCII is looked at.
func plain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

func array(all []json.RawMessage) json.RawMessage {
	return append(append([]byte{'['}, bytes.Join(raws(all), []byte{','})...), ']')
}

func raws(all []json.RawMessage) [][]byte {
	out := make([][]byte, len(all))
	for i := range all {
		out[i] = all[i]
	}
	return out
}
