package tools

import (
	"context"
	_ "embed" // the description
	"encoding/json"
	"slices"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/memory"
)

//go:embed memory_search.md
var memorySearchText string

const memorySearchParameters = `{"type":"object","properties":{
"query":{"type":"string","description":"words to look for; empty gives the newest"},
"type":{"type":"string","enum":["fact","event","decision","thought"]},
"tags":{"type":"array","items":{"type":"string"},"description":"only with one of these"},
"limit":{"type":"integer","minimum":1,"maximum":50,"default":10}}}`

const maxFound = 50

type memorySearch struct{}

func (memorySearch) Spec() loop.Spec {
	return spec("memory_search", memorySearchText, memorySearchParameters)
}
func (memorySearch) ReadOnly() bool { return true }
func (memorySearch) Foreign() bool  { return false } // what is remembered, the user said or approved

func (memorySearch) parse(raw json.RawMessage) (memory.Query, error) {
	var a struct {
		Query   string   `json:"query"`
		Keyword string   `json:"keyword"` // as the original's search calls it
		Type    string   `json:"type"`
		Tags    []string `json:"tags"`
		Limit   int      `json:"limit"`
	}
	if err := decode(raw, &a); err != nil {
		return memory.Query{}, err
	}
	if a.Limit < 0 {
		return memory.Query{}, failed("limit must not be negative")
	}
	if a.Query == "" {
		a.Query = a.Keyword
	}
	if a.Type != "" {
		if err := oneOf("type", a.Type, memoryTypes); err != nil {
			return memory.Query{}, err
		}
	}
	return memory.Query{Text: a.Query, Type: a.Type, Tags: a.Tags, Limit: min(a.Limit, maxFound)}, nil
}

func (t memorySearch) Judge(raw json.RawMessage, _ Env) Verdict {
	q, err := t.parse(raw)
	if err != nil {
		return deny(text(err))
	}
	return ask("memory_search " + visible(q.Text))
}

func (t memorySearch) Run(ctx context.Context, raw json.RawMessage, env Env) (string, error) {
	q, err := t.parse(raw)
	if err != nil {
		return "", err
	}
	items, err := env.Memory.Search(ctx, q)
	if err != nil {
		return "", err
	}
	if items == nil {
		items = []memory.Item{}
	}
	if slices.ContainsFunc(items, func(it memory.Item) bool { return len(it.Foreign) > 0 }) {
		env.Sight.Saw(Remembered)
	}
	return toJSON(items)
}

var _ Tool = memorySearch{}
