package runs

import (
	"context"
	"log/slog"

	"github.com/loongclaw/loongclaw/agent/users"
)

// Manager keeps the sessions that are in use and carries their runs out.
type Manager struct {
	*env
	sessions *registry
	asides   asides
	noted    auditNotes
	recovery recovery
}

// New makes a manager. Stop it with Drain.
func New(c Config) *Manager {
	e := newEnv(c)
	m := &Manager{env: e, sessions: &registry{env: e, open: map[place]*open{}}}
	m.noted.env, m.recovery.registry = e, m.sessions
	e.users.Opened = m.recovery.meet
	e.users.RowChanged = func(user, session string) { e.feeds.of(user).note(session) }
	e.After(e.EvictAfter, m.sessions.evictUsers)
	return m
}

// Users gives access to users' journals.
func (m *Manager) Users() *users.Users { return m.users }

// Draining reports whether this agent has begun to stop.
func (m *Manager) Draining() bool { return m.isDraining() }

// Recover takes up what an earlier process left unfinished of these users. What
// cannot be read of one keeps nobody else waiting, and is in the log.
func (m *Manager) Recover(ctx context.Context, names ...string) {
	r := &m.recovery
	for _, name := range names {
		r.count(name, 1)
	}
	for _, name := range names {
		if u, err := m.users.Get(ctx, name); err == nil {
			r.visit(ctx, u)
		} else {
			m.Log.Error("user's journal not readable", slog.String("user", name), slog.Any("error", err))
		}
		r.count(name, -1)
	}
}
