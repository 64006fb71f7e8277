package runs

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/loongclaw/loongclaw/agent/session"
	"github.com/loongclaw/loongclaw/agent/users"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// gather is how long a watcher waits after a change for those that come with it.
const gather = 100 * time.Millisecond

// Watcher tells what changes in a user's list of sessions and approvals. One
// goroutine uses it.
type Watcher struct {
	m    *Manager
	user string
	feed *feed
	at   chat.ListCursor
	told map[string]chat.Session // as its reader has them
	// UntilIdle ends Next with ErrIdle when nothing of the user's runs.
	UntilIdle bool
}

// Watch begins after a cursor; without one it begins now. Close it.
func (m *Manager) Watch(ctx context.Context, user, after string) (*Watcher, error) {
	at, err := chat.ParseListCursor(user, after)
	if err != nil {
		return nil, err
	}
	u, err := m.refreshed(ctx, user)
	if err != nil {
		return nil, err
	}
	now := m.listCursor(u)
	if after == "" {
		at = now
	}
	if at.Seq > now.Seq {
		return nil, fault.New(fault.CodeInvalidCursor, "the cursor is ahead of your list", "leave it out and fetch the list")
	}
	return &Watcher{m: m, user: user, feed: m.feeds.watch(user), at: at, told: map[string]chat.Session{}}, nil
}

// Close lets go of the user.
func (w *Watcher) Close() { w.feed.leave() }

// Cursor is where the watcher stands.
func (w *Watcher) Cursor() string { return w.at.Encode(w.user) }

// Next waits for changes and gives all that are there, of each session its present
// row. Only the last one moves the cursor: when some of them are lost, all are told
// again.
func (w *Watcher) Next(ctx context.Context) ([]chat.ListEvent, error) {
	for {
		u, err := w.m.users.Get(ctx, w.user)
		if err != nil {
			return nil, err
		}
		seq := u.Seq() // before the count, as in listCursor
		c := w.feed.since(w.at)
		if !c.exact && w.m.recovery.running(w.user) > 0 { // rows would say idle that are not
			if err := w.wait(ctx, u, c.more); err != nil {
				return nil, err
			}
			continue
		}
		idle := w.UntilIdle && w.m.ActiveOf(w.user) == 0
		events := w.events(u, c)
		before := w.Cursor()
		w.at = c.at
		w.at.Seq = seq
		if n := len(events); n > 0 {
			for i := range events {
				events[i].Cursor = before
			}
			events[n-1].Cursor = w.Cursor()
			return events, nil
		}
		if idle {
			return nil, ErrIdle
		}
		if err := w.wait(ctx, u, c.more); err != nil {
			return nil, err
		}
	}
}

func (w *Watcher) wait(ctx context.Context, u *users.User, more <-chan struct{}) error {
	t := time.NewTimer(idlePoll)
	defer t.Stop()
	select {
	case <-more:
		t.Reset(gather)
		select {
		case <-t.C:
		case <-ctx.Done():
		}
		return nil
	case <-t.C:
		_ = u.Refresh(ctx) // other agents; a store that does not answer ends no stream
		return nil
	case <-w.m.root.Done():
		return fault.New(fault.CodeDraining, "this agent is stopping", "come again with the last cursor").After(time.Second)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// events are the changes as a client sees them: rows in the order of their ids, then
// approvals. A reader whose count was another is told what the user's journal has
// since, and all that is in use: perhaps more than has changed, and nothing less.
func (w *Watcher) events(u *users.User, c changes) []chat.ListEvent {
	if !c.exact {
		w.addUnknown(u, &c)
	}
	now := chat.At(w.m.Now())
	var out []chat.ListEvent
	for id := range c.sessions {
		row, known := u.Session(id)
		if !known {
			continue // its mark is on the way
		}
		e := chat.ListEvent{SessionID: id, Timestamp: now}
		if row.Alive {
			s := w.m.present(w.user, row).Session
			if told, ok := w.told[id]; ok && told == s {
				continue
			}
			w.told[id] = s
			e.Type, e.Session = chat.TypeSessionChanged, &s
		} else {
			delete(w.told, id)
			e.Type = chat.TypeSessionRemoved
		}
		out = append(out, e)
	}
	slices.SortFunc(out, func(a, b chat.ListEvent) int { return cmp.Compare(a.SessionID, b.SessionID) })
	for id, session := range c.approvals {
		if a := w.m.approvalNow(w.user, session, id); a != nil {
			out = append(out, chat.ListEvent{Type: chat.TypeApprovalChanged, SessionID: session, Timestamp: now, Approval: a})
		}
	}
	return out
}

func (w *Watcher) addUnknown(u *users.User, c *changes) {
	all, _ := u.Changes()
	for id, seq := range all {
		s := w.m.sessions.inUse(w.user, id)
		if seq == 0 || seq > w.at.Seq || s != nil {
			c.sessions[id] = true
		}
		if s == nil {
			continue
		}
		s.mu.Lock()
		if q, open := s.state.OpenQuestion(); open {
			c.approvals[q.ApprovalID] = id
		}
		s.mu.Unlock()
	}
}

// approvalNow is a question of a session in use, as it stands.
func (m *Manager) approvalNow(user, of, id string) *chat.Approval {
	s := m.sessions.inUse(user, of)
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if q, known := s.state.Question(id); known && s.life.Phase != session.Ended {
		return &q
	}
	return nil
}

// Approvals gives what waits for the user's decision, what expires first at first.
func (m *Manager) Approvals(ctx context.Context, user string) ([]chat.Approval, error) {
	u, err := m.users.Get(ctx, user)
	if err != nil {
		return nil, err
	}
	if !m.recovery.done(ctx, user) { // who has just come into memory may have left questions open
		return nil, ctx.Err()
	}
	out := []chat.Approval{}
	for _, row := range u.Sessions() {
		s := m.sessions.inUse(user, row.ID)
		if s == nil {
			continue
		}
		s.mu.Lock()
		if q, open := s.state.OpenQuestion(); open && s.life.Phase != session.Ended && m.Now().Before(q.ExpiresAt.Time) {
			out = append(out, q)
		}
		s.mu.Unlock()
	}
	slices.SortFunc(out, func(a, b chat.Approval) int {
		return cmp.Or(a.ExpiresAt.Compare(b.ExpiresAt.Time), cmp.Compare(a.ApprovalID, b.ApprovalID))
	})
	return out, nil
}
