package runs

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"time"

	"github.com/loongclaw/loongclaw/agent/journal"
	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/users"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// Cancel ends a run, or without one the current and all that wait. It returns
// the runs that it ended, when they have ended.
func (m *Manager) Cancel(ctx context.Context, user, id, runID string) ([]string, error) {
	s, err := m.lookup(ctx, user, id)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	r := s.runs[runID]
	s.mu.Unlock()
	if runID != "" && r == nil {
		return nil, fault.New(fault.CodeNotFound, "there is no run "+runID+" in this session", "leave runId out to end what runs now")
	}
	return m.cancel(ctx, s, runID)
}

func (m *Manager) cancel(ctx context.Context, s *session, runID string) ([]string, error) {
	all := []string{}
	for {
		ended, active, err := m.cancelOnce(ctx, s, runID)
		all = append(all, ended...)
		if err != nil || active == "" {
			// No goroutine held what was ended here: what waited behind it starts,
			// or the session comes to rest.
			m.work(s, false)
			return all, err
		}
		s.mu.Lock()
		s.runs[active].cancelled = true // should it be between two steps of starting
		if s.current == active && s.stop != nil {
			s.stop(errCancelled)
		}
		s.mu.Unlock()
		// A run that parks itself in this moment has no goroutine to end it.
		if parked, err := s.await(ctx, active); !parked || err != nil {
			return append(all, active), err
		}
	}
}

// cancelOnce ends what no goroutine holds, and names the run that one does.
func (m *Manager) cancelOnce(ctx context.Context, s *session, runID string) (ended []string, active string, err error) {
	err = s.log.Transact(ctx, func() ([]journal.Record, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		ended, active = ended[:0], ""
		var records []journal.Record
		// Those that wait first, so that none starts when the current one ends.
		for _, q := range s.queue {
			if runID == "" || q == runID {
				records = append(records, record(recFinished, finishedBody{RunID: q, Status: chat.RunCancelled}))
				ended = append(ended, q)
			}
		}
		if s.current != "" && (runID == "" || s.current == runID) {
			if s.working {
				active = s.current
			} else {
				ended = append(ended, s.current)
				records = append(records, s.closeParked(s.runs[s.current])...)
			}
		}
		return records, nil
	})
	if err == nil {
		for range ended {
			m.Seen.Ended(chat.RunCancelled, 0)
		}
	}
	return ended, active, err
}

// closeParked ends a run that no goroutine holds. The lock is held.
func (s *session) closeParked(r *run) []journal.Record {
	var records []journal.Record
	for _, c := range r.order {
		if c.done {
			continue
		}
		if !c.recorded {
			records = append(records, record(recCall, callBody{r.id, c.ID, c.Name, object(c.Arguments)}))
		}
		if c.approval != nil && c.approval.decision == "" {
			records = append(records, record(recDecided, decidedBody{RunID: r.id, ApprovalID: c.approval.ApprovalID, Decision: chat.DecideDeny}))
		}
		records = append(records, record(recResult, resultBody{r.id, c.ID, c.Name, chat.ToolSkipped, "the user cancelled the turn before it"}))
	}
	return append(records, record(recFinished, finishedBody{RunID: r.id, Status: chat.RunCancelled, Usage: r.usage}))
}

// errNotEnded is the cause when a run that was told to end has not within the
// patience of who told it.
var errNotEnded = errors.New("the run has not ended")

// awaitPatience is longer than a tool's: a run whose tool is given up still ends.
const awaitPatience = 10 * time.Second

// await waits until a run has ended, or has parked itself. It does not wait for
// ever: a run that nothing ends must not hold who wants to cancel or delete it.
func (s *session) await(ctx context.Context, runID string) (parked bool, err error) {
	patience := time.NewTimer(awaitPatience)
	defer patience.Stop()
	for {
		s.mu.Lock()
		done, parked, changed := s.current != runID, !s.working, s.changed
		s.mu.Unlock()
		if done || parked {
			return !done, nil
		}
		select {
		case <-changed:
		case <-patience.C:
			return false, fault.Wrap(errNotEnded, fault.CodeUnavailable, "the run was told to end and has not yet", "look at its events in some seconds")
		case <-ctx.Done():
			return false, ctx.Err()
		}
	}
}

// approvalID names its session, so that a decision finds it.
func approvalID(session string) string {
	return newID("apr") + "." + base64.RawURLEncoding.EncodeToString([]byte(session))
}

