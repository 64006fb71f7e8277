package session

import (
	"strings"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

// State is one life of a session. Make one with New.
type State struct {
	id    string
	epoch uint64

	entries   []entry // everything so far, for replays
	tree      tree
	runs      Runs
	title     string
	model     string // who answers first; empty: the default
	created   chat.Time
	updated   chat.Time
	usage     chat.Usage
	keys      keys
	approvals approvals
	summaries summaries
	clients   clients
	answer    *growing // the answer that is being given

	readOnly bool // it holds a record for later readers only
}

// entry is a record with its body parsed; nil is a record that this version
// does not know.
type entry struct {
	seq  uint64
	at   chat.Time
	body any
}

// growing is the stretch of answer that is being given.
type growing struct {
	attempt uint64
	run     string
	message string
	parent  string
	text    []byte

	reasoning []byte // no more than what is shown of it, and a byte
}

// New returns the state of a life that has no record yet. What a list shows of it
// until then is in row.
func New(id string, epoch uint64, row chat.Session) *State {
	return &State{
		id: id, epoch: epoch,
		tree: tree{nodes: map[string]*node{}}, runs: Runs{by: map[string]*run{}}, keys: keys{},
		approvals: approvals{asked: map[string]*question{}, scopes: map[string]bool{}}, summaries: summaries{},
		clients: clients{map[string]delegation{}, map[string][]loop.Spec{}},
		title:   row.Title, model: row.Model, created: row.CreatedAt, updated: row.UpdatedAt,
	}
}

// Runs returns the session's runs, to be read.
func (s *State) Runs() *Runs { return &s.runs }

// ID returns the session's id.
func (s *State) ID() string { return s.id }

// Epoch returns which life of the session this is.
func (s *State) Epoch() uint64 { return s.epoch }

// Seq returns the last record's number, 0 where there is none.
func (s *State) Seq() uint64 {
	if len(s.entries) == 0 {
		return 0
	}
	return s.entries[len(s.entries)-1].seq
}

// LastAt returns when the last record was written, the zero time where there is
// none.
func (s *State) LastAt() chat.Time {
	if len(s.entries) == 0 {
		return chat.Time{}
	}
	return s.entries[len(s.entries)-1].at
}

// ReadOnly reports whether the session holds a record that only later versions
// may write behind.
func (s *State) ReadOnly() bool { return s.readOnly }

// Due reports whether something is to be done here without anybody asking. A run
// that waits for the user's decision is parked, and so is what waits behind it; one
// that waits for its client is parked until something comes behind it;
// what a later version wrote last goes on under that version.
func (s *State) Due() bool {
	if s.readOnly {
		return false
	}
	r := s.runs.now()
	if r == nil || r.atClient() != nil {
		return len(s.runs.queue) > 0
	}
	q := r.waitsFor()
	return q == nil || q.decision != ""
}

// Approved reports whether the user has approved a scope for this session.
func (s *State) Approved(scope string) bool { return s.approvals.scopes[scope] }

// Summary returns what a list of sessions shows.
func (s *State) Summary() chat.Session {
	return chat.Session{ID: s.id, Title: s.title, CreatedAt: s.created, UpdatedAt: s.updated, Messages: s.tree.count(), Head: s.tree.head, Model: s.model, State: s.stands()}
}

// stands says what the session is at, for a list.
func (s *State) stands() chat.State {
	_, asks := s.OpenQuestion()
	switch {
	case s.readOnly && s.runs.Busy():
		return chat.StateIdle // it goes on under the version that wrote it last
	case asks:
		return chat.StateWaiting
	case s.runs.Busy():
		return chat.StateRunning
	case s.runs.failed:
		return chat.StateFailed
	}
	return chat.StateIdle
}

// OpenQuestion returns the question that the session waits at. There is at most one.
func (s *State) OpenQuestion() (chat.Approval, bool) {
	r := s.runs.now()
	if r == nil || s.readOnly {
		return chat.Approval{}, false
	}
	if q := r.waitsFor(); q != nil && q.decision == "" {
		return q.shown(s.id), true
	}
	return chat.Approval{}, false
}

// Question returns a question that was asked, as it stands.
func (s *State) Question(id string) (chat.Approval, bool) {
	if q := s.approvals.asked[id]; q != nil {
		return q.shown(s.id), true
	}
	return chat.Approval{}, false
}

// SummaryFor returns the summary with the title that a first message gives, as it
// is before that message is in the journal.
func (s *State) SummaryFor(title string, now chat.Time) chat.Session {
	sum := chat.Session{ID: s.id, Title: s.title, Model: s.model, CreatedAt: s.created, UpdatedAt: now}
	if sum.Title == "" {
		sum.Title = title
	}
	if sum.CreatedAt.IsZero() {
		sum.CreatedAt = now
	}
	return sum
}

// Begin says when a session began that has no record yet: its pending marker is
// written a moment before its first record, and a restart reads that time.
func (s *State) Begin(at chat.Time) {
	if s.created.IsZero() {
		s.created = at
	}
}

// receipt is what the sender of a message is told: reading on from its cursor
// gives the record seq and everything after it.
func (s *State) receipt(runID, messageID string, seq uint64) chat.Run {
	return chat.Run{RunID: runID, MessageID: messageID, SessionID: s.id, Cursor: chat.Cursor{Epoch: s.epoch, Seq: seq - 1}.Encode(s.id)}
}

// Summaries returns the summaries in the order of their messages in the tree, as
// messages of the history: each behind the one up to which it goes.
func (s *State) Summaries(has func(id string) bool) []chat.Message {
	var out []chat.Message
	for _, id := range s.tree.order {
		for _, sum := range s.summaries[id] {
			m := chat.Message{ID: sum.ID, ParentID: id, RunID: sum.RunID, Role: chat.RoleSystem, Content: sum.Text, Timestamp: sum.at, Summary: true}
			if !sum.counts(has) {
				m.Content = forgottenNote
			}
			out = append(out, m)
		}
	}
	return out
}

// Usage returns the tokens of all answers.
func (s *State) Usage() chat.Usage { return s.usage }

// Mentions reports whether a message contains a text, which is in lower case.
func (s *State) Mentions(text string) bool {
	for _, n := range s.tree.nodes {
		if strings.Contains(strings.ToLower(n.Content), text) {
			return true
		}
	}
	return false
}

// History returns the messages of the shown branch, or all, and marks those that
// wait for their turn. A message that was cancelled while it waited is there as
// well, though it gets its place on a branch only when the run before it ends.
func (s *State) History(all bool) chat.History {
	h := chat.History{SessionID: s.id, Head: s.tree.head, Messages: s.tree.messages(all)}
	waiting := map[string]bool{}
	for _, id := range s.runs.queue {
		waiting[id] = true
	}
	for i, m := range h.Messages {
		h.Messages[i].Queued = m.Role == chat.RoleUser && waiting[m.RunID]
	}
	h.Todo = s.Todo()
	return h
}

// Todo returns the list of the branch that is shown, nil where there is none.
func (s *State) Todo() *chat.Todo {
	path := s.tree.path(s.tree.head)
	if len(path) == 0 {
		return nil
	}
	end := path[len(path)-1]
	b := branch{path: path, runs: &s.runs, last: s.runs.by[end.RunID]}
	if now := s.runs.now(); now != nil && now.MessageID == end.ID {
		b.last = now
	}
	list, _ := b.todo()
	return list
}

// TitleOf makes a title out of a first message, without a model.
func TitleOf(message string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(message), "\n")
	r := []rune(strings.Join(strings.Fields(line), " "))
	if len(r) > 60 {
		r = append(r[:59], '…')
	}
	return string(r)
}
