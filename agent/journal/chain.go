package journal

import (
	"context"
	"errors"

	"github.com/loongclaw/loongclaw/agent/bucket"
)

// chain is where the reading of a journal stands.
type chain struct {
	prefix   string
	next     uint64 // number of the next object
	prev     Hash
	seq      uint64 // records so far
	expected []Tail // objects that must be in it, as anchors say
}

func begin(prefix string) chain { return chain{prefix: prefix, next: 1, prev: start(prefix)} }

func (c *chain) key(n uint64) string { return key(c.prefix, n) }

// last names the object that was read last.
func (c *chain) last() Tail {
	if c.next == 1 {
		return Tail{}
	}
	return Tail{c.next - 1, c.prev, c.seq}
}

// examine reads what stands at the next number and checks that it belongs there.
func (c *chain) examine(body []byte) (object, error) {
	o, err := decode(body)
	if err == nil {
		err = o.follows(c.next, c.prev)
	}
	if err != nil {
		return o, damage(c.key(c.next), err.Error())
	}
	return o, nil
}

// advance goes on over an object that was examined.
func (c *chain) advance(o object) error {
	for _, e := range c.expected {
		if e.Number == c.next && e.Hash != o.hash {
			return damage(c.key(c.next), "it is not the object that was anchored")
		}
	}
	c.next, c.prev = c.next+1, o.hash
	c.seq += uint64(len(o.records))
	return nil
}

// complete checks, when all was read, that no expected object is lacking.
func (c *chain) complete() error {
	lost := uint64(0)
	for _, e := range c.expected {
		if e.Number >= c.next {
			lost = c.next // the first that is lacking
		}
	}
	if lost == 0 {
		return nil
	}
	return damage(c.key(lost), "it is missing: a later one was anchored, and the journal ends before it")
}

// walk reads the objects that keys gives, in order, examines each and hands it
// to do, which must advance the chain.
func (c *chain) walk(ctx context.Context, b bucket.Bucket, keys keys, do func(o object, body []byte) error) error {
	return stream(ctx, b, keys, func(f fetched) error {
		for f.key > c.key(c.next) {
			// A listing made while objects were appended may lack some of them:
			// only an object that cannot be read is missing.
			read, err := b.Get(ctx, c.key(c.next))
			if errors.Is(err, bucket.ErrNotFound) {
				return damage(c.key(c.next), "it is missing, but "+f.key+" is there")
			}
			if err != nil {
				return unread(c.key(c.next), err)
			}
			if err := c.step(read.Body, do); err != nil {
				return err
			}
		}
		switch {
		case f.key < c.key(c.next):
			return damage(f.key, "its name is not one of this journal")
		case errors.Is(f.err, bucket.ErrNotFound):
			return damage(f.key, "it was listed and is gone")
		case f.err != nil:
			return unread(f.key, f.err)
		}
		return c.step(f.body, do)
	})
}

func (c *chain) step(body []byte, do func(o object, body []byte) error) error {
	o, err := c.examine(body)
	if err != nil {
		return err
	}
	return do(o, body)
}
