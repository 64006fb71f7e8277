package journal

import (
	"context"
	"iter"
	"sync"

	"github.com/loongclaw/loongclaw/agent/bucket"
)

// readers is how many objects are read at once: it hides a store's latency
// without holding more than this many answers in flight.
const readers = 64

// keys gives the keys of objects, in order.
type keys = iter.Seq2[string, error]

// fetched is an object that was read, or why it was not.
type fetched struct {
	key  string
	body []byte
	err  error
}

// stream reads objects, many at once, and hands them over in order. The first
// error of keys or do ends it.
func stream(ctx context.Context, b bucket.Bucket, keys keys, do func(fetched) error) error {
	var all sync.WaitGroup
	defer all.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	order := make(chan chan fetched, readers)
	var listErr error
	all.Go(func() {
		defer close(order)
		for k, err := range keys {
			if listErr = err; err != nil {
				return
			}
			c := make(chan fetched, 1)
			select {
			case order <- c:
			case <-ctx.Done():
				listErr = ctx.Err()
				return
			}
			all.Go(func() {
				o, err := b.Get(ctx, k)
				c <- fetched{k, o.Body, err}
			})
		}
	})
	for c := range order {
		if err := do(<-c); err != nil {
			return err
		}
	}
	return listErr
}

// listed gives the keys below a prefix that come after one.
func listed(ctx context.Context, b bucket.Bucket, prefix, after string) keys {
	return func(yield func(string, error) bool) {
		for {
			page, more, err := b.List(ctx, prefix, after, 0)
			if err != nil {
				yield("", bucket.Unavailable(err))
				return
			}
			for _, e := range page {
				if !yield(e.Key, nil) {
					return
				}
				after = e.Key
			}
			if !more {
				return
			}
		}
	}
}

// known gives a first page of keys, and those after it when there are more.
func known(page []string, rest keys) keys {
	return func(yield func(string, error) bool) {
		for _, k := range page {
			if !yield(k, nil) {
				return
			}
		}
		if rest != nil {
			rest(yield)
		}
	}
}

// Read checks a journal, object by object and without its snapshots, and hands
// its records to do, if there is one. The error names the first object that
// cannot be right; what came before it has been handed over. Objects that are
// expected must be there, as for Open. It gives the last object that is right.
func Read(ctx context.Context, b bucket.Bucket, prefix string, do func(Entry) error, expected ...Tail) (Tail, error) {
	c := begin(prefix)
	c.expected = expected
	err := c.walk(ctx, b, listed(ctx, b, prefix, ""), func(o object, _ []byte) error {
		seq := c.seq
		if err := c.advance(o); err != nil {
			return err
		}
		for _, r := range o.records {
			seq++
			if do == nil {
				continue
			}
			if err := do(o.entry(r, seq)); err != nil {
				return damage(c.key(o.header.Number), "its record "+r.Type+" cannot be read: "+err.Error())
			}
		}
		return nil
	})
	if err == nil {
		err = c.complete()
	}
	return c.last(), err
}

// Verify checks a journal without applying anything.
func Verify(ctx context.Context, b bucket.Bucket, prefix string, expected ...Tail) (Tail, error) {
	return Read(ctx, b, prefix, nil, expected...)
}
