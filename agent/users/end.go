package users

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/agent/journal"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// Nothing anchors a user's own journal, as it anchors those of sessions. So its
// last object is noted twice, beside what is written anyway: in each object of a
// session, and, since a journal may end with what no session follows, in an object
// of its own. Both come after the object that they name is durable, so a journal
// that lacks it has lost its end.

// endAfter is how long after an append the end is noted: appends come in groups.
const endAfter = time.Second

// endTime bounds the noting.
const endTime = 10 * time.Second

// Tail names the last object of the user's journal that is known here.
func (u *User) Tail() journal.Tail { return u.log.Tail() }

// appendLog writes to the user's journal, and has its end noted soon.
func (u *User) appendLog(ctx context.Context, records ...journal.Record) error {
	if err := u.log.Append(ctx, records...); err != nil {
		return err
	}
	u.noteSoon()
	return nil
}

// noteSoon has the end of the journal noted in a while.
func (u *User) noteSoon() {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.ending == nil {
		u.ending = time.AfterFunc(endAfter, func() {
			ctx, cancel := context.WithTimeout(context.Background(), endTime)
			defer cancel()
			_ = u.NoteEnd(ctx) // the next append has it noted again
		})
	}
}

// NoteEnd writes where the user's journal ends, if that is not written yet.
func (u *User) NoteEnd(ctx context.Context) error {
	u.mu.Lock()
	due := u.ending
	u.ending = nil
	u.mu.Unlock()
	if due == nil {
		return nil
	}
	due.Stop()
	t := u.log.Tail()
	b, err := json.Marshal(Anchor{Number: t.Number, Hash: t.Hash.String()})
	if err != nil {
		return fmt.Errorf("users: %w", err)
	}
	_, err = u.bucket.Put(ctx, endKey(u.Name), b)
	return err
}

// Noted reads where a user's journal ended when that was last noted: the zero Tail
// where it never was, or where the note cannot be read and so says nothing. Who
// reads it before the journal must find that object there.
func Noted(ctx context.Context, b bucket.Bucket, user string) (journal.Tail, error) {
	o, err := b.Get(ctx, endKey(user))
	if errors.Is(err, bucket.ErrNotFound) {
		return journal.Tail{}, nil
	}
	if err != nil {
		return journal.Tail{}, err
	}
	var a Anchor
	if json.Unmarshal(o.Body, &a) != nil {
		return journal.Tail{}, nil
	}
	hash, err := journal.ParseHash(a.Hash)
	if err != nil {
		return journal.Tail{}, nil
	}
	return journal.Tail{Number: a.Number, Hash: hash}, nil
}

// ownDamage is the error of a user's own journal that is damaged: there is no
// session to delete.
func ownDamage(err error) error {
	if fault.CodeOf(err) != fault.CodeDamaged {
		return err
	}
	f := fault.From(err)
	return fault.Wrap(err, fault.CodeDamaged, f.Message,
		"it is the user's own journal: restore this object from a backup; docs/OPERATIONS.md says how to go on without one")
}

// LostGeneration is the error of a session of which the store has a later life than the
// user's journal knows: that journal has lost its end.
func LostGeneration(user, session string, epoch uint64, key string) error {
	return fault.New(fault.CodeDamaged,
		fmt.Sprintf("the user's journal %s has lost its end: it knows nothing of a life of the session %s after number %d, and the store has %s", logPrefix(user), session, epoch, key),
		"restore the missing objects from a backup, or delete the session; `agent verify` checks all of them")
}

// Began reports whether the store has anything of a session.
func (u *User) Began(ctx context.Context, session string) (bool, error) {
	page, _, err := u.bucket.List(ctx, sessionRoot(u.Name, session), "", 1)
	return len(page) > 0, err
}

// CheckGenerations refuses a session of which the store has a later life than epoch,
// while the journal, with what other agents have written to it, knows of none. To go
// on would begin a life anew that is there, and bury the later one.
func (u *User) CheckGenerations(ctx context.Context, session string, epoch uint64) error {
	// "0" is the first character after "/": this is the first text after all keys
	// of the epoch.
	life := lifePrefix(u.Name, session, epoch)
	page, _, err := u.bucket.List(ctx, sessionRoot(u.Name, session), life[:len(life)-1]+"0", 1)
	if err != nil || len(page) == 0 {
		return err
	}
	later, ok := GenerationOf(u.Name, page[0].Key)
	if !ok {
		return nil
	}
	if err := u.Refresh(ctx); err != nil {
		return err
	}
	if row, _ := u.Session(session); later.Epoch <= nextEpoch(row) {
		return nil
	}
	return LostGeneration(u.Name, session, epoch, page[0].Key)
}

// nextEpoch is the last life that may have begun by what the journal says: that of
// the row, or the one after it, which begins without a record.
func nextEpoch(r SessionSummary) uint64 {
	if r.Alive {
		return r.Epoch
	}
	return r.Epoch + 1
}

// Reach counts the lives of a session up to the last one that the store has, so
// that a deletion ends that, too, when the user's journal has lost its end.
func (u *User) Reach(ctx context.Context, session string) error {
	return each(ctx, u.bucket, sessionRoot(u.Name, session), func(key string) error {
		if life, ok := GenerationOf(u.Name, key); ok {
			u.begin(Marker{Session: chat.Session{ID: session}, Epoch: life.Epoch})
		}
		return nil
	})
}
