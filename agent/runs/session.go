package runs

import (
	"context"
	"sync"
	"time"

	"github.com/loongclaw/loongclaw/agent/journal"
	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/users"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

// session is one life of a session, in memory. What is in the journal comes in
// through Apply only; beside that there is the answer that is being given.
type session struct {
	id    string
	epoch uint64
	user  *users.User
	log   *journal.Log

	mu      sync.Mutex
	entries []entry // everything so far, for replays
	tree    tree
	runs    map[string]*run
	queue   []string // runs that wait, in order
	current string   // the run that is started and not finished
	title   string
	created chat.Time
	updated chat.Time
	usage   chat.Usage
	keys    map[string]keyed
	asked   map[string]*approval
	scopes  map[string]bool // approved for this session

	live    *live
	changed chan struct{} // closed and made anew at each change
	ended   bool          // cleared or deleted: followers look for the next life

	readOnly bool // it holds a record for later readers only
	taken    int  // bytes of conversation that the model took after it had refused more; 0: it refused nothing yet

	starting  sync.Mutex // orders taking messages in and coming to rest
	followers int

	working  bool              // a goroutine of this process runs its runs
	takeable uint64            // the run_started of another agent that may be taken over
	stop     func(cause error) // ends what that goroutine does
	touched  time.Time         // last use, for eviction
	seen     time.Time         // when the journal was last read
	minded   bool              // a look at what another agent has in hand is due
	marked   bool              // the mark u/…/open/ is there: this process wrote it
	packs    bool              // a snapshot is about to be written
	found    bool              // it was there when its user came, and may be another's to remove
	quiet    *time.Timer       // brings the session to rest
}

// staleAfter is how long what is known of a session counts without looking
// whether another agent has written to it.
const staleAfter = 2 * time.Second

// refresh takes in what other agents have appended since this one last looked.
func (s *session) refresh(ctx context.Context, now time.Time) error {
	s.mu.Lock()
	fresh := s.working || now.Sub(s.seen) < staleAfter
	s.mu.Unlock()
	if fresh {
		return nil
	}
	if err := s.user.Refresh(ctx); err != nil {
		return err
	}
	if err := s.log.Refresh(ctx); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = now
	return nil
}

// entry is a record with its body parsed; nil is a record that this version
// does not know.
type entry struct {
	seq  uint64
	at   chat.Time
	body any
}

// run is what the journal says of a run.
type run struct {
	id          string
	message     string // the user's message that it answers
	interactive bool
	requestID   string
	trace       string
	instruct    string // what its client says beside the message
	owner       Owner
	starts      int
	status      string // "", then how it ended
	calls       map[string]*call
	order       []*call
	context     *contextBody   // what the model was told beside the message
	steps       []loop.Message // answers and results, as the model sees them
	last        string         // the last visible message of this run, or the user's
	rounds      int
	started     uint64      // seq of its last run_started
	before      uint64      // seq of the one before that
	ran         uint64      // the run_started that this process has carried out
	soul        chan string // who the agent is, read ahead for the first start
	cancelled   bool        // the user wants it to end; the record comes with its end
	usage       *chat.Usage
	rooted      bool // its message was sent with an empty parentId: a new beginning
	fresh       bool // regenerated: its first answer is a sibling
}

// call is a tool call of a run.
type call struct {
	loop.Call
	recorded bool
	approval *approval
	done     bool
}

// approval is a question to the user.
type approval struct {
	askBody
	decision string
	expired  bool
	decided  uint64 // seq of the decision
}

// keyed is what an Idempotency-Key stands for.
type keyed struct {
	hash string
	run  chat.Run
	at   time.Time
}

// live is the stretch of answer that is being given.
type live struct {
	attempt uint64
	run     string
	message string
	parent  string
	text    []byte
}

func newSession(u *users.User, id string, epoch uint64, row users.Row) *session {
	return &session{
		id: id, epoch: epoch, user: u,
		tree: tree{nodes: map[string]*node{}}, runs: map[string]*run{}, keys: map[string]keyed{},
		asked: map[string]*approval{}, scopes: map[string]bool{}, changed: make(chan struct{}),
		title: row.Title, created: row.CreatedAt, updated: row.UpdatedAt,
	}
}

// wake tells all followers that there is something new. The lock is held.
func (s *session) wake() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// seq is the last record's number. The lock is held.
func (s *session) seq() uint64 {
	if len(s.entries) == 0 {
		return 0
	}
	return s.entries[len(s.entries)-1].seq
}

// busy says whether a new message has to wait. The lock is held.
func (s *session) busy() bool { return s.current != "" || len(s.queue) > 0 }

// active says whether something runs here, or will without anybody asking: a run
// that waits for the user's decision is parked, and so is what waits behind it.
// The lock is held.
func (s *session) active() bool {
	r := s.runs[s.current]
	switch {
	case s.ended:
		return false
	case s.working:
		return true
	case s.readOnly:
		return false // it goes on under the version that wrote it last
	case r == nil:
		return len(s.queue) > 0
	}
	a := r.waitsFor()
	return a == nil || a.decision != ""
}

// row is what a list of sessions shows. The lock is held.
func (s *session) row() users.Row {
	t := s.log.Tail()
	return users.Row{
		Session: chat.Session{ID: s.id, Title: s.title, CreatedAt: s.created, UpdatedAt: s.updated, Messages: s.tree.count(), Head: s.tree.head},
		Epoch:   s.epoch, Alive: true, Usage: s.usage,
		Tail: users.Anchor{Number: t.Number, Hash: t.Hash.String()},
	}
}

// historyLocked returns the messages of the shown branch, or all, and marks those
// that wait for their turn. A message that was cancelled while it waited is there
// as well, though it gets its place on a branch only when the run before it ends.
func (s *session) historyLocked(all bool) chat.History {
	h := chat.History{SessionID: s.id, Head: s.tree.head, Messages: s.tree.messages(all)}
	waiting := map[string]bool{}
	for _, id := range s.queue {
		waiting[id] = true
	}
	for i, m := range h.Messages {
		h.Messages[i].Queued = m.Role == chat.RoleUser && waiting[m.RunID]
	}
	return h
}

// show adds a piece to the answer that is being given.
func (s *session) show(runID, piece string, newID func(string) string) {
	if piece == "" {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.runs[runID]
	if s.live == nil {
		// Each stretch of answer comes after a record of its own run, so the
		// last record's number tells attempts apart, over crashes too.
		s.live = &live{attempt: s.seq(), run: runID, message: newID("msg"), parent: r.last}
	}
	s.live.text = append(s.live.text, piece...)
	s.wake()
}
