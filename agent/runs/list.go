package runs

import (
	"context"
	"sort"
	"strings"
	"time"

	"github.com/loongclaw/loongclaw/agent/session"
	"github.com/loongclaw/loongclaw/agent/users"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

// lookPatience is how long a list waits, for a user who has just come into memory,
// until it is known what was left unfinished.
const lookPatience = 2 * time.Second

// List is a user's sessions, and where changes to them go on.
type List struct {
	Sessions []chat.Session
	Cursor   string
}

// Sessions lists a user's sessions, the last used first; q searches titles and
// the messages of sessions that are in use.
func (m *Manager) Sessions(ctx context.Context, user, q string) ([]chat.Session, error) {
	l, err := m.List(ctx, user, q)
	return l.Sessions, err
}

// List is Sessions, and the cursor after which Watch tells what changes.
func (m *Manager) List(ctx context.Context, user, q string) (List, error) {
	u, err := m.refreshed(ctx, user)
	if err != nil {
		return List{}, err
	}
	soon, cancel := context.WithTimeout(ctx, lookPatience)
	m.recovery.done(soon, user) // else a watcher is told later
	cancel()
	at := m.listCursor(u) // before the rows: what changes meanwhile is told again
	out := []chat.Session{}
	q = strings.ToLower(strings.TrimSpace(q))
	for _, r := range m.rowsOf(u) {
		if q == "" || strings.Contains(strings.ToLower(r.Title+"\n"+r.ID), q) || m.mentions(user, r.ID, q) {
			out = append(out, r.Session)
		}
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].UpdatedAt.After(out[j].UpdatedAt.Time) })
	return List{out, at.Encode(user)}, nil
}

// listCursor is the end of what has changed so far.
func (m *Manager) listCursor(u *users.User) chat.ListCursor {
	seq := u.Seq() // before the count: what is in the journal by now has been counted
	at := m.feeds.of(u.Name).since(chat.ListCursor{}).at
	at.Seq = seq
	return at
}

// rows returns the rows of a user's sessions.
func (m *Manager) rows(ctx context.Context, user string) ([]users.SessionSummary, error) {
	u, err := m.refreshed(ctx, user)
	if err != nil {
		return nil, err
	}
	return m.rowsOf(u), nil
}

// refreshed returns a user, with what other agents have written.
func (m *Manager) refreshed(ctx context.Context, user string) (*users.User, error) {
	u, err := m.users.Get(ctx, user)
	if err != nil {
		return nil, err
	}
	return u, u.Refresh(ctx)
}

func (m *Manager) rowsOf(u *users.User) []users.SessionSummary {
	rows := u.Sessions()
	for i := range rows {
		rows[i] = m.present(u.Name, rows[i])
	}
	return rows
}

// present returns a row as it is now: a session that is in use tells its own itself.
func (m *Manager) present(user string, r users.SessionSummary) users.SessionSummary {
	if s := m.sessions.inUse(user, r.ID); s != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.life.Phase != session.Ended && s.state.Seq() > 0 {
			return s.rowLocked()
		} // else its marker is there, and its first message is on the way
	}
	return listed(r)
}

func (m *Manager) mentions(user, id, q string) bool {
	s := m.sessions.inUse(user, id)
	if s == nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state.Mentions(q)
}

// Session returns one row.
func (m *Manager) Session(ctx context.Context, user, id string) (chat.Session, error) {
	s, err := m.sessions.lookup(ctx, user, id)
	if err != nil {
		return chat.Session{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state.Summary(), nil
}

// Usage sums the tokens of a user's sessions.
func (m *Manager) Usage(ctx context.Context, user string) (chat.Usage, error) {
	rows, err := m.rows(ctx, user)
	if err != nil {
		return chat.Usage{}, err
	}
	var sum chat.Usage
	for _, r := range rows {
		sum = *(&sum).Add(&r.Usage)
	}
	return sum, nil
}
