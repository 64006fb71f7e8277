package transfer

import (
	"context"

	"github.com/loongclaw/loongclaw/agent/bucket"
)

// cursor walks the entries of a store in the order of their keys, a page at a time.
type cursor struct {
	b             bucket.Bucket
	prefix, after string
	page          []bucket.Entry
	ended         bool
}

// peek gives the entry at the cursor, or false at the end.
func (c *cursor) peek(ctx context.Context) (bucket.Entry, bool, error) {
	for len(c.page) == 0 {
		if c.ended {
			return bucket.Entry{}, false, nil
		}
		page, more, err := c.b.List(ctx, c.prefix, c.after, 0)
		if err != nil {
			return bucket.Entry{}, false, err
		}
		c.page, c.ended = page, !more
		if len(page) > 0 {
			c.after = page[len(page)-1].Key
		}
	}
	return c.page[0], true, nil
}

func (c *cursor) skip() { c.page = c.page[1:] }

// pair is one key in both stores.
type pair struct {
	key              string
	from, to         bucket.Entry
	inSource, inGoal bool
}

// merge gives each key below a prefix that either store has, in order. It holds a
// page of each and no more, however many there are.
func merge(ctx context.Context, from, to bucket.Bucket, prefix string, do func(pair) error) error {
	a, b := &cursor{b: from, prefix: prefix}, &cursor{b: to, prefix: prefix}
	for {
		x, inX, err := a.peek(ctx)
		if err != nil {
			return err
		}
		y, inY, err := b.peek(ctx)
		if err != nil {
			return err
		}
		if !inX && !inY {
			return nil
		}
		p := pair{inSource: inX && (!inY || x.Key <= y.Key), inGoal: inY && (!inX || y.Key <= x.Key)}
		if p.inSource {
			p.key, p.from = x.Key, x
			a.skip()
		}
		if p.inGoal {
			p.key, p.to = y.Key, y
			b.skip()
		}
		if err := do(p); err != nil {
			return err
		}
	}
}
