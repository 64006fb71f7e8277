package audit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/agent/journal"
	"github.com/loongclaw/loongclaw/agent/session"
	"github.com/loongclaw/loongclaw/agent/users"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// Report is what was found.
type Report struct {
	Users   int
	Whole   int    // journals whose chain and anchors are right
	Objects uint64 // objects of journals that were read and are right
	Anchors int    // anchors that were held against a chain
	Lines   int    // of the ledgers, in objects that are right

	Attached int      // objects that stand with messages and are right
	Lost     []Damage // those that are not: their sessions go on without them
	Damaged  []Damage
	Orphans  []Orphan
}

// Damage is a journal that cannot be right.
type Damage struct {
	User   string
	Prefix string // of the journal
	Err    error  // names the first bad object
}

// Orphan is what is left of a life of a session that was cleared or deleted. It
// has no meaning any more and is no damage.
type Orphan struct {
	User    string
	Prefix  string
	Objects int
}

// failuresInARow is after how many users whose objects were not given a store
// counts as one that does not answer.
const failuresInARow = 3

// Run checks all users of a store. What is damaged is in the report. An error is a
// store that does not answer: it names those users of whom not all could be read,
// and the others have been checked, unless nothing was given any more.
func Run(ctx context.Context, b bucket.Bucket) (Report, error) {
	var r Report
	names, err := users.Names(ctx, b)
	if err != nil {
		return r, err
	}
	var faults []error
	row := 0
	for _, name := range names {
		if err := r.user(ctx, b, name); err != nil {
			faults = append(faults, fmt.Errorf("user %s: %w", name, err))
			if row++; row == failuresInARow || ctx.Err() != nil {
				break
			}
			continue
		}
		row = 0
		r.Users++
	}
	return r, errors.Join(faults...)
}

// user checks a user's journal first, for its anchors: what they name was
// durable before them, so it must be found afterwards. What the sessions name of
// the user's journal is held against it at the end, for the same reason.
func (r *Report) user(ctx context.Context, b bucket.Bucket, name string) error {
	own, ownErr := readOwn(ctx, b, name)
	if ownErr != nil {
		if err := r.note(name, users.JournalPrefix(name), own.tail, ownErr); err != nil {
			return err
		}
	}
	r.Lines += own.lives.Audited
	there, err := lifeObjects(ctx, b, name)
	if err != nil {
		return err
	}
	anchored := own.lives.Anchored()
	for life := range anchored {
		if _, ok := there[life]; !ok {
			there[life] = 0 // all of it is gone
		}
	}
	var newest witness
	for _, life := range sorted(there) {
		w, err := r.life(ctx, b, name, life, there[life], own.lives, anchored[life])
		if err != nil {
			return err
		}
		newest = newest.or(w)
	}
	if ownErr != nil {
		return nil
	}
	return r.note(name, users.JournalPrefix(name), own.tail, own.holds(ctx, b, name, sorted(there), newest.tail))
}

// life checks the journal of one life of a session.
func (r *Report) life(ctx context.Context, b bucket.Bucket, name string, life users.Generation, objects int, lives *users.Generations, anchors []journal.Tail) (w witness, err error) {
	prefix := users.SessionPrefix(name, life.Session, life.Epoch)
	if lives.Ended(life) {
		r.Orphans = append(r.Orphans, Orphan{name, prefix, objects})
		return w, nil
	}
	packed, err := journal.Packed(ctx, b, prefix)
	if err != nil {
		return w, err
	}
	kept := map[string]bool{}
	tail, err := journal.Read(ctx, b, prefix, func(e journal.Entry) error {
		for _, hash := range session.AttachedIn(e.Record) {
			kept[hash] = true
		}
		return w.see(e)
	}, append(packed, anchors...)...)
	lost, lostErr := attached(ctx, b, name, life, kept)
	if lostErr != nil {
		return w, lostErr
	}
	if damaged(err) || len(lost) > 0 {
		// Was it cleared or deleted since? The tombstone comes before the first
		// object goes, so it is there by now.
		now, ownErr := readOwn(ctx, b, name)
		if ownErr != nil && !damaged(ownErr) {
			return w, ownErr
		}
		if now.lives.Ended(life) {
			return w, nil
		}
	}
	r.Anchors += len(anchors)
	r.Attached += len(kept) - len(lost)
	for _, err := range lost {
		r.Lost = append(r.Lost, Damage{name, users.AttachedKey(name, life.Session, life.Epoch, ""), err})
	}
	return w, r.note(name, prefix, tail, err)
}

// attached checks that what stands with the messages of a life is there, and is what
// its hash says. lost are the faults.
func attached(ctx context.Context, b bucket.Bucket, name string, life users.Generation, kept map[string]bool) (lost []error, err error) {
	for _, hash := range slices.Sorted(maps.Keys(kept)) {
		_, err := users.ReadAttached(ctx, b, name, life.Session, life.Epoch, hash)
		if err != nil && !damaged(err) {
			return nil, err
		}
		if err != nil {
			lost = append(lost, err)
		}
	}
	return lost, nil
}

// note counts a journal as whole or damaged. Any other error is the store's.
func (r *Report) note(name, prefix string, tail journal.Tail, err error) error {
	if err != nil && !damaged(err) {
		return err
	}
	r.Objects += tail.Number
	if err != nil {
		r.Damaged = append(r.Damaged, Damage{name, prefix, err})
	} else if tail.Number > 0 {
		r.Whole++
	}
	return nil
}

func damaged(err error) bool { return fault.CodeOf(err) == fault.CodeDamaged }

// lifeObjects counts what there is of each life, snapshots included.
func lifeObjects(ctx context.Context, b bucket.Bucket, name string) (map[users.Generation]int, error) {
	there := map[users.Generation]int{}
	after := ""
	for {
		page, more, err := b.List(ctx, users.Prefix(name)+"s/", after, 0)
		if err != nil {
			return nil, err
		}
		for _, e := range page {
			if life, ok := users.GenerationOf(name, e.Key); ok {
				there[life]++
			}
			after = e.Key
		}
		if !more {
			return there, nil
		}
	}
}

func sorted(m map[users.Generation]int) []users.Generation {
	return slices.SortedFunc(maps.Keys(m), func(a, b users.Generation) int {
		if c := strings.Compare(a.Session, b.Session); c != 0 {
			return c
		}
		return cmp.Compare(a.Epoch, b.Epoch)
	})
}
