package runs

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/loongclaw/loongclaw/agent/tasks"
	"github.com/loongclaw/loongclaw/agent/users"
)

// lastWrites bounds the last writes, whatever the store does.
const lastWrites = 30 * time.Second

// Drain stops taking messages and waits for active runs until ctx ends; what
// still runs then stops where it is, and goes on at the next start or at another
// agent. What waits its turn does not begin here.
func (m *Manager) Drain(ctx context.Context) {
	if !m.env.Drain(ctx) {
		m.env.Log.Error("a run did not stop when it should have; it is left as a crash would leave it")
	}
	written := make(chan struct{})
	go func() {
		m.env.leases.Hand(context.WithoutCancel(m.env.Root()))
		m.sessions.checkpointAll()
		m.audit.Flush()
		noteEnds(context.WithoutCancel(m.env.Root()), m.env.users.All(), m.env.Log)
		close(written)
	}()
	if !tasks.Within(lastWrites, written) {
		m.env.Log.Error("the store did not take the last writes; the next start makes up for them")
	}
}

// noteEnds writes where the journals of all users in memory end.
func noteEnds(ctx context.Context, all []*users.User, log *slog.Logger) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	var done sync.WaitGroup
	for _, u := range all {
		done.Go(func() {
			if err := u.NoteEnd(ctx); err != nil {
				log.Warn("the end of a user's journal is not noted; the next one who opens it does that", slog.String("user", u.Name), slog.Any("error", err))
			}
		})
	}
	done.Wait()
}
