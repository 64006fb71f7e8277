package langchain

import (
	"encoding/json"
	"slices"

	"github.com/loongclaw/loongclaw/agent/loop"
)

// declared are the tools of a question.
type declared map[string]*schema

// schema is of the parameters of a tool. It is read when it is asked for: hardly any
// answer needs it.
type schema struct {
	raw   json.RawMessage
	types map[string]parameterType // nil until it is read
}

type parameterType struct {
	Type json.RawMessage `json:"type"`
}

// of returns the type of a parameter.
func (s *schema) of(name string) (parameterType, bool) {
	if s == nil {
		return parameterType{}, false
	}
	if s.types == nil {
		var read struct {
			Properties map[string]parameterType `json:"properties"`
		}
		_ = json.Unmarshal(s.raw, &read) // a tool without parameters is one too
		if s.types = read.Properties; s.types == nil {
			s.types = map[string]parameterType{}
		}
	}
	t, ok := s.types[name]
	return t, ok
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
		out[s.Name] = &schema{raw: s.Parameters}
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
	p, ok := d[tool].of(name)
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
