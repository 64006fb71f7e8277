package journal

import (
	"context"
	"errors"

	"golang.org/x/sync/errgroup"

	"github.com/loongclaw/loongclaw/agent/bucket"
)

// readers is how many objects are read at once: it hides a store's latency
// without holding more than this many answers in flight.
const readers = 32

// readAll reads and checks all objects of a journal.
func readAll(ctx context.Context, b bucket.Bucket, prefix string) ([]object, error) {
	keys, err := list(ctx, b, prefix)
	if err != nil {
		return nil, err
	}
	objects := make([]object, len(keys))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(readers)
	for i, k := range keys {
		g.Go(func() error {
			read, err := b.Get(gctx, k)
			if errors.Is(err, bucket.ErrNotFound) {
				return damage(k, "it was listed and is gone")
			}
			if err != nil {
				return unavailable(err)
			}
			if objects[i], err = decode(read.Body); err != nil {
				return damage(k, err.Error())
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	prev := start(prefix)
	for i := range objects {
		n := uint64(i) + 1
		if want := key(prefix, n); keys[i] != want {
			return nil, damage(want, "it is missing, but "+keys[i]+" is there")
		}
		if err := objects[i].follows(n, prev); err != nil {
			return nil, damage(keys[i], err.Error())
		}
		prev = objects[i].hash
	}
	return objects, nil
}

func list(ctx context.Context, b bucket.Bucket, prefix string) ([]string, error) {
	var keys []string
	after := ""
	for {
		page, more, err := b.List(ctx, prefix, after, 0)
		if err != nil {
			return nil, unavailable(err)
		}
		for _, e := range page {
			keys = append(keys, e.Key)
			after = e.Key
		}
		if !more {
			return keys, nil
		}
	}
}

// Verify checks a journal without applying anything. The error names the first
// object that cannot be right.
func Verify(ctx context.Context, b bucket.Bucket, prefix string) (Tail, error) {
	objects, err := readAll(ctx, b, prefix)
	if err != nil || len(objects) == 0 {
		return Tail{}, err
	}
	last := objects[len(objects)-1]
	t := Tail{Number: last.header.Number, Hash: last.hash}
	for _, o := range objects {
		t.Seq += uint64(len(o.records))
	}
	return t, nil
}

// Remove deletes all objects of a journal, the last ones first: what a crash
// leaves then is a shorter journal, not a damaged one.
func Remove(ctx context.Context, b bucket.Bucket, prefix string) error {
	keys, err := list(ctx, b, prefix)
	if err != nil {
		return err
	}
	for i := len(keys) - 1; i >= 0; i-- {
		if err := b.Delete(ctx, keys[i]); err != nil {
			return unavailable(err)
		}
	}
	return nil
}
