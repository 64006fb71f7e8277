package sqlite

import (
	"bytes"
	"context"
	"database/sql/driver"
	"encoding/hex"
	"errors"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/loongclaw/loongclaw/agent/bucket"
)

// condition is what must hold for a write.
type condition int

const (
	none condition = iota
	absent
	unchanged
)

// write is a put or a delete that waits for its transaction.
type write struct {
	condition condition
	remove    bool
	key       string
	body, tag []byte
	etag      string // what must be there, for unchanged

	state atomic.Int32
	err   error
	done  chan struct{}
}

// The states of a write: who waits may go until the committer takes it up. From then
// on its outcome is waited for, so that it is known.
const (
	queued int32 = iota
	takenUp
	abandoned
)

// The bounds of a group. One that is large keeps small writes waiting behind it.
const (
	groupWrites = 512
	groupBytes  = 8 << 20
)

var errClosed = errors.New("sqlite store: it is closed")

// submit hands a write to the committer and waits for its outcome.
func (s *Store) submit(ctx context.Context, w *write) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	w.done = make(chan struct{})
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return errClosed
	}
	s.waiting = append(s.waiting, w)
	s.mu.Unlock()
	s.notify()
	select {
	case <-w.done:
	case <-ctx.Done():
		if w.state.CompareAndSwap(queued, abandoned) {
			return ctx.Err()
		}
		<-w.done
	}
	return w.err
}

func (s *Store) notify() {
	select {
	case s.wake <- struct{}{}:
	default: // it knows already
	}
}

// commitAll commits what waits, group by group, until the store is closed.
func (s *Store) commitAll() {
	defer close(s.ended)
	for {
		group, closed := s.next()
		switch {
		case len(group) > 0:
			s.commitGroup(group)
			s.checkpoint()
		case closed:
			return
		default:
			s.rest()
			// The first write after a rest wakes the committer before whoever is about
			// to write beside it has come to it: a message is stored together with its
			// pending marker. To let them run costs nothing when nobody is there, and
			// spares a transaction with its sync when somebody is.
			runtime.Gosched()
		}
	}
}

// next takes up the writes that are to be one transaction.
func (s *Store) next() (group []*write, closed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	size, n := 0, 0
	for _, w := range s.waiting {
		if len(group) == groupWrites || (len(group) > 0 && size+len(w.body) > groupBytes) {
			break
		}
		n++
		if w.state.CompareAndSwap(queued, takenUp) {
			group = append(group, w)
			size += len(w.body)
		}
	}
	clear(s.waiting[:n])
	if s.waiting = s.waiting[n:]; len(s.waiting) == 0 {
		s.waiting = nil
	}
	return group, s.closed
}

// commitGroup makes one transaction of a group and tells its writes. When one of
// them cannot be written each is tried by itself: on a full disk a small write may
// find room where a large one does not, and damage on one page is not that of the
// others.
func (s *Store) commitGroup(group []*write) {
	err := s.transact(group)
	if err != nil && len(group) > 1 && isLocal(err) {
		for _, w := range group {
			if err := s.transact([]*write{w}); err != nil {
				w.err = err
			}
			close(w.done)
		}
		return
	}
	for _, w := range group {
		if err != nil {
			w.err = err
		}
		close(w.done)
	}
}

// transact writes a group in one transaction. Its error is that of all; what did not
// meet its condition has an error of its own.
func (s *Store) transact(group []*write) error {
	// No deadline ends a transaction that has begun: SQLite's own wait for a lock
	// is bounded.
	ctx := context.Background()
	if err := s.there.check(); err != nil {
		return err
	}
	if s.writer == nil {
		w, err := s.openWriter(ctx)
		if err != nil {
			return err
		}
		s.writer = w
	}
	err := s.writer.transact(group, s.now(), s.turn)
	if err != nil {
		// A connection that has failed is not trusted with the next one.
		_ = s.writer.close() // it has failed already
		s.writer = nil
		if err = s.meaning("write", err); errors.Is(err, errFull) {
			s.sinceCheckpoint = checkpointAfter // what the log gives back may be room enough
		}
		return err
	}
	for _, w := range group {
		s.sinceCheckpoint += 2 + len(w.body)/pageSize
		s.deleted = s.deleted || w.remove
	}
	return nil
}

const pageSize = 4096

// writer is the connection that writes.
type writer struct {
	*conn
	begin, commit                 *statement
	find, after, addBody, addRow  *statement
	setBody, setRow, delBody, del *statement
}

