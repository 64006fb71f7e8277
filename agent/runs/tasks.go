package runs

import (
	"log/slog"
	"sync"
	"time"

	"github.com/loongclaw/loongclaw/agent/guard"
)

// tasks runs what this package does beside a request. A panic in one user's work
// must not end the process for everybody: it ends the task, is logged with its
// stack and counted.
type tasks struct {
	log  *slog.Logger
	seen Observer
	all  sync.WaitGroup // those that were begun with Go
}

// Go runs do on a goroutine of its own.
func (t *tasks) Go(do func()) {
	t.all.Go(func() { t.guard(do) })
}

// After runs do when d has passed.
func (t *tasks) After(d time.Duration, do func()) *time.Timer {
	return time.AfterFunc(d, func() { t.guard(do) })
}

// Ask runs do on a goroutine of its own and hands its error over, also where that
// is a panic.
func (t *tasks) Ask(do func() error) <-chan error {
	done := make(chan error, 1)
	t.all.Go(func() {
		err := guard.Run(do)
		if guard.Find(err) != nil {
			t.report(t.log, "background task ended", err)
		}
		done <- err
	})
	return done
}

// guard runs do here.
func (t *tasks) guard(do func()) {
	if err := guard.Run(func() error { do(); return nil }); err != nil {
		t.report(t.log, "background task ended", err)
	}
}

// report logs an error; a panic with its stack, and counted.
func (t *tasks) report(log *slog.Logger, what string, err error) {
	p := guard.Find(err)
	if p == nil {
		log.Warn(what, slog.Any("error", err))
		return
	}
	t.seen.Panicked()
	log.Error(what, slog.Any("error", err), slog.String("stack", string(p.Stack)))
}
