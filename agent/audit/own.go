package audit

import (
	"context"
	"fmt"

	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/agent/journal"
	"github.com/loongclaw/loongclaw/agent/users"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// own is a user's own journal as it was read. Of a damaged one it is what came
// before the damage.
type own struct {
	lives  *users.Generations
	tail   journal.Tail
	hashes []journal.Hash // of its objects, the first one first
}

// readOwn reads a user's own journal. It must have what its snapshots end with and
// where its end was noted: both came after the objects that they name.
func readOwn(ctx context.Context, b bucket.Bucket, name string, expected ...journal.Tail) (own, error) {
	o := own{lives: users.NewGenerations()}
	prefix := users.JournalPrefix(name)
	packed, err := journal.Packed(ctx, b, prefix)
	if err != nil {
		return o, err
	}
	noted, err := users.Noted(ctx, b, name)
	if err != nil {
		return o, err
	}
	expected = append(append(packed, expected...), noted)
	o.tail, err = journal.Read(ctx, b, prefix, func(e journal.Entry) error {
		if e.Object > uint64(len(o.hashes)) {
			o.hashes = append(o.hashes, e.Hash)
		}
		return o.lives.Apply(e)
	}, expected...)
	return o, err
}

// holds checks that the journal knows of every life that there is, and that it has
// the object that sessions saw in it last.
func (o own) holds(ctx context.Context, b bucket.Bucket, name string, there []users.Generation, seen journal.Tail) error {
	grown := seen.Number > o.tail.Number
	if lost := o.unknown(there); lost != nil || grown {
		// What has come since it was read is there by now.
		now, err := readOwn(ctx, b, name, seen)
		if err != nil {
			return err
		}
		if lost = now.unknown(there); lost != nil {
			return users.LostGeneration(name, lost.Session, lost.Epoch-1, users.SessionPrefix(name, lost.Session, lost.Epoch))
		}
		return nil
	}
	if seen.Number > 0 && seen.Number <= uint64(len(o.hashes)) && o.hashes[seen.Number-1] != seen.Hash {
		return fault.New(fault.CodeDamaged, fmt.Sprintf("object %s%012d: it is not the one that was there when a session was written", users.JournalPrefix(name), seen.Number),
			"restore the user's journal from a backup that is as new as the sessions")
	}
	return nil
}

// unknown gives a life that this journal says nothing of though it must.
func (o own) unknown(there []users.Generation) *users.Generation {
	for _, life := range there {
		if o.lives.Unknown(life) {
			return &life
		}
	}
	return nil
}

// witness is what the newest object of a session says of the user's own journal.
type witness struct {
	at   chat.Time
	tail journal.Tail
}

// see takes in a record of a session.
func (w *witness) see(e journal.Entry) error {
	if e.Beside.Number > 0 {
		*w = w.or(witness{e.At, e.Beside})
	}
	return nil
}

// or is the newer one. An older one that disagrees with the journal is of a loss
// that somebody has gone on from.
func (w witness) or(other witness) witness {
	if other.tail.Number == 0 || w.tail.Number > 0 && w.at.After(other.at.Time) {
		return w
	}
	return other
}
