package runs

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/loongclaw/loongclaw/agent/guard"
	"github.com/loongclaw/loongclaw/agent/journal"
	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// maxStarts is how often a run is started before it is given up: one that takes
// the process down each time must not do so for ever.
const maxStarts = 5

// work makes sure that a goroutine runs what there is to run in a session.
// placed says that the caller holds a place among the user's active runs; it is
// handed over.
func (m *Manager) work(s *session, placed bool) {
	m.mu.Lock()
	s.mu.Lock()
	begin := !s.working && !s.ended && !m.isDraining()
	if begin {
		s.working = true
		m.active.Add(1)
		if s.quiet != nil {
			s.quiet.Stop()
		}
	}
	s.mu.Unlock()
	m.mu.Unlock()
	switch {
	case begin:
		m.background(func() { m.worker(s, placed) })
	case placed:
		m.slot(s.user.Name).Release(1)
	}
}

// worker runs a session's runs, one after the other, until there is none.
func (m *Manager) worker(s *session, placed bool) {
	defer m.active.Done()
	slot := m.slot(s.user.Name)
	if !placed && m.wait(s, slot) != nil {
		s.idle()
		return
	}
	defer slot.Release(1)
	p := m.pulseOf(s.user)
	p.enter()
	defer p.leave()
	for {
		r, err := m.next(s)
		if err != nil {
			m.Log.Error("run not started", slog.String("session", s.id), slog.Any("err", err))
			if unwritable(err) || m.pause(time.Second) != nil {
				s.idle()
				return
			}
			continue
		}
		if r == nil {
			m.settle(s)
			m.snapshotSoon(s) // a chat that never rests must stay quick to open
			return
		}
		if err := guard.Run(func() error { m.execute(s, r); return nil }); err != nil {
			m.report(m.Log.With(slog.String("session", s.id), slog.String("run", r.id)), "run failed", err)
			m.giveUp(s, r)
		}
	}
}

// giveUp ends a run whose execution panicked outside of its turn. It must not be
// resumed: the same would happen again.
func (m *Manager) giveUp(s *session, r *run) {
	f := finishedBody{RunID: r.id, Status: chat.RunFailed, Error: fault.Internal(nil).With(r.requestID)}
	rec := &recorder{m: m, s: s, r: r}
	log := m.Log.With(slog.String("session", s.id), slog.String("run", r.id))
	m.guard(func() {
		if m.finish(m.root, rec, loop.Outcome{}, f, log) {
			m.Seen.Ended(f.Status, 1)
		}
	})
}

// wait waits for a place among the user's active runs. A cancel ends it: who
// waits holds nothing, so the cancel itself writes the end.
func (m *Manager) wait(s *session, slot *semaphore.Weighted) error {
	ctx, stop := context.WithCancelCause(m.root)
	defer stop(nil)
	s.mu.Lock()
	s.stop = stop
	if r := s.runs[s.current]; r != nil && r.cancelled {
		stop(errCancelled)
	}
	s.mu.Unlock()
	return slot.Acquire(ctx, 1)
}

func (s *session) idle() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rested()
}

// rested says that no goroutine runs this session's runs any more. The lock is
// held.
func (s *session) rested() {
	s.working, s.stop = false, nil
	s.wake()
}

func (m *Manager) pause(d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-m.root.Done():
		return context.Cause(m.root)
	}
}

// next gives the run to carry out now, with its run_started in the journal. No
// run and no error: there is none, and this session's goroutine ends.
func (m *Manager) next(s *session) (*run, error) {
	if m.root.Err() != nil {
		s.idle()
		return nil, nil
	}
	var found *run
	more := false
	err := s.log.Transact(m.root, func() ([]journal.Record, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		found, more = nil, false
		r := s.runs[s.current]
		if r == nil && len(s.queue) > 0 && !s.ended {
			if m.isDraining() {
				s.rested() // its turn comes where there is time for it
				return nil, nil
			}
			found = s.runs[s.queue[0]]
			return []journal.Record{record(recStarted, startedBody{RunID: found.id, ParentID: s.parentOf(found), Owner: m.owner()})}, nil
		}
		if r == nil || s.ended {
			s.rested()
			return nil, nil
		}
		if r.owner.Process == m.process && r.started > r.ran {
			found = r
			return nil, nil
		}
		records, err := m.resume(s, r, &found)
		// Not "is somebody working": from rested on that may be the next goroutine,
		// and two of them would give one answer, mixed.
		more = found == nil && len(records) > 0
		return records, err
	})
	if err == nil && more {
		m.Seen.Ended(chat.RunInterrupted, 0)
		return m.next(s) // it gave a run up; others may wait behind it
	}
	return found, err
}

// resume goes on with a run that was parked or cut short. The lock is held.
func (m *Manager) resume(s *session, r *run, found **run) ([]journal.Record, error) {
	a := r.waitsFor()
	switch {
	case a != nil && a.decision == "" && m.Now().After(a.ExpiresAt.Time):
		*found = r
		return []journal.Record{
			record(recDecided, decidedBody{RunID: r.id, ApprovalID: a.ApprovalID, Decision: chat.DecideDeny, Expired: true}),
			record(recStarted, startedBody{RunID: r.id, Owner: m.owner(), Resumed: true}),
		}, nil
	case a != nil && a.decision == "":
		s.rested()
		m.after(a.ExpiresAt.Sub(m.Now()), func() { m.work(s, false) })
		return nil, nil
	case a != nil && a.decided > r.started:
		*found = r
		return []journal.Record{record(recStarted, startedBody{RunID: r.id, Owner: m.owner(), Resumed: true})}, nil
	case r.owner.Instance != m.Instance && s.takeable != r.started:
		// Another agent's, which may be alive: adopt decides.
		s.rested()
		m.after(mindEvery, func() { m.mind(s) })
		return nil, nil
	case r.starts >= maxStarts:
		return []journal.Record{record(recFinished, finishedBody{RunID: r.id, Status: chat.RunInterrupted, Usage: r.usage, Error: fault.New(fault.CodeInternal,
			"the agent was interrupted several times during this run", "send the message again")})}, nil
	}
	*found = r
	return []journal.Record{record(recStarted, startedBody{RunID: r.id, Owner: m.owner(), Restarted: true})}, nil
}

