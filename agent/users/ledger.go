package users

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/agent/journal"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

// Line is one line of a user's ledger: what was done in their name and who let
// it. It outlives the session that it speaks of, so it holds no arguments and no
// output; of a call that was asked for it has the scope that the user saw.
type Line struct {
	What string    `json:"what"` // one of the Line constants
	At   chat.Time `json:"at"`   // when it happened, not when it was written here

	// Of a session's record: where that record stands. This names the line, too:
	// a second one with the same place is the same.
	Session   string `json:"session,omitempty"`
	Epoch     uint64 `json:"epoch,omitempty"`
	Seq       uint64 `json:"seq,omitempty"`
	RunID     string `json:"runId,omitempty"`
	RequestID string `json:"requestId,omitempty"` // of the message that the run answers

	CallID   string `json:"callId,omitempty"`
	Tool     string `json:"tool,omitempty"`
	Status   string `json:"status,omitempty"`   // of a call: ok, error, denied, skipped
	Scope    string `json:"scope,omitempty"`    // of a decision: what it was about
	Decision string `json:"decision,omitempty"` // once, session, remember_7d, deny
	Expired  bool   `json:"expired,omitempty"`  // nobody decided in time

	Finish string `json:"finish,omitempty"` // of an answer: how it ended
	Model  string `json:"model,omitempty"`  // and who gave it

	Via   string `json:"via,omitempty"`   // of a sign-in: the way in, and which credential
	Code  string `json:"code,omitempty"`  // of refusals: why
	Count int    `json:"count,omitempty"` // and how many
}

// What a line can be about.
const (
	LineCall    = "tool_call" // a call came to its end, or was denied
	LineDecided = "approval"  // the user decided, or the question expired
	LineAnswer  = "answer"    // an answer was cut off, empty, filtered or refused
	LineSignIn  = "sign_in"   // a credential was used for the first time in a day
	LineRefused = "refused"   // the gateway refused requests of this user
)

const (
	recLedger = "ledger"
	// shownLines is how many lines an open user holds in memory.
	shownLines = 500
	// maxScope bounds the scope of a line, in bytes: a command may be long.
	maxScope = 512
	// signInEvery is how often the use of one credential is written down.
	signInEvery = 24 * time.Hour
)

// ledger is what an open user knows of its lines.
type ledger struct {
	lines   []Line          // the newest
	covered map[Life]uint64 // the last record of a life that has its line
	seen    map[string]time.Time
}

func newLedger() ledger {
	return ledger{covered: map[Life]uint64{}, seen: map[string]time.Time{}}
}

// take takes a line in, unless it is there already: two agents may have written
// the same.
func (l *ledger) take(line Line) {
	if line.Seq > 0 {
		life := Life{line.Session, line.Epoch}
		if line.Seq <= l.covered[life] {
			return
		}
		l.covered[life] = line.Seq
	}
	if line.What == LineSignIn {
		l.seen[line.Via] = line.At.Time
	}
	l.lines = append(l.lines, line)
	if len(l.lines) > 2*shownLines {
		l.lines = slices.Clone(l.lines[len(l.lines)-shownLines:])
	}
}

// Covered is the last record of a session's life that has its line here.
func (u *User) Covered(session string, epoch uint64) uint64 {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.ledger.covered[Life{session, epoch}]
}

// Ledger gives the newest lines that are written, the oldest of them first.
func (u *User) Ledger() []Line {
	u.mu.Lock()
	defer u.mu.Unlock()
	return slices.Clone(u.ledger.lines[max(0, len(u.ledger.lines)-shownLines):])
}

// Knows says whether the use of a credential was written down within a day.
func (u *User) Knows(via string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	at, ok := u.ledger.seen[via]
	return ok && u.now().Sub(at) < signInEvery
}

// Note writes lines that belong to no session. A sign-in that was written meanwhile
// is left out: what is known is asked when nothing else can be written.
func (u *User) Note(ctx context.Context, lines ...Line) error {
	err := u.log.Transact(ctx, func() ([]journal.Record, error) {
		return lineRecords(slices.DeleteFunc(slices.Clone(lines), func(l Line) bool {
			return l.What == LineSignIn && u.Knows(l.Via)
		}))
	})
	if err == nil {
		u.noteSoon()
	}
	return err
}

func lineRecords(lines []Line) ([]journal.Record, error) {
	records := make([]journal.Record, 0, len(lines)+1)
	for _, line := range lines {
		line.Scope = clip(line.Scope, maxScope)
		b, err := json.Marshal(line)
		if err != nil {
			return nil, fmt.Errorf("users: %w", err)
		}
		records = append(records, journal.Record{Type: recLedger, Body: b})
	}
	return records, nil
}

// clip cuts a text between two characters.
func clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	cut := 0
	for i := range s {
		if i > most {
			break
		}
		cut = i
	}
	return s[:cut] + "…"
}

// ReadLedger gives all lines of a user's journal, in the order of their times.
// Of a damaged journal it gives those before the damage.
func ReadLedger(ctx context.Context, b bucket.Bucket, user string) ([]Line, error) {
	all := newLedger()
	var lines []Line
	_, err := journal.Read(ctx, b, logPrefix(user), func(e journal.Entry) error {
		if e.Type != recLedger {
			return nil
		}
		var line Line
		if err := json.Unmarshal(e.Body, &line); err != nil {
			return err
		}
		all.lines = all.lines[:0]
		all.take(line)
		lines = append(lines, all.lines...)
		return nil
	})
	SortLines(lines)
	return lines, err
}

// SortLines puts lines in the order of their times.
func SortLines(lines []Line) {
	slices.SortStableFunc(lines, func(a, b Line) int {
		return cmp.Or(a.At.Compare(b.At.Time), cmp.Compare(a.Session, b.Session), cmp.Compare(a.Seq, b.Seq))
	})
}
