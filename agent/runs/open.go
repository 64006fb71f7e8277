package runs

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/loongclaw/loongclaw/agent/auditlog"
	"github.com/loongclaw/loongclaw/agent/journal"
	"github.com/loongclaw/loongclaw/agent/record"
	"github.com/loongclaw/loongclaw/agent/session"
	"github.com/loongclaw/loongclaw/agent/sessionlist"
	"github.com/loongclaw/loongclaw/agent/users"
)

// open is one life of a session that is in memory: its state, its journal, and
// what this process does with it. Its goroutine, its timers and its commits are
// the only ones that the session has here.
type open struct {
	*env
	kept keeper
	id   string
	user *users.User
	log  *journal.Log
	feed *sessionlist.Feed // of its user; nil until the journal is read

	// starting orders what must not run beside one another: taking a message in,
	// a checkpoint, a deletion.
	starting sync.Mutex

	mu      sync.Mutex
	state   *session.State
	life    session.Lifecycle
	changed chan struct{} // closed and made anew at each change

	// What the worker does.
	stop      func(cause error) // ends what it does
	executed  uint64            // number of the run_started that it has carried out last
	claimed   uint64            // number of the run_started of another agent that may be taken over
	cancelled string            // the run that the user wants to end; the record comes with its end
	arrival   *arrival          // the message that was taken in last
	taken     int               // bytes of conversation that the model took after it had refused more; 0: it refused nothing yet

	// What is done without anybody asking.
	timer     *time.Timer // the next checkpoint, or the eviction after it
	packing   bool        // a snapshot is about to be written
	followers int
	touched   time.Time // last use, for eviction
	read      time.Time // when the journal was last read
}

// keeper keeps the sessions that are in memory.
type keeper interface {
	// drop lets go of a session whose life has ended.
	drop(s *open)
	// evict takes a session out of memory unless it is in use, and reports whether it
	// is out.
	evict(s *open) bool
}

// arrival is a message on its way in: its run may begin before it is known whether the
// generation in which it is stored still lives. Where that has ended, the message is
// stored anew in the next one, so until then nothing may have an effect here.
type arrival struct {
	run     string      // its run, where that begins at once and has not yet
	persona chan string // who the agent is, read ahead for that run

	looked chan struct{} // closed when it was looked, or that has failed
	lives  bool          // it was looked, and the generation lives
}

// Apply takes a record in that is in the journal now.
func (s *open) Apply(e journal.Entry) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.state.Apply(e.Seq, e.At, e.Record); err != nil {
		return err
	}
	if !e.More { // what became durable together is told together
		s.wakeLocked()
		s.feed.Note(s.id)
	}
	if q := session.QuestionOf(e.Record); q != "" {
		s.feed.NoteApproval(q, s.id)
	}
	return nil
}

// commit makes the records of a decision durable and applies them. decide is called
// with the lock held, and again when another writer was first; no records is
// nothing to write.
func (s *open) commit(ctx context.Context, decide func() ([]record.Record, error)) error {
	return s.log.Transact(ctx, func() ([]journal.Record, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		return decide()
	})
}

// touch says that the session was used.
func (s *open) touch() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.touched = s.Now()
}

// changeLocked makes a change to where the session stands here, and reports whether
// that is legal. What is not is a fault of this package: it is logged, and nothing
// comes of it.
func (s *open) changeLocked(c session.Change) bool {
	life, err := s.life.With(c)
	if err != nil {
		s.Log.Error("illegal change", slog.String("session", s.id), slog.Any("error", err))
		return false
	}
	s.life = life
	return true
}

// wakeLocked tells all followers that there is something new.
func (s *open) wakeLocked() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// idleLocked says that no worker carries this session's runs out any more.
func (s *open) idleLocked() {
	s.changeLocked(session.CarryEnds)
	s.stop = nil
	s.wakeLocked()
	s.feed.Wake()
}

func (s *open) idle() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.idleLocked()
}

// activeLocked reports whether something runs here, or will without anybody asking.
func (s *open) activeLocked() bool {
	switch s.life.Phase {
	case session.Ended:
		return false
	case session.Carrying:
		return true
	}
	return s.state.Due()
}

// tellLocked has changes told from here on, and what the journal holds that the row of
// the session did not say.
func (s *open) tellLocked(row users.SessionSummary) {
	s.feed = s.feeds.Of(s.user.Name)
	if s.state.Seq() > 0 && s.state.Summary() != row.AtRest() {
		s.feed.Note(s.id)
	}
	if q, open := s.state.OpenQuestion(); open {
		s.feed.NoteApproval(q.ApprovalID, s.id)
	}
}

// rowLocked returns what a list of sessions shows.
func (s *open) rowLocked() users.SessionSummary {
	t := s.log.Tail()
	return users.SessionSummary{
		Session: s.state.Summary(), Epoch: s.state.Epoch(), Alive: true, Usage: s.state.Usage(),
		Tail: users.Anchor{Number: t.Number, Hash: t.Hash.String()},
	}
}

// audit returns the entries of this session that its user's journal does not have
// yet.
func (s *open) audit() []auditlog.Entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state.AuditLog(s.user.Covered(s.id, s.state.Epoch()))
}

// end lets go of a life that is over. Those who follow it look for the next one.
func (s *open) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changeLocked(session.GenerationEnds)
	if s.timer != nil {
		s.timer.Stop()
	}
	if s.stop != nil {
		s.stop(session.ErrTaken)
	}
	s.wakeLocked()
}

var _ journal.State = (*open)(nil)
