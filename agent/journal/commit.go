package journal

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/agent/guard"
)

// commitTimeout bounds the writing of one batch with all its tries. It does not
// end with a caller: an outcome that nobody waited for would have to be looked
// up by the next writer. requestTimeout bounds one request, so that a put that
// hangs leaves time to look what became of it.
const (
	commitTimeout  = 30 * time.Second
	requestTimeout = 10 * time.Second
)

// How often and at what distance a put is tried.
const (
	tries      = 3
	retryPause = 200 * time.Millisecond
)

// commit writes one batch and tells its callers.
func (l *Log) commit(ctx context.Context, batch []*pending) {
	ctx, cancel := context.WithTimeout(ctx, commitTimeout)
	defer cancel()
	// A decision that panics must not end the process, nor keep those waiting whose
	// appends come after it.
	err := guard.Run(func() error { return l.try(ctx, batch) })
	if guard.Find(err) != nil {
		l.unsure = true // it may have panicked behind the put
	}
	for _, p := range batch {
		p.done <- err
	}
}

// try writes a batch, again after each other writer that was first.
func (l *Log) try(ctx context.Context, batch []*pending) error {
	for {
		if l.broken != nil {
			return l.broken
		}
		if err := ctx.Err(); err != nil {
			return bucket.Unavailable(fmt.Errorf("other writers were first for %s: %w", commitTimeout, err))
		}
		if l.unsure || batch[0].refresh {
			if err := l.catchUp(ctx); err != nil || batch[0].refresh {
				return err
			}
		}
		records, err := gather(batch)
		if err != nil || len(records) == 0 {
			return err
		}
		if err := l.Writable(); err != nil {
			return err
		}
		stored, err := l.put(ctx, records)
		if err != nil || stored {
			return err
		}
	}
}

// gather makes the records of a batch, without those whose callers have left.
func gather(batch []*pending) ([]Record, error) {
	var records []Record
	for _, p := range batch {
		r, err := p.records()
		if errors.Is(err, errGone) {
			continue
		}
		if err != nil {
			return nil, err // only a transaction's build fails, and it is alone
		}
		records = append(records, r...)
	}
	return records, nil
}

// put creates the next object. It is not stored without an error when another
// writer's object stands there; that one has been taken in then.
func (l *Log) put(ctx context.Context, records []Record) (stored bool, err error) {
	id := rand.Text()
	var beside Tail
	if l.beside != nil {
		beside = l.beside()
	}
	body, err := encode(l.next, l.prev, id, l.now(), beside, records)
	if err != nil {
		return false, err
	}
	there, err := l.create(ctx, body)
	if err != nil {
		l.unsure = true // it may still arrive
		return false, err
	}
	o, err := l.check(there)
	if err != nil {
		return false, err
	}
	mine := o.header.Writer == id
	return mine, l.take(o)
}

// create puts an object at the next number and gives what stands there then:
// this object or another writer's. A put whose answer was lost must not look
// like a rival, so after any error the object is read, and where there is none
// the put is tried again. All tries carry the same bytes, so it does not matter
// which of them arrives, nor when. An object that is not durable could be read all
// the same: it is put again, until the store says that it is there for good.
func (l *Log) create(ctx context.Context, body []byte) ([]byte, error) {
	k := l.key(l.next)
	var cause error
	for try := range tries {
		if try > 0 {
			if err := pause(ctx, time.Duration(try)*retryPause); err != nil {
				break
			}
		}
		err := l.createOnce(ctx, k, body)
		if err == nil {
			l.doubt = false
			return body, nil
		}
		cause = errors.Join(cause, err)
		switch {
		case errors.Is(err, bucket.ErrNotDurable):
			l.doubt = true
		case errors.Is(err, bucket.ErrExists):
			l.doubt = false
		}
		if l.doubt {
			continue // to read it would prove nothing
		}
		there, err := l.get(ctx, k)
		switch {
		case err == nil:
			return there, nil
		case errors.Is(err, bucket.ErrTooLarge):
			l.broken = unread(k, err)
			return nil, l.broken
		case !errors.Is(err, bucket.ErrNotFound):
			cause = errors.Join(cause, err)
		}
	}
	return nil, bucket.Unavailable(cause)
}

// settle sees to it that an object that was read is durable.
func (l *Log) settle(ctx context.Context, k string, body []byte) error {
	if !l.doubt {
		return nil
	}
	if err := l.createOnce(ctx, k, body); err != nil && !errors.Is(err, bucket.ErrExists) {
		return bucket.Unavailable(err)
	}
	return nil
}

func (l *Log) createOnce(ctx context.Context, k string, body []byte) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	_, err := l.bucket.Create(ctx, k, body)
	return err
}

func (l *Log) get(ctx context.Context, k string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	o, err := l.bucket.Get(ctx, k)
	return o.Body, err
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// catchUp takes in what others have written.
func (l *Log) catchUp(ctx context.Context) error {
	for {
		body, err := l.get(ctx, l.key(l.next))
		if errors.Is(err, bucket.ErrNotFound) {
			l.unsure, l.doubt = false, false
			return nil
		}
		if err == nil {
			err = l.settle(ctx, l.key(l.next), body)
		}
		if err != nil {
			return unread(l.key(l.next), err)
		}
		o, err := l.check(body)
		if err != nil {
			return err
		}
		if err := l.take(o); err != nil {
			return err
		}
	}
}

// check reads what stands at the next number.
func (l *Log) check(body []byte) (object, error) {
	o, err := l.examine(body)
	if err != nil {
		l.broken = err
	}
	return o, err
}

// forLater makes the journal read-only from an object on.
func (l *Log) forLater(number uint64) {
	l.tmu.Lock()
	defer l.tmu.Unlock()
	if l.newer == nil {
		l.newer = newer(l.key(number))
	}
}

// take applies an object that follows.
func (l *Log) take(o object) error {
	seq := l.seq
	for i, r := range o.records {
		seq++
		if r.Newer() {
			l.forLater(o.header.Number)
		}
		e := o.entry(r, seq)
		e.More = i < len(o.records)-1
		if err := l.state.Apply(e); err != nil {
			l.broken = damage(l.key(o.header.Number), fmt.Sprintf("its record %s cannot be applied: %v", r.Type, err))
			return l.broken
		}
	}
	if err := l.advance(o); err != nil {
		l.broken = err
		return err
	}
	l.tmu.Lock()
	l.tail = l.last()
	l.tmu.Unlock()
	return nil
}
