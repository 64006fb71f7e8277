// Package disk is a bucket in a local directory.
//
// Owns: the directory: objects/ holds one file for each object, tmp/ a
// directory of each process with what it is writing, lock orders the replacing of objects between processes.
// Touches: that directory only, through os.Root.
// Never: acknowledges before the file, its entry and those of all directories above it
// are synced, says that an object exists whose entry is not, or shows half an object: a
// file is complete before it gets its name.
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
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/loongclaw/loongclaw/agent/bucket"
)

// Disk is a bucket in a directory. Several processes may share one.
type Disk struct {
	root    *os.Root
	staging *staging
	system  *system
	effects effects // system, but in tests

	replacing sync.Mutex // orders who takes the lock in this process
	lock      *os.File   // orders them between processes

	known known // directories whose entries are durable
}

const (
	objects = "objects"
	tmp     = "tmp"
)

// Open uses dir, which is made when it is not there.
func Open(dir string) (*Disk, error) {
	d, err := open(dir, func(e effects) effects { return e })
	if err != nil {
		return nil, fmt.Errorf("disk store: %w", err)
	}
	return d, nil
}

// open lets a test stand between this package and its directory.
func open(dir string, between func(effects) effects) (_ *Disk, err error) {
	if err := mkdirs(filepath.Clean(dir), syncPath); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	d := &Disk{root: root, system: &system{root: root}}
	d.effects = between(d.system)
	defer func() {
		if err != nil {
			err = errors.Join(err, d.release())
		}
	}()
	for _, one := range []string{objects, tmp} {
		if err := d.effects.mkdir(one); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
	}
	if err := d.syncDir("."); err != nil {
		return nil, err
	}
	d.known.add(d.known.look(), objects)
	if d.lock, err = root.OpenFile("lock", os.O_CREATE|os.O_RDWR, 0o600); err != nil {
		return nil, err
	}
	if err := d.tidy(time.Now().Add(-abandoned)); err != nil {
		return nil, err
	}
	if d.staging, err = d.takeStaging(); err != nil {
		return nil, err
	}
	return d, d.system.stageIn(d.staging.name)
}

// Close lets go of the directory.
func (d *Disk) Close() error { return d.release() }

// release closes what is open.
func (d *Disk) release() error {
	d.system.close()
	var errs []error
	if d.staging != nil {
		errs = append(errs, d.dropStaging())
	}
	if d.lock != nil {
		errs = append(errs, d.lock.Close())
	}
	return errors.Join(append(errs, d.root.Close())...)
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
	return d.write(key, body, func(to folder, staged, name string) error {
		err := to.link(staged, name)
		if errors.Is(err, fs.ErrExist) {
			return bucket.ErrExists
		}
		return err
	})
}

// Put writes an object, whatever was there.
func (d *Disk) Put(_ context.Context, key string, body []byte) (string, error) {
	return d.write(key, body, func(to folder, staged, name string) error {
		return d.locked(func() error { return to.rename(staged, name) })
	})
}

