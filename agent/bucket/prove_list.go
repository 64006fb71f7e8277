package bucket

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sync/errgroup"
)

// listed are the ends of the keys by which lists are proved, in byte order, which is
// neither that of numbers nor that in which they are written here as text of one
// length. A store that lists by hashes has one chance in 40,320 to look right.
var listed = []string{"1", "10", "2", "20", "a", "a0", "b", "b1"}

// proofPage is less than what there is to list: the proof goes over several pages.
const proofPage = 3

// proveLists writes some keys and lists them: in pages, from the middle, and by a
// longer prefix. The keys are the proof's own and go again.
func proveLists(ctx context.Context, b Bucket) (err error) {
	prefix := "config/check-" + strings.ToLower(rand.Text())
	keys := make([]string, len(listed))
	for i, end := range listed {
		keys[i] = prefix + end
	}
	defer func() {
		ctx := context.WithoutCancel(ctx)
		err = errors.Join(err, every(keys, func(key string) error { return b.Delete(ctx, key) }))
	}()
	if err := every(keys, func(key string) error { _, err := b.Put(ctx, key, []byte(key)); return err }); err != nil {
		return fmt.Errorf("the store cannot be written: %w", err)
	}
	var g errgroup.Group
	g.Go(func() error { return proveList(ctx, b, prefix, "", keys) })
	g.Go(func() error { return proveList(ctx, b, prefix, keys[3], keys[4:]) })
	g.Go(func() error { return proveList(ctx, b, prefix, keys[4]+"-", keys[5:]) }) // after what is no key
	g.Go(func() error { return proveList(ctx, b, keys[0], "", keys[:2]) })
	return g.Wait()
}

// proveList holds the pages of a list against what they must be together.
func proveList(ctx context.Context, b Bucket, prefix, after string, want []string) error {
	for {
		page, more, err := b.List(ctx, prefix, after, proofPage)
		if err == nil {
			err = CheckPage(page, prefix, after)
		}
		if err != nil {
			return fmt.Errorf("the store cannot be listed: %w", err)
		}
		for _, e := range page {
			if len(want) == 0 || e.Key != want[0] {
				// Not a verdict: a key may be listed in a moment. A store that stays so
				// is refused after the last try, by this sentence.
				return fmt.Errorf("the store does not list what was just written: after %q it gives %s", after, e.Key)
			}
			want, after = want[1:], e.Key
		}
		switch {
		case !more && len(want) == 0:
			return nil
		case !more && len(page) == proofPage:
			return fmt.Errorf("the store says that a list is complete while more follow (IsTruncated): %w", ErrListing)
		case !more:
			return fmt.Errorf("the store does not list what was just written: %s is not in the list", want[0])
		case len(page) == 0:
			return fmt.Errorf("the store says that more follow and gives nothing (IsTruncated): %w", ErrListing)
		}
	}
}

// every does something with all keys at once and joins what went wrong.
func every(keys []string, do func(key string) error) error {
	errs := make([]error, len(keys))
	var g errgroup.Group
	for i, key := range keys {
		g.Go(func() error { errs[i] = do(key); return nil })
	}
	_ = g.Wait() // they say it themselves
	return errors.Join(errs...)
}
