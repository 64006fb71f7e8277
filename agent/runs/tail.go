package runs

import (
	"context"
	"slices"

	"github.com/loongclaw/loongclaw/pkg/chat"
)

// turn is a user's message on the shown branch, and what answers it there.
type turn struct {
	message *node
	runs    []string
}

// excerpt is a part of a session's records: some turns, whole, and nothing of what
// lies between them on other branches.
type excerpt struct {
	messages map[string]bool // users' messages
	runs     map[string]bool
	from     uint64 // the record that it begins with; 0 when it is empty
	border   uint64 // the record with which its first turn began
	earlier  bool   // there are turns before that
}

// turnsLocked gives the turns of the shown branch, the oldest first. Messages that
// wait are none yet.
func (s *session) turnsLocked() []turn {
	var turns []turn
	for _, n := range s.tree.path(s.tree.head) {
		switch {
		case n.Role == chat.RoleUser && slices.Contains(s.tree.loose, n.ID):
		case n.Role == chat.RoleUser:
			turns = append(turns, turn{message: n})
		case len(turns) > 0:
			t := &turns[len(turns)-1]
			if !slices.Contains(t.runs, n.RunID) {
				t.runs = append(t.runs, n.RunID)
			}
		}
	}
	silent := map[string]*turn{}
	for i := range turns {
		if len(turns[i].runs) == 0 {
			silent[turns[i].message.ID] = &turns[i]
		}
	}
	s.silentRunsLocked(silent)
	return turns
}

// silentRunsLocked finds, for turns in which no answer is to be read, the run that
// was last to answer: it failed before a word, say, or has only called tools so far.
func (s *session) silentRunsLocked(turns map[string]*turn) {
	if len(turns) == 0 {
		return
	}
	latest := map[string]*run{}
	for _, r := range s.runs {
		if turns[r.message] != nil && (latest[r.message] == nil || r.entered > latest[r.message].entered) {
			latest[r.message] = r
		}
	}
	for message, r := range latest {
		turns[message].runs = []string{r.id}
	}
}

// excerptOf is the excerpt of some of the turns of a branch: those up to end without
// the first skip, and messages and runs beside them.
func excerptOf(turns []turn, skip, end int, beside ...turn) excerpt {
	x := excerpt{messages: map[string]bool{}, runs: map[string]bool{}}
	for _, t := range append(slices.Clone(turns[skip:end]), beside...) {
		x.messages[t.message.ID] = true
		for _, id := range t.runs {
			x.runs[id] = true
		}
		if x.from == 0 || t.message.seq < x.from {
			x.from = t.message.seq
		}
	}
	first := end
	for first > 0 && x.messages[turns[first-1].message.ID] {
		first--
	}
	x.earlier = first > 0
	if first < len(turns) {
		x.border = turns[first].message.seq
	}
	return x
}

// lastTurnsLocked is the excerpt of the last n turns, and of what goes on: the run
// that is under way, on whatever branch, and the messages that wait. What comes live
// continues these, so their beginning must not be missing.
func (s *session) lastTurnsLocked(n int) excerpt {
	turns := s.turnsLocked()
	var open []turn
	for _, id := range append([]string{s.current}, s.queue...) {
		if r := s.runs[id]; r != nil && s.tree.nodes[r.message] != nil {
			open = append(open, turn{s.tree.nodes[r.message], []string{id}})
		}
	}
	x := excerptOf(turns, max(len(turns)-n, 0), len(turns), open...)
	if x.border == 0 {
		x.border = s.seq() // none was asked for
	}
	return x
}

// turnsBeforeLocked is the excerpt of the last n turns that began before a record.
func (s *session) turnsBeforeLocked(seq uint64, n int) excerpt {
	turns := s.turnsLocked()
	end := len(turns)
	for end > 0 && turns[end-1].message.seq >= seq {
		end--
	}
	x := excerptOf(turns, max(end-n, 0), end)
	if n == 0 {
		x.border = seq
	}
	return x
}

// tail gives an excerpt, then what is being said now, and goes on from there. The
// session's lock is held.
func (r *reader) tail(x excerpt) []chat.Event {
	out := r.excerpt(x)
	r.cur = chat.Cursor{Epoch: r.s.epoch, Seq: r.s.seq()}
	return r.live(out)
}

