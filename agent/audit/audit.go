package audit

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/agent/journal"
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
	Damaged []Damage
	Orphans []Orphan
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

// Run checks all users of a store. An error is a store that does not answer;
// what is damaged is in the report.
func Run(ctx context.Context, b bucket.Bucket) (Report, error) {
	var r Report
	names, err := users.Names(ctx, b)
	if err != nil {
		return r, err
	}
	for _, name := range names {
		if err := r.user(ctx, b, name); err != nil {
			return r, fmt.Errorf("user %s: %w", name, err)
		}
		r.Users++
	}
	return r, nil
}

// User checks one user.
func User(ctx context.Context, b bucket.Bucket, name string) (Report, error) {
	r := Report{Users: 1}
	return r, r.user(ctx, b, name)
}

// user checks a user's journal first, for its anchors: what they name was
// durable before them, so it must be found afterwards.
func (r *Report) user(ctx context.Context, b bucket.Bucket, name string) error {
	lives, tail, err := readLives(ctx, b, name)
	r.Lines += lives.Lines
	if err := r.note(name, users.JournalPrefix(name), tail, err); err != nil {
		return err
	}
	there, err := lifeObjects(ctx, b, name)
	if err != nil {
		return err
	}
	anchored := lives.Anchored()
	for life := range anchored {
		if _, ok := there[life]; !ok {
			there[life] = 0 // all of it is gone
		}
	}
	for _, life := range sorted(there) {
		if err := r.life(ctx, b, name, life, there[life], lives, anchored[life]); err != nil {
			return err
		}
	}
	return nil
}

// life checks the journal of one life of a session.
func (r *Report) life(ctx context.Context, b bucket.Bucket, name string, life users.Life, objects int, lives *users.Lives, anchors []journal.Tail) error {
	prefix := users.SessionPrefix(name, life.Session, life.Epoch)
	if lives.Ended(life) {
		r.Orphans = append(r.Orphans, Orphan{name, prefix, objects})
		return nil
	}
	packed, err := journal.Packed(ctx, b, prefix)
	if err != nil {
		return err
	}
	tail, err := journal.Verify(ctx, b, prefix, append(packed, anchors...)...)
	if damaged(err) {
		// Was it cleared or deleted since? The tombstone comes before the first
		// object goes, so it is there by now.
		now, _, lerr := readLives(ctx, b, name)
		if lerr != nil && !damaged(lerr) {
			return lerr
		}
		if now.Ended(life) {
			return nil
		}
	}
	r.Anchors += len(anchors)
	return r.note(name, prefix, tail, err)
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

// readLives reads a user's journal. Of a damaged one it gives what came before
// the damage. Nothing anchors this journal; its snapshots show a lost tail.
func readLives(ctx context.Context, b bucket.Bucket, name string) (*users.Lives, journal.Tail, error) {
	lives := users.NewLives()
	prefix := users.JournalPrefix(name)
	packed, err := journal.Packed(ctx, b, prefix)
	if err != nil {
		return lives, journal.Tail{}, err
	}
	tail, err := journal.Read(ctx, b, prefix, lives.Apply, packed...)
	return lives, tail, err
}

// lifeObjects counts what there is of each life, snapshots included.
func lifeObjects(ctx context.Context, b bucket.Bucket, name string) (map[users.Life]int, error) {
	there := map[users.Life]int{}
	after := ""
	for {
		page, more, err := b.List(ctx, users.Prefix(name)+"s/", after, 0)
		if err != nil {
			return nil, err
		}
		for _, e := range page {
			if life, ok := users.LifeOf(name, e.Key); ok {
				there[life]++
			}
			after = e.Key
		}
		if !more {
			return there, nil
		}
	}
}

func sorted(m map[users.Life]int) []users.Life {
	return slices.SortedFunc(maps.Keys(m), func(a, b users.Life) int {
		if c := strings.Compare(a.Session, b.Session); c != 0 {
			return c
		}
		return cmp.Compare(a.Epoch, b.Epoch)
	})
}
