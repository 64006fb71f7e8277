package bucket

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
)

// Prove shows that a store keeps the conditions of conditional writes. Some
// servers that speak S3 ignore them silently; on those two agents would
// overwrite each other, so nothing may be kept there.
func Prove(ctx context.Context, b Bucket) (err error) {
	key := "config/check-" + strings.ToLower(rand.Text())
	tag, err := b.Create(ctx, key, []byte("one"))
	if err != nil {
		return fmt.Errorf("the store cannot be written: %w", err)
	}
	defer func() { err = errors.Join(err, b.Delete(context.WithoutCancel(ctx), key)) }()
	if _, err := b.Create(ctx, key, []byte("two")); !errors.Is(err, ErrExists) {
		return fmt.Errorf("the store does not keep If-None-Match: a second create of one key gave %w", orNone(err))
	}
	if _, err := b.Replace(ctx, key, []byte("three"), tag); err != nil {
		return fmt.Errorf("the store does not take If-Match with the current ETag: %w", err)
	}
	if _, err := b.Replace(ctx, key, []byte("four"), tag); !errors.Is(err, ErrChanged) {
		return fmt.Errorf("the store does not keep If-Match: a replace with an old ETag gave %w", orNone(err))
	}
	o, err := b.Get(ctx, key)
	if err != nil || string(o.Body) != "three" {
		return fmt.Errorf("the store does not read back what was written: %w", orNone(err))
	}
	return nil
}

func orNone(err error) error {
	if err == nil {
		return errors.New("no error")
	}
	return err
}
