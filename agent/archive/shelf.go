package archive

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/loongclaw/loongclaw/agent/bucket"
)

// source is a bucket that holds what it held when it was made, and is only read:
// journals and users are read from an archive, or from one moment of a store,
// by the same code that reads them anywhere.
type source struct {
	entries []bucket.Entry // in the order of keys, no key twice
	get     func(ctx context.Context, e bucket.Entry) ([]byte, error)
}

var errReadOnly = errors.New("archive: what was exported cannot be written to")

func newShelf(entries []bucket.Entry, get func(context.Context, bucket.Entry) ([]byte, error)) *source {
	slices.SortFunc(entries, func(a, b bucket.Entry) int { return strings.Compare(a.Key, b.Key) })
	return &source{entries, get}
}

// find gives the entry of a key.
func (s *source) find(key string) (bucket.Entry, bool) {
	at, found := slices.BinarySearchFunc(s.entries, key, func(e bucket.Entry, key string) int { return strings.Compare(e.Key, key) })
	if !found {
		return bucket.Entry{}, false
	}
	return s.entries[at], true
}

// Get reads an object.
func (s *source) Get(ctx context.Context, key string) (bucket.Object, error) {
	e, found := s.find(key)
	if !found {
		return bucket.Object{}, bucket.ErrNotFound
	}
	body, err := s.get(ctx, e)
	return bucket.Object{Body: body, ETag: e.ETag}, err
}

// List gives entries in the order of keys.
func (s *source) List(ctx context.Context, prefix, after string, limit int) ([]bucket.Entry, bool, error) {
	from, _ := slices.BinarySearchFunc(s.entries, prefix, func(e bucket.Entry, key string) int { return strings.Compare(e.Key, key) })
	var found []bucket.Entry
	for _, e := range s.entries[from:] {
		switch {
		case !strings.HasPrefix(e.Key, prefix):
			return found, false, ctx.Err()
		case e.Key <= after:
			continue
		case limit > 0 && len(found) == limit:
			return found, true, ctx.Err()
		}
		found = append(found, e)
	}
	return found, false, ctx.Err()
}

// Put refuses.
func (s *source) Put(context.Context, string, []byte) (string, error) { return "", errReadOnly }

// Create refuses.
func (s *source) Create(context.Context, string, []byte) (string, error) { return "", errReadOnly }

// Replace refuses.
func (s *source) Replace(context.Context, string, []byte, string) (string, error) {
	return "", errReadOnly
}

// Delete refuses.
func (s *source) Delete(context.Context, string) error { return errReadOnly }

var _ bucket.Bucket = (*source)(nil)

// list gives all entries below a prefix that come after a key.
func list(ctx context.Context, b bucket.Bucket, prefix, after string) ([]bucket.Entry, error) {
	var all []bucket.Entry
	for {
		page, more, err := b.List(ctx, prefix, after, 0)
		if err != nil {
			return nil, storeFailed(err)
		}
		all = append(all, page...)
		if !more || len(page) == 0 {
			return all, nil
		}
		after = page[len(page)-1].Key
	}
}
