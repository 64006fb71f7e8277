package runs

import (
	"context"

	"github.com/loongclaw/loongclaw/agent/session"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

// Page is a part of a session's events, and where to go on from it.
type Page struct {
	Events []chat.Event `json:"events"`
	Next   string       `json:"next"`             // what follows
	Before string       `json:"before,omitempty"` // what came earlier; empty at the beginning
}

// Tail has the follower tell only the last n turns of the shown branch where it
// would have to begin at the beginning.
func (f *Follower) Tail(n int) { f.tail = &n }

// Turns returns the last n turns of the shown branch, or with a cursor the last n that
// began before it, in a page of at most so many events; a single turn is always
// whole. With a cursor of an earlier life it says that this life has ended, and gives
// the last turns of the present one.
func (m *Manager) Turns(ctx context.Context, user, id, before string, n, most int) (Page, error) {
	cur, err := chat.ParseCursor(id, before)
	if err != nil {
		return Page{}, err
	}
	f, err := m.Follow(ctx, user, id, before)
	if err != nil {
		return Page{}, err
	}
	defer f.Close()
	f.s.mu.Lock()
	defer f.s.mu.Unlock()
	s := f.s.state
	switch {
	case f.s.life.Phase == session.Ended: // in this moment
		return Page{Events: []chat.Event{f.cleared()}, Next: chat.Cursor{}.Encode(id)}, nil
	case cur.Epoch == s.Epoch() && cur.Seq > s.Seq():
		return Page{}, aheadFault()
	case cur.Epoch == s.Epoch():
		return shown(id, s.PageBefore(cur.Seq, n, most)), nil
	}
	p := s.LastPage(n, most, chat.At(m.env.Now()))
	if before != "" {
		p.Events = append([]chat.Event{f.cleared()}, p.Events...)
	}
	return shown(id, p), nil
}

// shown is a page as a client sees it.
func shown(id string, p session.Page) Page {
	out := Page{Events: append([]chat.Event{}, p.Events...), Next: p.Next.Encode(id)}
	if p.Before != (chat.Cursor{}) {
		out.Before = p.Before.Encode(id)
	}
	return out
}
