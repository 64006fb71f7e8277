package sqlite

import (
	"bytes"
	"context"
	"database/sql"
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
	conn      *sql.Conn
	get       *sql.Stmt
	from      *sql.Stmt // lists from a key on
	following *sql.Stmt // lists after a key
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
	c, err := connect(ctx, s.db)
	if err != nil {
		return nil, err
	}
	r := &reader{conn: c}
	err = prepareAll(ctx, c, []statement{
		{&r.get, selectGet},
		{&r.from, selectFrom},
		{&r.following, selectAfter},
	})
	if err != nil {
		return nil, errors.Join(err, r.close())
	}
	return r, nil
}

func (r *reader) close() error { return discard(r.conn, r.get, r.from, r.following) }

// read lends a reader. One that has failed is not used again.
func (s *Store) read(ctx context.Context, do func(*reader) error) error {
	var r *reader
	select {
	case r = <-s.readers:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { s.readers <- r }()
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.isClosed() {
		return errClosed
	}
	var err error
	if r == nil {
		if r, err = s.openReader(context.WithoutCancel(ctx)); err != nil {
			r = nil
			return s.meaning("read", err)
		}
	}
	err = do(r)
	if err == nil || errors.Is(err, bucket.ErrNotFound) || errors.Is(err, bucket.ErrDamaged) {
		return err
	}
	_ = r.close() // it has failed already
	r = nil
	return s.meaning("read", err)
}

func (r *reader) object(ctx context.Context, key string) (bucket.Object, error) {
	var before string
	var o row // the object, or the one after where it would be
	var id sql.NullInt64
	var body []byte
	err := r.get.QueryRowContext(context.WithoutCancel(ctx), key).Scan(append(append([]any{&before}, o.fields()...), &id, &body)...)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return bucket.Object{}, damaged("the rows from %q on are missing", key)
	case err != nil:
		return bucket.Object{}, err
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
	case !id.Valid:
		return bucket.Object{}, damaged("%s is listed, and its body is gone", key)
	case int64(len(body)) != o.size || !bytes.Equal(tagOf(body), o.etag):
		return bucket.Object{}, damaged("the body of %s is not as it was written", key)
	}
	return bucket.Object{Body: body, ETag: hex.EncodeToString(o.etag)}, nil
}

func (r *reader) page(ctx context.Context, prefix, after string, limit int) (_ []bucket.Entry, err error) {
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
	rows, err := list.QueryContext(context.WithoutCancel(ctx), from)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	var entries []bucket.Entry
	before, ended := "", false
	for first := true; !ended && len(entries) < limit && rows.Next(); first = false {
		var o row
		if err := rows.Scan(o.fields()...); err != nil {
			return nil, err
		}
		if first && (o.key < prefix || o.key <= after) {
			if err := o.check(); err != nil {
				return nil, err
			}
			before = o.key
			continue
		}
		if err := o.follows(before); err != nil {
			return nil, err
		}
		before = o.key
		if ended = o.key >= prefix+lastKey; !ended {
			entries = append(entries, bucket.Entry{Key: o.key, Size: o.size, ETag: hex.EncodeToString(o.etag), Modified: time.UnixMilli(o.modified)})
		}
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	if !ended && len(entries) < limit {
		return nil, damaged("the rows after %q are missing", before)
	}
	if err := bucket.CheckPage(entries, prefix, after); err != nil {
		return nil, damaged("the keys are not in their order below %q: %v", prefix, err)
	}
	return entries, nil
}
