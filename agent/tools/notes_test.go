package tools_test

import (
	"context"
	"strings"

	"github.com/loongclaw/loongclaw/agent/memory"
	"github.com/loongclaw/loongclaw/agent/tools"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// notes is a memory in a slice.
type notes struct{ items []memory.Item }

func (n *notes) Save(_ context.Context, item memory.Item) (memory.Item, error) {
	item.ID = "mem_1"
	n.items = append(n.items, item)
	return item, nil
}

func (n *notes) Search(_ context.Context, q memory.Query) (found []memory.Item, err error) {
	for _, i := range n.items {
		if strings.Contains(i.Content, q.Text) {
			found = append(found, i)
		}
	}
	return found, nil
}

func (n *notes) Forget(_ context.Context, id string) error {
	if len(n.items) == 0 || n.items[0].ID != id {
		return fault.New(fault.CodeNotFound, "there is no item "+id, "search first")
	}
	n.items = nil
	return nil
}

var _ tools.Memory = (*notes)(nil)
