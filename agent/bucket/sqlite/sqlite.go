package sqlite

import (
	"context"
	"crypto/sha256"
	"database/sql/driver"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"
	"time"

	"modernc.org/sqlite"

	"github.com/loongclaw/loongclaw/agent/bucket"
)

// Config says which database to open and how.
type Config struct {
	Path string
	// Existing refuses a path at which there is no database yet: a command that
	// only reads must not leave an empty one behind.
	Existing bool
	// NetworkOf names the network file system that a folder lies on. There SQLite
	// is not used. Nothing is looked for when it is nil.
	NetworkOf func(dir string) (name string, remote bool)
	Now       func() time.Time // time.Now when nil

	vfs string // how files are reached; SQLite's own way, but in tests
}

// Store is a bucket in a database. Several processes may share one, on one
// machine.
type Store struct {
	path      string // absolute, symbolic links resolved
	now       func() time.Time
	connector driver.Connector
	there     identity
	anchor    *conn         // holds the database open, so that no other connection is the last one to close it; makes checkpoints
	reading   chan struct{} // holds one for each read that is under way
	writer    *writer       // used by the committer only
	turn      *turn         // used by the committer only

	mu      sync.Mutex
	readers []*reader // that are open and idle
	waiting []*write
	closed  bool
	wake    chan struct{} // there is something to commit, or nothing will come any more
	ended   chan struct{} // the committer has ended

	// Used by the committer only.
	sinceCheckpoint int  // pages written since the last one
	deleted         bool // something was, and the log may still hold it
}

// readersAtOnce bounds the connections that read. Each has a page cache of its own.
const readersAtOnce = 4

// once holds what is set for the whole process.
var once sync.Once

// Open opens a database and makes it where there is none.
func Open(ctx context.Context, c Config) (*Store, error) {
	once.Do(func() {
		// As durable as fsync, without the write of the file's times.
		_, _ = sqlite.Fdatasync(true) //nolint:errcheck // where there is none fsync is used
	})
	path, err := prepare(c)
	if err != nil {
		return nil, err
	}
	connector, err := sqlite.NewConnector(dsn(path, c.vfs))
	if err != nil {
		return nil, fmt.Errorf("sqlite store: %w", err)
	}
	s := &Store{
		path: path, now: c.Now, connector: connector, reading: make(chan struct{}, readersAtOnce),
		wake: make(chan struct{}, 1), ended: make(chan struct{}),
	}
	if s.now == nil {
		s.now = time.Now
	}
	if err := s.begin(ctx); err != nil {
		return nil, err
	}
	go s.commitAll()
	return s, nil
}

// begin settles the database and opens what stays open.
func (s *Store) begin(ctx context.Context) error {
	c, err := connect(ctx, s.connector)
	if err != nil {
		return s.meaning("open", err)
	}
	if err = settle(ctx, c, s.now()); err == nil {
		s.there, err = filesOf(s.path)
	}
	if err == nil {
		s.turn, err = openTurn(s.path)
	}
	if err != nil {
		return errors.Join(s.meaning("open", err), c.close())
	}
	s.anchor = c
	return nil
}

// Close commits what waits and lets go of the database.
func (s *Store) Close() error {
	s.mu.Lock()
	again := s.closed
	s.closed = true
	s.mu.Unlock()
	if again {
		return nil
	}
	s.notify()
	<-s.ended
	var errs []error
	for range readersAtOnce {
		s.reading <- struct{}{} // the last reads end; later ones are told that it is closed
	}
	for _, r := range s.readers {
		errs = append(errs, r.close())
	}
	for range readersAtOnce {
		<-s.reading
	}
	if s.writer != nil {
		errs = append(errs, s.writer.close())
	}
	return errors.Join(append(errs, s.anchor.close(), s.turn.close())...)
}

// Get reads an object and holds it against its checksum.
func (s *Store) Get(ctx context.Context, key string) (bucket.Object, error) {
	if err := bucket.CheckKey(key); err != nil {
		return bucket.Object{}, err
	}
	var o bucket.Object
	err := s.read(ctx, func(r *reader) (err error) {
		o, err = r.object(key)
		return err
	})
	return o, err
}

// Create writes an object where none is.
func (s *Store) Create(ctx context.Context, key string, body []byte) (string, error) {
	return s.put(ctx, &write{condition: absent, key: key, body: body})
}

// Put writes an object, whatever was there.
func (s *Store) Put(ctx context.Context, key string, body []byte) (string, error) {
	return s.put(ctx, &write{condition: none, key: key, body: body})
}

// Replace writes an object whose ETag is still etag.
func (s *Store) Replace(ctx context.Context, key string, body []byte, etag string) (string, error) {
	return s.put(ctx, &write{condition: unchanged, key: key, body: body, etag: etag})
}

// Delete removes an object.
func (s *Store) Delete(ctx context.Context, key string) error {
	if err := bucket.CheckKey(key); err != nil {
		return err
	}
	return s.submit(ctx, &write{condition: none, key: key, remove: true})
}

func (s *Store) put(ctx context.Context, w *write) (string, error) {
	if err := errors.Join(bucket.CheckKey(w.key), bucket.CheckSize(w.body)); err != nil {
		return "", err
	}
	if w.body == nil {
		w.body = []byte{} // nil would be no value
	}
	w.tag = tagOf(w.body)
	if err := s.submit(ctx, w); err != nil {
		return "", err
	}
	return hex.EncodeToString(w.tag), nil
}

// List gives a page of entries.
func (s *Store) List(ctx context.Context, prefix, after string, limit int) ([]bucket.Entry, bool, error) {
	if limit <= 0 || limit > page {
		limit = page
	}
	var entries []bucket.Entry
	err := s.read(ctx, func(r *reader) (err error) {
		entries, err = r.page(prefix, after, limit+1)
		return err
	})
	if err != nil {
		return nil, false, err
	}
	if len(entries) > limit {
		return entries[:limit], true, nil
	}
	return entries, false, nil
}

// tagBytes is how much of a hash an ETag is.
const tagBytes = 16

// tagOf is the ETag of an object, and its checksum.
func tagOf(body []byte) []byte {
	h := sha256.Sum256(body)
	return h[:tagBytes]
}

var _ bucket.Bucket = (*Store)(nil)