// waitsFor is the question that a run stopped at, answered or not.
func (r *run) waitsFor() *approval {
	for _, c := range r.order {
		if !c.done {
			return c.approval
		}
	}
	return nil
}

// parentOf is what a waiting run's message answers, now that its turn has come.
func (s *session) parentOf(r *run) string {
	n := s.tree.nodes[r.message]
	if n == nil || n.settled || n.ParentID != "" {
		if n != nil {
			return n.ParentID
		}
		return ""
	}
	if r.rooted {
		return ""
	}
	return s.tree.head
}

// execute carries a run out until it is done, parked or stopped.
func (m *Manager) execute(s *session, r *run) {
	ctx, stop := context.WithCancelCause(m.root)
	defer stop(nil)
	s.mu.Lock()
	s.stop = stop
	r.ran = r.started
	if r.cancelled {
		stop(errCancelled)
	}
	log := m.Log.With(slog.String("user", s.user.Name), slog.String("session", s.id), slog.String("run", r.id), slog.String("requestId", r.requestID))
	s.mu.Unlock()
	began := m.Now()
	ctx, traced := m.Trace.Run(ctx, r.trace, r.id, r.requestID)
	end := func(status string) {
		m.Seen.Ended(status, max(m.Now().Sub(began), 1))
		traced(status)
	}
	state, question, added := m.state(ctx, s, r)
	m.background(func() { m.watch(ctx, s, r, stop) })
	rec := &recorder{m: m, s: s, r: r, context: added}
	t := loop.Turn{Model: limited{m.Model}, Tools: m.toolbox(s, question, state.Messages), Recorder: rec}
	out, err := t.Run(ctx, state)
	s.learn(out)
	cause := context.Cause(ctx)
	switch {
	case out.Parked && err == nil:
		log.Info("run waits for the user")
		end(Parked)
		return
	case errors.Is(cause, errDraining):
		m.mu.Lock()
		m.left[s.user.Name] = s.user
		m.mu.Unlock()
		log.Info("run left to another agent or the next start", slog.Any("err", err))
		end(Left)
		return
	case errors.Is(cause, errTaken), errors.Is(err, errTaken):
		log.Info("run left to its next start", slog.Any("cause", errors.Join(cause, err)))
		end(Left)
		return
	}
	f := finishedBody{RunID: r.id, Status: chat.RunDone}
	switch {
	case errors.Is(cause, errCancelled):
		f.Status = chat.RunCancelled
	case err != nil:
		f.Status, f.Error = chat.RunFailed, fault.From(err).With(r.requestID)
		m.report(log, "run failed", err)
	}
	if f.Status == chat.RunDone && !r.called("memory_save") {
		// Before the end: whoever has the answer can find what was remembered.
		if _, err := s.user.Memory.AutoSave(m.root, s.id, question); err != nil {
			log.Warn("message not remembered", slog.Any("err", err))
		}
	}
	if m.finish(ctx, rec, out, f, log) {
		end(f.Status)
	} else {
		end(Left)
	}
}

// called says whether a tool was called: what the model has saved itself is not
// saved a second time.
func (r *run) called(name string) bool {
	return slices.ContainsFunc(r.order, func(c *call) bool { return c.Name == name })
}

func lastFinish(out loop.Outcome) chat.Finish {
	for _, st := range slices.Backward(out.Steps) {
		if st.Answer != nil {
			return st.Answer.Finish
		}
	}
	return ""
}

// learn keeps how much of the conversation the model took, so that the next turn
// need not be refused first.
func (s *session) learn(out loop.Outcome) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if out.Room > 0 {
		s.taken = out.Room
	}
}

// finish writes a run's end. While the store does not take it the run is not
// over: nothing is shown that is not durable. It says whether the end is written.
func (m *Manager) finish(ctx context.Context, rec *recorder, out loop.Outcome, f finishedBody, log *slog.Logger) bool {
	for wait := time.Second; ; wait = min(2*wait, 30*time.Second) {
		err := rec.write(context.WithoutCancel(ctx), out.Steps, &f)
		if isTooLarge(err) {
			// It will never fit: the run ends without what was too much. One that had
			// gone well by then has failed, since its answer is not kept.
			if f.Error == nil {
				f.Status, f.Error = chat.RunFailed, fault.From(err).With(rec.r.requestID)
			}
			for i, st := range out.Steps {
				out.Steps[i] = shortened(st)
			}
			log.Warn("what a run made was too large to be kept; it ends without", slog.Any("err", err))
			err = rec.write(context.WithoutCancel(ctx), out.Steps, &f)
		}
		if err == nil {
			log.Info("run finished", slog.String("status", f.Status), slog.String("finish", string(lastFinish(out))))
			return true
		}
		if errors.Is(err, errTaken) {
			log.Info("run taken over by another agent")
			return false
		}
		log.Error("end of run not stored; trying again", slog.Any("err", err))
		if unwritable(err) || m.pause(wait) != nil {
			return false
		}
	}
}

// unwritable reports whether no later try can write to the journal either.
func unwritable(err error) bool {
	code := fault.CodeOf(err)
	return code == fault.CodeDamaged || code == fault.CodeNewerVersion
}