// excerpt gives the events of an excerpt. A message that others stand beside says
// which: a reader of the shown branch alone could not know. The session's lock is
// held.
func (r *reader) excerpt(x excerpt) []chat.Event {
	if x.from == 0 {
		return nil
	}
	var out []chat.Event
	shown := map[string]bool{}
	for _, n := range r.s.tree.path(r.s.tree.head) {
		shown[n.ID] = true
	}
	beside := r.s.tree.siblings()
	for _, e := range r.s.entries[x.from-1:] {
		if !x.holds(e.body) {
			r.cur = chat.Cursor{Epoch: r.s.epoch, Seq: e.seq}
			continue
		}
		if a, ok := e.body.(answerBody); ok {
			out = append(out, r.answer(e, a)...)
		} else if ev, ok := r.event(e); ok {
			r.cur = chat.Cursor{Epoch: r.s.epoch, Seq: e.seq}
			if ev.Head != "" && !shown[ev.Head] {
				ev.Head = "" // a branch that was shown then
			}
			out = append(out, r.stamp(ev, e.at))
		}
		if n := len(out); n > 0 && (out[n-1].Type == chat.TypeMessage || out[n-1].Type == chat.TypeMessageComplete) {
			out[n-1].Siblings = beside[out[n-1].MessageID]
		}
	}
	return out
}

// holds reports whether a record belongs to an excerpt.
func (x *excerpt) holds(body any) bool {
	switch b := body.(type) {
	case messageBody:
		return x.messages[b.MessageID]
	case startedBody:
		return x.runs[b.RunID]
	case answerBody:
		return x.runs[b.RunID]
	case callBody:
		return x.runs[b.RunID]
	case askBody:
		return x.runs[b.RunID]
	case decidedBody:
		return x.runs[b.RunID]
	case resultBody:
		return x.runs[b.RunID]
	case finishedBody:
		return x.runs[b.RunID]
	case updatedBody:
		return true
	}
	return false
}

// siblings gives, for each message that others stand beside, all of them in the
// order in which they came.
func (t *tree) siblings() map[string][]string {
	children := map[string][]string{}
	for _, id := range t.order {
		if n := t.nodes[id]; n.settled {
			children[n.ParentID] = append(children[n.ParentID], id)
		}
	}
	beside := map[string][]string{}
	for _, all := range children {
		for _, id := range all {
			if len(all) > 1 {
				beside[id] = all
			}
		}
	}
	return beside
}

// maxTurns bounds a page of turns, whatever was asked for.
const maxTurns = 500

// Page is a part of a session's events, and where to go on from it.
type Page struct {
	Events []chat.Event `json:"events"`
	Next   string       `json:"next"`             // what follows
	Before string       `json:"before,omitempty"` // what came earlier; empty at the beginning
}

// Tail has the follower tell only the last n turns of the shown branch where it
// would have to begin at the beginning.
func (f *Follower) Tail(n int) { f.tail = &n }

// Turns gives the last n turns of the shown branch, or with a cursor the last n that
// began before it, in a page of at most so many events; a single turn is always
// whole. With a cursor of an earlier life it says that this life has ended, and gives
// the last turns of the present one.
func (m *Manager) Turns(ctx context.Context, user, id, before string, n, most int) (Page, error) {
	cur, err := chat.ParseCursor(id, before)
	if err != nil {
		return Page{}, err
	}
	f, err := m.Follow(ctx, user, id, before)
	if err != nil {
		return Page{}, err
	}
	defer f.Close()
	f.s.mu.Lock()
	defer f.s.mu.Unlock()
	s, r := f.s, reader{s: f.s}
	if s.ended { // in this moment
		return Page{Events: []chat.Event{f.cleared()}, Next: chat.Cursor{}.Encode(id)}, nil
	}
	if cur.Epoch == s.epoch && cur.Seq > s.seq() {
		return Page{}, aheadFault()
	}
	present := cur.Epoch != s.epoch
	cut := func(n int) (excerpt, []chat.Event) {
		r.cur = chat.Cursor{Epoch: s.epoch}
		if present {
			x := s.lastTurnsLocked(n)
			return x, r.tail(x)
		}
		x := s.turnsBeforeLocked(cur.Seq, n)
		return x, r.excerpt(x)
	}
	n = min(n, maxTurns)
	x, events := cut(n)
	for n > 1 && len(events) > most {
		n = max(n*most/len(events), 1) // about as many as fit; it is less each time
		x, events = cut(n)
	}
	p := Page{Events: append([]chat.Event{}, events...), Next: r.cur.Encode(id)}
	if !present {
		p.Next = chat.Cursor{Epoch: s.epoch, Seq: max(cur.Seq, 1) - 1}.Encode(id)
	}
	if x.earlier {
		p.Before = chat.Cursor{Epoch: s.epoch, Seq: x.border}.Encode(id)
	}
	if present && before != "" {
		p.Events = append([]chat.Event{f.cleared()}, p.Events...)
	}
	return p, nil
}
