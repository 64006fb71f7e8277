package bucket

import (
	"context"
	"errors"
	"time"

	"github.com/loongclaw/loongclaw/pkg/fault"
)

// Unavailable returns an error of a store as what a client is told of it: the store
// did not answer as it should, which may pass. An error that is a fault already says
// more, and one of a caller that has left is nobody's; both come back as they are.
func Unavailable(err error) error {
	var f *fault.Error
	if err == nil || errors.As(err, &f) || errors.Is(err, context.Canceled) {
		return err
	}
	return fault.Wrap(err, fault.CodeStoreFailed, "the store did not answer",
		"nothing was acknowledged; send it again with the same Idempotency-Key").After(2 * time.Second)
}
