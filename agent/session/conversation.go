package session

import (
	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

// conversationMax bounds what of a session goes to a model, in bytes of text.
const conversationMax = 96 << 10

// Of a model's window a part is left for the system text, the tools and the answer:
// a half of a small one, and never more than reserved. A token of the rest is taken
// for three bytes, which is about right for Chinese and careful for English.
const (
	reserved      = 8192
	bytesPerToken = 3
)

// RoomOf returns how many bytes of conversation are sent to a model with a window
// of so many tokens; 0 is a model that takes all that is kept for it.
func RoomOf(window int) int {
	if window <= 0 {
		return conversationMax
	}
	return min(conversationMax, bytesPerToken*(window-min(reserved, window/2)))
}

// Turn is what a run's turn begins with.
type Turn struct {
	Question     string // the user's words
	Instructions string // of the client, for this message alone
	Pending      []loop.Pending
	Rounds       int
	Interactive  bool
	RequestID    string

	run   string
	parts []stretch      // the branch up to the user's message
	steps []loop.Message // what the run has done so far
	told  bool           // what there is to tell beside the message was told
}

// stretch is a part of a branch that stands or falls together: a user's message,
// or what a run said and did.
type stretch struct {
	messages []loop.Message
	context  *Context
}

// Turn returns what a run's turn begins with: of the branch that ends at its
// message the newest part that fits into room bytes, and never less than that
// message.
func (s *State) Turn(runID string, room int) Turn {
	r := s.runs[runID]
	if r == nil {
		return Turn{run: runID, parts: []stretch{{messages: []loop.Message{{Role: chat.RoleUser}}}}}
	}
	t := Turn{
		Instructions: r.Instructions, Pending: r.pending(), Rounds: r.Rounds, Interactive: r.Interactive, RequestID: r.RequestID,
		run: r.ID, parts: s.branch(r, room), steps: r.steps[:len(r.steps):len(r.steps)],
		told: r.context != nil || r.Rounds > 0,
	}
	if n := s.tree.nodes[r.MessageID]; n != nil {
		t.Question = n.Content
	}
	return t
}

// branch returns the branch that ends at a run's message, as the model sees it.
func (s *State) branch(r *run, room int) []stretch {
	path := s.tree.path(r.MessageID)
	if len(path) == 0 {
		return []stretch{{messages: []loop.Message{{Role: chat.RoleUser}}}}
	}
	var all []stretch
	var flat []loop.Message
	for i, n := range path {
		var part stretch
		switch {
		case n.Role == chat.RoleUser:
			part = stretch{[]loop.Message{{Role: chat.RoleUser, Text: n.Content}}, s.contextOf(path, i, r)}
			// What Fit counts; the text is made when the cut is known.
			part.messages[0].Context = part.context.text(Memory{Has: func(string) bool { return true }})
		case i+1 < len(path) && path[i+1].RunID == n.RunID && path[i+1].Role == chat.RoleAssistant:
			continue // a later stretch of the same run brings this one along
		default:
			part.messages = s.runs[n.RunID].upTo(n.step)
		}
		all = append(all, part)
		flat = append(flat, part.messages...)
	}
	left := len(flat) - len(loop.Fit(flat, room))
	for left > 0 {
		left -= len(all[0].messages)
		all = all[1:]
	}
	return all
}

// contextOf returns the context of the user's message at i: that of the run which
// answers it on this branch.
func (s *State) contextOf(path []*node, i int, r *run) *Context {
	answers := r
	if i+1 < len(path) {
		answers = s.runs[path[i+1].RunID]
		if path[i+1].Role == chat.RoleUser { // it was cancelled before a word
			answers = s.runs[path[i].RunID]
		}
	}
	if answers == nil {
		return nil
	}
	return answers.context
}

// Tell adds what the agent tells the model beside the user's message, as far as
// the conversation does not hold it already: the day, and notes of the memory. It
// returns what is to be recorded, or nil where there is nothing new or where the
// turn has begun before.
func (t *Turn) Tell(fence, day string, notes []Note) *Context {
	if t.told {
		return nil
	}
	t.told = true
	knownDay, known := "", map[string]bool{}
	for _, part := range t.parts {
		if part.context == nil {
			continue
		}
		if part.context.Day != "" {
			knownDay = part.context.Day
		}
		for _, n := range part.context.Notes {
			known[n.ID] = true
		}
	}
	c := Context{RunID: t.run, Fence: fence}
	if day != knownDay {
		c.Day = day
	}
	for _, n := range notes {
		if !known[n.ID] {
			c.Notes = append(c.Notes, n)
		}
	}
	if c.Day == "" && len(c.Notes) == 0 {
		return nil
	}
	t.parts[len(t.parts)-1].context = &c
	return &c
}

// Told reports whether there is nothing more to tell the model beside the message.
func (t *Turn) Told() bool { return t.told }

// Messages returns the conversation as the model sees it, with what the turn has
// done so far.
func (t *Turn) Messages(m Memory) []loop.Message {
	var out []loop.Message
	for _, part := range t.parts {
		if part.context != nil {
			part.messages[0].Context = part.context.text(m)
		}
		out = append(out, part.messages...)
	}
	return append(out, t.steps...)
}
