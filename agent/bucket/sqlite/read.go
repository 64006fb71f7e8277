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

const columns = "SELECT key, body, size, etag, modified, sum FROM objects WHERE "

func (s *Store) openReader(ctx context.Context) (*reader, error) {
	c, err := connect(ctx, s.db)
	if err != nil {
		return nil, err
	}
	r := &reader{conn: c}
	err = prepareAll(ctx, c, []statement{
		{&r.get, "SELECT o.key, o.body, o.size, o.etag, o.modified, o.sum, b.id, b.body FROM objects o LEFT JOIN bodies b ON b.id=o.body WHERE o.key=?"},
		{&r.from, columns + "key>=? AND key<? ORDER BY key LIMIT ?"},
		{&r.following, columns + "key>? AND key<? ORDER BY key LIMIT ?"},
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

// row is one of objects.
type row struct {
	key            string
	body           int64
	size, modified int64
	etag           []byte
	sum            int64
}

func (r *row) fields() []any { return []any{&r.key, &r.body, &r.size, &r.etag, &r.modified, &r.sum} }

// check holds a row against its checksum.
func (r *row) check() error {
	if len(r.etag) != tagBytes || r.sum != rowSum(r.key, r.body, r.size, r.etag, r.modified) {
		return damaged("the row of %q is not as it was written", r.key)
	}
	return nil
}

func (r *reader) object(ctx context.Context, key string) (bucket.Object, error) {
	var o row
	var id sql.NullInt64
	var body []byte
	err := r.get.QueryRowContext(context.WithoutCancel(ctx), key).Scan(append(o.fields(), &id, &body)...)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return bucket.Object{}, bucket.ErrNotFound
	case err != nil:
		return bucket.Object{}, err
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

// beyond is greater than every character of a key.
const beyond = "\x7f"

func (r *reader) page(ctx context.Context, prefix, after string, limit int) (_ []bucket.Entry, err error) {
	if strings.ContainsFunc(prefix, func(c rune) bool { return c <= ' ' || c >= 0x7f }) {
		return nil, nil // no key has that
	}
	list, lower := r.from, prefix
	if after >= prefix {
		list, lower = r.following, after
	}
	rows, err := list.QueryContext(context.WithoutCancel(ctx), lower, prefix+beyond, limit)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	var entries []bucket.Entry
	for rows.Next() {
		var o row
		if err := rows.Scan(o.fields()...); err != nil {
			return nil, err
		}
		if err := o.check(); err != nil {
			return nil, err
		}
		entries = append(entries, bucket.Entry{Key: o.key, Size: o.size, ETag: hex.EncodeToString(o.etag), Modified: time.UnixMilli(o.modified)})
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	if err := bucket.CheckPage(entries, prefix, after); err != nil {
		return nil, damaged("the keys are not in their order below %q: %v", prefix, err)
	}
	return entries, nil
}
