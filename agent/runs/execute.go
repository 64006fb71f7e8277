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

// do carries the run out until it is done, parked or stopped.
func (x *execution) do() {
	ctx, stop := context.WithCancelCause(x.Root())
	defer stop(nil)
	x.mu.Lock()
	x.stop, x.executed = stop, x.run.Started
	if x.cancelled == x.run.ID {
		stop(errCancelled)
	}
	x.mu.Unlock()
	began := x.Now()
	ctx, traced := x.Trace.Run(ctx, x.run.Trace, x.run.ID, x.run.RequestID)
	end := func(status string) {
		x.Observer.Ended(status, max(x.Now().Sub(began), 1))
		traced(status)
	}
	state, turn, told, err := x.prepare(ctx)
	x.Go(func() { x.watch(ctx, stop) })
	rec := &recorder{s: x.open, run: x.run, context: told}
	t := loop.Turn{Model: limited{x.Model}, Tools: newToolbox(x.open, x.run.ID, turn, state.Messages), Recorder: rec}
	var out loop.Outcome
	if err == nil {
		out, err = t.Run(ctx, state)
	}
	x.learn(out)
	cause := context.Cause(ctx)
	switch {
	case out.Parked && err == nil:
		x.runLog.Info("run waits")
		end(Parked)
		return
	case errors.Is(cause, tasks.ErrDraining):
		x.leases.Leave(x.user.Name, x.user)
		x.runLog.Info("run left to another agent or the next start", slog.Any("error", err))
		end(Left)
		return
	case errors.Is(cause, session.ErrTaken), errors.Is(err, session.ErrTaken):
		x.runLog.Info("run left to its next start", slog.Any("cause", errors.Join(cause, err)))
		end(Left)
		return
	}
	f := session.Finished{Status: chat.RunDone}
	switch {
	case errors.Is(cause, errCancelled):
		f.Status = chat.RunCancelled
	case err != nil:
		f.Status, f.Error = chat.RunFailed, fault.From(err).With(x.run.RequestID)
		x.Report(x.runLog, "run failed", err)
	}
	if f.Status == chat.RunDone {
		x.remember(turn.Question)
	}
	if x.finish(ctx, rec, out, f) {
		end(f.Status)
	} else {
		end(Left)
	}
}

// remember saves what the user said that is worth it, before the run ends: whoever
// has the answer can find it. What the model has saved itself is not saved a second
// time.
func (x *execution) remember(question string) {
	x.mu.Lock()
	saved := x.state.Runs().Called(x.run.ID, "memory_save")
	x.mu.Unlock()
	if saved {
		return
	}
	if _, err := x.user.Memory.AutoSave(x.Root(), x.id, question); err != nil {
		x.runLog.Warn("message not remembered", slog.Any("error", err))
	}
}

// learn keeps how much of the conversation the model took, so that the next turn
// need not be refused first.
func (x *execution) learn(out loop.Outcome) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if out.Room > 0 {
		x.taken = out.Room
	}
}

// finish writes a run's end. While the store does not take it the run is not
// over: nothing is shown that is not durable. It reports whether the end is written.
func (x *execution) finish(ctx context.Context, rec *recorder, out loop.Outcome, f session.Finished) bool {
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
			x.runLog.Warn("what a run made was too large to be kept; it ends without", slog.Any("error", err))
			err = rec.write(context.WithoutCancel(ctx), out.Steps, &f)
		}
		if err == nil {
			x.runLog.Info("run finished", slog.String("status", f.Status), slog.String("finish", string(lastFinish(out))))
			return true
		}
		if errors.Is(err, session.ErrTaken) {
			x.runLog.Info("run taken over by another agent")
			return false
		}
		x.runLog.Error("end of run not stored; trying again", slog.Any("error", err))
		if unwritable(err) || x.Pause(wait) != nil {
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
func (x *execution) fail() {
	f := session.Finished{Status: chat.RunFailed, Error: fault.Internal(nil).With(x.run.RequestID)}
	x.Guard(func() {
		if x.finish(x.Root(), &recorder{s: x.open, run: x.run}, loop.Outcome{}, f) {
			x.Observer.Ended(f.Status, 1)
		}
	})
}

// watchEvery is how often a running agent looks for what other agents have
// appended to the session: messages, decisions, or the run's end.
const watchEvery = 2 * time.Second

// watch takes in what others append to a session while this agent carries a run
// of it out, and stops the run when it is no longer this agent's.
func (x *execution) watch(ctx context.Context, stop context.CancelCauseFunc) {
	t := time.NewTicker(watchEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		if err := x.takeIn(ctx); err != nil {
			continue // it is over, and ctx with it; or the next step finds out what this means
		}
		x.mu.Lock()
		now, ok := x.state.Runs().Current()
		x.mu.Unlock()
		if !ok || now.ID != x.run.ID || now.Owner != x.self {
			stop(session.ErrTaken)
			return
		}
	}
}
