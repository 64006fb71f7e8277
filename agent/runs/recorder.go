package runs

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/agent/journal"
	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/record"
	"github.com/loongclaw/loongclaw/agent/session"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// How long a run waits, at first and at most, before it tries again to write what the
// store did not take.
const (
	firstRetry = time.Second
	lastRetry  = 30 * time.Second
)

// recorder writes a turn's steps into its session's journal.
type recorder struct {
	s       *open
	run     session.Run
	context *session.Context // goes with the first step: a write of its own would cost each turn one
}

// Record makes steps durable. While the store does not take them the run waits: what
// was acknowledged must not fail because of a store that comes back. It goes on waiting
// through a cancel, too, whose end needs the store as well.
func (w *recorder) Record(ctx context.Context, steps ...loop.Step) error {
	for wait := firstRetry; ; wait = min(2*wait, lastRetry) {
		err := w.write(ctx, steps, nil)
		if fault.CodeOf(err) != fault.CodeStoreFailed {
			return err
		}
		w.s.Log.Error("step of a run not stored; trying again", slog.String("session", w.s.id), slog.String("run", w.run.ID), slog.Any("error", err))
		if w.s.Pause(wait) != nil {
			return err
		}
	}
}

// Show shows a piece of the answer that is being given.
func (w *recorder) Show(piece string) {
	w.show(w.s.state.Say, piece)
}

// Think shows a piece of its reasoning.
func (w *recorder) Think(piece string) {
	w.show(w.s.state.Think, piece)
}

func (w *recorder) show(add func(runID, piece, messageID string) bool, piece string) {
	w.s.mu.Lock()
	defer w.s.mu.Unlock()
	id := ""
	if !w.s.state.Saying() {
		id = newID("msg")
	}
	if add(w.run.ID, piece, id) {
		w.s.wakeLocked()
	}
}

// write makes steps durable, and with them the run's end where there is one.
func (w *recorder) write(ctx context.Context, steps []loop.Step, end *session.Finished) error {
	for _, st := range steps {
		if sum := st.Summary; sum != nil && sum.Err != nil && !errors.Is(sum.Err, context.Canceled) {
			w.s.Log.Warn("conversation not summarised; its oldest turns are left out of what is sent", slog.String("session", w.s.id), slog.String("run", w.run.ID), slog.Any("error", sum.Err))
		}
	}
	if err := w.settled(ctx); err != nil {
		return err
	}
	for {
		if more, err := w.writeSome(ctx, steps, end); err != nil || !more {
			return err
		}
	}
}

// settled waits until it is known whether the generation lives in which the newest
// message was stored. A run that has done nothing by then can be left: it is begun anew
// where its message is.
func (w *recorder) settled(ctx context.Context) error {
	w.s.mu.Lock()
	a := w.s.arrival
	w.s.mu.Unlock()
	if a == nil {
		return nil
	}
	select {
	case <-a.looked:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if a.lives {
		return nil
	}
	if err := w.s.checkAlive(ctx); errors.Is(err, errOver) {
		return session.ErrTaken
	} else if err != nil {
		return bucket.Unavailable(err)
	}
	a.lives = true // nobody else looks at it by now
	return nil
}

// writeSome writes what of the steps fits into one object and is not stored yet.
func (w *recorder) writeSome(ctx context.Context, steps []loop.Step, end *session.Finished) (more bool, err error) {
	var made session.Recorded
	err = w.s.commit(ctx, func() (_ []record.Record, err error) {
		if w.s.life.Phase == session.Ended {
			return nil, session.ErrTaken
		}
		made, err = w.s.state.Record(session.Progress{
			RunID: w.run.ID, Owner: w.s.self, Steps: steps, Context: w.context, End: end,
			Room: journal.MaxRecords, Now: w.s.Now(), NewID: newID,
		})
		return made.Records, err
	})
	if err == nil {
		for _, r := range made.Results {
			w.s.Observer.Called(w.s.toolName(w.s.user.Name, r.Call.Name), r.Status)
		}
	}
	return made.More, err
}

var _ loop.Recorder = (*recorder)(nil)
