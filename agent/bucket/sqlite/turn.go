package sqlite

import (
	"errors"
	"os"
	"syscall"
	"time"
)

// turn lets processes that write into one database take turns. SQLite's own lock
// makes them wait by looking again and again, and whoever commits without a pause has
// taken it again before another one looks. Here a waiting process holds the turn while
// it looks, and the kernel wakes the next one. It is about fairness only: what is
// written is guarded by SQLite's lock, so a turn that is not to be had is gone without.
type turn struct {
	file *os.File
	late chan error // of a wait that was given up; nil when there is none
}

func openTurn(path string) (*turn, error) {
	f, err := os.OpenFile(path+"-turn", os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // beside the database
	if err != nil {
		return nil, err
	}
	return &turn{file: f}, nil
}

// take waits for the turn, as long as for SQLite's lock. It reports whether it is to be
// given back.
func (t *turn) take() bool {
	if t.late != nil { // a wait is still going on
		select {
		case err := <-t.late:
			t.late = nil
			return err == nil
		default:
			return false
		}
	}
	err := flock(t.file, syscall.LOCK_EX|syscall.LOCK_NB)
	if !errors.Is(err, syscall.EWOULDBLOCK) {
		return err == nil
	}
	got := make(chan error, 1)
	go func() { got <- flock(t.file, syscall.LOCK_EX) }()
	limit := time.NewTimer(busyTime)
	defer limit.Stop()
	select {
	case err := <-got:
		return err == nil
	case <-limit.C: // its holder stands still
		t.late = got
		return false
	}
}

func (t *turn) giveBack() { _ = flock(t.file, syscall.LOCK_UN) }

func (t *turn) close() error { return t.file.Close() }

// flock repeats a wait that a signal has broken off.
func flock(f *os.File, how int) error {
	for {
		err := syscall.Flock(int(f.Fd()), how) //nolint:gosec // a descriptor is a small number
		if !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}
