package runs

import (
	"context"

	"github.com/loongclaw/loongclaw/agent/auditlog"
	"github.com/loongclaw/loongclaw/agent/bucket"
)

// AuditLog returns a user's newest entries, the oldest of them first: those that
// are written, and those that will be: of the sessions that are in use, and of what
// was noted.
func (m *Manager) AuditLog(ctx context.Context, user string) ([]auditlog.Entry, error) {
	u, err := m.users.Get(ctx, user)
	if err != nil {
		return nil, err
	}
	if err := u.Refresh(ctx); err != nil {
		return nil, bucket.Unavailable(err)
	}
	entries := append(u.AuditLog(), m.noted.of(u)...)
	for _, s := range m.sessions.all() {
		if s.user.Name == user {
			entries = append(entries, s.audit()...)
		}
	}
	auditlog.Sort(entries)
	return entries, nil
}

// NoteNow writes entries that belong to no session into a user's audit log.
func (m *Manager) NoteNow(ctx context.Context, user string, entries ...auditlog.Entry) error {
	u, err := m.users.Get(ctx, user)
	if err != nil {
		return err
	}
	return u.Note(ctx, entries...)
}

// Note keeps for the audit log how a caller came in, and what was refused to them
// before. It costs the request nothing: entries are written a while later, many at
// once. What a crash loses of a sign-in is written at the credential's next use.
func (m *Manager) Note(c Caller) { m.noted.note(c) }
