package langchain

import (
	"encoding/json"
	"slices"

	"github.com/loongclaw/loongclaw/agent/loop"
)

// declared are the tools of a question, with the types of their parameters.
type declared map[string]map[string]parameterType

type parameterType struct {
	Type json.RawMessage `json:"type"`
}

func declare(specs []loop.Spec) declared {
	if len(specs) == 0 {
		return nil
	}
	out := make(declared, len(specs))
	for _, s := range specs {
		var schema struct {
			Properties map[string]parameterType `json:"properties"`
		}
		_ = json.Unmarshal(s.Parameters, &schema) // a tool without parameters is one too
		out[s.Name] = schema.Properties
	}
	return out
}

func (d declared) has(name string) bool {
	_, ok := d[name]
	return ok
}

// isString reports whether a parameter takes a string: what is written without
// quotes is one then, whatever else it may look like. Where the tool does not say,
// it is what it looks like.
func (d declared) isString(tool, name string) bool {
	p, ok := d[tool][name]
	if !ok || !present(p.Type) {
		return false
	}
	var one string
	var many []string
	if json.Unmarshal(p.Type, &one) == nil {
		return one == "string"
	}
	_ = json.Unmarshal(p.Type, &many) // whatever it is, it is no string
	return slices.Contains(many, "string") && !slices.ContainsFunc(many, func(t string) bool { return t != "string" && t != "null" })
}
