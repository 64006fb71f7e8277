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

// declare returns the tools that an answer may call. A question that forbids calls
// may leave its tools out, and a model that writes calls as text goes on with those
// that it made before: these are known too, so that such a call is no text for the
// user. The caller drops it, as it does with any other.
func declare(q loop.Question) declared {
	out := make(declared, len(q.Tools))
	if q.NoCalls {
		for i := range q.Messages {
			for _, c := range q.Messages[i].Calls {
				out[c.Name] = nil
			}
		}
	}
	for _, s := range q.Tools {
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
