package journal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/loongclaw/loongclaw/agent/bucket"
)

// A snapshot is a cache beside the journal: the objects 1 to n, packed into one,
// under …/snap/{n}. It is read instead of them only when they make a whole chain
// that ends in the hash of object n as it stands in the journal, so a snapshot
// can say nothing that the journal did not. One that is damaged, foreign or of a
// later version is ignored. Deleting them all changes nothing but time.
const (
	// snapshotEvery is how many objects must have come since the last snapshot.
	// A journal with fewer is read as fast without.
	snapshotEvery = 64
	// snapshotsKept is how many stay: an agent may be reading the older one.
	snapshotsKept = 2
)

// snapPrefix is where the snapshots of a journal lie.
func snapPrefix(prefix string) string { return strings.TrimSuffix(prefix, "log/") + "snap/" }

// load reads the journal: the newest snapshot that is right, and what came
// after it.
func (l *Log) load(ctx context.Context) error {
	page, more, err := l.bucket.List(ctx, l.prefix, "", snapshotEvery)
	if err != nil {
		return bucket.Unavailable(err)
	}
	var packed []byte
	if len(page) >= snapshotEvery {
		if packed, err = l.loadSnapshot(ctx); err != nil {
			return err
		}
	}
	last := l.key(l.next - 1) // what was read already
	var first []string
	for _, e := range page {
		if l.next == 1 || e.Key > last {
			first = append(first, e.Key)
		}
	}
	if len(first) > 0 {
		last = first[len(first)-1]
	}
	var rest keys
	if more {
		rest = listed(ctx, l.bucket, l.prefix, last)
	}
	// Who reads much has in hand what a snapshot needs, and spares the next one
	// who opens: an agent that is ended again and again must get ahead.
	var h harvest
	if err := l.walk(ctx, l.bucket, known(first, rest), func(o object, body []byte) error {
		if err := h.add(body); err != nil {
			return err
		}
		return l.take(o)
	}); err != nil {
		return err
	}
	fresh, err := h.end()
	if err != nil || fresh == nil {
		return err
	}
	l.fresh, err = l.snapshot(l.tail, packed, fresh)
	return err
}

// snapshot packs all up to an object: what an earlier snapshot holds, and what
// came after it.
func (l *Log) snapshot(end Tail, packed, more []byte) (*Snapshot, error) {
	body, err := pack(l.prefix, end, append(bytes.Clone(packed), more...))
	return &Snapshot{l, end, body}, err
}

// loadSnapshot applies the newest snapshot that is right, if there is one, and
// gives what it holds.
func (l *Log) loadSnapshot(ctx context.Context) (packed []byte, err error) {
	snaps, err := snapshots(ctx, l.bucket, l.prefix)
	l.snaps, l.ignored = snaps, err
	for i := len(snaps) - 1; i >= 0 && i >= len(snaps)-snapshotsKept; i-- {
		s, err := readSnapshot(ctx, l.bucket, l.prefix, snaps[i])
		if err != nil {
			l.ignored = errors.Join(l.ignored, err)
			continue
		}
		for _, o := range s.objects {
			if err := l.take(o); err != nil {
				return nil, err
			}
		}
		l.base = snaps[i]
		return s.packed, nil
	}
	return nil, nil
}

// Ignored says why Open could not use a snapshot that was there; nil when it
// could, or there was none. It tells once.
func (l *Log) Ignored() error {
	l.tmu.Lock()
	defer l.tmu.Unlock()
	err := l.ignored
	l.ignored = nil
	return err
}

// snapshots lists the numbers of a journal's snapshots.
func snapshots(ctx context.Context, b bucket.Bucket, prefix string) ([]uint64, error) {
	var out []uint64
	for k, err := range listed(ctx, b, snapPrefix(prefix), "") {
		if err != nil {
			return nil, fmt.Errorf("snapshots not listed: %w", err)
		}
		if n, err := strconv.ParseUint(strings.TrimPrefix(k, snapPrefix(prefix)), 10, 64); err == nil && key(snapPrefix(prefix), n) == k {
			out = append(out, n)
		}
	}
	return out, nil
}

// readSnapshot reads a snapshot, and the object that it stands for.
func readSnapshot(ctx context.Context, b bucket.Bucket, prefix string, n uint64) (unpacked, error) {
	var packed, object bucket.Object
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) { packed, err = b.Get(gctx, key(snapPrefix(prefix), n)); return err })
	g.Go(func() (err error) { object, err = b.Get(gctx, key(prefix, n)); return err })
	err := g.Wait()
	var s unpacked
	if err == nil {
		s, err = unpack(packed.Body, prefix, n)
	}
	if err == nil && hashOf(object.Body) != s.end.Hash {
		err = errors.New("the object that it stands for is another one")
	}
	if err != nil {
		return unpacked{}, fmt.Errorf("snapshot %s is not used: %w", key(snapPrefix(prefix), n), err)
	}
	return s, nil
}

