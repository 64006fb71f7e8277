package buckettest

import (
	"context"
	"errors"
	"math"
	"sync/atomic"

	"github.com/loongclaw/loongclaw/agent/bucket"
)

// Outage is a store that goes away and comes back. Make one with Ready.
type Outage struct {
	bucket.Bucket
	left   atomic.Int64
	failed atomic.Bool
}

var errOutage = errors.New("status 503 SlowDown")

// Ready returns a store that answers as b does until Break.
func Ready(b bucket.Bucket) *Outage {
	o := &Outage{Bucket: b}
	o.Mend()
	return o
}

// Break has the store answer so many more calls, and then none.
func (o *Outage) Break(calls int64) { o.left.Store(calls) }

// Mend has it answer again.
func (o *Outage) Mend() { o.left.Store(math.MaxInt64) }

// Failed reports whether a call was not answered.
func (o *Outage) Failed() bool { return o.failed.Load() }

func (o *Outage) call() error {
	if o.left.Add(-1) >= 0 {
		return nil
	}
	o.failed.Store(true)
	return errOutage
}

// Get reads an object, while the store answers.
func (o *Outage) Get(ctx context.Context, key string) (bucket.Object, error) {
	if err := o.call(); err != nil {
		return bucket.Object{}, err
	}
	return o.Bucket.Get(ctx, key)
}

// Put writes one, while the store answers.
func (o *Outage) Put(ctx context.Context, key string, body []byte) (string, error) {
	if err := o.call(); err != nil {
		return "", err
	}
	return o.Bucket.Put(ctx, key, body)
}

// Create writes a new one, while the store answers.
func (o *Outage) Create(ctx context.Context, key string, body []byte) (string, error) {
	if err := o.call(); err != nil {
		return "", err
	}
	return o.Bucket.Create(ctx, key, body)
}

// Replace writes over a version, while the store answers.
func (o *Outage) Replace(ctx context.Context, key string, body []byte, etag string) (string, error) {
	if err := o.call(); err != nil {
		return "", err
	}
	return o.Bucket.Replace(ctx, key, body, etag)
}

// List lists keys, while the store answers.
func (o *Outage) List(ctx context.Context, prefix, after string, limit int) ([]bucket.Entry, bool, error) {
	if err := o.call(); err != nil {
		return nil, false, err
	}
	return o.Bucket.List(ctx, prefix, after, limit)
}

// Delete removes an object, while the store answers.
func (o *Outage) Delete(ctx context.Context, key string) error {
	if err := o.call(); err != nil {
		return err
	}
	return o.Bucket.Delete(ctx, key)
}

var _ bucket.Bucket = (*Outage)(nil)
