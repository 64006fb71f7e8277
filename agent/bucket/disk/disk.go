// Package disk is a bucket in a local directory.
//
// Owns: the directory: objects/ holds one file for each object, tmp/ a
// directory of each process with what it is writing, lock orders the replacing of objects between processes.
// Touches: that directory only, through os.Root.
// Never: acknowledges before file and directory entry are synced, says that an
// object exists whose entry is not, or shows half an object: a file is complete
// before it gets its name.
package disk

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/loongclaw/loongclaw/agent/bucket"
)

// Disk is a bucket in a directory. Several processes may share one.
type Disk struct {
	root    *os.Root
	lock    *os.File
	staging *staging
	sync    func(*os.File) error // (*os.File).Sync, but in tests

	mu sync.Mutex
	// doubtful are the directories of which a sync has failed: what was put into
	// one may be gone after a power loss, although it can be read.
	doubtful map[string]bool
}

const (
	objects = "objects"
	tmp     = "tmp"
)

// Open uses dir, which is made when it is not there.
func Open(dir string) (*Disk, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("disk store: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("disk store: %w", err)
	}
	for _, d := range []string{objects, tmp} {
		if err := root.Mkdir(d, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, fmt.Errorf("disk store: %w", err)
		}
	}
	lock, err := root.OpenFile("lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("disk store: %w", err)
	}
	d := &Disk{root: root, lock: lock, sync: (*os.File).Sync, doubtful: map[string]bool{}}
	err = d.tidy(time.Now().Add(-abandoned))
	if err == nil {
		d.staging, err = d.takeStaging()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("disk store: %w", err), lock.Close(), root.Close())
	}
	return d, nil
}

// Close lets go of the directory.
func (d *Disk) Close() error {
	return errors.Join(d.dropStaging(), d.lock.Close(), d.root.Close())
}

// Get reads an object.
func (d *Disk) Get(_ context.Context, key string) (bucket.Object, error) {
	if err := bucket.CheckKey(key); err != nil {
		return bucket.Object{}, err
	}
	body, err := d.root.ReadFile(place(key))
	if missing(err) {
		return bucket.Object{}, bucket.ErrNotFound
	}
	if err != nil {
		return bucket.Object{}, fmt.Errorf("disk store: %w", err)
	}
	return bucket.Object{Body: body, ETag: etag(body)}, nil
}

// Create writes an object where none is: the finished file is linked to its
// name, which fails when the name exists. The one that exists is made durable
// then, since whoever put it there may have failed to.
func (d *Disk) Create(_ context.Context, key string, body []byte) (string, error) {
	return d.write(key, body, func(from, to string) error {
		err := d.root.Link(from, to)
		if errors.Is(err, fs.ErrExist) {
			return bucket.ErrExists
		}
		return err
	})
}

// Put writes an object, whatever was there.
func (d *Disk) Put(_ context.Context, key string, body []byte) (string, error) {
	return d.write(key, body, func(from, to string) error {
		return d.locked(func() error { return d.root.Rename(from, to) })
	})
}

// Replace writes an object whose ETag is still etag.
func (d *Disk) Replace(ctx context.Context, key string, body []byte, old string) (string, error) {
	return d.write(key, body, func(from, to string) error {
		return d.locked(func() error {
			cur, err := d.Get(ctx, key)
			if errors.Is(err, bucket.ErrNotFound) || (err == nil && cur.ETag != old) {
				return bucket.ErrChanged
			}
			if err != nil {
				return err
			}
			return d.root.Rename(from, to)
		})
	})
}

// Delete removes an object, and the directories that it leaves empty, so that
// no name of what was deleted stays.
func (d *Disk) Delete(_ context.Context, key string) error {
	if err := bucket.CheckKey(key); err != nil {
		return err
	}
	name := place(key)
	if err := d.locked(func() error { return d.root.Remove(name) }); err != nil && !missing(err) {
		return fmt.Errorf("disk store: %w", err)
	}
	// Not synced: after a power loss the file may be back, and so is whatever was
	// deleted after it. Whoever deletes can do it again.
	for dir := path.Dir(name); dir != objects && d.root.Remove(dir) == nil; {
		dir = path.Dir(dir)
	}
	return nil
}

// write makes a complete, synced file and lets name give it its name.
func (d *Disk) write(key string, body []byte, name func(from, to string) error) (string, error) {
	if err := errors.Join(bucket.CheckKey(key), bucket.CheckSize(body)); err != nil {
		return "", err
	}
	from := path.Join(d.staging.name, rand.Text())
	to := place(key)
	if err := d.fill(from, body); err != nil {
		return "", fmt.Errorf("disk store: %w", err)
	}
	defer func() { _ = d.root.Remove(from) }() // gone already when it was renamed
	var err error
	for range 3 { // a delete may remove the directory between mkdirs and name
		if err = name(from, to); !missing(err) {
			break
		}
		if err := d.mkdirs(path.Dir(to)); err != nil {
			return "", fmt.Errorf("disk store: %w", err)
		}
	}
	switch {
	case errors.Is(err, bucket.ErrChanged):
		return "", err
	case err != nil && !errors.Is(err, bucket.ErrExists):
		return "", fmt.Errorf("disk store: %w", err)
	}
	if syncErr := d.settle(path.Dir(to)); syncErr != nil {
		return "", fmt.Errorf("disk store: %w: %w", bucket.ErrNotDurable, syncErr)
	}
	if err != nil {
		return "", err
	}
	return etag(body), nil
}

// settle makes durable what was put into a directory, and the directory's own
// way from the top where a sync of that has failed before.
func (d *Disk) settle(dir string) error {
	if err := d.syncDir(dir); err != nil {
		return err
	}
	d.mu.Lock()
	var again []string
	for one := range d.doubtful {
		if strings.HasPrefix(dir, one+"/") {
			again = append(again, one)
		}
	}
	d.mu.Unlock()
	for _, one := range again {
		if err := d.syncDir(one); err != nil {
			return err
		}
	}
	return nil
}

func (d *Disk) fill(name string, body []byte) (err error) {
	f, err := d.root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if _, err := f.Write(body); err != nil {
		return err
	}
	return d.sync(f)
}

// mkdirs makes a directory and syncs each parent that got a new entry. Where that
// fails the parent is doubtful: the directory is there at the next try, and
// nothing else would sync its entry.
func (d *Disk) mkdirs(dir string) error {
	err := d.root.Mkdir(dir, 0o700)
	if missing(err) {
		if err := d.mkdirs(path.Dir(dir)); err != nil {
			return err
		}
		err = d.root.Mkdir(dir, 0o700)
	}
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return d.syncDir(path.Dir(dir))
}

func (d *Disk) syncDir(dir string) error {
	f, err := d.root.Open(dir)
	if missing(err) {
		return nil
	}
	if err != nil {
		return err
	}
	err = errors.Join(d.sync(f), f.Close())
	d.mu.Lock()
	defer d.mu.Unlock()
	if err != nil {
		d.doubtful[dir] = true
	} else {
		delete(d.doubtful, dir)
	}
	return err
}

// locked runs do while no other process or goroutine replaces an object. A new
// descriptor for each call, since a file lock belongs to the open file.
func (d *Disk) locked(do func() error) error {
	f, err := d.root.OpenFile("lock", os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // releases the lock
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		return err
	}
	return do()
}

// missing says that no object is there: a directory of objects, or a name below
// an object, is none.
func missing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) || errors.Is(err, syscall.EISDIR)
}

func etag(body []byte) string {
	h := sha256.Sum256(body)
	return hex.EncodeToString(h[:16])
}

var _ bucket.Bucket = (*Disk)(nil)
