package openai

import (
	"bytes"
	"encoding/json"
	"regexp"

	"github.com/loongclaw/loongclaw/pkg/fault"
)

// maxSchema is the largest schema: it is part of what the model reads.
const maxSchema = 64 << 10

var schemaName = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,64}$`)

// format is the JSON that the client wants, nil for text. Libraries that want JSON of
// any model declare one tool and have it called: then the call's arguments may be all
// that they want.
func (w *wire) format() (*Format, error) {
	if f, ok := w.onlyCall(); ok {
		return f, f.check("tools")
	}
	if !asked(w.ResponseFormat) {
		return nil, nil
	}
	var in struct {
		Type       string `json:"type"`
		JSONSchema struct {
			Name   string          `json:"name"`
			Schema json.RawMessage `json:"schema"`
			Strict *bool           `json:"strict"`
		} `json:"json_schema"`
	}
	if err := json.Unmarshal(w.ResponseFormat, &in); err != nil {
		return nil, fault.New(fault.CodeInvalidRequest, "response_format is not what OpenAI's API takes", `send {"type":"json_object"} or {"type":"json_schema","json_schema":{"name":"…","schema":{…}}}`).About("response_format")
	}
	switch in.Type {
	case "", "text":
		return nil, nil
	case "json_object":
		return &Format{}, nil
	case "json_schema":
		s := in.JSONSchema
		f := &Format{Name: s.Name, Schema: s.Schema, Strict: s.Strict != nil && *s.Strict}
		if f.Name == "" {
			f.Name = "answer"
		}
		if !asked(f.Schema) {
			return nil, fault.New(fault.CodeInvalidRequest, "response_format json_schema has no schema", `send {"type":"json_schema","json_schema":{"name":"…","schema":{…}}}`).About("response_format")
		}
		return f, f.check("response_format")
	}
	return nil, fault.New(fault.CodeUnsupported, "response_format "+in.Type+" is not served here", "use text, json_object or json_schema").About("response_format")
}

// check bounds what comes from outside, and compacts it.
func (f *Format) check(field string) error {
	var schema map[string]any
	switch {
	case !schemaName.MatchString(f.Name):
		return fault.New(fault.CodeInvalidRequest, "the name of the schema is not made of letters, digits, _ and -, or is longer than 64 of them", "give it another name").About(field)
	case len(f.Schema) > maxSchema:
		return fault.New(fault.CodeInvalidRequest, "the schema is larger than 64 KiB", "ask for less at once").About(field)
	case len(f.Schema) > 0 && json.Unmarshal(f.Schema, &schema) != nil:
		return fault.New(fault.CodeInvalidRequest, "the schema is no JSON object", "send a JSON Schema").About(field)
	}
	var b bytes.Buffer
	if len(f.Schema) > 0 && json.Compact(&b, f.Schema) == nil {
		f.Schema = b.Bytes()
	}
	return nil
}

// onlyCall is the one tool that a client declares and that must be called.
func (w *wire) onlyCall() (*Format, bool) {
	var tools []struct {
		Type     string `json:"type"`
		Function struct {
			Name       string          `json:"name"`
			Parameters json.RawMessage `json:"parameters"`
			Strict     *bool           `json:"strict"`
		} `json:"function"`
	}
	if json.Unmarshal(w.Tools, &tools) != nil || len(tools) != 1 || tools[0].Type != "function" || tools[0].Function.Name == "" {
		return nil, false
	}
	f := tools[0].Function
	var word string
	var named struct {
		Type     string `json:"type"`
		Function struct {
			Name string `json:"name"`
		} `json:"function"`
	}
	if json.Unmarshal(w.ToolChoice, &word) != nil && json.Unmarshal(w.ToolChoice, &named) != nil {
		return nil, false
	}
	if word != "required" && (named.Type != "function" || named.Function.Name != f.Name) {
		return nil, false
	}
	out := &Format{Name: f.Name, Strict: f.Strict != nil && *f.Strict, Call: true}
	if asked(f.Parameters) {
		out.Schema = f.Parameters
	}
	return out, true
}
