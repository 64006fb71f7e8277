package disk

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"sort"
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
	dir := ""
	if i := strings.LastIndexByte(prefix, '/'); i >= 0 {
		dir = prefix[:i]
		if bucket.CheckKey(dir) != nil {
			return nil, false, nil
		}
	}
	err := w.dir(ctx, dir)
	if errors.Is(err, errFull) {
		return w.found, true, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("disk store: %w", err)
	}
	return w.found, false, nil
}

type walk struct {
	d             *Disk
	prefix, after string
	limit         int
	found         []bucket.Entry
}

func (w *walk) dir(ctx context.Context, dir string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	f, err := w.d.root.Open(path.Join(objects, dir))
	if missing(err) {
		return nil
	}
	if err != nil {
		return err
	}
	names, err := f.ReadDir(-1)
	_ = f.Close()     // only read from
	if missing(err) { // an object, not a directory of them
		return nil
	}
	if err != nil {
		return err
	}
	keys := make([]string, len(names))
	byKey := make(map[string]fs.DirEntry, len(names))
	for i, n := range names {
		k := path.Join(dir, n.Name())
		if n.IsDir() {
			k += "/" // sorts where its keys sort
		}
		keys[i], byKey[k] = k, n
	}
	sort.Strings(keys)
	for _, k := range keys {
		if err := w.visit(ctx, k, byKey[k]); err != nil {
			return err
		}
	}
	return nil
}

func (w *walk) visit(ctx context.Context, key string, n fs.DirEntry) error {
	if n.IsDir() {
		inside := strings.HasPrefix(key, w.prefix) || strings.HasPrefix(w.prefix, key)
		past := key < w.after && !strings.HasPrefix(w.after, key)
		if !inside || past {
			return nil
		}
		return w.dir(ctx, strings.TrimSuffix(key, "/"))
	}
	if !strings.HasPrefix(key, w.prefix) || key <= w.after {
		return nil
	}
	if len(w.found) == w.limit {
		return errFull
	}
	info, err := n.Info()
	if missing(err) { // deleted since
		return nil
	}
	if err != nil {
		return err
	}
	w.found = append(w.found, bucket.Entry{Key: key, Size: info.Size(), Modified: info.ModTime()})
	return nil
}
