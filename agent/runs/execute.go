package runs

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/session"
	"github.com/loongclaw/loongclaw/agent/tasks"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// execute carries a run out until it is done, parked or stopped.
func (s *open) execute(run session.Run) {
	ctx, stop := context.WithCancelCause(s.Root())
	defer stop(nil)
	s.mu.Lock()
	s.stop, s.executed = stop, run.Started
	if s.cancelled == run.ID {
		stop(errCancelled)
	}
	s.mu.Unlock()
	log := s.Log.With(slog.String("user", s.user.Name), slog.String("session", s.id), slog.String("run", run.ID), slog.String("requestId", run.RequestID))
	began := s.Now()
	ctx, traced := s.Trace.Run(ctx, run.Trace, run.ID, run.RequestID)
	end := func(status string) {
		s.Observer.Ended(status, max(s.Now().Sub(began), 1))
		traced(status)
	}
	state, turn, told, err := s.prepare(ctx, run)
	s.Go(func() { s.watch(ctx, run, stop) })
	rec := &recorder{s: s, run: run, context: told}
	t := loop.Turn{Model: limited{s.Model}, Tools: s.toolbox(run.ID, turn, state.Messages), Recorder: rec}
	var out loop.Outcome
	if err == nil {
		out, err = t.Run(ctx, state)
	}
	s.learn(out)
	cause := context.Cause(ctx)
	switch {
	case out.Parked && err == nil:
		log.Info("run waits")
		end(Parked)
		return
	case errors.Is(cause, tasks.ErrDraining):
		s.leases.Leave(s.user.Name, s.user)
		log.Info("run left to another agent or the next start", slog.Any("error", err))
		end(Left)
		return
	case errors.Is(cause, session.ErrTaken), errors.Is(err, session.ErrTaken):
		log.Info("run left to its next start", slog.Any("cause", errors.Join(cause, err)))
		end(Left)
		return
	}
	f := session.Finished{Status: chat.RunDone}
	switch {
	case errors.Is(cause, errCancelled):
		f.Status = chat.RunCancelled
	case err != nil:
		f.Status, f.Error = chat.RunFailed, fault.From(err).With(run.RequestID)
		s.Report(log, "run failed", err)
	}
	if f.Status == chat.RunDone {
		s.remember(run, turn.Question, log)
	}
	if s.finish(ctx, rec, out, f, log) {
		end(f.Status)
	} else {
		end(Left)
	}
}

// remember saves what the user said that is worth it, before the run ends: whoever
// has the answer can find it. What the model has saved itself is not saved a second
// time.
func (s *open) remember(run session.Run, question string, log *slog.Logger) {
	s.mu.Lock()
	saved := s.state.Runs().Called(run.ID, "memory_save")
	s.mu.Unlock()
	if saved {
		return
	}
	if _, err := s.user.Memory.AutoSave(s.Root(), s.id, question); err != nil {
		log.Warn("message not remembered", slog.Any("error", err))
	}
}

// learn keeps how much of the conversation the model took, so that the next turn
// need not be refused first.
func (s *open) learn(out loop.Outcome) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if out.Room > 0 {
		s.taken = out.Room
	}
}

// finish writes a run's end. While the store does not take it the run is not
// over: nothing is shown that is not durable. It reports whether the end is written.
func (s *open) finish(ctx context.Context, rec *recorder, out loop.Outcome, f session.Finished, log *slog.Logger) bool {
	for wait := firstRetry; ; wait = min(2*wait, lastRetry) {
		err := rec.write(context.WithoutCancel(ctx), out.Steps, &f)
		if isTooLarge(err) {
			// It will never fit: the run ends without what was too much. One that had
			// gone well by then has failed, since its answer is not kept.
			if f.Error == nil {
				f.Status, f.Error = chat.RunFailed, fault.From(err).With(rec.run.RequestID)
			}
			for i, st := range out.Steps {
				out.Steps[i] = session.Shortened(st)
			}
			log.Warn("what a run made was too large to be kept; it ends without", slog.Any("error", err))
			err = rec.write(context.WithoutCancel(ctx), out.Steps, &f)
		}
		if err == nil {
			log.Info("run finished", slog.String("status", f.Status), slog.String("finish", string(lastFinish(out))))
			return true
		}
		if errors.Is(err, session.ErrTaken) {
			log.Info("run taken over by another agent")
			return false
		}
		log.Error("end of run not stored; trying again", slog.Any("error", err))
		if unwritable(err) || s.Pause(wait) != nil {
			return false
		}
	}
}

func lastFinish(out loop.Outcome) chat.Finish {
	for _, st := range slices.Backward(out.Steps) {
		if st.Answer != nil {
			return st.Answer.Finish
		}
	}
	return ""
}

// fail ends a run whose execution panicked outside of its turn. It must not be
// resumed: the same would happen again.
func (s *open) fail(run session.Run) {
	f := session.Finished{Status: chat.RunFailed, Error: fault.Internal(nil).With(run.RequestID)}
	log := s.Log.With(slog.String("session", s.id), slog.String("run", run.ID))
	s.Guard(func() {
		if s.finish(s.Root(), &recorder{s: s, run: run}, loop.Outcome{}, f, log) {
			s.Observer.Ended(f.Status, 1)
		}
	})
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
		if err := s.takeIn(ctx); err != nil {
			continue // it is over, and ctx with it; or the next step finds out what this means
		}
		s.mu.Lock()
		now, ok := s.state.Runs().Current()
		s.mu.Unlock()
		if !ok || now.ID != run.ID || now.Owner != s.self {
			stop(session.ErrTaken)
			return
		}
	}
}