// Replace writes an object whose ETag is still etag.
func (d *Disk) Replace(ctx context.Context, key string, body []byte, old string) (string, error) {
	return d.write(key, body, func(to folder, staged, name string) error {
		return d.locked(func() error {
			cur, err := d.Get(ctx, key)
			if errors.Is(err, bucket.ErrNotFound) || (err == nil && cur.ETag != old) {
				return bucket.ErrChanged
			}
			if err != nil {
				return err
			}
			return to.rename(staged, name)
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
	if err := d.locked(func() error { return d.effects.remove(name) }); err != nil && !missing(err) {
		return fmt.Errorf("disk store: %w", err)
	}
	// Of one file this is not synced: after a power loss it may be back, and whoever
	// sees it can delete it again. Of a directory that is left empty it is: a session
	// that is gone from its user's journal is looked for by nobody.
	dir, emptied := path.Dir(name), false
	for ; dir != objects; dir = path.Dir(dir) {
		if err := d.known.change(dir, d.effects.rmdir); err != nil && !errors.Is(err, fs.ErrNotExist) {
			break
		}
		emptied = true // now, or by a delete that this one repeats
	}
	if !emptied {
		return nil
	}
	if err := d.syncDir(dir); err != nil && !missing(err) {
		return fmt.Errorf("disk store: %w: %w", bucket.ErrNotDurable, err)
	}
	return nil
}

// write makes a complete, synced file and lets give put it under its name.
func (d *Disk) write(key string, body []byte, give func(to folder, staged, name string) error) (string, error) {
	if err := errors.Join(bucket.CheckKey(key), bucket.CheckSize(body)); err != nil {
		return "", err
	}
	staged := rand.Text()
	if err := d.fill(staged, body); err != nil {
		return "", fmt.Errorf("disk store: %w", err)
	}
	defer func() { _ = d.effects.discard(staged) }() // gone already when it was renamed
	dir, name := path.Split(place(key))
	dir = path.Clean(dir)
	var err error
	for range 3 { // a delete may remove the directory between mkdirs and give
		if err = d.put(dir, func(to folder) error { return give(to, staged, name) }); !missing(err) {
			break
		}
		if err := d.mkdirs(dir); err != nil {
			return "", fmt.Errorf("disk store: %w", err)
		}
	}
	switch {
	case err == nil:
		return etag(body), nil
	case errors.Is(err, bucket.ErrChanged), errors.Is(err, bucket.ErrExists):
		return "", err
	}
	return "", fmt.Errorf("disk store: %w", err)
}

// put does something in a directory and makes it durable, or what it has found there.
func (d *Disk) put(dir string, do func(folder) error) (err error) {
	to, err := d.effects.open(dir)
	if err != nil {
		return err
	}
	defer func() { _ = to.Close() }() // it was synced, or has told its error
	if err = do(to); err != nil && !errors.Is(err, bucket.ErrExists) {
		return err
	}
	if err := d.settle(dir, to); err != nil {
		return fmt.Errorf("%w: %w", bucket.ErrNotDurable, err)
	}
	return err
}

// settle makes durable what was put into a directory, and the directory's own way from
// the top where this process has not done that yet. Whoever finds a directory there
// does not know whether the one that made it, here or in another process, has come to
// syncing its entry. One that is gone was removed with what was put there.
func (d *Disk) settle(dir string, open folder) error {
	seen := d.known.look()
	defer d.known.leave(seen)
	if err := open.Sync(); err != nil {
		return err
	}
	way := d.known.unknown(dir)
	for _, one := range way {
		if err := d.syncDir(path.Dir(one)); err != nil && !missing(err) {
			return err
		}
	}
	d.known.add(seen, way...)
	return nil
}

func (d *Disk) fill(staged string, body []byte) (err error) {
	f, err := d.effects.create(staged)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if _, err := f.Write(body); err != nil {
		return err
	}
	return f.Sync()
}

// mkdirs makes a directory and those above it. Their entries are synced when something
// was put there.
func (d *Disk) mkdirs(dir string) error {
	err := d.known.change(dir, d.effects.mkdir)
	if missing(err) {
		if err := d.mkdirs(path.Dir(dir)); err != nil {
			return err
		}
		err = d.known.change(dir, d.effects.mkdir)
	}
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	return err
}

func (d *Disk) syncDir(dir string) error {
	f, err := d.effects.open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// locked runs do while no other process or goroutine replaces an object. A file lock
// belongs to the open file, which all of this process share: they order themselves
// before it.
func (d *Disk) locked(do func() error) error {
	d.replacing.Lock()
	defer d.replacing.Unlock()
	if err := flock(d.lock, syscall.LOCK_EX); err != nil {
		return err
	}
	defer func() { _ = flock(d.lock, syscall.LOCK_UN) }()
	return do()
}

// flock repeats a wait that a signal has broken off.
func flock(f *os.File, how int) error {
	for {
		err := syscall.Flock(int(f.Fd()), how) //nolint:gosec // a descriptor is a small number
		if !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
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
