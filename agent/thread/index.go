package thread

import (
	"crypto/sha256"
	"slices"
	"sync"

	"github.com/loongclaw/loongclaw/agent/openai"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

// maxTexts bounds how many texts the index holds, two for each turn of a
// conversation. One that is gone costs a second session, which begins with a copy.
const maxTexts = 8192

// maxSessions is how many sessions are proposed for one text, the newest ones:
// "hello" is said in many.
const maxSessions = 8

// Session is a session that the index proposes.
type Session struct {
	ID       string
	Streamed bool // its client asks for streams
	name     key  // of its user and its ID
	said     sketch
	unknown  bool // it was learned from the store, which does not say what its client's instructions were
}

// Index finds the sessions in which a user's text was said. The zero Index is
// empty. It is safe for concurrent use.
type Index struct {
	mu    sync.Mutex
	known map[key][]Session // the newest last
	order []key             // the oldest first
	names map[key]int       // how many texts of a session are known
}

// Named is a session that is proposed for another reason than a text.
func Named(id string) Session { return Session{ID: id, unknown: true} }

type key [16]byte

// keyOf holds the user, too: what one said is never found for another.
func keyOf(user, text string) key {
	sum := sha256.Sum256([]byte(user + "\x00" + plain(text)))
	return key(sum[:16])
}

// Note remembers that a text was said in a session.
func (x *Index) Note(user, session, text string, q openai.Request) {
	x.note(keyOf(user, text), Session{ID: session, name: keyOf(user, session), Streamed: q.Stream, said: sketchOf(q.Instructions)})
}

// Has reports whether anything of a session is known.
func (x *Index) Has(user, session string) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.names[keyOf(user, session)] > 0
}

// Learn remembers the ends of a session that another process has kept, where its
// conversation goes on. What was said before them may be examples that a program
// sends with every question, and these must not wait for one another in a session.
func (x *Index) Learn(user string, h chat.History) {
	t := treeOf(h)
	for _, end := range t.ends {
		if t.asked[end] {
			continue
		}
		if e, _, ok := t.exchange(end); ok {
			for _, text := range []string{e.User, e.Assistant} {
				x.note(keyOf(user, text), Session{ID: h.SessionID, name: keyOf(user, h.SessionID), unknown: true})
			}
		}
	}
}

func (x *Index) note(k key, s Session) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.known == nil {
		x.known, x.names = map[key][]Session{}, map[key]int{}
	}
	old, ok := x.known[k]
	if !ok {
		x.order = append(x.order, k)
	}
	kept := make([]Session, 0, len(old)+1)
	for i, o := range old {
		if o.name == s.name || i == 0 && len(old) == maxSessions {
			x.forgetLocked(o)
			continue
		}
		kept = append(kept, o)
	}
	x.names[s.name]++
	x.known[k] = append(kept, s)
	for len(x.order) > maxTexts {
		for _, o := range x.known[x.order[0]] {
			x.forgetLocked(o)
		}
		delete(x.known, x.order[0])
		x.order = x.order[1:]
	}
}

func (x *Index) forgetLocked(s Session) {
	if x.names[s.name]--; x.names[s.name] == 0 {
		delete(x.names, s.name)
	}
}

// Knows reports whether the user said or was told this in any session.
func (x *Index) Knows(user, text string) bool { return len(x.find(keyOf(user, text))) > 0 }

// Sessions proposes the sessions in which a request's conversation may be, the
// newest first.
func (x *Index) Sessions(user string, q openai.Request) []Session {
	texts := []string{q.Greeting}
	if n := len(q.Earlier); n > 0 {
		texts = []string{q.Earlier[n-1].User, q.Earlier[n-1].Assistant}
	}
	var out []Session
	for _, text := range texts {
		if text == "" {
			continue
		}
		for _, s := range slices.Backward(x.find(keyOf(user, text))) {
			if !slices.ContainsFunc(out, func(o Session) bool { return o.ID == s.ID }) {
				out = append(out, s)
			}
		}
	}
	return out
}

func (x *Index) find(k key) []Session {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.known[k]
}
