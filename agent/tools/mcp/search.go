package mcp

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/tools"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

const (
	// bytesPerToken is about how many bytes of definitions are a token.
	bytesPerToken = 4
	// usualWindow is the window of a model that does not say.
	usualWindow = 128_000
	// maxShare is the part of the window, as one in so many, that definitions may take.
	maxShare = 20
)

// tooLarge reports whether definitions of so many bytes would take more than 5 % of
// the model's window.
func (s *Source) tooLarge(size int) bool {
	window := s.Window
	if window <= 0 {
		window = usualWindow
	}
	return size/bytesPerToken > window/maxShare
}

// searched returns tools as ones that a model finds by searching.
func searched(all []tool) []tools.Tool {
	out := make([]tools.Tool, 0, len(all)+2)
	out = append(out, search{all}, call{})
	for _, t := range all {
		out = append(out, found{t})
	}
	return out
}

// found is a tool that can be called and is not declared.
type found struct{ tool }

// Hidden is true: the tool's definition is not sent with every question.
func (found) Hidden() bool { return true }

// search is the tool mcp_search.
type search struct{ all []tool }

// The names of the two tools that stand for many.
const (
	nameSearch = "mcp_search"
	nameCall   = "mcp_call"
)

// maxFound is how many tools one search gives.
const maxFound = 10

func (search) Spec() loop.Spec {
	return loop.Spec{
		Name:        nameSearch,
		Description: "Finds tools of the MCP servers by words. Gives each one's name, description and arguments; call what you found with " + nameCall + ".",
		Parameters:  json.RawMessage(`{"type":"object","properties":{"query":{"type":"string","description":"Words that describe what the tool should do, or its name"}},"required":["query"]}`),
	}
}
func (search) ReadOnly() bool { return true }
func (search) Foreign() bool  { return false } // only definitions that were approved
func (search) MaxOutput() int { return 128 << 10 }
func (search) Judge(json.RawMessage, tools.Env) tools.Verdict {
	return tools.Verdict{Kind: tools.VerdictRun}
}

func (s search) Run(_ context.Context, raw json.RawMessage, _ tools.Env) (string, error) {
	var args struct {
		Query string `json:"query"`
	}
	if err := json.Unmarshal(raw, &args); err != nil || strings.TrimSpace(args.Query) == "" {
		return "", fault.New(fault.CodeInvalidRequest, "query is missing", "give words that describe what the tool should do")
	}
	type hit struct {
		spec  loop.Spec
		score int
	}
	var hits []hit
	query := strings.Fields(strings.ToLower(clip(args.Query, 1000)))
	for _, t := range s.all {
		spec := t.Spec()
		name, text := strings.ToLower(spec.Name), strings.ToLower(spec.Description)
		score := 0
		for _, word := range query {
			if strings.Contains(name, word) {
				score += 3
			}
			if strings.Contains(text, word) {
				score++
			}
		}
		if score > 0 {
			hits = append(hits, hit{spec, score})
		}
	}
	slices.SortStableFunc(hits, func(a, b hit) int { return cmp.Compare(b.score, a.score) })
	specs := []loop.Spec{}
	for _, h := range hits[:min(len(hits), maxFound)] {
		specs = append(specs, h.spec)
	}
	b, err := json.Marshal(map[string]any{"tools": specs, "found": len(hits), "of": len(s.all)})
	return string(b), err
}

// call is the tool mcp_call. A call of it that names a tool is that tool's, from
// the moment that the model has made it: it is judged, shown and noted as such.
type call struct{}

func (call) Spec() loop.Spec {
	return loop.Spec{
		Name:        nameCall,
		Description: "Calls a tool of an MCP server that " + nameSearch + " has found.",
		Parameters:  json.RawMessage(`{"type":"object","properties":{"tool":{"type":"string","description":"The name, as mcp_search gave it"},"arguments":{"type":"object","description":"The tool's arguments"}},"required":["tool","arguments"]}`),
	}
}
func (call) ReadOnly() bool { return false }
func (call) Foreign() bool  { return true }
func (call) Judge(json.RawMessage, tools.Env) tools.Verdict {
	return tools.Verdict{Kind: tools.VerdictDeny, Reason: nameCall + " needs the name of a tool that " + nameSearch + " gave, in tool, and an object in arguments"}
}

func (call) Run(context.Context, json.RawMessage, tools.Env) (string, error) {
	return "", fault.New(fault.CodeInvalidRequest, "no tool was named", "")
}

// StandsFor returns the call that a call of this tool stands for.
func (call) StandsFor(raw json.RawMessage) (name string, args json.RawMessage, ok bool) {
	var a struct {
		Tool      string          `json:"tool"`
		Arguments json.RawMessage `json:"arguments"`
	}
	if json.Unmarshal(raw, &a) != nil || !strings.HasPrefix(a.Tool, "mcp__") {
		return "", nil, false
	}
	if len(a.Arguments) == 0 {
		a.Arguments = json.RawMessage(`{}`)
	}
	return a.Tool, a.Arguments, loop.IsObject(a.Arguments)
}
