package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"hash/crc32"
	"strconv"
	"time"

	"github.com/loongclaw/loongclaw/agent/bucket"
)

const (
	// application marks a database as ours, in its header: "LCLW".
	application = 0x4c434c57
	// version is the schema's. A database of a later one is left alone.
	version = 1
)

// schema: what is listed lies apart from the bodies, so that a list reads few pages,
// in the order of its keys; and bodies are appended, wherever their keys lie. etag is
// a checksum of the body, sum one of the row itself. prev is one of the key before, and
// there is always a last row, lastKey: a damaged page that hides rows, which SQLite may
// not notice, shows by the row behind the gap, and that an object is not there is
// proved by its two neighbours.
const schema = `
CREATE TABLE objects (
	key      TEXT    NOT NULL PRIMARY KEY,
	body     INTEGER NOT NULL,
	size     INTEGER NOT NULL,
	etag     BLOB    NOT NULL,
	modified INTEGER NOT NULL,
	prev     INTEGER NOT NULL,
	sum      INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE bodies (id INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE opened (id INTEGER PRIMARY KEY, at INTEGER NOT NULL);`

// busyTime is how long one process waits for the transaction of another.
const busyTime = 10 * time.Second

// pragmas are set on each connection. synchronous=FULL syncs the log at each commit;
// with NORMAL, which many recommend, a power loss takes the last commits away.
// fullfsync is what makes a sync reach the disk on macOS. Checkpoints are made by
// the committer, after it has acknowledged. secure_delete: what was deleted must not
// travel on in copies of the file.
var pragmas = []string{
	"busy_timeout=" + strconv.Itoa(int(busyTime.Milliseconds())),
	"synchronous=FULL", "fullfsync=1", "checkpoint_fullfsync=1",
	"wal_autocheckpoint=0", "journal_size_limit=67108864", "cache_size=-1024", "temp_store=MEMORY", "secure_delete=1", "cell_size_check=1", "trusted_schema=0",
}

// settle makes the tables where there are none, and syncs what an earlier process has
// left: after one that was killed the log may hold a transaction that was written and
// not synced. It can be read, so it would be acknowledged as being there; the write
// that settle makes syncs it together with itself.
func settle(ctx context.Context, c *conn, now time.Time) error {
	if err := checkHeader(ctx, c); err != nil {
		return err
	}
	if err := useWAL(ctx, c); err != nil {
		return err
	}
	if err := c.exec(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	err := makeTables(ctx, c)
	if err == nil {
		err = c.exec(ctx, "INSERT INTO opened(id, at) VALUES(1, ?) ON CONFLICT(id) DO UPDATE SET at=excluded.at", now.UnixMilli())
	}
	if err == nil {
		err = c.exec(ctx, "COMMIT")
	}
	if err != nil {
		_ = c.exec(ctx, "ROLLBACK") // SQLite may have done it already
	}
	return err
}

// useWAL switches the log. SQLite does not wait for a lock here, and several
// processes may begin at once.
func useWAL(ctx context.Context, c *conn) error {
	for end := time.Now().Add(busyTime); ; {
		var mode any
		err := c.query(ctx, "PRAGMA journal_mode=WAL", nil, func(v []driver.Value) error {
			mode = v[0]
			return errEnough
		})
		switch {
		case err == nil && mode == "wal":
			return nil
		case err == nil:
			return fmt.Errorf("the file system has no shared memory, which several processes need: journal_mode stays %v", mode)
		case !isBusy(err) || time.Now().After(end):
			return err
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// errForeign: the file is a database of somebody else.
var errForeign = errors.New("it is a database of another program")

// ErrNewer is the error of a database that a later version has made or changed.
var ErrNewer = errors.New("a later version of the agent has written this database")

// checkHeader refuses a database that is not ours before anything of it is changed.
func checkHeader(ctx context.Context, c *conn) error {
	app, user, tables, err := header(ctx, c)
	switch {
	case err != nil:
		return err
	case app == 0 && user == 0 && tables == 0: // new
		return nil
	case app != application:
		return errForeign
	case user > version:
		return fmt.Errorf("%w (its schema is %d, this version knows %d)", ErrNewer, user, version)
	}
	return nil
}

func header(ctx context.Context, c *conn) (app, user, tables int64, err error) {
	err = errors.Join(
		c.numbers(ctx, "PRAGMA application_id", &app),
		c.numbers(ctx, "PRAGMA user_version", &user),
		c.numbers(ctx, "SELECT count(*) FROM sqlite_schema", &tables),
	)
	return app, user, tables, err
}

// makeTables runs in a transaction: of several processes that begin at once the
// first makes the tables, and the others find them.
func makeTables(ctx context.Context, c *conn) error {
	if err := checkHeader(ctx, c); err != nil {
		return err
	}
	if _, user, _, err := header(ctx, c); err != nil || user == version {
		return err
	}
	if err := c.exec(ctx, schema+fmt.Sprintf("PRAGMA application_id=%d; PRAGMA user_version=%d;", application, version)); err != nil {
		return err
	}
	last := row{key: lastKey, etag: make([]byte, tagBytes), prev: keySum("")}
	return c.exec(ctx, addRow, last.values()...)
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func sumOf(b []byte) int64 { return int64(crc32.Checksum(b, castagnoli)) }

// keySum is the checksum of a key, by which the row after it knows it.
func keySum(key string) int64 { return sumOf([]byte(key)) }

// lastKey comes after every key that an object can have.
const lastKey = "\x7f"

// row is one of objects.
type row struct {
	key            string
	body           int64
	size, modified int64
	etag           []byte
	prev, sum      int64
}

const (
	columns = "key, body, size, etag, modified, prev, sum"
	addRow  = "INSERT INTO objects(" + columns + ") VALUES(?, ?, ?, ?, ?, ?, ?)"
)

// scan takes a row from its columns.
func (r *row) scan(v []driver.Value) error {
	ok := true
	for i, n := range []*int64{1: &r.body, 2: &r.size, 4: &r.modified, 5: &r.prev, 6: &r.sum} {
		if n != nil {
			var number bool
			*n, number = v[i].(int64)
			ok = ok && number
		}
	}
	var text, bytes bool
	r.key, text = v[0].(string)
	r.etag, bytes = v[3].([]byte)
	if !ok || !text || !bytes {
		return damaged("the row of %q is not of the kinds that were written", r.key)
	}
	return nil
}

// values are those of columns, the checksum made anew.
func (r *row) values() []driver.Value {
	r.sum = r.checksum()
	return []driver.Value{r.key, r.body, r.size, r.etag, r.modified, r.prev, r.sum}
}

func (r *row) checksum() int64 {
	b := make([]byte, 0, len(r.key)+len(r.etag)+64)
	b = append(b, r.key...)
	for _, n := range []int64{r.body, r.size, r.modified, r.prev} {
		b = append(b, '/')
		b = strconv.AppendInt(b, n, 36)
	}
	return sumOf(append(append(b, '/'), r.etag...))
}

// check holds a row against its checksum.
func (r *row) check() error {
	if len(r.etag) != tagBytes || r.sum != r.checksum() {
		return damaged("the row of %q is not as it was written", r.key)
	}
	return nil
}

// follows holds a row against the key before it.
func (r *row) follows(key string) error {
	if err := r.check(); err != nil {
		return err
	}
	if r.prev != keySum(key) {
		return damaged("rows are missing between %q and %q", key, r.key)
	}
	return nil
}

// damaged is the error of what is not as it was written.
func damaged(format string, args ...any) error {
	return fmt.Errorf("sqlite store: %w: %s", bucket.ErrDamaged, fmt.Sprintf(format, args...))
}
