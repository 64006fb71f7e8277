package runs

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sort"
	"time"

	"github.com/loongclaw/loongclaw/agent/users"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

// ledger gives the lines of this session that its user's journal does not have
// yet. They are made of the session's own records, so until they are written
// there nothing is lost. The lock is not held.
func (s *session) ledger() []users.Line {
	covered := s.user.Covered(s.id, s.epoch)
	s.mu.Lock()
	defer s.mu.Unlock()
	from := sort.Search(len(s.entries), func(i int) bool { return s.entries[i].seq > covered })
	var lines []users.Line
	for _, e := range s.entries[from:] {
		if line, ok := s.line(e); ok {
			line.At, line.Session, line.Epoch, line.Seq = e.at, s.id, s.epoch, e.seq
			if r := s.runs[line.RunID]; r != nil {
				line.RequestID = r.requestID
			}
			lines = append(lines, line)
		}
	}
	return lines
}

// line is what the ledger says of a record, if it does.
func (s *session) line(e entry) (users.Line, bool) {
	switch b := e.body.(type) {
	case resultBody:
		return users.Line{What: users.LineCall, RunID: b.RunID, CallID: b.CallID, Tool: b.Name, Status: b.Status}, true
	case answerBody:
		switch b.Finish {
		case chat.FinishLength, chat.FinishContentFilter, chat.FinishRefusal, chat.FinishEmpty:
			return users.Line{What: users.LineAnswer, RunID: b.RunID, Finish: string(b.Finish), Model: b.Model}, true
		}
		return users.Line{}, false
	case decidedBody:
		line := users.Line{What: users.LineDecided, RunID: b.RunID, Decision: b.Decision, Expired: b.Expired}
		if a := s.asked[b.ApprovalID]; a != nil {
			line.CallID, line.Tool, line.Scope = a.CallID, a.Name, a.Scope
			if a.decided != e.seq {
				return line, false // it came after the one that counts
			}
		}
		return line, true
	}
	return users.Line{}, false
}

// Ledger gives a user's newest lines, the oldest of them first: those that are
// written, and those that will be: of the sessions that are in use, and of what was
// noted.
func (m *Manager) Ledger(ctx context.Context, user string) ([]users.Line, error) {
	u, err := m.users.Get(ctx, user)
	if err != nil {
		return nil, err
	}
	if err := u.Refresh(ctx); err != nil {
		return nil, storeFault(err)
	}
	lines := u.Ledger()
	m.mu.Lock()
	var open []*session
	for at, s := range m.open {
		if at.user == user {
			open = append(open, s)
		}
	}
	if n := m.notes[user]; n != nil {
		lines = append(lines, n.lines(u, chat.At(m.Now()))...)
	}
	m.mu.Unlock()
	for _, s := range open {
		lines = append(lines, s.ledger()...)
	}
	users.SortLines(lines)
	return lines, nil
}

// Caller is what the gateway says of whoever makes a request.
type Caller struct {
	User    string
	Via     string         // the way in, and which credential
	Refused map[string]int // what the gateway has refused this user, by code
}

// notes are lines of a user that wait to be written, together.
type notes struct {
	via     map[string]chat.Time
	refused map[string]int
	timer   *time.Timer
}

// Note keeps for the ledger how a caller came in, and what was refused to them
// before. It costs the request nothing: lines are written a while later, many at
// once. What a crash loses of a sign-in is written at the credential's next use.
func (m *Manager) Note(c Caller) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.isDraining() {
		return
	}
	n := m.notes[c.User]
	if n == nil {
		if u := m.users.Open(c.User); len(c.Refused) == 0 && (c.Via == "" || u != nil && u.Knows(c.Via)) {
			return
		}
		n = &notes{via: map[string]chat.Time{}, refused: map[string]int{}}
		m.notes[c.User] = n
		n.timer = m.after(noteRests*m.Rest, func() { m.writeNotes(context.WithoutCancel(m.root), c.User) })
	}
	if _, noted := n.via[c.Via]; c.Via != "" && !noted {
		n.via[c.Via] = chat.At(m.Now())
	}
	for code, count := range c.Refused {
		n.refused[code] += count
	}
}

// noteRests is after how many times a session's rest notes are written: once a
// minute and user at most.
const noteRests = 6

// writeNotes writes what was noted for a user. It does not end with the process, which
// waits for it: a line whose writing was given up and came through all the same
// would be written again by the next one.
func (m *Manager) writeNotes(ctx context.Context, user string) {
	m.mu.Lock()
	n := m.notes[user]
	delete(m.notes, user)
	if n != nil {
		m.noting.Add(1)
	}
	m.mu.Unlock()
	if n == nil {
		return
	}
	defer m.noting.Done()
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	u, err := m.users.Get(ctx, user)
	if err == nil {
		err = u.Note(ctx, n.lines(u, chat.At(m.Now()))...)
	}
	if err != nil {
		m.Log.Warn("sign-ins and refusals not written to the ledger", slog.String("user", user), slog.Any("err", err))
	}
}

func (n *notes) lines(u *users.User, now chat.Time) []users.Line {
	var lines []users.Line
	for _, via := range slices.Sorted(maps.Keys(n.via)) {
		if !u.Knows(via) {
			lines = append(lines, users.Line{What: users.LineSignIn, At: n.via[via], Via: via})
		}
	}
	for _, code := range slices.Sorted(maps.Keys(n.refused)) {
		lines = append(lines, users.Line{What: users.LineRefused, At: now, Code: code, Count: n.refused[code]})
	}
	return lines
}

// writeAllNotes writes what waits, at the end of the process.
func (m *Manager) writeAllNotes() {
	m.mu.Lock()
	names := slices.Collect(maps.Keys(m.notes))
	for _, name := range names {
		m.notes[name].timer.Stop()
	}
	m.mu.Unlock()
	for _, name := range names {
		m.writeNotes(context.WithoutCancel(m.root), name)
	}
	m.noting.Wait() // for one whose time had come by itself
}
