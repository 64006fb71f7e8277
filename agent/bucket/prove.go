package bucket

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

// A store that is slow or breaks off once is tried again: an agent that starts
// must not give up for it.
const (
	proofs     = 4
	proofPause = 200 * time.Millisecond
)

// errBroken marks what a store does wrong, other than not answering; ErrListing is
// the other one.
var errBroken = errors.New("it would let two agents overwrite each other")

// Prove shows that a store keeps the conditions of conditional writes, and that it
// lists as a journal is read. Some servers that speak S3 ignore conditions
// silently; on those two agents would overwrite each other. Others list in another
// order, or give the key again that a list is to come after; on those a journal
// would be written well and be called damaged at the next start. Nothing may be
// kept on either.
func Prove(ctx context.Context, b Bucket) error {
	var err error
	for try := range proofs {
		if try > 0 {
			t := time.NewTimer(proofPause << try)
			select {
			case <-t.C:
			case <-ctx.Done():
				t.Stop()
				return err
			}
		}
		g, gctx := errgroup.WithContext(ctx)
		g.Go(func() error { return prove(gctx, b) })
		g.Go(func() error { return proveLists(gctx, b) })
		if err = g.Wait(); err == nil || errors.Is(err, errBroken) || errors.Is(err, ErrListing) {
			return err
		}
	}
	return err
}

// prove tries each condition once, on a key of its own: what an answer that was
// lost has left there misleads nobody.
func prove(ctx context.Context, b Bucket) (err error) {
	key := "config/check-" + strings.ToLower(rand.Text())
	tag, err := b.Create(ctx, key, []byte("one"))
	if err != nil {
		return fmt.Errorf("the store cannot be written: %w", err)
	}
	defer func() { err = errors.Join(err, b.Delete(context.WithoutCancel(ctx), key)) }()
	if _, err := b.Create(ctx, key, []byte("two")); !errors.Is(err, ErrExists) {
		return broken("the store does not keep If-None-Match: a second create of one key", err)
	}
	if _, err := b.Replace(ctx, key, []byte("three"), tag); err != nil {
		return fmt.Errorf("the store does not take If-Match with the current ETag: %w", err)
	}
	if _, err := b.Replace(ctx, key, []byte("four"), tag); !errors.Is(err, ErrChanged) {
		return broken("the store does not keep If-Match: a replace with an old ETag", err)
	}
	o, err := b.Get(ctx, key)
	if err != nil {
		return fmt.Errorf("the store does not read back what was written: %w", err)
	}
	if string(o.Body) != "three" {
		return fmt.Errorf("the store does not read back what was written: %w", errBroken)
	}
	return nil
}

// broken says what a store did where it should have refused: took it, which is
// a verdict, or failed, which may pass.
func broken(what string, err error) error {
	if err == nil {
		return fmt.Errorf("%s was taken: %w", what, errBroken)
	}
	return fmt.Errorf("%s failed: %w", what, err)
}
