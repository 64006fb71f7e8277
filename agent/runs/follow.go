package runs

import (
	"context"
	"errors"
	"time"

	"github.com/loongclaw/loongclaw/agent/session"
	"github.com/loongclaw/loongclaw/agent/sessionlist"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// How often a follower looks for what another agent may have written: often
// while that one runs a run of the session, seldom while nobody does.
const (
	foreignPoll = time.Second
	idlePoll    = 10 * time.Second
)

// Follower reads a session's events from a cursor on, over as many lives as the
// session has. One goroutine uses it.
type Follower struct {
	m    *Manager
	user string
	id   string
	s    *open
	cur  chat.Cursor
	gone bool // history_cleared has been told; the next life has not begun
	pace pace
	tail *int // where a life is told from its beginning: only so many of its last turns

	told    chan struct{} // is closed when there is more than what was told last
	foreign bool          // another agent runs what is under way

	timer *time.Timer   // of the next look; made with the first wait
	every time.Duration // that it was set for; 0 where it has fired
	// UntilIdle ends Next with ErrIdle when nothing runs in the session.
	UntilIdle bool
}

// ErrIdle says that everything has been told and nothing runs.
var ErrIdle = sessionlist.ErrIdle

// Follow begins at a cursor; the empty one is the beginning. Close it.
func (m *Manager) Follow(ctx context.Context, user, id, after string) (*Follower, error) {
	if err := chat.CheckSession(id); err != nil {
		return nil, err
	}
	cur, err := chat.ParseCursor(id, after)
	if err != nil {
		return nil, err
	}
	s, err := m.sessions.lookup(ctx, user, id)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	ahead := cur.Epoch == s.state.Epoch() && cur.Seq > s.state.Seq()
	s.mu.Unlock()
	if ahead { // another agent has written what this one has not read yet
		switch err := s.takeIn(ctx); {
		case errors.Is(err, errOver):
			return m.Follow(ctx, user, id, after)
		case err != nil:
			return nil, err
		}
	}
	f := &Follower{m: m, user: user, id: id}
	f.attach(s, cur)
	return f, nil
}

func (f *Follower) attach(s *open, cur chat.Cursor) {
	s.mu.Lock()
	s.followers++
	s.mu.Unlock()
	f.s, f.cur = s, cur
}

// Close lets go of the session.
func (f *Follower) Close() {
	f.s.mu.Lock()
	defer f.s.mu.Unlock()
	f.s.followers--
	f.s.touched = f.m.env.Now()
	if f.timer != nil {
		f.timer.Stop()
		f.every = 0
	}
}

// Poll returns the events that are there now.
func (f *Follower) Poll() ([]chat.Event, error) {
	f.s.mu.Lock()
	defer f.s.mu.Unlock()
	events, _, err := f.pollLocked()
	return events, err
}

// pollLocked reads, with the session's lock held.
func (f *Follower) pollLocked() (events []chat.Event, ended bool, err error) {
	if f.s.life.Phase == session.Ended {
		return nil, true, nil
	}
	switch {
	case f.cur.Epoch == 0:
		return f.beginLocked(), false, nil
	case f.cur.Epoch != f.s.state.Epoch():
		// The cursor is of a life that has ended: say so, then tell the present.
		return append([]chat.Event{f.cleared()}, f.beginLocked()...), false, nil
	case f.cur.Seq > f.s.state.Seq():
		return nil, false, aheadFault()
	}
	events, f.cur = f.s.state.Events(f.cur, chat.At(f.m.env.Now()))
	return events, false, nil
}

// beginLocked tells a life from its beginning, or from its last turns on.
func (f *Follower) beginLocked() (events []chat.Event) {
	now := chat.At(f.m.env.Now())
	if f.tail != nil {
		events, f.cur = f.s.state.Tail(*f.tail, now)
	} else {
		events, f.cur = f.s.state.Events(chat.Cursor{Epoch: f.s.state.Epoch()}, now)
	}
	return events
}

func aheadFault() error {
	return fault.New(fault.CodeInvalidCursor, "the cursor is ahead of this session", "leave it out to start at the beginning")
}

func (f *Follower) cleared() chat.Event {
	return chat.Event{Type: chat.TypeHistoryCleared, SessionID: f.id, Timestamp: chat.At(f.m.env.Now())}
}

// Begin returns what is there when a reader comes. Where a tail leaves nothing to tell
// that is nothing, and Cursor is then where the reader stands: one that has no event
// yet must not lose what comes before it is back.
func (f *Follower) Begin(ctx context.Context) ([]chat.Event, error) {
	if f.tail == nil {
		return f.Next(ctx)
	}
	f.s.mu.Lock()
	events, ended, err := f.pollLocked()
	f.s.mu.Unlock()
	if ended {
		return f.Next(ctx)
	}
	return events, err
}

// Next waits for events and returns all that are there. It ends with ctx, or when
// this agent stops.
func (f *Follower) Next(ctx context.Context) (events []chat.Event, err error) {
	if f.pace.early() {
		// Until there is more nothing is due: a reader of text that waited for its pace
		// first would be woken twice for each piece.
		if err := f.wait(ctx); err != nil {
			return nil, err
		}
		if err := f.pace.wait(ctx); err != nil {
			return nil, err
		}
	}
	defer func() { f.pace.gave(events) }()
	for {
		f.s.mu.Lock()
		events, ended, err := f.pollLocked()
		f.told, f.foreign = f.s.changed, f.s.state.Runs().HeldBy(f.m.env.self.Process) == session.Another
		idle := f.UntilIdle && !ended && !f.s.activeLocked()
		f.s.mu.Unlock()
		if len(events) > 0 || err != nil {
			return events, err
		}
		if idle {
			return nil, ErrIdle
		}
		if ended {
			if events, err := f.nextLife(ctx); len(events) > 0 || err != nil {
				return events, err
			}
			continue
		}
		if err := f.wait(ctx); err != nil {
			return nil, err
		}
	}
}

// wait waits until there is more than what was told, or another agent may have written.
func (f *Follower) wait(ctx context.Context) error {
	every := idlePoll
	if f.foreign {
		every = foreignPoll
	}
	if due, err := f.pause(ctx, every, f.told); !due || err != nil {
		return err
	}
	return f.look(ctx)
}

// pause waits for a while, or until something is told, and reports whether the while has
// passed.
func (f *Follower) pause(ctx context.Context, d time.Duration, told <-chan struct{}) (passed bool, err error) {
	f.lookAfter(d)
	select {
	case <-told:
		return false, nil
	case <-f.timer.C:
		f.every = 0
		return true, nil
	case <-f.m.env.Root().Done():
		return false, fault.New(fault.CodeDraining, "this agent is stopping", "follow again with the last cursor").After(time.Second)
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

// lookAfter sets the timer of the next look. One that is set already for as long is left
// alone: a reader waits dozens of times in a second while text comes.
func (f *Follower) lookAfter(every time.Duration) {
	switch {
	case f.timer == nil:
		f.timer = time.NewTimer(every)
	case f.every != every:
		f.timer.Reset(every)
	}
	f.every = every
}

// look takes in what other agents have written. A store that does not answer is
// no reason to end a stream.
func (f *Follower) look(ctx context.Context) error {
	f.s.mu.Lock()
	carrying := f.s.life.Phase == session.Carrying
	f.s.mu.Unlock()
	if carrying {
		return nil // its worker looks
	}
	if err := f.s.takeIn(ctx); fault.CodeOf(err) == fault.CodeDamaged {
		return err
	}
	f.s.recheck()
	return ctx.Err()
}

// nextLife goes on to the session's next life: after clearing there is one at
// once, after deleting when somebody writes to it again.
func (f *Follower) nextLife(ctx context.Context) ([]chat.Event, error) {
	if !f.gone {
		f.gone = true
		return []chat.Event{f.cleared()}, nil
	}
	s, err := f.m.sessions.lookup(ctx, f.user, f.id)
	switch missing := fault.CodeOf(err) == fault.CodeNotFound; {
	case missing && f.UntilIdle:
		return nil, ErrIdle
	case missing, s == f.s:
		_, err = f.pause(ctx, time.Second, nil)
		return nil, err
	case err != nil:
		return nil, err
	}
	f.Close()
	f.attach(s, chat.Cursor{})
	f.gone, f.tail = false, nil // of this one nothing was missed
	return nil, nil
}

// Cursor returns where the follower stands.
func (f *Follower) Cursor() string { return f.cur.Encode(f.id) }

// View says what of a history is wanted.
type View struct {
	Limit     int  // the newest messages only; 0 is all
	Tree      bool // all branches
	Reasoning bool // what was thought before each answer
	Summaries bool // each behind the message up to which it goes
}

// History returns a session's messages; one that does not exist has none.
func (m *Manager) History(ctx context.Context, user, id string, v View) (h chat.History, err error) {
	if err := chat.CheckSession(id); err != nil {
		return h, err
	}
	err = m.sessions.show(ctx, user, id, func(s *open) {
		h = s.state.History(v.Tree)
		if v.Reasoning {
			s.state.Reasoning(h.Messages)
		}
		if v.Summaries {
			h.Messages = withSummaries(h.Messages, s.state.Summaries(s.user.Memory.Has))
		}
	})
	switch {
	case fault.CodeOf(err) == fault.CodeNotFound:
		return chat.History{SessionID: id, Messages: []chat.Message{}}, nil
	case err != nil:
		return h, err
	}
	if v.Limit > 0 && len(h.Messages) > v.Limit {
		h.Messages = h.Messages[len(h.Messages)-v.Limit:]
	}
	return h, nil
}

// withSummaries puts summaries behind the messages up to which they go.
func withSummaries(messages, summaries []chat.Message) []chat.Message {
	after := map[string][]chat.Message{}
	for _, s := range summaries {
		after[s.ParentID] = append(after[s.ParentID], s)
	}
	out := make([]chat.Message, 0, len(messages)+len(summaries))
	for _, m := range messages {
		out = append(append(out, m), after[m.ID]...)
	}
	return out
}
