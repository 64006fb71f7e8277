package runs

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/loongclaw/loongclaw/agent/session"
	"github.com/loongclaw/loongclaw/agent/users"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

// mark writes the pending marker: the session has unfinished work. It is durable
// before anything of that work is acknowledged.
func (s *open) mark(ctx context.Context, row chat.Session) error {
	s.mu.Lock()
	marked := s.life.Marker == session.Ours
	s.state.Begin(row.CreatedAt)
	epoch := s.state.Epoch()
	s.mu.Unlock()
	if marked {
		return nil
	}
	if err := s.user.PutMarker(ctx, users.Marker{Session: row, Epoch: epoch}); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changeLocked(session.MarkerWritten)
	return nil
}

// checkpointLater brings a checkpoint a while after the last run. A chat that goes
// on pays for it once.
func (s *open) checkpointLater() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.timer != nil {
		s.timer.Stop()
	}
	s.timer = s.After(s.CheckpointAfter, func() { s.checkpoint(s.Root()) })
}

// checkpoint anchors a session in its user's journal and removes its pending
// marker.
func (s *open) checkpoint(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	defer s.snapshot(ctx) // when messages may come in again
	s.starting.Lock()     // no message comes in between the look and the removal
	defer s.starting.Unlock()
	s.mu.Lock()
	marker, readOnly := s.life.Marker, s.state.ReadOnly()
	s.mu.Unlock()
	if readOnly {
		s.evictLater() // the version that wrote it last does this
		return
	}
	if marker == session.Inherited {
		// Another agent may be using the session, whose marker it is then.
		switch err := s.takeIn(ctx); {
		case errors.Is(err, errOver):
			return
		case err != nil:
			s.checkpointLater()
			return
		}
	}
	s.mu.Lock()
	ready := s.life.Phase != session.Ended && s.life.Phase != session.Carrying && !s.state.Runs().Unfinished()
	row, last := s.rowLocked(), s.state.LastAt()
	s.mu.Unlock()
	if !ready {
		return
	}
	known, _ := s.user.Session(s.id)
	if row.Tail.Number > 0 && (known.Tail != row.Tail || known.Epoch != row.Epoch) {
		if err := s.user.Anchor(ctx, row, s.audit()...); err != nil {
			s.Log.Warn("session not anchored; it stays marked", slog.Any("error", err))
			s.checkpointLater()
			return
		}
		if s.isOver() { // as the user's journal, which was read for this, says now
			s.kept.drop(s)
			return // the marker is the next generation's, if there is one
		}
	}
	if marker == session.Inherited && s.Now().Sub(last.Time) <= 3*s.CheckpointAfter {
		s.checkpointLater() // whoever wrote the marker would have removed it by then
		return
	}
	if marker != session.Unmarked {
		if err := s.user.RemoveMarker(ctx, s.id); err != nil {
			s.Log.Warn("pending marker not removed", slog.Any("error", err))
			s.checkpointLater()
			return
		}
		s.mu.Lock()
		s.changeLocked(session.MarkerRemoved)
		s.mu.Unlock()
	}
	s.evictLater()
}

// evictLater takes a session out of memory when nobody has used it for a while.
func (s *open) evictLater() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.timer = s.After(s.EvictAfter, func() {
		if s.kept.evict(s) {
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.life.Phase != session.Ended {
			s.timer = s.After(s.EvictAfter, func() { s.checkpoint(s.Root()) })
		}
	})
}

// snapshot writes snapshots of a session and of its user's journal, where enough
// has come since the last. They only save time, so nothing waits for them.
func (s *open) snapshot(ctx context.Context) {
	// They wait for one another: what is asked meanwhile comes first.
	if s.IsDraining() || s.snapshots.Acquire(ctx, 1) != nil {
		return
	}
	defer s.snapshots.Release(1)
	err := errors.Join(s.log.Ignored(), s.user.Snapshot(ctx))
	packed, packErr := s.log.Pack(ctx)
	if err = errors.Join(err, packErr); packed != nil {
		s.starting.Lock() // a deletion does not run beside this
		s.mu.Lock()
		ended := s.life.Phase == session.Ended
		s.mu.Unlock()
		if !ended {
			err = errors.Join(err, packed.Store(ctx))
		}
		s.starting.Unlock()
	}
	if err != nil {
		s.Log.Warn("snapshot", slog.String("user", s.user.Name), slog.String("session", s.id), slog.Any("error", err))
	}
}

// snapshotSoon has snapshots written, where enough has come, beside all else: a
// chat that never pauses must stay quick to open.
func (s *open) snapshotSoon() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.packing || !s.log.Due() {
		return
	}
	s.packing = true
	s.Go(func() {
		defer func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.packing = false
		}()
		s.snapshot(s.Root())
	})
}
