package session

import (
	"errors"
	"fmt"
	"slices"

	"github.com/loongclaw/loongclaw/pkg/chat"
)

// tree holds the messages of a session. Edits and regenerated answers are
// siblings; nothing is ever taken away.
type tree struct {
	nodes map[string]*node
	order []string
	loose []string // those that are not settled, in order
	head  string   // the end of the branch that is shown
}

type node struct {
	chat.Message
	settled bool   // the parent is known
	last    string // the newest child, to follow a branch to its end
	step    int    // of an answer: how many steps its run had done with it
	seq     uint64 // of its record

	attached []Attached // of a user's message
}

// add takes a message in. One whose parent is not known yet is settled later.
func (t *tree) add(m chat.Message, settled bool) error {
	if m.ID == "" {
		return errors.New("its message has no id")
	}
	if t.nodes[m.ID] != nil {
		return fmt.Errorf("the message %q exists already", m.ID)
	}
	if m.ParentID != "" && t.nodes[m.ParentID] == nil {
		return fmt.Errorf("the message %q answers %q, which does not exist", m.ID, m.ParentID)
	}
	t.nodes[m.ID] = &node{Message: m}
	t.order = append(t.order, m.ID)
	t.loose = append(t.loose, m.ID)
	if settled {
		return t.settle(m.ID, m.ParentID)
	}
	return nil
}

// settle says what a message answers, and moves the head to it.
func (t *tree) settle(id, parent string) error {
	p := t.nodes[parent]
	if parent != "" && p == nil {
		return fmt.Errorf("the message %q answers %q, which does not exist", id, parent)
	}
	n := t.nodes[id]
	// A new message has no children, so what is behind it is not looked through.
	if parent == id || n.last != "" && t.isBehind(parent, id) {
		return fmt.Errorf("the message %q answers itself", id)
	}
	n.ParentID, n.settled = parent, true
	if i := slices.Index(t.loose, id); i >= 0 {
		t.loose = slices.Delete(t.loose, i, i+1)
	}
	if p != nil {
		p.last = id
	}
	t.head = id
	return nil
}

// isBehind reports whether a message is id, or behind it on its branch.
func (t *tree) isBehind(message, id string) bool {
	for n := t.nodes[message]; n != nil; n = t.nodes[n.ParentID] {
		if n.ID == id {
			return true
		}
	}
	return false
}

func (t *tree) count() int { return len(t.order) }

// path returns the branch that ends at id, oldest first.
func (t *tree) path(id string) []*node {
	var p []*node
	for n := t.nodes[id]; n != nil; n = t.nodes[n.ParentID] {
		p = append(p, n)
	}
	slices.Reverse(p)
	return p
}

// tip follows the newest children from id to the end of its branch.
func (t *tree) tip(id string) string {
	for t.nodes[id] != nil && t.nodes[id].last != "" {
		id = t.nodes[id].last
	}
	return id
}

// lastUser is the user's message at or before id on its branch.
func (t *tree) lastUser(id string) *node {
	for n := t.nodes[id]; n != nil; n = t.nodes[n.ParentID] {
		if n.Role == chat.RoleUser {
			return n
		}
	}
	return nil
}

// messages returns the shown branch, or all. What is not settled is on no branch
// yet and comes last, in the order in which it came.
func (t *tree) messages(all bool) []chat.Message {
	shown := t.path(t.head)
	if all {
		shown = t.all(t.order)
	}
	shown = slices.DeleteFunc(shown, func(n *node) bool { return !n.settled })
	out := []chat.Message{}
	for _, n := range append(shown, t.all(t.loose)...) {
		out = append(out, n.Message)
	}
	return out
}

// all returns the messages of some ids.
func (t *tree) all(ids []string) []*node {
	out := make([]*node, len(ids))
	for i, id := range ids {
		out[i] = t.nodes[id]
	}
	return out
}
