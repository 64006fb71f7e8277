package auditlog

import (
	"slices"
	"time"
)

const (
	// shown is how many entries a log holds in memory.
	shown = 500
	// signInEvery is how often the use of one credential is written down.
	signInEvery = 24 * time.Hour
)

// Log is the newest entries of a user, and which there are already. The zero value
// is empty.
type Log struct {
	entries []Entry
	covered map[life]uint64 // the last record of a session's life that has its entry
	signIns map[string]time.Time
}

// life is one life of a session.
type life struct {
	session string
	epoch   uint64
}

// Add takes an entry in and reports whether it was new: two agents may have
// written the same.
func (l *Log) Add(e Entry) bool {
	if e.Seq > 0 {
		of := life{e.Session, e.Epoch}
		if e.Seq <= l.covered[of] {
			return false
		}
		if l.covered == nil {
			l.covered = map[life]uint64{}
		}
		l.covered[of] = e.Seq
	}
	if e.What == SignIn {
		if l.signIns == nil {
			l.signIns = map[string]time.Time{}
		}
		l.signIns[e.Via] = e.At.Time
	}
	l.entries = append(l.entries, e)
	if len(l.entries) > 2*shown {
		l.entries = slices.Clone(l.entries[len(l.entries)-shown:])
	}
	return true
}

// Covered returns the number of the last record of a session's life that has its
// entry here, or 0.
func (l *Log) Covered(session string, epoch uint64) uint64 { return l.covered[life{session, epoch}] }

// Newest returns the newest entries, the oldest of them first.
func (l *Log) Newest() []Entry {
	return slices.Clone(l.entries[max(0, len(l.entries)-shown):])
}

// SignedIn reports whether the use of a credential was written down within a day
// before now.
func (l *Log) SignedIn(via string, now time.Time) bool {
	at, ok := l.signIns[via]
	return ok && now.Sub(at) < signInEvery
}
