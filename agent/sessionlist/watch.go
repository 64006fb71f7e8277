package sessionlist

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/loongclaw/loongclaw/agent/session"
	"github.com/loongclaw/loongclaw/agent/users"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// ErrIdle says that everything has been told and nothing runs.
var ErrIdle = errors.New("nothing runs")

// pollEvery is how often a watcher looks for what other agents have written.
const pollEvery = 10 * time.Second

// gather is how long a watcher waits after a change for those that come with it.
const gather = 100 * time.Millisecond

// Watcher tells what changes in a user's list of sessions and approvals. One
// goroutine uses it.
type Watcher struct {
	l    *Lists
	user string
	feed *Feed
	at   chat.ListCursor
	told map[string]chat.Session // as its reader has them
	// UntilIdle ends Next with ErrIdle when nothing of the user's runs.
	UntilIdle bool
}

// Watch begins after a cursor; without one it begins now. Close it.
func (l *Lists) Watch(ctx context.Context, user, after string) (*Watcher, error) {
	at, err := chat.ParseListCursor(user, after)
	if err != nil {
		return nil, err
	}
	u, err := l.refreshed(ctx, user)
	if err != nil {
		return nil, err
	}
	now := l.cursor(u)
	if after == "" {
		at = now
	}
	if at.Seq > now.Seq {
		return nil, fault.New(fault.CodeInvalidCursor, "the cursor is ahead of your list", "leave it out and fetch the list")
	}
	return &Watcher{l: l, user: user, feed: l.feeds.watch(user), at: at, told: map[string]chat.Session{}}, nil
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
		u, err := w.l.users.Get(ctx, w.user)
		if err != nil {
			return nil, err
		}
		seq := u.Seq() // before the count, as in cursor
		c := w.feed.since(w.at)
		if !c.exact && w.l.live.Recovering(w.user) { // rows would say idle that are not
			if err := w.wait(ctx, u, c.more); err != nil {
				return nil, err
			}
			continue
		}
		idle := w.UntilIdle && w.l.live.ActiveOf(w.user) == 0
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
	t := time.NewTimer(pollEvery)
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
	case <-w.l.stopping:
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
	now := chat.At(w.l.now())
	var out []chat.ListEvent
	for id := range c.sessions {
		row, known := u.Session(id)
		if !known {
			continue // its marker is on the way
		}
		e := chat.ListEvent{SessionID: id, Timestamp: now}
		if row.Alive {
			s := w.l.present(w.user, row).Session
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
	for id, of := range c.approvals {
		w.l.live.Look(w.user, of, func(s *session.State) {
			if q, known := s.Question(id); known {
				out = append(out, chat.ListEvent{Type: chat.TypeApprovalChanged, SessionID: of, Timestamp: now, Approval: &q})
			}
		})
	}
	return out
}

func (w *Watcher) addUnknown(u *users.User, c *changes) {
	all, _ := u.Changes()
	for id, seq := range all {
		inUse := w.l.live.Look(w.user, id, func(s *session.State) {
			if q, open := s.OpenQuestion(); open {
				c.approvals[q.ApprovalID] = id
			}
		})
		if seq == 0 || seq > w.at.Seq || inUse {
			c.sessions[id] = true
		}
	}
}
