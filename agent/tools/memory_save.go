package tools

import (
	"context"
	_ "embed" // the description
	"encoding/json"
	"slices"
	"strings"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/memory"
)

//go:embed memory_save.md
var memorySaveText string

const memorySaveParameters = `{"type":"object","properties":{
"content":{"type":"string","description":"what to remember, as one sentence that is clear on its own"},
"type":{"type":"string","enum":["fact","event","decision","thought"],"default":"fact"},
"importance":{"type":"string","enum":["high","medium","low"],"default":"medium"},
"tags":{"type":"array","items":{"type":"string"}}},
"required":["content"]}`

const (
	maxMemory = 8 << 10 // bytes of one item
	maxTags   = 20
)

type memorySave struct{}

type memorySaveArgs struct {
	Content    string   `json:"content"`
	Type       string   `json:"type"`
	Importance string   `json:"importance"`
	Tags       []string `json:"tags"`
}

func (memorySave) Spec() loop.Spec { return spec("memory_save", memorySaveText, memorySaveParameters) }
func (memorySave) ReadOnly() bool  { return false }
func (memorySave) Foreign() bool   { return false }

func (memorySave) parse(raw json.RawMessage) (memorySaveArgs, error) {
	a := memorySaveArgs{}
	if err := decode(raw, &a); err != nil {
		return a, err
	}
	if a.Type == "" {
		a.Type = "fact"
	}
	if a.Importance == "" {
		a.Importance = "medium"
	}
	switch {
	case strings.TrimSpace(a.Content) == "":
		return a, missing("content")
	case len(a.Content) > maxMemory:
		return a, failed("the content is longer than %d bytes; remember a summary, and write the rest to a file", maxMemory)
	case len(a.Tags) > maxTags:
		return a, failed("there are more than %d tags", maxTags)
	}
	if err := oneOf("type", a.Type, memoryTypes); err != nil {
		return a, err
	}
	return a, oneOf("importance", a.Importance, []string{"high", "medium", "low"})
}

var memoryTypes = []string{"fact", "event", "decision", "thought"}

func oneOf(name, value string, allowed []string) error {
	if slices.Contains(allowed, value) {
		return nil
	}
	return failed("the argument %q must be one of %s", name, strings.Join(allowed, ", "))
}

func (t memorySave) Judge(raw json.RawMessage, env Env) Verdict {
	a, err := t.parse(raw)
	if err != nil {
		return deny(text(err))
	}
	v := ask("memory_save " + visible(a.Content))
	// What is remembered is read in every later turn: whoever has a page or a file
	// that the model reads must not be able to write there.
	v.Sources = env.Sight.Sources()
	v.Always = v.Sources != nil
	return v
}

func (t memorySave) Run(ctx context.Context, raw json.RawMessage, env Env) (string, error) {
	a, err := t.parse(raw)
	if err != nil {
		return "", err
	}
	item, err := env.Memory.Save(ctx, memory.Item{
		Type: a.Type, Importance: a.Importance, Tags: a.Tags, Content: a.Content, Source: env.Session, Foreign: env.Sight.Sources(),
	})
	if err != nil {
		return "", err
	}
	return toJSON(item)
}

var _ Tool = memorySave{}
