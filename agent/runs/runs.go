package runs

import (
	"context"
	"log/slog"

	"github.com/loongclaw/loongclaw/agent/aside"
	"github.com/loongclaw/loongclaw/agent/audittrail"
	"github.com/loongclaw/loongclaw/agent/sessionlist"
	"github.com/loongclaw/loongclaw/agent/users"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

// Manager keeps the sessions that are in use and carries their runs out.
type Manager struct {
	env      *env
	sessions *registry
	recovery *recovery
	lists    *sessionlist.Lists
	audit    *audittrail.Trail
	asides   *aside.Asides
}

// notesAfter is after how many times a session's checkpoint delay sign-ins and refusals
// are written: once a minute and user at most.
const notesAfter = 6

// New makes a manager. Stop it with Drain.
func New(c Config) *Manager {
	e := newEnv(c)
	g := &registry{env: e, open: map[place]*open{}}
	m := &Manager{env: e, sessions: g, recovery: &recovery{registry: g}}
	m.lists = sessionlist.New(e.users, e.feeds, m.Activity(), e.Root().Done(), e.Now)
	m.audit = audittrail.New(audittrail.Config{Users: e.users, InUse: g.audit, Tasks: e.Group, Every: notesAfter * e.CheckpointAfter, Log: e.Log, Now: e.Now})
	m.asides = aside.New(aside.Config{Model: e.Model, Reader: e.Reader, Tasks: e.Group, Log: e.Log, Now: e.Now, Observer: e.Observer, Trace: e.Trace})
	e.users.Opened = m.recovery.meet
	e.users.RowChanged = func(user, session string) { e.feeds.Of(user).Note(session) }
	e.After(e.EvictAfter, g.evictUsers)
	return m
}

// Users gives access to users' journals.
func (m *Manager) Users() *users.Users { return m.env.users }

// Lists gives access to the lists of users' sessions.
func (m *Manager) Lists() *sessionlist.Lists { return m.lists }

// Audit gives access to what was done in users' names.
func (m *Manager) Audit() *audittrail.Trail { return m.audit }

// Asides gives access to what answers beside all conversations.
func (m *Manager) Asides() *aside.Asides { return m.asides }

// Activity gives access to what runs here.
func (m *Manager) Activity() Activity { return Activity{m.sessions, m.recovery} }

// Session returns the row of a session that lives.
func (m *Manager) Session(ctx context.Context, user, id string) (row chat.Session, err error) {
	err = m.sessions.show(ctx, user, id, func(s *open) { row = s.state.Summary() })
	return row, err
}

// Recover takes up what an earlier process left unfinished of these users. What
// cannot be read of one keeps nobody else waiting, and is in the log.
func (m *Manager) Recover(ctx context.Context, names ...string) {
	r := m.recovery
	for _, name := range names {
		r.count(name, 1)
	}
	for _, name := range names {
		if u, err := r.users.Get(ctx, name); err == nil {
			r.visit(ctx, u)
		} else {
			r.Log.Error("user's journal not readable", slog.String("user", name), slog.Any("error", err))
		}
		r.count(name, -1)
	}
}
