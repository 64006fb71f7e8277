package runs

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/loongclaw/loongclaw/agent/users"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

// mark writes that a session has unfinished work, before anything of it is
// acknowledged.
func (m *Manager) mark(ctx context.Context, s *session, row chat.Session) error {
	s.mu.Lock()
	marked := s.marked
	s.mu.Unlock()
	if marked {
		return nil
	}
	if err := s.user.Mark(ctx, users.Mark{Session: row, Epoch: s.epoch}); err != nil {
		return err
	}
	s.mu.Lock()
	s.marked = true
	s.mu.Unlock()
	return nil
}

// settle brings a session to rest a while after its last run: anchored in the
// user's journal, its mark gone. A chat that goes on pays for this once.
func (m *Manager) settle(s *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.quiet != nil {
		s.quiet.Stop()
	}
	s.quiet = m.after(m.Rest, func() { m.rest(m.root, s) })
}

func (m *Manager) rest(ctx context.Context, s *session) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	defer m.snapshot(ctx, s) // when messages may come in again
	s.starting.Lock()        // no message comes in between the look and the removal
	defer s.starting.Unlock()
	s.mu.Lock()
	found, readOnly := s.found && !s.marked, s.readOnly
	s.mu.Unlock()
	if readOnly {
		m.evictLater(s) // the version that wrote it last brings it to rest
		return
	}
	if found {
		// Another agent may be using the session, whose mark it is then.
		if err := s.log.Refresh(ctx); err != nil {
			m.settle(s)
			return
		}
	}
	s.mu.Lock()
	ready := !s.ended && !s.busy() && !s.working
	row, marked := s.row(), s.marked
	var last time.Time
	if n := len(s.entries); n > 0 {
		last = s.entries[n-1].at.Time
	}
	s.mu.Unlock()
	if !ready {
		return
	}
	known, _ := s.user.Row(s.id)
	if row.Tail.Number > 0 && (known.Tail != row.Tail || known.Epoch != row.Epoch) {
		if err := s.user.Anchor(ctx, row, s.ledger()...); err != nil {
			m.Log.Warn("session not anchored; it stays marked", slog.Any("err", err))
			m.settle(s)
			return
		}
	}
	if found && m.Now().Sub(last) <= 3*m.Rest {
		m.settle(s) // it would have taken its mark away by then
		return
	}
	if marked || found {
		if err := s.user.Unmark(ctx, s.id); err != nil {
			m.Log.Warn("mark not removed", slog.Any("err", err))
			m.settle(s)
			return
		}
		s.mu.Lock()
		s.marked, s.found = false, false
		s.mu.Unlock()
	}
	m.evictLater(s)
}

// snapshot writes snapshots of a session and of its user's journal, where enough
// has come since the last. They only save time, so nothing waits for them.
func (m *Manager) snapshot(ctx context.Context, s *session) {
	// They wait for one another: what is asked meanwhile comes first.
	if m.isDraining() || m.packing.Acquire(ctx, 1) != nil {
		return
	}
	defer m.packing.Release(1)
	err := errors.Join(s.log.Ignored(), s.user.Snapshot(ctx))
	packed, packErr := s.log.Pack(ctx)
	if err = errors.Join(err, packErr); packed != nil {
		s.starting.Lock() // a deletion does not run beside this
		s.mu.Lock()
		ended := s.ended
		s.mu.Unlock()
		if !ended {
			err = errors.Join(err, packed.Store(ctx))
		}
		s.starting.Unlock()
	}
	if err != nil {
		m.Log.Warn("snapshot", slog.String("user", s.user.Name), slog.String("session", s.id), slog.Any("err", err))
	}
}

// snapshotSoon has snapshots written, where enough has come, beside all else.
func (m *Manager) snapshotSoon(s *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.packs || !s.log.Due() {
		return
	}
	s.packs = true
	m.background(func() {
		defer func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.packs = false
		}()
		m.snapshot(m.root, s)
	})
}

// evictLater takes a session out of memory when nobody has used it for a while.
// Those who follow it hold on to it, and find its next self when it changes.
func (m *Manager) evictLater(s *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.quiet = m.after(m.Evict, func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		s.mu.Lock()
		defer s.mu.Unlock()
		at := place{s.user.Name, s.id}
		if m.open[at] != s || s.busy() || s.working || s.followers > 0 || m.Now().Sub(s.touched) < m.Evict {
			if m.open[at] == s && !s.ended {
				s.quiet = m.after(m.Evict, func() { m.rest(m.root, s) })
			}
			return
		}
		delete(m.open, at)
	})
}

// evictUsers lets go of users of whom nothing is in use, again and again.
func (m *Manager) evictUsers() {
	if m.root.Err() != nil {
		return
	}
	inUse := map[string]bool{}
	m.mu.Lock()
	for at := range m.open {
		inUse[at.user] = true
	}
	m.mu.Unlock()
	m.users.Evict(m.Evict, func(name string) bool { return inUse[name] })
	m.after(m.Evict, m.evictUsers)
}

// restAll brings all sessions to rest at the end of the process, many at once.
func (m *Manager) restAll() {
	m.mu.Lock()
	all := make([]*session, 0, len(m.open))
	for _, s := range m.open {
		all = append(all, s)
	}
	m.mu.Unlock()
	var wg sync.WaitGroup
	for _, s := range all {
		s.mu.Lock()
		if s.quiet != nil {
			s.quiet.Stop()
		}
		s.mu.Unlock()
		// The root has ended; these last writes are bounded by rest itself.
		wg.Go(func() { m.guard(func() { m.rest(context.WithoutCancel(m.root), s) }) })
	}
	wg.Wait()
}
