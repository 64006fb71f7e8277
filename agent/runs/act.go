package runs

import (
	"context"
	"errors"
	"time"

	"github.com/loongclaw/loongclaw/agent/auditlog"
	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/agent/record"
	"github.com/loongclaw/loongclaw/agent/session"
	"github.com/loongclaw/loongclaw/agent/users"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// Cancel ends a run, or without one the current and all that wait. It returns
// the runs that it ended, when they have ended.
func (m *Manager) Cancel(ctx context.Context, user, id, runID string) ([]string, error) {
	s, err := m.sessions.lookup(ctx, user, id)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	_, known := s.state.Runs().Get(runID)
	s.mu.Unlock()
	if runID != "" && !known {
		return nil, fault.New(fault.CodeNotFound, "there is no run "+runID+" in this session", "leave runId out to end what runs now")
	}
	return s.cancel(ctx, runID)
}

func (s *open) cancel(ctx context.Context, runID string) ([]string, error) {
	all := []string{}
	for {
		c, err := s.cancelOnce(ctx, runID)
		all = append(all, c.Ended...)
		if err != nil || c.Active == "" {
			// No worker held what was ended here: what waited behind it starts, or
			// the session comes to a checkpoint.
			s.carry(false)
			return all, err
		}
		s.mu.Lock()
		s.cancelled = c.Active // should it be between two steps of starting
		if now, ok := s.state.Runs().Current(); ok && now.ID == c.Active && s.stop != nil {
			s.stop(errCancelled)
		}
		s.mu.Unlock()
		// A run that parks itself in this moment has no worker to end it.
		if parked, err := s.await(ctx, c.Active); !parked || err != nil {
			return append(all, c.Active), err
		}
	}
}

// cancelOnce ends what no worker holds, and names the run that one does.
func (s *open) cancelOnce(ctx context.Context, runID string) (session.Cancelled, error) {
	var c session.Cancelled
	err := s.commit(ctx, func() ([]record.Record, error) {
		c = s.state.Cancel(runID, s.life.Phase == session.Carrying)
		return c.Records, nil
	})
	if err == nil {
		for range c.Ended {
			s.Observer.Ended(chat.RunCancelled, 0)
		}
	}
	return c, err
}

// errNotEnded is the cause when a run that was told to end has not within the
// patience of who told it.
var errNotEnded = errors.New("the run has not ended")

// awaitPatience is longer than a tool's: a run whose tool is given up still ends.
const awaitPatience = 10 * time.Second

// await waits until a run has ended, or has parked itself. It does not wait for
// ever: a run that nothing ends must not hold who wants to cancel or delete it.
func (s *open) await(ctx context.Context, runID string) (parked bool, err error) {
	patience := time.NewTimer(awaitPatience)
	defer patience.Stop()
	for {
		s.mu.Lock()
		now, _ := s.state.Runs().Current()
		done, parked, changed := now.ID != runID, s.life.Phase != session.Carrying, s.changed
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

// Approve takes the user's decision about a call. The first decision counts.
func (m *Manager) Approve(ctx context.Context, user, id, decision string) error {
	if err := chat.CheckDecision(id, decision); err != nil {
		return err
	}
	name, ok := session.OfApproval(id)
	if !ok {
		return session.UnknownApproval()
	}
	s, err := m.sessions.lookup(ctx, user, name)
	if err != nil {
		return session.UnknownApproval()
	}
	var scope string
	err = s.commit(ctx, func() (records []record.Record, err error) {
		records, scope, err = s.state.Decide(id, decision, s.Now())
		return records, err
	})
	if err != nil {
		return err
	}
	defer s.carry(false)
	if decision == chat.Decide7Days {
		// After the decision: one that came too late must not approve anything.
		return s.user.Approve(ctx, scope, s.Now().Add(7*24*time.Hour))
	}
	return nil
}

// Update changes a session: its title, the branch that is shown, who answers first.
func (m *Manager) Update(ctx context.Context, user, id string, e session.Edit) (chat.Session, error) {
	s, err := m.sessions.lookup(ctx, user, id)
	if err != nil {
		return chat.Session{}, err
	}
	err = s.commit(ctx, func() ([]record.Record, error) { return s.state.Update(e) })
	if err != nil {
		return chat.Session{}, err
	}
	s.mu.Lock()
	row := s.rowLocked()
	s.mu.Unlock()
	// A list shows the title of a session at rest from the user's journal.
	return row.Session, s.user.Anchor(ctx, row, s.audit()...)
}

// Clear empties a session. It lives on, in a new life with a new epoch.
func (m *Manager) Clear(ctx context.Context, user, id string) error {
	return m.sessions.end(ctx, user, id, true)
}

// ClearAll empties every session of a user, as the original's id "all" does.
func (m *Manager) ClearAll(ctx context.Context, user string) error {
	u, err := m.env.users.Get(ctx, user)
	if err != nil {
		return err
	}
	if err := u.Refresh(ctx); err != nil { // another agent may have begun one
		return err
	}
	for _, r := range u.Sessions() {
		if err := m.Clear(ctx, user, r.ID); err != nil {
			return err
		}
	}
	return nil
}

// Delete removes a session.
func (m *Manager) Delete(ctx context.Context, user, id string) error {
	return m.sessions.end(ctx, user, id, false)
}

// end ends a life of a session; one that is cleared has a next one.
func (g *registry) end(ctx context.Context, user, id string, clears bool) error {
	s, err := g.lookup(ctx, user, id)
	u, uerr := g.users.Get(ctx, user)
	switch {
	case uerr != nil:
		return uerr
	case fault.CodeOf(err) == fault.CodeDamaged:
		// What cannot be read can still be deleted, also while it is in memory as it
		// was before.
		if broken := g.inUse(user, id); broken != nil {
			defer g.drop(broken)
		}
		if err := u.Reach(ctx, id); err != nil {
			return bucket.Unavailable(err)
		}
	case err != nil:
		return err
	default:
		s.starting.Lock()
		defer s.starting.Unlock()
		// A run that does not end writes nothing more once its session is gone.
		if _, err := s.cancel(ctx, ""); err != nil && fault.CodeOf(err) != fault.CodeNewerVersion && !errors.Is(err, errNotEnded) {
			return err
		}
	}
	// The marker finds a deletion again that a crash cuts short. Nothing but a crash
	// does: who asked may leave.
	ctx = context.WithoutCancel(ctx)
	row, _ := u.Session(id)
	if err := u.PutMarker(ctx, users.Marker{Session: row.Session, Epoch: row.Epoch}); err != nil {
		return bucket.Unavailable(err)
	}
	// What was done in this session stays in the audit log. Of one that cannot
	// be read there is what was written at its last checkpoint.
	var entries []auditlog.Entry
	if s != nil {
		_ = s.log.Refresh(ctx) // another agent's last steps; where that fails, those known here
		entries = s.audit()
	}
	if clears {
		err = u.Clear(ctx, id, entries...)
	} else {
		err = u.Delete(ctx, id, entries...)
	}
	if err != nil || s == nil {
		return bucket.Unavailable(err)
	}
	g.drop(s)
	return nil
}