// Packed names the objects that the snapshots of a journal end with. A snapshot
// is written after its objects, so whoever checks a journal may expect them
// there; snapshots that are not right in themselves say nothing.
func Packed(ctx context.Context, b bucket.Bucket, prefix string) ([]Tail, error) {
	numbers, err := snapshots(ctx, b, prefix)
	if err != nil {
		return nil, err
	}
	var ends []Tail
	for _, n := range numbers {
		o, err := b.Get(ctx, key(snapPrefix(prefix), n))
		if errors.Is(err, bucket.ErrNotFound) || errors.Is(err, bucket.ErrTooLarge) {
			continue // replaced by a newer one since, or one of an earlier version that says nothing
		}
		if err != nil {
			return nil, bucket.Unavailable(err)
		}
		if s, err := unpack(o.Body, prefix, n); err == nil {
			ends = append(ends, s.end)
		}
	}
	return ends, nil
}

// Snapshot is a snapshot that was packed and is not stored.
type Snapshot struct {
	log  *Log
	tail Tail
	body []byte
}

// Due reports whether enough has come since the last snapshot for a new one.
func (l *Log) Due() bool {
	l.tmu.Lock()
	defer l.tmu.Unlock()
	return !l.packing && l.tail.Number >= l.base+snapshotEvery
}

// Pack makes a snapshot of the journal, from what Open has read or else from what
// the store holds; none where too little has come since the last one, somebody
// packs already, or it would be larger than what a store gives back. It may run
// beside appends. Who gets one stores it.
func (l *Log) Pack(ctx context.Context) (*Snapshot, error) {
	l.tmu.Lock()
	tail, base, fresh, packing := l.tail, l.base, l.fresh, l.packing
	l.fresh, l.packing = nil, l.packing || tail.Number >= base+snapshotEvery
	l.tmu.Unlock()
	if packing || tail.Number < base+snapshotEvery {
		return nil, nil //nolint:nilnil // no snapshot is an answer
	}
	s, err := fresh, error(nil)
	if fresh == nil {
		s, err = l.packAnew(ctx, tail, base)
	}
	if err != nil {
		l.packed()
		return nil, err
	}
	if bucket.CheckSize(s.body) != nil {
		// It stays "packing": a journal only grows, so there is nothing to gain by
		// trying again.
		return nil, nil //nolint:nilnil // no snapshot is an answer
	}
	return s, nil
}

// packed says that nobody packs this journal any more.
func (l *Log) packed() {
	l.tmu.Lock()
	defer l.tmu.Unlock()
	l.packing = false
}

// packAnew makes a snapshot out of what the store holds.
func (l *Log) packAnew(ctx context.Context, tail Tail, base uint64) (*Snapshot, error) {
	c := begin(l.prefix)
	var packed []byte
	if base > 0 {
		// Where the last one is gone or damaged, all is read anew.
		if s, err := readSnapshot(ctx, l.bucket, l.prefix, base); err == nil {
			c.next, c.prev, c.seq, packed = s.end.Number+1, s.end.Hash, s.end.Seq, s.packed
		}
	}
	var p packer
	var after []string
	for n := c.next; n <= tail.Number; n++ {
		after = append(after, l.key(n))
	}
	if err := c.walk(ctx, l.bucket, known(after, nil), func(o object, body []byte) error {
		if err := p.add(body); err != nil {
			return err
		}
		return c.advance(o)
	}); err != nil {
		return nil, err
	}
	if c.last() != tail {
		return nil, damage(l.key(tail.Number), "it is not the object that was written there")
	}
	more, err := p.end()
	if err != nil {
		return nil, err
	}
	return l.snapshot(tail, packed, more)
}

// Store writes the snapshot and removes all but the newest ones. Whoever may
// remove this journal must not do so meanwhile; should another agent do it,
// nothing of the snapshot stays.
func (s *Snapshot) Store(ctx context.Context) error {
	l, snap := s.log, snapPrefix(s.log.prefix)
	defer l.packed()
	if _, err := l.bucket.Put(ctx, key(snap, s.tail.Number), s.body); err != nil {
		return bucket.Unavailable(err)
	}
	if _, err := l.bucket.Get(ctx, l.key(s.tail.Number)); errors.Is(err, bucket.ErrNotFound) {
		if err := l.bucket.Delete(ctx, key(snap, s.tail.Number)); err != nil {
			return bucket.Unavailable(err)
		}
		return nil
	}
	l.tmu.Lock()
	old := l.snaps
	keep := []uint64{s.tail.Number}
	if l.base > 0 {
		keep = []uint64{l.base, s.tail.Number}
	}
	l.base, l.snaps = s.tail.Number, keep
	l.tmu.Unlock()
	for _, n := range old {
		if n == keep[0] || n == s.tail.Number {
			continue
		}
		if err := l.bucket.Delete(ctx, key(snap, n)); err != nil {
			return bucket.Unavailable(err)
		}
	}
	return nil
}
