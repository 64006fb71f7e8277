package session

import (
	"slices"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

// unknownRoom bounds what of a session goes to a model whose window nobody knows, in
// bytes of text.
const unknownRoom = 96 << 10

// Of a model's window a part is left for the system text, the tools and the answer.
// Where nothing says how long an answer may be that is a half of a small one, and
// never more than reserved; else it is that answer and half of reserved, and never
// more than three fourths. A token of the rest is taken
// for three bytes, which is about right for Chinese and careful for English.
const (
	reserved      = 8192
	bytesPerToken = 3
)

// RoomOf returns how many bytes of conversation are sent to a model with a window
// of so many tokens, of which an answer may take some: 0 is a window, or an answer,
// that nobody knows. beside is what the system text and the tools take, in bytes.
func RoomOf(window, answer, beside int) int {
	if window <= 0 {
		return unknownRoom
	}
	rest := window - min(reserved, window/2)
	if answer > 0 {
		rest = max(window-answer-reserved/2, window/4)
	}
	room := bytesPerToken * rest
	return max(room-max(beside-bytesPerToken*reserved/2, 0), room/2)
}

// Turn is what a run's turn begins with.
type Turn struct {
	Question     string // the user's words
	Instructions string // of the client, for this message alone
	Model        string // who is to answer first; empty: the default
	Client       Client // what the client has brought along
	Answered     int    // how many answers were given when the client spoke last
	Pending      []loop.Pending
	Rounds       int
	Interactive  bool
	RequestID    string

	run   string
	parts []stretch      // the branch up to the user's message
	steps []loop.Message // what the run has done so far
	told  bool           // what there is to tell beside the message was told

	todo     []chat.TodoItem // what is to be done
	todoSeen []string        // the tools whose results were seen by whoever wrote that down

	summarised bool // the run has tried to summarise what is older
}

// Turn returns what a run's turn begins with: the branch that ends at its message,
// from its newest summary on. has reports whether a memory was not forgotten since.
func (s *State) Turn(runID string, has func(id string) bool) Turn {
	nothing := []stretch{{messages: []loop.Message{{Role: chat.RoleUser}}}}
	r := s.runs.by[runID]
	if r == nil {
		return Turn{run: runID, parts: nothing}
	}
	b := branch{path: s.tree.path(r.MessageID), runs: &s.runs, last: r}
	t := Turn{
		Instructions: r.Instructions, Model: s.model, Pending: r.pending(), Rounds: r.Rounds, Interactive: r.Interactive, RequestID: r.RequestID,
		run: r.ID, parts: nothing, steps: r.steps[:len(r.steps):len(r.steps)],
		Client: deref(r.client), Answered: r.answered,
		told: r.context != nil || r.Rounds > r.adopted, summarised: r.summarised,
	}
	if len(b.path) > 0 {
		t.Question = b.path[len(b.path)-1].Content
		t.parts = b.stretches(s.summaries.on(b.path, has))
	}
	t.todo, t.todoSeen = b.before().openTodo()
	return t
}

// Tell adds what the agent tells the model beside the user's message, as far as
// the conversation does not hold it already: the day, notes of the memory, and what
// is to be done. It returns what is to be recorded, or nil where there is nothing new
// or where the turn has begun before.
func (t *Turn) Tell(fence, day string, notes []Note) *Context {
	if t.told {
		return nil
	}
	t.told = true
	knownDay, known := "", map[string]bool{}
	var knownTodo []chat.TodoItem
	for _, part := range t.parts {
		if part.context == nil {
			continue
		}
		if part.context.Day != "" {
			knownDay = part.context.Day
		}
		if part.context.Todo != nil {
			knownTodo = part.context.Todo
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
	if !slices.Equal(t.todo, knownTodo) && len(t.todo) > 0 {
		c.Todo, c.TodoSeen = t.todo, t.todoSeen
	}
	if c.Day == "" && len(c.Notes) == 0 && len(c.Todo) == 0 {
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
			part.messages[0].From = part.context.from(m)
		}
		out = append(out, part.messages...)
	}
	return append(out, t.steps...)
}

// Compaction returns what the turn needs to summarise what is older than its
// messages, as they were returned last. id is that of the summary, if one is made.
func (t *Turn) Compaction(id string, room int, m Memory) loop.Compaction {
	c := loop.Compaction{ID: id, Bounds: map[int]loop.Bound{}, Room: room, Tried: t.summarised}
	var known loop.Bound // what is in sight so far; the lists only grow, so the bounds share them
	at := 0
	for i, part := range t.parts {
		if i > 0 && part.messages[0].Role == chat.RoleUser && !part.messages[0].Summary {
			known.UpTo = t.parts[i-1].last
			c.Bounds[at] = loop.Bound{UpTo: known.UpTo, Notes: slices.Clip(known.Notes), Tools: slices.Clip(known.Tools)}
		}
		known.Tools = union(known.Tools, part.tools(m)...)
		known.Notes = union(known.Notes, part.notes(m)...)
		at += len(part.messages)
	}
	return c
}
