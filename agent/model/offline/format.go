package offline

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

// Bounds of an object that is made of a schema.
const (
	maxNested = 8
	maxLabel  = 40 // of a text, in characters
)

// shape is what this model understands of a JSON Schema.
type shape struct {
	Type       json.RawMessage `json:"type"` // a word, or a list of them
	Properties json.RawMessage `json:"properties"`
	Const      json.RawMessage `json:"const"`
	Enum       []json.RawMessage
	AnyOf      []json.RawMessage `json:"anyOf"`
	OneOf      []json.RawMessage `json:"oneOf"`
}

// object is an answer in JSON: of a schema's form, with the beginning of what was
// asked for each text. A model without a provider has no better label, and a client
// that reads its answer by a schema has one at least.
func object(q loop.Question) string {
	text := label(q)
	schema := q.Format.Schema
	if len(schema) == 0 {
		schema = json.RawMessage(`{"type":"object","properties":{"answer":{"type":"string"}}}`)
	}
	var out bytes.Buffer
	write(&out, schema, text, 0)
	return out.String()
}

// label is the first line that says something of the last message.
func label(q loop.Question) string {
	for i := len(q.Messages) - 1; i >= 0; i-- {
		if q.Messages[i].Role != chat.RoleUser {
			continue
		}
		for line := range strings.Lines(q.Messages[i].Text) {
			if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "<") && !strings.HasPrefix(line, "#") {
				r := []rune(line)
				return string(r[:min(len(r), maxLabel)])
			}
		}
	}
	return Name
}

func write(out *bytes.Buffer, schema json.RawMessage, text string, depth int) {
	var s shape
	_ = json.Unmarshal(schema, &s) // what cannot be read says nothing
	switch {
	case depth > maxNested:
		out.WriteString("null")
	case len(s.Const) > 0:
		out.Write(s.Const)
	case len(s.Enum) > 0:
		out.Write(s.Enum[0])
	case len(s.AnyOf) > 0:
		write(out, s.AnyOf[0], text, depth+1)
	case len(s.OneOf) > 0:
		write(out, s.OneOf[0], text, depth+1)
	default:
		writeType(out, &s, text, depth)
	}
}

func writeType(out *bytes.Buffer, s *shape, text string, depth int) {
	var kind string
	var kinds []string
	if json.Unmarshal(s.Type, &kind) != nil && json.Unmarshal(s.Type, &kinds) == nil && len(kinds) > 0 {
		kind = kinds[0]
	}
	switch {
	case kind == "string":
		b, _ := json.Marshal(text) // a string can always be written
		out.Write(b)
	case kind == "array":
		out.WriteString("[]")
	case kind == "number" || kind == "integer":
		out.WriteString("0")
	case kind == "boolean":
		out.WriteString("false")
	case kind == "object" || len(s.Properties) > 0 || depth == 0:
		writeObject(out, s.Properties, text, depth)
	default:
		out.WriteString("null")
	}
}

// writeObject keeps the order of the properties.
func writeObject(out *bytes.Buffer, properties json.RawMessage, text string, depth int) {
	out.WriteByte('{')
	defer out.WriteByte('}')
	d := json.NewDecoder(bytes.NewReader(properties))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return
	}
	for first := true; d.More(); first = false {
		name, err := d.Token()
		var schema json.RawMessage
		if err != nil || d.Decode(&schema) != nil {
			return
		}
		if !first {
			out.WriteByte(',')
		}
		b, _ := json.Marshal(name) // a string can always be written
		out.Write(b)
		out.WriteByte(':')
		write(out, schema, text, depth+1)
	}
}
