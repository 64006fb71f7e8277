package tools

import (
	"context"
	_ "embed" // the description
	"encoding/json"
	"regexp"

	"github.com/loongclaw/loongclaw/agent/loop"
)

//go:embed memory_forget.md
var memoryForgetText string

const memoryForgetParameters = `{"type":"object","properties":{
"id":{"type":"string","description":"the item's id, as memory_search gives it"}},
"required":["id"]}`

var memoryID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,128}$`)

type memoryForget struct{}

func (memoryForget) Spec() loop.Spec {
	return spec("memory_forget", memoryForgetText, memoryForgetParameters)
}
func (memoryForget) ReadOnly() bool { return false }
func (memoryForget) Foreign() bool  { return false }

func (memoryForget) parse(raw json.RawMessage) (string, error) {
	var a struct {
		ID string `json:"id"`
	}
	if err := decode(raw, &a); err != nil {
		return "", err
	}
	if a.ID == "" {
		return "", missing("id")
	}
	if !memoryID.MatchString(a.ID) {
		return "", failed("that is not an item's id; memory_search gives them")
	}
	return a.ID, nil
}

func (t memoryForget) Judge(raw json.RawMessage, _ Env) Verdict {
	id, err := t.parse(raw)
	if err != nil {
		return deny(text(err))
	}
	return ask("memory_forget " + id)
}

func (t memoryForget) Run(ctx context.Context, raw json.RawMessage, env Env) (string, error) {
	id, err := t.parse(raw)
	if err != nil {
		return "", err
	}
	if err := env.Memory.Forget(ctx, id); err != nil {
		return "", err
	}
	return toJSON(struct {
		Success bool   `json:"success"`
		ID      string `json:"id"`
	}{true, id})
}

var _ Tool = memoryForget{}
