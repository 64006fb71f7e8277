package runs

import (
	"context"
	"sort"
	"strings"

	"github.com/loongclaw/loongclaw/agent/session"
	"github.com/loongclaw/loongclaw/agent/users"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

// Sessions lists a user's sessions, the last used first; q searches titles and
// the messages of sessions that are in use.
func (m *Manager) Sessions(ctx context.Context, user, q string) ([]chat.Session, error) {
	rows, err := m.rows(ctx, user)
	if err != nil {
		return nil, err
	}
	out := []chat.Session{}
	q = strings.ToLower(strings.TrimSpace(q))
	for _, r := range rows {
		if q == "" || strings.Contains(strings.ToLower(r.Title+"\n"+r.ID), q) || m.mentions(user, r.ID, q) {
			out = append(out, r.Session)
		}
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].UpdatedAt.After(out[j].UpdatedAt.Time) })
	return out, nil
}

// rows returns the rows of a user's sessions; those in use tell theirs themselves.
func (m *Manager) rows(ctx context.Context, user string) ([]users.Row, error) {
	u, err := m.users.Get(ctx, user)
	if err != nil {
		return nil, err
	}
	if err := u.Refresh(ctx); err != nil {
		return nil, err
	}
	rows := u.Rows()
	for i, r := range rows {
		if s := m.sessions.inUse(user, r.ID); s != nil {
			s.mu.Lock()
			if s.life.Phase != session.Ended && s.state.Seq() > 0 {
				rows[i] = s.rowLocked()
			} // else its marker is there, and its first message is on the way
			s.mu.Unlock()
		}
	}
	return rows, nil
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

// ClearAll empties every session of a user, as the original's id "all" does.
func (m *Manager) ClearAll(ctx context.Context, user string) error {
	rows, err := m.rows(ctx, user)
	if err != nil {
		return err
	}
	for _, r := range rows {
		if err := m.Clear(ctx, user, r.ID); err != nil {
			return err
		}
	}
	return nil
}
