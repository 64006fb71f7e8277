package runs

import (
	"context"

	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/agent/journal"
	"github.com/loongclaw/loongclaw/agent/users"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

// Transcript reads a session that lives: its row and its whole tree of messages.
// It only reads: unfinished work stays where it is, so it may run beside the
// agent that does it.
func Transcript(ctx context.Context, b bucket.Bucket, u *users.User, row users.Row) (chat.Session, chat.History, error) {
	s := newSession(u, row.ID, row.Epoch, row)
	log, err := journal.Open(ctx, b, users.SessionPrefix(u.Name, row.ID, row.Epoch), s, u.Now)
	if err != nil {
		return row.Session, chat.History{SessionID: row.ID, Messages: []chat.Message{}}, err
	}
	s.log = log
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.row().Session, s.historyLocked(true), nil
}
