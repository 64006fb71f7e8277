package users

import (
	"context"
	"slices"

	"github.com/loongclaw/loongclaw/agent/auditlog"
	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/agent/journal"
)

// Covered returns the number of the last record of a session's life that has its
// audit entry here.
func (u *User) Covered(session string, epoch uint64) uint64 {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.audit.Covered(session, epoch)
}

// AuditLog returns the newest entries that are written, the oldest of them first.
func (u *User) AuditLog() []auditlog.Entry {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.audit.Newest()
}

// SignedIn reports whether the use of a credential was written down within a day.
func (u *User) SignedIn(via string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.audit.SignedIn(via, u.now())
}

// Note writes entries that belong to no session. A sign-in that was written
// meanwhile is left out: what is known is asked when nothing else can be written.
func (u *User) Note(ctx context.Context, entries ...auditlog.Entry) error {
	err := u.log.Transact(ctx, func() ([]journal.Record, error) {
		return auditlog.Records(slices.DeleteFunc(slices.Clone(entries), func(e auditlog.Entry) bool {
			return e.What == auditlog.SignIn && u.SignedIn(e.Via)
		})), nil
	})
	if err == nil {
		u.noteSoon()
	}
	return err
}

// ReadAuditLog returns all entries of a user's journal, in the order of their
// times. Of a damaged journal it returns those before the damage, and the error.
func ReadAuditLog(ctx context.Context, b bucket.Bucket, user string) ([]auditlog.Entry, error) {
	var log auditlog.Log
	var entries []auditlog.Entry
	_, err := journal.Read(ctx, b, logPrefix(user), func(e journal.Entry) error {
		if e.Type != auditlog.RecordType {
			return nil
		}
		entry, err := auditlog.Parse(e.Body)
		if err == nil && log.Add(entry) {
			entries = append(entries, entry)
		}
		return err
	})
	auditlog.Sort(entries)
	return entries, err
}
