package disk

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sync"
)

// known are the directories of which this process knows that their entries, and those
// of all above them, are durable: it has synced the directories above when they were
// there. What it does not know costs a sync more, and nothing else.
type known struct {
	mu    sync.Mutex
	dirs  map[string]bool
	looks map[*look]bool // that are under way
}

// look is the time over which somebody makes sure of some directories. One that is
// removed or made meanwhile is not known afterwards.
type look struct{ changed map[string]bool }

// mostKnown bounds the memory. Beyond it all are made sure of again.
const mostKnown = 1 << 14

func (k *known) look() *look {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.dirs == nil {
		k.dirs, k.looks = map[string]bool{}, map[*look]bool{}
	}
	l := &look{changed: map[string]bool{}}
	k.looks[l] = true
	return l
}

func (k *known) leave(l *look) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.looks, l)
}

// unknown gives a directory and those above it that are not known, the lowest first.
func (k *known) unknown(dir string) (all []string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for ; dir != "." && !k.dirs[dir]; dir = path.Dir(dir) {
		all = append(all, dir)
	}
	return all
}

// add takes in directories whose entries were synced since a look began, and ends it.
func (k *known) add(l *look, dirs ...string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.looks, l)
	if len(k.dirs)+len(dirs) > mostKnown {
		clear(k.dirs)
	}
	for _, dir := range dirs {
		if !l.changed[dir] {
			k.dirs[dir] = true
		}
	}
}

// change makes a directory or removes one that is empty: what was known of its name is
// not of what stands there from then on. Another process may have removed what this one
// makes. Nobody here can find the directory before it is forgotten.
func (k *known) change(dir string, do func(string) error) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	err := do(dir)
	if err == nil {
		delete(k.dirs, dir)
		for l := range k.looks {
			l.changed[dir] = true
		}
	}
	return err
}

// mkdirs makes the directory of a store, and syncs each directory above that got a new
// entry: a store in a directory that is gone after a power loss would be gone too.
func mkdirs(dir string, sync func(dir string) error) error {
	err := os.Mkdir(dir, 0o700)
	if errors.Is(err, fs.ErrNotExist) {
		if err := mkdirs(filepath.Dir(dir), sync); err != nil {
			return err
		}
		err = os.Mkdir(dir, 0o700)
	}
	if errors.Is(err, fs.ErrExist) {
		return nil // a file in its place shows when it is opened
	}
	if err != nil {
		return err
	}
	return sync(filepath.Dir(dir))
}

func syncPath(dir string) error {
	f, err := os.Open(dir) //nolint:gosec // the owner of the store names it
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
