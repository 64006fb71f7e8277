package transfer

import (
	"context"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"
)

const (
	// atOnce is how many objects are under way; a store with group commit makes
	// one transaction of them.
	atOnce = 32
	// bytesAtOnce bounds what they hold in memory together.
	bytesAtOnce = 128 << 20
)

// pool does something with many keys at once.
type pool struct {
	*errgroup.Group
	ctx  context.Context // ends with the first that fails
	do   func(context.Context, pair) error
	room *semaphore.Weighted
}

func newPool(ctx context.Context, do func(context.Context, pair) error) *pool {
	p := &pool{do: do, room: semaphore.NewWeighted(bytesAtOnce)}
	p.Group, p.ctx = errgroup.WithContext(ctx)
	p.SetLimit(atOnce)
	return p
}

// add begins with a key as soon as there is room for both of its bodies. It fails
// when something else has failed.
func (p *pool) add(one pair) error {
	size := min(max(one.from.Size, 1)+max(one.to.Size, 1), bytesAtOnce)
	if err := p.room.Acquire(p.ctx, size); err != nil {
		return err
	}
	p.Go(func() error {
		defer p.room.Release(size)
		return p.do(p.ctx, one)
	})
	return nil
}
