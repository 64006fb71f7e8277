package disk

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/loongclaw/loongclaw/agent/bucket"
)

// page is how many entries one call gives at most, as S3.
const page = 1000

// errFull ends a walk that has found enough.
var errFull = errors.New("full")

// List walks the directories in the byte order of keys.
func (d *Disk) List(ctx context.Context, prefix, after string, limit int) ([]bucket.Entry, bool, error) {
	if limit <= 0 || limit > page {
		limit = page
	}
	w := walk{d: d, prefix: prefix, after: after, limit: limit}
	dir, depth := below(prefix)
	err := w.ordered(ctx, dir, depth)
	if errors.Is(err, errFull) {
		return w.found, true, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("disk store: %w", err)
	}
	return w.found, false, nil
}

// below is the directory below which all keys with a prefix lie, and how deep it is. To
// walk there from the top would read all users to find one.
func below(prefix string) (dir string, depth int) {
	segs := strings.Split(prefix, "/")
	segs = segs[:min(len(segs)-1, fixed)]
	dir = strings.Join(segs, "/")
	if bucket.CheckKey(dir) != nil {
		return "", 0 // no key begins so, or all do
	}
	return dir, len(segs)
}

type walk struct {
	d             *Disk
	prefix, after string
	limit         int
	found         []bucket.Entry
}

// ordered walks directories whose order is the order of their keys.
func (w *walk) ordered(ctx context.Context, dir string, depth int) error {
	if depth == fixed {
		return w.mixed(ctx, dir)
	}
	names, err := w.names(ctx, dir)
	if err != nil {
		return err
	}
	slices.Sort(names) // a directory's name ends in "/", so it sorts where its keys do
	for _, name := range names {
		if sub, isDir := strings.CutSuffix(name, "/"); isDir {
			err = w.ordered(ctx, sub, depth+1)
		} else {
			err = w.add(name)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// mixed takes everything below a directory whose names hold several segments:
// its keys are in order only when all of them are known.
func (w *walk) mixed(ctx context.Context, dir string) error {
	var all []string
	for dirs := []string{dir}; len(dirs) > 0; dirs = dirs[1:] {
		names, err := w.names(ctx, dirs[0])
		if err != nil {
			return err
		}
		for _, name := range names {
			if sub, isDir := strings.CutSuffix(name, "/"); isDir {
				dirs = append(dirs, sub)
			} else {
				all = append(all, name)
			}
		}
	}
	slices.SortFunc(all, func(a, b string) int { return strings.Compare(keyOf(a), keyOf(b)) })
	for _, name := range all {
		if err := w.add(name); err != nil {
			return err
		}
	}
	return nil
}

// names gives the places in a directory that can hold what is looked for;
// those of directories end in "/".
func (w *walk) names(ctx context.Context, dir string) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	f, err := w.d.root.Open(path.Join(objects, dir))
	if missing(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	entries, err := entriesOf(f)
	_ = f.Close() // only read from
	if missing(err) {
		return nil, nil // an object, not a directory
	}
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		name := path.Join(dir, e.Name())
		if !e.IsDir() {
			names = append(names, name)
			continue
		}
		key := keyOf(name) + "/"
		inside := strings.HasPrefix(key, w.prefix) || strings.HasPrefix(w.prefix, key)
		past := key < w.after && !strings.HasPrefix(w.after, key)
		if inside && !past {
			names = append(names, name+"/")
		}
	}
	return names, nil
}

// add takes a file in when it is what is looked for.
func (w *walk) add(name string) error {
	key := keyOf(name)
	if !strings.HasPrefix(key, w.prefix) || key <= w.after {
		return nil
	}
	if len(w.found) == w.limit {
		return errFull
	}
	info, err := w.d.root.Lstat(path.Join(objects, name))
	if missing(err) { // deleted since
		return nil
	}
	if err != nil {
		return err
	}
	w.found = append(w.found, bucket.Entry{Key: key, Size: info.Size(), Modified: info.ModTime()})
	return nil
}
