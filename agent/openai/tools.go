package openai

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/loongclaw/loongclaw/pkg/fault"
)

// What a client may bring along. The model reads all of it with each question.
const (
	maxTools        = 128
	maxDescriptions = 64 << 10
)

// Tool is a tool of the client's, which runs it itself.
type Tool struct {
	Name        string
	Description string
	Parameters  json.RawMessage // a JSON schema; empty: it takes nothing
}

// Choice is how far the model is free to call tools: one of the words of OpenAI's
// API, or the one tool that must be called.
type Choice struct {
	Word string // empty where Name is given
	Name string
}

// The words of a choice.
const (
	ChoiceAuto     = "auto"
	ChoiceNone     = "none"
	ChoiceRequired = "required"
)

// brought is what a client brings along.
type brought struct {
	all    []Tool
	choice Choice
	one    bool
}

func badTools(why, hint string) error {
	return fault.New(fault.CodeInvalidRequest, why, hint).About("tools")
}

// tools reads the client's tools, and how they may be called.
func (w *wire) tools() (brought, error) {
	if !asked(w.Tools) {
		return brought{}, nil
	}
	var in []struct {
		Type     string `json:"type"`
		Function *struct {
			Name        string          `json:"name"`
			Description string          `json:"description"`
			Parameters  json.RawMessage `json:"parameters"`
		} `json:"function"`
	}
	if json.Unmarshal(w.Tools, &in) != nil {
		return brought{}, badTools("tools is not what OpenAI's API takes", `send [{"type":"function","function":{"name":"…","description":"…","parameters":{…}}}]`)
	}
	if len(in) > maxTools {
		return brought{}, badTools(fmt.Sprintf("there are %d tools, and at most %d are taken", len(in), maxTools), "send fewer")
	}
	var out brought
	names, schemas, descriptions := map[string]bool{}, 0, 0
	for i, t := range in {
		if t.Type != "function" || t.Function == nil {
			return brought{}, fault.New(fault.CodeUnsupported, fmt.Sprintf("tools[%d]: the type %.40q is not served here", i, t.Type), "use tools of the type function").About("tools")
		}
		f := t.Function
		if !schemaName.MatchString(f.Name) {
			return brought{}, badTools(fmt.Sprintf("tools[%d]: the name is not made of letters, digits, _ and -, or is longer than 64 of them", i), "give it another name")
		}
		if names[f.Name] {
			return brought{}, badTools(fmt.Sprintf("two tools have the name %q", f.Name), "give each a name of its own")
		}
		names[f.Name] = true
		schema, err := schemaOf(f.Parameters)
		if err != nil {
			return brought{}, badTools(fmt.Sprintf("tools[%d]: its parameters are no JSON object", i), "send a JSON Schema, or leave them out")
		}
		schemas, descriptions = schemas+len(schema), descriptions+len(f.Description)
		out.all = append(out.all, Tool{f.Name, f.Description, schema})
	}
	switch {
	case schemas > maxSchema:
		return brought{}, badTools("the schemas of the tools are larger than 64 KiB", "send fewer or smaller ones")
	case descriptions > maxDescriptions:
		return brought{}, badTools("the descriptions of the tools are larger than 64 KiB", "send fewer or shorter ones")
	}
	var err error
	if out.choice, err = w.choice(names); err != nil {
		return brought{}, err
	}
	out.one = string(bytes.TrimSpace(w.Parallel)) == "false"
	return out, nil
}

// schemaOf is a tool's schema on one line, nil where there is none.
func schemaOf(raw json.RawMessage) (json.RawMessage, error) {
	if string(bytes.TrimSpace(raw)) == "null" || len(raw) == 0 {
		return nil, nil
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(raw, &object); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err := json.Compact(&b, raw)
	return b.Bytes(), err
}

// choice reads how far the model is free to call tools.
func (w *wire) choice(names map[string]bool) (Choice, error) {
	bad := func(why string) error {
		return fault.New(fault.CodeInvalidRequest, why, `send "auto", "none", "required" or {"type":"function","function":{"name":"…"}} with one of your tools`).About("tool_choice")
	}
	if !asked(w.ToolChoice) {
		return Choice{}, nil
	}
	var word string
	if json.Unmarshal(w.ToolChoice, &word) == nil {
		switch word {
		case ChoiceAuto:
			return Choice{}, nil
		case ChoiceNone, ChoiceRequired:
			return Choice{Word: word}, nil
		case "any": // as some other APIs call it
			return Choice{Word: ChoiceRequired}, nil
		}
		return Choice{}, bad(fmt.Sprintf("the tool_choice %.40q is none of OpenAI's", word))
	}
	var named struct {
		Type     string `json:"type"`
		Function struct {
			Name string `json:"name"`
		} `json:"function"`
	}
	switch {
	case json.Unmarshal(w.ToolChoice, &named) != nil:
		return Choice{}, bad("tool_choice is not what OpenAI's API takes")
	case named.Type != "function":
		return Choice{}, fault.New(fault.CodeUnsupported, fmt.Sprintf("a tool_choice of the type %.40q is not served here", named.Type), `use "auto", "none", "required" or a function`).About("tool_choice")
	case !names[named.Function.Name]:
		return Choice{}, bad(fmt.Sprintf("tool_choice names %.80q, which is none of the tools", named.Function.Name))
	}
	return Choice{Name: named.Function.Name}, nil
}
