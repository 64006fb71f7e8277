package session

import (
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

// turns returns the turns of the shown branch, the oldest first. Messages that
// wait are none yet.
func (r *reader) turns() []turn {
	var turns []turn
	t := &r.s.tree
	for _, n := range t.path(t.head) {
		switch {
		case n.Role == chat.RoleUser && !n.settled:
		case n.Role == chat.RoleUser:
			turns = append(turns, turn{message: n})
		case len(turns) > 0:
			last := &turns[len(turns)-1]
			if !slices.Contains(last.runs, n.RunID) {
				last.runs = append(last.runs, n.RunID)
			}
		}
	}
	// Of turns in which no answer is to be read, the run that was last to answer: it
	// failed before a word, say, or has only called tools so far.
	silent := map[string]*turn{}
	for i := range turns {
		if len(turns[i].runs) == 0 {
			silent[turns[i].message.ID] = &turns[i]
		}
	}
	if len(silent) == 0 {
		return turns
	}
	for message, r := range r.s.runs.latest(func(message string) bool { return silent[message] != nil }) {
		silent[message].runs = []string{r.ID}
	}
	return turns
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

// lastTurns is the excerpt of the last n turns, and of what goes on: the run
// that is under way, on whatever branch, and the messages that wait. What comes live
// continues these, so their beginning must not be missing.
func (r *reader) lastTurns(n int) excerpt {
	s, turns := r.s, r.turns()
	var open []turn
	for _, id := range append([]string{s.runs.current}, s.runs.queue...) {
		if r := s.runs.by[id]; r != nil && s.tree.nodes[r.MessageID] != nil {
			open = append(open, turn{s.tree.nodes[r.MessageID], []string{id}})
		}
	}
	x := excerptOf(turns, max(len(turns)-n, 0), len(turns), open...)
	if x.border == 0 {
		x.border = s.Seq() // none was asked for
	}
	return x
}

// turnsBefore is the excerpt of the last n turns that began before a record.
func (r *reader) turnsBefore(seq uint64, n int) excerpt {
	turns := r.turns()
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

// tail returns an excerpt, then what is being said now, and goes on from there.
func (r *reader) tail(x excerpt, now chat.Time) []chat.Event {
	out := r.excerpt(x)
	r.cur = chat.Cursor{Epoch: r.s.epoch, Seq: r.s.Seq()}
	return r.growing(out, now)
}

// excerpt returns the events of an excerpt. A message that others stand beside says
// which: a reader of the shown branch alone could not know.
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
		if a, ok := e.body.(answerBody); ok && x.holds(a) {
			out = append(out, r.answer(e, a)...)
			continue
		}
		r.cur = chat.Cursor{Epoch: r.s.epoch, Seq: e.seq}
		if ev, ok := r.event(e); ok && x.holds(e.body) {
			if ev.Head != "" && !shown[ev.Head] {
				ev.Head = "" // a branch that was shown then
			}
			out = append(out, r.stamp(ev, e.at))
		}
	}
	for i := range out {
		if out[i].Type == chat.TypeMessage || out[i].Type == chat.TypeMessageComplete {
			out[i].Siblings = beside[out[i].MessageID]
		}
	}
	return out
}

// holds reports whether a record belongs to an excerpt.
func (x *excerpt) holds(body any) bool {
	switch b := body.(type) {
	case messageBody:
		return x.messages[b.MessageID]
	case updatedBody:
		return true
	case ofRun:
		return x.runs[b.of()]
	}
	return false
}

// siblings returns, for each message that others stand beside, all of them in the
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

// Tail returns the events of the last n turns of the shown branch, and where a reader
// stands after them: at the end, so that what follows is Events of that cursor.
func (s *State) Tail(n int, now chat.Time) ([]chat.Event, chat.Cursor) {
	r := reader{s: s}
	return r.tail(r.lastTurns(n), now), r.cur
}

// Page is a part of a session's events, and where to go on from it.
type Page struct {
	Events []chat.Event
	Next   chat.Cursor // what follows
	Before chat.Cursor // what came earlier; the zero cursor at the beginning
}

// LastPage returns the last n turns of the shown branch in a page of at most so many
// events; a single turn is always whole.
func (s *State) LastPage(n, most int, now chat.Time) Page {
	r := reader{s: s}
	events, x := fitting(n, most, func(n int) ([]chat.Event, excerpt) {
		x := r.lastTurns(n)
		r.cur = chat.Cursor{}
		return r.tail(x, now), x
	})
	return Page{Events: events, Next: r.cur, Before: x.before(s.epoch)}
}

// PageBefore returns the last n turns that began before a record, in such a page.
func (s *State) PageBefore(seq uint64, n, most int) Page {
	events, x := fitting(n, most, func(n int) ([]chat.Event, excerpt) {
		r := reader{s: s}
		x := r.turnsBefore(seq, n)
		return r.excerpt(x), x
	})
	return Page{Events: events, Next: chat.Cursor{Epoch: s.epoch, Seq: max(seq, 1) - 1}, Before: x.before(s.epoch)}
}

// maxTurns bounds a page of turns, whatever was asked for.
const maxTurns = 500

// fitting cuts as many of n turns as fit into a page.
func fitting(n, most int, cut func(n int) ([]chat.Event, excerpt)) ([]chat.Event, excerpt) {
	n = min(n, maxTurns)
	events, x := cut(n)
	for n > 1 && len(events) > most {
		n = max(n*most/len(events), 1) // about as many as fit; it is less each time
		events, x = cut(n)
	}
	return events, x
}

// before is where what came before an excerpt ends.
func (x *excerpt) before(epoch uint64) chat.Cursor {
	if !x.earlier {
		return chat.Cursor{}
	}
	return chat.Cursor{Epoch: epoch, Seq: x.border}
}
