package runs

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/loongclaw/loongclaw/agent/guard"
	"github.com/loongclaw/loongclaw/agent/lease"
	"github.com/loongclaw/loongclaw/agent/record"
	"github.com/loongclaw/loongclaw/agent/session"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

// carry makes sure that a worker carries out what there is to run in a session.
// placed says that the caller holds a place among the user's active runs; it is
// handed over.
func (s *open) carry(placed bool) {
	done, ok := s.Begin()
	s.mu.Lock()
	begin := ok && (s.life.Phase == session.Idle || s.life.Phase == session.Watching) && s.changeLocked(session.CarryBegins)
	if begin && s.timer != nil {
		s.timer.Stop()
	}
	s.mu.Unlock()
	if begin {
		s.Go(func() {
			defer done()
			s.work(placed)
		})
		return
	}
	if ok {
		done()
	}
	if placed {
		s.slot(s.user.Name).Release(1)
	}
}

// work carries a session's runs out, one after the other, until there is none.
func (s *open) work(placed bool) {
	slot := s.slot(s.user.Name)
	if !placed && s.awaitPlace(slot) != nil {
		s.idle()
		return
	}
	defer slot.Release(1)
	s.leases.Acquire(s.user.Name, s.user)
	defer s.leases.Release(s.user.Name)
	for {
		run, err := s.next()
		switch {
		case err != nil:
			s.Log.Error("run not started", slog.String("session", s.id), slog.Any("error", err))
			if unwritable(err) || s.Pause(time.Second) != nil {
				s.idle()
				return
			}
			continue
		case run == nil:
			s.checkpointLater()
			s.snapshotSoon()
			return
		}
		x := s.execution(*run)
		if err := guard.Run(func() error { x.do(); return nil }); err != nil {
			s.Report(x.runLog, "run failed", err)
			x.fail()
		}
	}
}

// awaitPlace waits for a place among the user's active runs. A cancel ends it: who
// waits holds nothing, so the cancel itself writes the end.
func (s *open) awaitPlace(slot *semaphore.Weighted) error {
	ctx, stop := context.WithCancelCause(s.Root())
	defer stop(nil)
	s.mu.Lock()
	s.stop = stop
	if r, ok := s.state.Runs().Current(); ok && s.cancelled == r.ID {
		stop(errCancelled)
	}
	s.mu.Unlock()
	return slot.Acquire(ctx, 1)
}

// next returns the run to carry out now, with its start in the journal. No run and
// no error: there is none, and the worker ends.
func (s *open) next() (*session.Run, error) {
	for {
		if s.Root().Err() != nil {
			s.idle()
			return nil, nil
		}
		var step session.Step
		draining := s.IsDraining()
		err := s.commit(s.Root(), func() ([]record.Record, error) {
			if s.life.Phase == session.Ended {
				step = session.Step{}
			} else {
				c := session.Carrier{Owner: s.self, Executed: s.executed, Claimed: s.claimed, Draining: draining}
				step = s.state.Next(c, s.Now())
			}
			switch step.Action {
			case session.RunNow, session.GiveUp:
			default:
				// With the lock that the decision was made with: whoever takes a
				// message in from here on begins the next worker.
				s.idleLocked()
			}
			return step.Records, nil
		})
		if err != nil {
			return nil, err
		}
		switch step.Action {
		case session.RunNow:
			s.mu.Lock()
			run, _ := s.state.Runs().Get(step.RunID)
			s.mu.Unlock()
			return &run, nil
		case session.GiveUp:
			s.Observer.Ended(chat.RunInterrupted, 0) // others may wait behind it
			continue
		case session.WaitUser, session.WaitClient:
			s.After(step.Expires.Sub(s.Now()), func() { s.carry(false) })
		case session.Foreign:
			s.After(recheckEvery, s.recheck)
		}
		return nil, nil
	}
}

// recheckEvery is between two looks at a session that another agent has in hand:
// it may have left, or have finished what a message here waits behind.
const recheckEvery = 2 * time.Second

// recheck sees to it that what another agent does not finish in a session is taken
// over here, when that may be.
func (s *open) recheck() {
	s.mu.Lock()
	due := s.life.Phase == session.Idle && s.state.Runs().Unfinished() && s.state.Runs().HeldBy(s.self.Process) != session.Self
	s.mu.Unlock()
	if due && !s.IsDraining() {
		s.takeOver()
	}
}

// takeOver carries out the unfinished runs of a session. When they belong to an
// agent that is alive, it looks again later.
func (s *open) takeOver() {
	s.mu.Lock()
	run, _ := s.state.Runs().Current()
	begin := s.life.Phase == session.Idle && s.state.Runs().HeldBy(s.self.Process) != session.Self && s.changeLocked(session.WatchBegins)
	s.mu.Unlock()
	if begin {
		s.lookAt(run)
	}
}

// lookAt claims what another agent has begun, or looks again later. The session is
// being watched.
func (s *open) lookAt(run session.Run) {
	ctx, cancel := context.WithTimeout(s.Root(), lease.Interval)
	defer cancel()
	if s.leases.Claimable(ctx, s.user, lease.Holder(run.Owner), run.StartedAt.Time) {
		s.mu.Lock()
		if now, ok := s.state.Runs().Current(); ok && now.Owner == run.Owner {
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
	if s.IsDraining() {
		return
	}
	ctx, cancel := context.WithTimeout(s.Root(), lease.Interval)
	defer cancel()
	if err := s.takeIn(ctx); err != nil && !errors.Is(err, errOver) {
		s.Log.Warn("session not refreshed", slog.Any("error", err))
	}
	s.mu.Lock()
	if s.life.Phase != session.Watching {
		s.mu.Unlock()
		return // a worker has begun since, or this life is over
	}
	run, _ := s.state.Runs().Current()
	busy := s.state.Runs().Unfinished()
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
