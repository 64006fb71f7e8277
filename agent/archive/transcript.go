package archive

import (
	"context"

	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/agent/journal"
	"github.com/loongclaw/loongclaw/agent/session"
	"github.com/loongclaw/loongclaw/agent/users"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

// transcript reads a session that lives: its row and its whole tree of messages.
// It only reads: unfinished work stays where it is, so it may run beside the
// agent that does it.
func transcript(ctx context.Context, b bucket.Bucket, u *users.User, row users.SessionSummary) (chat.Session, chat.History, error) {
	s := &reading{session.New(row.ID, row.Epoch, row.Session)}
	if _, err := journal.Open(ctx, b, users.SessionPrefix(u.Name, row.ID, row.Epoch), s, u.Now); err != nil {
		return row.Session, chat.History{SessionID: row.ID, Messages: []chat.Message{}}, err
	}
	return s.state.Summary(), s.state.History(true), nil
}

// reading is a session that is read once, by one goroutine.
type reading struct{ state *session.State }

func (r *reading) Apply(e journal.Entry) error { return r.state.Apply(e.Seq, e.At, e.Record) }

var _ journal.State = (*reading)(nil)
