package tools

import (
	"context"
	_ "embed" // the description
	"encoding/json"
	"strings"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

//go:embed todo_write.md
var todoWriteText string

const todoWriteParameters = `{"type":"object","properties":{
"items":{"type":"array","description":"the whole list","items":{"type":"object","properties":{
"text":{"type":"string","description":"what is to be done, in one line"},
"state":{"type":"string","enum":["open","doing","done"],"default":"open"}},"required":["text"]}}},
"required":["items"]}`

// todoWrite keeps nothing itself: its result is the list, which the session records.
type todoWrite struct{}

func (todoWrite) Spec() loop.Spec { return spec(chat.ToolTodo, todoWriteText, todoWriteParameters) }
func (todoWrite) ReadOnly() bool  { return true }
func (todoWrite) Foreign() bool   { return false }

func (todoWrite) parse(raw json.RawMessage) (chat.Todo, error) {
	var a struct {
		Items *[]chat.TodoItem `json:"items"`
	}
	if err := decode(raw, &a); err != nil {
		return chat.Todo{}, err
	}
	if a.Items == nil {
		return chat.Todo{}, missing("items")
	}
	list := chat.Todo{Items: []chat.TodoItem{}}
	for _, it := range *a.Items {
		it.Text = strings.TrimSpace(it.Text)
		if it.State == "" {
			it.State = chat.TodoOpen
		}
		list.Items = append(list.Items, it)
	}
	if err := list.Check(); err != nil {
		return list, failed("%v", err)
	}
	return list, nil
}

// Judge lets every list be written: it reaches nobody but the user and the model.
func (t todoWrite) Judge(raw json.RawMessage, _ Env) Verdict {
	if _, err := t.parse(raw); err != nil {
		return deny(text(err))
	}
	return Verdict{Kind: VerdictRun}
}

func (t todoWrite) Run(_ context.Context, raw json.RawMessage, _ Env) (string, error) {
	list, err := t.parse(raw)
	if err != nil {
		return "", err
	}
	return toJSON(list)
}

// MaxOutput is room for the longest list: cut, it would not be read.
func (todoWrite) MaxOutput() int { return 64 << 10 }

var (
	_ Tool  = todoWrite{}
	_ roomy = todoWrite{}
)
