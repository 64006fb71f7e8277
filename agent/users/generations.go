package users

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/loongclaw/loongclaw/agent/auditlog"
	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/agent/journal"
)

// Generation names one life of a session.
type Generation struct {
	Session string
	Epoch   uint64
}

// Generations is what a user's journal says of lives, for whoever checks a store: it
// needs no open user, and what can be read of a damaged journal will do.
type Generations struct {
	Audited int // entries of the audit log
	user    User
	anchors map[Generation][]journal.Tail
}

// NewGenerations begins with no life.
func NewGenerations() *Generations {
	return &Generations{user: User{rows: map[string]*SessionSummary{}}, anchors: map[Generation][]journal.Tail{}}
}

// Apply takes a record in; those of lives and of the audit log count.
func (l *Generations) Apply(e journal.Entry) error {
	if e.Newer() {
		return nil
	}
	switch e.Type {
	case recAnchored, recCleared, recDeleted:
	case auditlog.RecordType:
		l.Audited++
		_, err := auditlog.Parse(e.Body)
		return err
	default:
		return nil
	}
	var b sessionBody
	if err := json.Unmarshal(e.Body, &b); err != nil {
		return err
	}
	l.user.applySession(e.Type, b)
	if e.Type != recAnchored || b.Tail.Number == 0 {
		return nil
	}
	hash, err := journal.ParseHash(b.Tail.Hash)
	if err != nil {
		return fmt.Errorf("users: anchor of %s: %w", b.Session.ID, err)
	}
	life := Generation{b.Session.ID, b.Epoch}
	l.anchors[life] = append(l.anchors[life], journal.Tail{Number: b.Tail.Number, Hash: hash})
	return nil
}

// Anchored gives the lives that have not ended and of which objects were
// anchored, with those.
func (l *Generations) Anchored() map[Generation][]journal.Tail {
	out := map[Generation][]journal.Tail{}
	for life, tails := range l.anchors {
		if !l.Ended(life) {
			out[life] = tails
		}
	}
	return out
}

// Ended reports whether a life was cleared or deleted. What is left of it is to be
// removed, and has no meaning any more.
func (l *Generations) Ended(life Generation) bool {
	r, ok := l.user.Session(life.Session)
	return ok && (life.Epoch < r.Epoch || (!r.Alive && life.Epoch == r.Epoch))
}

// Unknown reports whether a life is one that cannot have begun by what the journal
// says: each life but the first follows the end of the one before, which is written
// first.
func (l *Generations) Unknown(life Generation) bool {
	r, _ := l.user.Session(life.Session)
	return life.Epoch > nextEpoch(r)
}

// GenerationOf tells the life that a key of a user belongs to.
func GenerationOf(user, key string) (life Generation, ok bool) {
	rest, ok := strings.CutPrefix(key, Prefix(user)+"s/")
	parts := strings.Split(rest, "/")
	if !ok || len(parts) < 3 {
		return life, false
	}
	session, err := bucket.ParseSegment(parts[0])
	if err != nil {
		return life, false
	}
	epoch, err := strconv.ParseUint(parts[1], 10, 64)
	if err != nil || len(parts[1]) != 6 {
		return life, false
	}
	return Generation{session, epoch}, true
}

// JournalPrefix is where a user's own journal lies.
func JournalPrefix(user string) string { return logPrefix(user) }