// Approve takes the user's decision about a call. The first decision counts.
func (m *Manager) Approve(ctx context.Context, user, id, decision string) error {
	if err := chat.CheckDecision(id, decision); err != nil {
		return err
	}
	unknown := fault.New(fault.CodeNotFound, "there is no such approval", "use the approvalId of an approval_required event")
	_, coded, _ := strings.Cut(id, ".")
	name, err := base64.RawURLEncoding.DecodeString(coded)
	if err != nil || chat.CheckSession(string(name)) != nil {
		return unknown
	}
	s, err := m.lookup(ctx, user, string(name))
	if err != nil {
		return unknown
	}
	s.mu.Lock()
	a := s.asked[id]
	s.mu.Unlock()
	if a == nil {
		return unknown
	}
	err = s.log.Transact(ctx, func() ([]journal.Record, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		switch {
		case a.decision != "":
			return nil, fault.New(fault.CodeConflict, "this was decided already: "+a.decision, "the first decision counts")
		case m.Now().After(a.ExpiresAt.Time):
			return nil, fault.New(fault.CodeConflict, "this question has expired", "send your message again")
		}
		return []journal.Record{record(recDecided, decidedBody{RunID: a.RunID, ApprovalID: id, Decision: decision})}, nil
	})
	if err != nil {
		return err
	}
	defer m.work(s, false)
	if decision == chat.Decide7Days {
		// After the decision: one that came too late must not approve anything.
		return s.user.Stand(ctx, a.Scope, m.Now().Add(7*24*time.Hour))
	}
	return nil
}

// Update renames a session or shows another branch of it.
func (m *Manager) Update(ctx context.Context, user, id string, title, head *string) (chat.Session, error) {
	s, err := m.lookup(ctx, user, id)
	if err != nil {
		return chat.Session{}, err
	}
	err = s.log.Transact(ctx, func() ([]journal.Record, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		b := updatedBody{Title: s.title}
		if title != nil {
			if b.Title = titleOf(*title); b.Title == "" {
				return nil, fault.New(fault.CodeInvalidRequest, "the title is empty", "send some text")
			}
		}
		if head != nil {
			if s.tree.nodes[*head] == nil {
				return nil, fault.New(fault.CodeInvalidRequest, "head is not a message of this session", "GET /api/history/{session}?tree=1 lists them")
			}
			b.Head = s.tree.tip(*head)
		}
		return []journal.Record{record(recUpdated, b)}, nil
	})
	if err != nil {
		return chat.Session{}, err
	}
	s.mu.Lock()
	row := s.row()
	s.mu.Unlock()
	// A list shows the title of a session at rest from the user's journal.
	return row.Session, s.user.Anchor(ctx, row, s.ledger()...)
}

// Clear empties a session. It lives on, in a new life with a new epoch.
func (m *Manager) Clear(ctx context.Context, user, id string) error {
	return m.end(ctx, user, id, true)
}

// Delete removes a session.
func (m *Manager) Delete(ctx context.Context, user, id string) error {
	return m.end(ctx, user, id, false)
}

func (m *Manager) end(ctx context.Context, user, id string, clears bool) error {
	s, err := m.lookup(ctx, user, id)
	u, uerr := m.users.Get(ctx, user)
	switch {
	case uerr != nil:
		return uerr
	case fault.CodeOf(err) == fault.CodeDamaged:
		// What cannot be read can still be deleted, also while it is in memory as it
		// was before.
		if broken := m.inUse(user, id); broken != nil {
			defer m.drop(broken)
		}
		if err := u.Reach(ctx, id); err != nil {
			return storeFault(err)
		}
	case err != nil:
		return err
	default:
		s.starting.Lock()
		defer s.starting.Unlock()
		// A run that does not end writes nothing more once its session is gone.
		if _, err := m.cancel(ctx, s, ""); err != nil && fault.CodeOf(err) != fault.CodeNewerVersion && !errors.Is(err, errNotEnded) {
			return err
		}
	}
	// The mark finds a deletion again that a crash cuts short. Nothing but a crash
	// does: who asked may leave.
	ctx = context.WithoutCancel(ctx)
	row, _ := u.Row(id)
	if err := u.Mark(ctx, users.Mark{Session: row.Session, Epoch: row.Epoch}); err != nil {
		return storeFault(err)
	}
	// What was done in this session stays in the ledger. Of one that cannot be
	// read there is what was written when it last came to rest.
	var lines []users.Line
	if s != nil {
		_ = s.log.Refresh(ctx) // another agent's last steps; where that fails, those known here
		lines = s.ledger()
	}
	if clears {
		err = u.Clear(ctx, id, lines...)
	} else {
		err = u.Delete(ctx, id, lines...)
	}
	if err != nil || s == nil {
		return storeFault(err)
	}
	m.drop(s)
	return nil
}

// drop lets go of a session whose life has ended. Those who follow it look for
// its next one.
func (m *Manager) drop(s *session) {
	m.mu.Lock()
	if at := (place{s.user.Name, s.id}); m.open[at] == s {
		delete(m.open, at)
	}
	m.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	if s.quiet != nil {
		s.quiet.Stop()
	}
	if s.stop != nil {
		s.stop(errTaken)
	}
	s.wake()
}

// object is args when they are a JSON object, else one that holds them as text:
// clients are promised an object.
func object(args []byte) []byte {
	if loop.IsObject(args) {
		return args
	}
	return record("", map[string]string{"invalid": string(args)}).Body
}
