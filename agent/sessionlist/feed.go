package sessionlist

import (
	"crypto/rand"
	"encoding/binary"
	"sync"

	"github.com/loongclaw/loongclaw/pkg/chat"
)

// Feed counts what changes in one user's list, for as long as this process has the
// user in memory. What changed while nobody counted, the user's journal tells.
type Feed struct {
	mu        sync.Mutex
	id        uint64 // which count this is
	n         uint64
	sessions  map[string]uint64         // the last change of each
	approvals map[string]approvalChange // of those asked or decided
	changed   chan struct{}             // closed and made anew at each change
	watchers  int
}

type approvalChange struct {
	session string
	n       uint64
}

// maxNoted bounds what a feed holds. Beyond it the count begins anew, and who comes
// back is told more than has changed.
const maxNoted = 4096

func newFeed() *Feed {
	f := &Feed{changed: make(chan struct{})}
	f.begin()
	return f
}

// begin begins a count.
func (f *Feed) begin() {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	f.id, f.n = binary.BigEndian.Uint64(b[:]), 0
	f.sessions, f.approvals = map[string]uint64{}, map[string]approvalChange{}
}

// Note counts a change of a session. It waits for nothing, and a nil feed counts
// nothing.
func (f *Feed) Note(session string) {
	if f == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.n++
	f.sessions[session] = f.n
	f.signalLocked()
}

// NoteApproval counts a question, or its decision.
func (f *Feed) NoteApproval(approval, session string) {
	if f == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.n++
	f.approvals[approval] = approvalChange{session, f.n}
	f.signalLocked()
}

// Wake has those who wait look again, though nothing in the list is another.
func (f *Feed) Wake() {
	if f == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.signalLocked()
}

// signalLocked wakes those who wait.
func (f *Feed) signalLocked() {
	if len(f.sessions)+len(f.approvals) > maxNoted {
		f.begin()
	}
	close(f.changed)
	f.changed = make(chan struct{})
}

// changes are what a reader has not been told yet.
type changes struct {
	exact     bool // else the reader's count was another
	sessions  map[string]bool
	approvals map[string]string // with their sessions
	at        chat.ListCursor   // without Seq
	more      chan struct{}     // closed at the next change
}

// since gives what has changed after a place.
func (f *Feed) since(at chat.ListCursor) changes {
	f.mu.Lock()
	defer f.mu.Unlock()
	c := changes{exact: at.Feed == f.id && at.N <= f.n, at: chat.ListCursor{Feed: f.id, N: f.n}, more: f.changed, sessions: map[string]bool{}, approvals: map[string]string{}}
	if !c.exact {
		return c
	}
	for id, n := range f.sessions {
		if n > at.N {
			c.sessions[id] = true
		}
	}
	for id, a := range f.approvals {
		if a.n > at.N {
			c.approvals[id] = a.session
		}
	}
	return c
}

// Changed returns what is closed at the next change, or when those who wait are to
// look again.
func (f *Feed) Changed() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.changed
}

// leave is the end of a watcher.
func (f *Feed) leave() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.watchers--
}

// Feeds are those of all users of whom something was in memory lately.
type Feeds struct {
	mu sync.Mutex
	by map[string]*Feed
}

// Of returns a user's feed.
func (fs *Feeds) Of(user string) *Feed {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	return fs.ofLocked(user)
}

// watch gives a user's feed to a watcher, who must leave it.
func (fs *Feeds) watch(user string) *Feed {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	f := fs.ofLocked(user)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.watchers++
	return f
}

func (fs *Feeds) ofLocked(user string) *Feed {
	f := fs.by[user]
	if f == nil {
		if fs.by == nil {
			fs.by = map[string]*Feed{}
		}
		f = newFeed()
		fs.by[user] = f
	}
	return f
}

// Watched reports whether somebody follows a user's list.
func (fs *Feeds) Watched(user string) bool {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	f := fs.by[user]
	if f == nil {
		return false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.watchers > 0
}

// Evict lets go of the feeds of users of whom nothing is in memory.
func (fs *Feeds) Evict(busy func(user string) bool) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	for name, f := range fs.by {
		f.mu.Lock()
		watched := f.watchers > 0
		f.mu.Unlock()
		if !watched && !busy(name) {
			delete(fs.by, name)
		}
	}
}
