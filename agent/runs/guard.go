package runs

import (
	"log/slog"
	"time"

	"github.com/loongclaw/loongclaw/agent/guard"
)

// A panic in one user's work must not end the process for everybody: what this
// package runs beside a request is run by one of these.

// background runs do on a goroutine of its own. A panic is logged and counted.
func (m *Manager) background(do func()) {
	go m.guard(do)
}

// after runs do when d has passed. A panic is logged and counted.
func (m *Manager) after(d time.Duration, do func()) *time.Timer {
	return time.AfterFunc(d, func() { m.guard(do) })
}

func (m *Manager) guard(do func()) {
	if err := guard.Run(func() error { do(); return nil }); err != nil {
		m.report(m.Log, "background task ended", err)
	}
}

// inBackground runs do on a goroutine of its own and hands its error over, also
// where that is a panic.
func (m *Manager) inBackground(do func() error) <-chan error {
	done := make(chan error, 1)
	go func() {
		err := guard.Run(do)
		if guard.Find(err) != nil {
			m.report(m.Log, "background task ended", err)
		}
		done <- err
	}()
	return done
}

// report logs an error; a panic with its stack, and counted.
func (m *Manager) report(log *slog.Logger, what string, err error) {
	p := guard.Find(err)
	if p == nil {
		log.Warn(what, slog.Any("err", err))
		return
	}
	m.Seen.Panicked()
	log.Error(what, slog.Any("err", err), slog.String("stack", string(p.Stack)))
}
