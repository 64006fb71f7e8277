package users

import (
	"context"
	"errors"
)

// Snapshot writes a snapshot of the user's journal where enough has come since
// the last one. The error tells, once, also why an earlier one was not used;
// neither is the loss of anything but time.
func (u *User) Snapshot(ctx context.Context) error {
	s, err := u.log.Pack(ctx)
	if s != nil {
		err = errors.Join(err, s.Store(ctx))
	}
	return errors.Join(u.log.Ignored(), err)
}
