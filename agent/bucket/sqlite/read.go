package sqlite

import (
	"bytes"
	"context"
	"database/sql/driver"
	"encoding/hex"
	"errors"
	"strings"
	"time"

	"github.com/loongclaw/loongclaw/agent/bucket"
)

// page is how many entries one call gives at most, as S3.
const page = 1000

// reader is a connection that reads. Each of its statements sees one moment, and
// keeps no writer waiting.
type reader struct {
	*conn
	get       *statement
	from      *statement // lists from a key on
	following *statement // lists after a key
}

// Lists begin with the row before the first one, if there is any, which the first one
// is held against. They have no LIMIT that is bound: SQLite prepares a statement anew
// for each value of it, since its plan may depend on that. Whoever lists ends them.
//
// selectGet finds an object, or the two rows by which it is proved that it is not there:
// most reads are of objects that are not, the next one of a journal above all.
const (
	selectGet = "SELECT CASE WHEN o.key=?1 THEN '' ELSE coalesce((SELECT key FROM objects WHERE key<?1 ORDER BY key DESC LIMIT 1), '') END, " +
		"o.key, o.body, o.size, o.etag, o.modified, o.prev, o.sum, b.id, b.body " +
		"FROM objects o LEFT JOIN bodies b ON b.id=o.body AND o.key=?1 WHERE o.key>=?1 ORDER BY o.key LIMIT 1"
	selectNext  = "SELECT coalesce((SELECT key FROM objects WHERE key<?1 ORDER BY key DESC LIMIT 1), ''), " + columns + " FROM objects WHERE key>=?1 ORDER BY key LIMIT 1"
	selectFrom  = "SELECT " + columns + " FROM objects WHERE key>=coalesce((SELECT key FROM objects WHERE key<?1 ORDER BY key DESC LIMIT 1), '') ORDER BY key"
	selectAfter = "SELECT " + columns + " FROM objects WHERE key>=coalesce((SELECT key FROM objects WHERE key<=?1 ORDER BY key DESC LIMIT 1), '') ORDER BY key"
)

func (s *Store) openReader(ctx context.Context) (*reader, error) {
	c, err := connect(ctx, s.connector)
	if err != nil {
		return nil, err
	}
	r := &reader{conn: c}
	err = c.prepareAll(ctx, []toPrepare{
		{&r.get, selectGet},
		{&r.from, selectFrom},
		{&r.following, selectAfter},
	})
	if err != nil {
		return nil, errors.Join(err, r.close())
	}
	return r, nil
}

// read lends a reader: the one that was used last, since its pages are the newest. One
// that has failed is not used again.
func (s *Store) read(ctx context.Context, do func(*reader) error) error {
	select {
	case s.reading <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-s.reading }()
	if err := ctx.Err(); err != nil {
		return err
	}
	r, err := s.idleReader()
	if err != nil {
		return err
	}
	if r == nil {
		if r, err = s.openReader(context.WithoutCancel(ctx)); err != nil {
			return s.meaning("read", err)
		}
	}
	err = do(r)
	if err == nil || errors.Is(err, bucket.ErrNotFound) || errors.Is(err, bucket.ErrDamaged) {
		s.mu.Lock()
		s.readers = append(s.readers, r)
		s.mu.Unlock()
		return err
	}
	_ = r.close() // it has failed already
	return s.meaning("read", err)
}

// idleReader takes the reader that was used last; nil when none is open.
func (s *Store) idleReader() (*reader, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.readers) - 1
	switch {
	case s.closed:
		return nil, errClosed
	case n < 0:
		return nil, nil
	}
	r := s.readers[n]
	s.readers = s.readers[:n]
	return r, nil
}

func (r *reader) object(key string) (bucket.Object, error) {
	var before string
	var o row // the object, or the one after where it would be
	var there bool
	var body []byte
	found, err := r.get.first(func(v []driver.Value) error {
		before, _ = v[0].(string)
		_, there = v[8].(int64)
		body, _ = v[9].([]byte)
		return o.scan(v[1:8])
	}, key)
	switch {
	case err != nil:
		return bucket.Object{}, err
	case !found:
		return bucket.Object{}, damaged("the rows from %q on are missing", key)
	case o.key != key:
		if err := o.follows(before); err != nil {
			return bucket.Object{}, err
		}
		return bucket.Object{}, bucket.ErrNotFound
	}
	if err := o.check(); err != nil {
		return bucket.Object{}, err
	}
	switch {
	case !there:
		return bucket.Object{}, damaged("%s is listed, and its body is gone", key)
	case int64(len(body)) != o.size || !bytes.Equal(tagOf(body), o.etag):
		return bucket.Object{}, damaged("the body of %s is not as it was written", key)
	}
	return bucket.Object{Body: body, ETag: hex.EncodeToString(o.etag)}, nil
}

func (r *reader) page(prefix, after string, limit int) ([]bucket.Entry, error) {
	if strings.ContainsFunc(prefix, func(c rune) bool { return c <= ' ' || c >= 0x7f }) {
		return nil, nil // no key has that
	}
	if after >= lastKey {
		return nil, nil // no key comes after that
	}
	list, from := r.from, prefix
	if after >= prefix {
		list, from = r.following, after
	}
	p := pageOf{prefix: prefix, after: after, limit: limit, first: true}
	if err := list.each(p.take, from); err != nil {
		return nil, err
	}
	if !p.ended && len(p.entries) < limit {
		return nil, damaged("the rows after %q are missing", p.before)
	}
	if err := bucket.CheckPage(p.entries, prefix, after); err != nil {
		return nil, damaged("the keys are not in their order below %q: %v", prefix, err)
	}
	return p.entries, nil
}

// pageOf is a page on its way.
type pageOf struct {
	prefix, after string
	limit         int
	entries       []bucket.Entry
	before        string // the key that was last
	first, ended  bool
}

// take holds a row against the one before it, and takes it in.
func (p *pageOf) take(v []driver.Value) error {
	var o row
	if err := o.scan(v); err != nil {
		return err
	}
	first := p.first
	p.first = false
	if first && (o.key < p.prefix || o.key <= p.after) {
		p.before = o.key
		return o.check()
	}
	if err := o.follows(p.before); err != nil {
		return err
	}
	p.before = o.key
	if p.ended = o.key >= p.prefix+lastKey; p.ended {
		return errEnough
	}
	p.entries = append(p.entries, bucket.Entry{Key: o.key, Size: o.size, ETag: hex.EncodeToString(o.etag), Modified: time.UnixMilli(o.modified)})
	if len(p.entries) == p.limit {
		return errEnough
	}
	return nil
}
