package runs

import (
	"context"
	"log/slog"
	"time"

	"github.com/loongclaw/loongclaw/agent/lease"
	"github.com/loongclaw/loongclaw/agent/session"
)

// recheckEvery is between two looks at a session that another agent has in hand:
// it may have left, or have finished what a message here waits behind.
const recheckEvery = 2 * time.Second

// recheck sees to it that what another agent does not finish in a session is taken
// over here, when that may be.
func (s *open) recheck() {
	s.mu.Lock()
	due := s.life.Phase == session.Idle && session.Unfinished(s.state) && s.state.HeldBy(s.self.Process) != session.Self
	s.mu.Unlock()
	if due && !s.isDraining() {
		s.takeOver()
	}
}

// takeOver carries out the unfinished runs of a session. When they belong to an
// agent that is alive, it looks again later.
func (s *open) takeOver() {
	s.mu.Lock()
	run, _ := s.state.Current()
	begin := s.life.Phase == session.Idle && s.state.HeldBy(s.self.Process) != session.Self && s.changeLocked(session.WatchBegins)
	s.mu.Unlock()
	if begin {
		s.lookAt(run)
	}
}

// lookAt claims what another agent has begun, or looks again later. The session is
// being watched.
func (s *open) lookAt(run session.Run) {
	ctx, cancel := context.WithTimeout(s.root, lease.Interval)
	defer cancel()
	if s.leases.Claimable(ctx, s.user, lease.Holder(run.Owner), run.StartedAt.Time) {
		s.mu.Lock()
		if now, ok := s.state.Current(); ok && now.Owner == run.Owner {
			s.claimed = now.Started
		}
		s.changeLocked(session.WatchEnds)
		s.mu.Unlock()
		s.carry(false)
		return
	}
	s.After(recheckEvery, s.lookAgain)
}

// lookAgain looks what has become of a session that is being watched.
func (s *open) lookAgain() {
	if s.isDraining() {
		return
	}
	ctx, cancel := context.WithTimeout(s.root, lease.Interval)
	defer cancel()
	if err := s.log.Refresh(ctx); err != nil {
		s.Log.Warn("session not refreshed", slog.Any("err", err))
	}
	s.mu.Lock()
	if s.life.Phase != session.Watching {
		s.mu.Unlock()
		return // a worker has begun since, or this life is over
	}
	run, _ := s.state.Current()
	busy := session.Unfinished(s.state)
	if !busy {
		s.changeLocked(session.WatchEnds)
	}
	s.mu.Unlock()
	if busy {
		s.lookAt(run)
	} else {
		s.checkpointLater()
	}
}

// watchEvery is how often a running agent looks for what other agents have
// appended to the session: messages, decisions, or the run's end.
const watchEvery = 2 * time.Second

// watch takes in what others append to a session while this agent carries a run
// of it out, and stops the run when it is no longer this agent's.
func (s *open) watch(ctx context.Context, run session.Run, stop context.CancelCauseFunc) {
	t := time.NewTicker(watchEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		if err := s.log.Refresh(ctx); err != nil {
			continue // the next step finds out what this means
		}
		s.mu.Lock()
		now, ok := s.state.Current()
		s.mu.Unlock()
		if !ok || now.ID != run.ID || now.Owner != s.self {
			stop(session.ErrTaken)
			return
		}
	}
}
