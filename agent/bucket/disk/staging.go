package disk

import (
	"crypto/rand"
	"errors"
	"os"
	"path"
	"syscall"
	"time"
)

// staging is the directory below tmp/ in which one process writes. A file in it is
// locked while that process lives, so whoever gets the lock of another's knows that
// its process is gone, and with it everybody who could want what lies there.
type staging struct {
	name string
	lock *os.File
}

const lockName = "lock"

// takeStaging makes this process's own directory. Before it is locked another process
// may take it for one that was left, and remove it: then the next name is tried.
func (d *Disk) takeStaging() (*staging, error) {
	for {
		name := path.Join(tmp, rand.Text())
		if err := d.root.Mkdir(name, 0o700); err != nil {
			return nil, err
		}
		lock, err := d.openLock(name)
		if missing(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
			return nil, errors.Join(err, lock.Close())
		}
		if d.isAt(lock, path.Join(name, lockName)) {
			return &staging{name, lock}, nil
		}
		if err := lock.Close(); err != nil {
			return nil, err
		}
	}
}

// openLock opens the lock of a staging directory. It is a file, not the directory itself, since a
// network file system locks only what is open for writing.
func (d *Disk) openLock(dir string) (*os.File, error) {
	return d.root.OpenFile(path.Join(dir, lockName), os.O_CREATE|os.O_RDWR, 0o600)
}

// isAt reports whether an open file still has its name.
func (d *Disk) isAt(f *os.File, name string) bool {
	open, err := f.Stat()
	if err != nil {
		return false
	}
	there, err := d.root.Lstat(name)
	return err == nil && os.SameFile(open, there)
}

// dropStaging removes the directory; what is written into it fails from then on.
func (d *Disk) dropStaging() error {
	return errors.Join(d.remove(d.staging.name), d.staging.lock.Close())
}

// abandoned is the age from which a file that lies in tmp/ itself is nobody's any
// more. Versions before this one wrote there, and say nothing of whether they live.
const abandoned = 24 * time.Hour

// tidy removes what processes that were killed have left in tmp/.
func (d *Disk) tidy(before time.Time) error {
	dir, err := d.root.Open(tmp)
	if err != nil {
		return err
	}
	entries, err := dir.ReadDir(-1)
	if err = errors.Join(err, dir.Close()); err != nil {
		return err
	}
	for _, e := range entries {
		name := path.Join(tmp, e.Name())
		if e.IsDir() {
			err = d.clear(name)
		} else if info, statErr := e.Info(); statErr == nil && info.Mode().IsRegular() && info.ModTime().Before(before) {
			err = ignoreMissing(d.root.Remove(name))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// clear removes another process's directory if that process is gone.
func (d *Disk) clear(name string) error {
	lock, err := d.openLock(name)
	if err != nil {
		return ignoreMissing(err)
	}
	defer func() { _ = lock.Close() }() // releases the lock
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil // it lives, or nothing can be known here: then it stays
	}
	return d.remove(name)
}

// remove removes a staging directory. Another process that clears up may make its lock again in
// between; then that one removes it.
func (d *Disk) remove(dir string) error {
	err := d.root.RemoveAll(dir)
	if errors.Is(err, syscall.ENOTEMPTY) {
		return nil
	}
	return err
}

func ignoreMissing(err error) error {
	if missing(err) {
		return nil
	}
	return err
}
