package runs

import (
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
