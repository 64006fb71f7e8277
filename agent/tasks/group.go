package tasks

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/loongclaw/loongclaw/agent/guard"
)

// Group is the work of one process. A panic in one user's work must not end the
// process for everybody: it ends the task, is logged with its stack and counted. Make it
// with New.
type Group struct {
	log      *slog.Logger
	panicked func()

	// root ends when what runs must stop where it is. Not with a request: a run
	// outlives the one that started it.
	root context.Context
	cut  context.CancelCauseFunc

	mu       sync.Mutex
	draining bool
	running  sync.WaitGroup // what was begun with Begin
}

// New makes a group; panicked is told of each panic.
func New(log *slog.Logger, panicked func()) *Group {
	g := &Group{log: log, panicked: panicked}
	g.root, g.cut = context.WithCancelCause(context.Background())
	return g
}

// Go runs do on a goroutine of its own.
func (g *Group) Go(do func()) {
	go g.Guard(do)
}

// After runs do when d has passed.
func (g *Group) After(d time.Duration, do func()) *time.Timer {
	return time.AfterFunc(d, func() { g.Guard(do) })
}

// Ask runs do on a goroutine of its own and hands its error over, also where that
// is a panic.
func (g *Group) Ask(do func() error) <-chan error {
	done := make(chan error, 1)
	go func() {
		err := guard.Run(do)
		if guard.Find(err) != nil {
			g.Report(g.log, "background task ended", err)
		}
		done <- err
	}()
	return done
}

// Guard runs do here.
func (g *Group) Guard(do func()) {
	if err := guard.Run(func() error { do(); return nil }); err != nil {
		g.Report(g.log, "background task ended", err)
	}
}

// Report logs an error; a panic with its stack, and counted.
func (g *Group) Report(log *slog.Logger, what string, err error) {
	p := guard.Find(err)
	if p == nil {
		log.Warn(what, slog.Any("error", err))
		return
	}
	g.panicked()
	log.Error(what, slog.Any("error", err), slog.String("stack", string(p.Stack)))
}
