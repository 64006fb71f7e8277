package runs

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

const (
	// drainPatience is longer than a tool's: a run whose tool is given up still ends.
	drainPatience = 8 * time.Second
	// lastWrites bounds the last writes, whatever the store does.
	lastWrites = 30 * time.Second
)

// Drain stops taking messages and waits for active runs until ctx ends; what
// still runs then stops where it is, and goes on at the next start or at another
// agent. What waits its turn does not begin here.
func (m *Manager) Drain(ctx context.Context) {
	m.drain() // after this no worker begins
	idle := make(chan struct{})
	go func() { m.running.Wait(); close(idle) }()
	select {
	case <-idle:
	case <-ctx.Done():
	}
	m.cut(errDraining)
	if !within(drainPatience, idle) {
		m.Log.Error("a run did not stop when it should have; it is left as a crash would leave it")
	}
	written := make(chan struct{})
	go func() {
		m.leases.Hand(context.WithoutCancel(m.root))
		m.sessions.checkpointAll()
		m.noted.writeAll()
		m.noteEnds()
		close(written)
	}()
	if !within(lastWrites, written) {
		m.Log.Error("the store did not take the last writes; the next start makes up for them")
	}
}

// noteEnds writes where the journals of all users in memory end.
func (m *Manager) noteEnds() {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(m.root), 10*time.Second)
	defer cancel()
	var done sync.WaitGroup
	for _, u := range m.users.All() {
		done.Go(func() {
			if err := u.NoteEnd(ctx); err != nil {
				m.Log.Warn("the end of a user's journal is not noted; the next one who opens it does that", slog.String("user", u.Name), slog.Any("error", err))
			}
		})
	}
	done.Wait()
}

// within reports whether done is closed before the time is over.
func within(d time.Duration, done <-chan struct{}) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-done:
		return true
	case <-t.C:
		return false
	}
}
