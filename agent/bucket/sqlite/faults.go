package sqlite

import (
	"context"
	"errors"
	"fmt"

	"modernc.org/sqlite"
	codes "modernc.org/sqlite/lib"

	"github.com/loongclaw/loongclaw/agent/bucket"
)

// code is SQLite's primary result code of an error; 0 where it has none.
func code(err error) int {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return 0
	}
	return e.Code() & 0xff
}

func isBusy(err error) bool {
	return code(err) == codes.SQLITE_BUSY || code(err) == codes.SQLITE_LOCKED
}

// isLocal reports whether an error may be that of one write and not of its
// neighbours in the transaction.
func isLocal(err error) bool {
	return errors.Is(err, errFull) || errors.Is(err, bucket.ErrDamaged)
}

var errFull = errors.New("the disk is full")

// meaning says what an error of SQLite means for whoever runs the agent.
func (s *Store) meaning(what string, err error) error {
	switch code(err) {
	case codes.SQLITE_BUSY, codes.SQLITE_LOCKED:
		return fmt.Errorf("sqlite store: %s %s: another process has kept the database locked for %s: %w", what, s.path, busyTime, err)
	case codes.SQLITE_FULL:
		return fmt.Errorf("sqlite store: %s %s: %w; nothing of this was kept: free some space there: %w", what, s.path, errFull, err)
	case codes.SQLITE_CORRUPT, codes.SQLITE_NOTADB:
		return fmt.Errorf("sqlite store: %s %s: %w: restore the database from a backup; `agent verify` says how much of it is damaged: %w", what, s.path, bucket.ErrDamaged, err)
	case codes.SQLITE_READONLY, codes.SQLITE_CANTOPEN, codes.SQLITE_PERM:
		return fmt.Errorf("sqlite store: %s %s: the file, its folder and the files beside it (-wal, -shm) must be writable, also for reading: %w", what, s.path, err)
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return fmt.Errorf("sqlite store: %s %s: %w", what, s.path, err)
}