func (s *Store) openWriter(ctx context.Context) (_ *writer, err error) {
	c, err := connect(ctx, s.connector)
	if err != nil {
		return nil, s.meaning("open", err)
	}
	if err := errors.Join(checkHeader(ctx, c), useWAL(ctx, c)); err != nil {
		return nil, errors.Join(s.meaning("open", err), c.close())
	}
	w := &writer{conn: c}
	err = c.prepareAll(ctx, []toPrepare{
		{&w.begin, "BEGIN IMMEDIATE"},
		{&w.commit, "COMMIT"},
		{&w.find, selectNext},
		{&w.after, "SELECT " + columns + " FROM objects WHERE key>? ORDER BY key LIMIT 1"},
		{&w.addBody, "INSERT INTO bodies(body) VALUES(?)"},
		{&w.addRow, addRow},
		{&w.setBody, "UPDATE bodies SET body=? WHERE id=?"},
		{&w.setRow, "UPDATE objects SET body=?2, size=?3, etag=?4, modified=?5, prev=?6, sum=?7 WHERE key=?1"},
		{&w.delBody, "DELETE FROM bodies WHERE id=?"},
		{&w.del, "DELETE FROM objects WHERE key=?"},
	})
	if err != nil {
		return nil, errors.Join(s.meaning("open", err), w.close())
	}
	return w, nil
}

func (w *writer) transact(group []*write, now time.Time, turn *turn) error {
	mine := turn.take()
	_, err := w.begin.exec()
	if mine {
		turn.giveBack()
	}
	if err != nil {
		return err
	}
	for _, one := range group {
		one.err = nil
		err := w.apply(one, now)
		if errors.Is(err, bucket.ErrExists) || errors.Is(err, bucket.ErrChanged) {
			one.err, err = err, nil
		}
		if err != nil {
			return err // the connection is closed, which rolls back
		}
	}
	_, err = w.commit.exec()
	return err
}

// apply does one write, when its condition holds.
func (w *writer) apply(one *write, now time.Time) error {
	var before string
	var next row // the object itself, or the one after where it would be
	switch found, err := w.find.first(func(v []driver.Value) error {
		before, _ = v[0].(string)
		return next.scan(v[1:])
	}, one.key); {
	case err != nil:
		return err
	case !found:
		return damaged("the rows from %q on are missing", one.key)
	}
	// What cannot be trusted is not built upon: a row that is hidden by damage would
	// be made a second time, a wrong reference would overwrite another object.
	if err := next.follows(before); err != nil {
		return err
	}
	found := next.key == one.key
	switch {
	case one.condition == absent && found:
		return bucket.ErrExists
	case one.condition == unchanged && (!found || hex.EncodeToString(next.etag) != one.etag):
		return bucket.ErrChanged
	case one.remove && !found:
		return nil
	case one.remove:
		return w.remove(next)
	case found:
		return w.replace(one, next, now.UnixMilli())
	}
	return w.add(one, next, now.UnixMilli())
}

// add puts a row before another one.
func (w *writer) add(one *write, next row, now int64) error {
	r, err := w.addBody.exec(one.body)
	if err != nil {
		return err
	}
	id, err := r.LastInsertId()
	if err != nil {
		return err
	}
	o := row{key: one.key, body: id, size: int64(len(one.body)), etag: one.tag, modified: now, prev: next.prev}
	if _, err := w.addRow.exec(o.values()...); err != nil {
		return err
	}
	next.prev = keySum(one.key)
	return w.set(next)
}

func (w *writer) replace(one *write, o row, now int64) error {
	size := int64(len(one.body))
	if !bytes.Equal(o.etag, one.tag) || o.size != size {
		r, err := w.setBody.exec(one.body, o.body)
		if err != nil {
			return err
		}
		if n, err := r.RowsAffected(); err != nil || n != 1 {
			return errors.Join(err, damaged("%s is listed, and its body is gone", one.key))
		}
	}
	o.size, o.etag, o.modified = size, one.tag, now
	return w.set(o)
}

func (w *writer) remove(o row) error {
	var next row
	switch found, err := w.after.first(next.scan, o.key); {
	case err != nil:
		return err
	case !found:
		return damaged("the rows after %q are missing", o.key)
	}
	if err := next.follows(o.key); err != nil {
		return err
	}
	if _, err := w.delBody.exec(o.body); err != nil {
		return err
	}
	if _, err := w.del.exec(o.key); err != nil {
		return err
	}
	next.prev = o.prev
	return w.set(next)
}

// set writes a row that is there.
func (w *writer) set(o row) error {
	r, err := w.setRow.exec(o.values()...)
	if err != nil {
		return err
	}
	if n, err := r.RowsAffected(); err != nil || n != 1 {
		return errors.Join(err, damaged("the row of %q is gone", o.key))
	}
	return nil
}
