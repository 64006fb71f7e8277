package session

import (
	"slices"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

// branch is a path through the tree, and who answers its messages there.
type branch struct {
	path []*node
	runs *Runs
	last *run // answers the last message; nil where nobody does yet
}

// answering returns the run that answers the user's message at i.
func (b *branch) answering(i int) *run {
	if i+1 == len(b.path) {
		return b.last
	}
	if b.path[i+1].Role == chat.RoleUser { // it was cancelled before a word
		return b.runs.by[b.path[i].RunID]
	}
	return b.runs.by[b.path[i+1].RunID]
}

// context returns the context of the user's message at i: that of the run which
// answers it on this branch.
func (b *branch) context(i int) *Context {
	if r := b.answering(i); r != nil {
		return r.context
	}
	return nil
}

// todo returns the newest list of what is to be done, and where on the branch the
// message is whose run wrote it; nil where none did.
func (b *branch) todo() (*chat.Todo, int) {
	for i, n := range slices.Backward(b.path) {
		if n.Role != chat.RoleUser {
			continue
		}
		if r := b.answering(i); r != nil && r.todo != nil {
			list := r.todo.Todo
			return &list, i
		}
	}
	return nil, 0
}

// openTodo returns what is still to be done, and the tools whose results had
// been seen by whoever wrote that down; nothing where all is done.
func (b *branch) openTodo() (items []chat.TodoItem, tools []string) {
	list, at := b.todo()
	if list == nil || !list.Open() {
		return nil, nil
	}
	for i, n := range b.path[:at+1] {
		if n.Role != chat.RoleUser {
			continue
		}
		for k := range n.attached {
			tools = union(tools, loop.AttachedSource(n.attached[k].Name))
		}
		if r := b.answering(i); r != nil {
			for _, c := range r.order {
				tools = union(tools, c.named())
			}
		}
	}
	return list.Items, tools
}

// before returns the branch without its last message.
func (b *branch) before() *branch {
	path := b.path[:max(len(b.path)-1, 0)]
	out := &branch{path: path, runs: b.runs}
	if n := len(path); n > 0 {
		out.last = b.runs.by[path[n-1].RunID]
	}
	return out
}

// stretches returns the branch as the model sees it, from its newest summary on.
func (b *branch) stretches(sum *summary, from int) []stretch {
	var all []stretch
	if sum != nil {
		all = append(all, stretch{messages: []loop.Message{loop.SummaryMessage(sum.ID, sum.Text, sum.Tools)}, summary: sum, last: sum.UpTo})
	}
	for i := from; i < len(b.path); i++ {
		n := b.path[i]
		part := stretch{last: n.ID}
		switch {
		case n.Role == chat.RoleUser:
			part.messages, part.context = []loop.Message{{Role: chat.RoleUser, Text: n.Content, Attached: shownOf(n.attached)}}, b.context(i)
		case i+1 < len(b.path) && b.path[i+1].RunID == n.RunID && b.path[i+1].Role == chat.RoleAssistant:
			continue // a later stretch of the same run brings this one along
		default:
			part.messages = b.runs.by[n.RunID].upTo(n.step)
		}
		if len(part.messages) == 0 { // a damaged journal's: nothing of it is known
			if len(all) > 0 {
				all[len(all)-1].last = n.ID
			}
			continue
		}
		all = append(all, part)
	}
	return all
}

// stretch is a part of a branch: a user's message, what a run said and did, or the
// summary of all before it.
type stretch struct {
	messages []loop.Message
	context  *Context
	summary  *summary
	last     string // the message of the tree that it ends with
}

// tools are those whose results a part shows, and the files that stand with it.
func (p *stretch) tools(m Memory) (names []string) {
	if p.summary != nil {
		names = p.summary.Tools
	}
	names = append(names[:len(names):len(names)], p.context.from(m)...)
	for i := range p.messages {
		for k := range p.messages[i].Attached {
			names = append(names[:len(names):len(names)], loop.AttachedSource(p.messages[i].Attached[k].Name))
		}
		if m := &p.messages[i]; m.Role == loop.RoleTool && !m.NotRun() {
			name := m.Name
			if m.Client {
				name = loop.ClientName(name)
			}
			names = append(names[:len(names):len(names)], name)
		}
	}
	return names
}

// notes are the memories that a part shows.
func (p *stretch) notes(m Memory) (ids []string) {
	if p.summary != nil {
		ids = p.summary.Notes
	}
	if p.context != nil {
		for _, n := range p.context.Notes {
			if m.Has(n.ID) {
				ids = append(ids[:len(ids):len(ids)], n.ID)
			}
		}
	}
	return ids
}
