package journal

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

// Entry is a record in its place.
type Entry struct {
	Record
	Seq    uint64 // 1, 2, … over the whole journal
	Object uint64 // the object that holds it
	At     chat.Time
}

// State is what a journal's records make. Apply is called for each record in
// order, at load and when it has become durable, never by two at once.
type State interface {
	Apply(e Entry) error
}

// Log is one journal, open for reading and appending.
type Log struct {
	bucket bucket.Bucket
	prefix string
	state  State
	now    func() time.Time

	mu      sync.Mutex // guards waiting and writing
	waiting []*pending
	writing bool

	// These belong to whoever is writing.
	next   uint64 // number of the next object
	prev   Hash
	seq    uint64
	unsure bool  // a put had no answer: look before the next one
	broken error // damage: nothing is written any more

	tail Tail
	tmu  sync.Mutex
}

// Tail names the last object of a journal.
type Tail struct {
	Number uint64
	Hash   Hash
	Seq    uint64
}

// pending is an append that waits for its batch.
type pending struct {
	build func() ([]Record, error)
	alone bool // build must see what was appended before it
	done  chan error
}

// putTimeout bounds one put. It does not end with the caller: an outcome that
// nobody waited for would have to be looked up by the next writer.
const putTimeout = 30 * time.Second

// maxBatch bounds the records that share an object.
const maxBatch = 256

// Open reads a journal into state and makes it ready for appending. A prefix
// ends in "/".
func Open(ctx context.Context, b bucket.Bucket, prefix string, state State, now func() time.Time) (*Log, error) {
	l := &Log{bucket: b, prefix: prefix, state: state, now: now, next: 1, prev: start(prefix)}
	objects, err := readAll(ctx, b, prefix)
	if err != nil {
		return nil, err
	}
	for _, o := range objects {
		if err := l.take(o); err != nil {
			return nil, err
		}
	}
	return l, nil
}

// Tail names the last object known here.
func (l *Log) Tail() Tail {
	l.tmu.Lock()
	defer l.tmu.Unlock()
	return l.tail
}

// Append writes records that do not depend on the state, and returns when they
// are durable and applied. Those of several callers may share an object.
func (l *Log) Append(ctx context.Context, records ...Record) error {
	return l.enqueue(ctx, &pending{build: func() ([]Record, error) { return records, nil }})
}

// Transact writes the records that build makes from the current state. build
// runs while nothing else is applied, and again when another writer was first.
// No records and no error writes nothing.
func (l *Log) Transact(ctx context.Context, build func() ([]Record, error)) error {
	return l.enqueue(ctx, &pending{build: build, alone: true})
}

func (l *Log) enqueue(ctx context.Context, p *pending) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	p.done = make(chan error, 1)
	l.mu.Lock()
	l.waiting = append(l.waiting, p)
	lead := !l.writing
	l.writing = true
	l.mu.Unlock()
	if lead {
		// Whoever finds nobody writing writes for all, in a goroutine of its own,
		// since it must not end with its caller.
		go l.write(context.WithoutCancel(ctx))
	}
	select {
	case err := <-p.done:
		return err
	case <-ctx.Done():
		return ctx.Err() // it may still be written; the caller must not acknowledge
	}
}

// write writes batches until nobody waits.
func (l *Log) write(ctx context.Context) {
	for {
		l.mu.Lock()
		batch := l.cut()
		if len(batch) == 0 {
			l.writing = false
			l.mu.Unlock()
			return
		}
		l.mu.Unlock()
		l.commit(ctx, batch)
	}
}

// cut takes the next batch: one transaction, or all plain appends before the
// next transaction.
func (l *Log) cut() []*pending {
	n := 0
	for n < len(l.waiting) && n < maxBatch && !(l.waiting[n].alone && n > 0) {
		n++
		if l.waiting[n-1].alone {
			break
		}
	}
	batch := l.waiting[:n:n]
	l.waiting = l.waiting[n:]
	return batch
}

// commit writes one batch and tells its callers.
func (l *Log) commit(ctx context.Context, batch []*pending) {
	ctx, cancel := context.WithTimeout(ctx, putTimeout)
	defer cancel()
	err := l.try(ctx, batch)
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
		if l.unsure {
			if err := l.catchUp(ctx); err != nil {
				return err
			}
		}
		var records []Record
		for _, p := range batch {
			r, err := p.build()
			if err != nil {
				return err // only a transaction's build fails, and it is alone
			}
			records = append(records, r...)
		}
		if len(records) == 0 {
			return nil
		}
		stored, err := l.put(ctx, records)
		if err != nil || stored {
			return err
		}
	}
}

// put creates the next object. It is not stored without an error when another
// writer's object stands there; that one has been taken in then.
func (l *Log) put(ctx context.Context, records []Record) (stored bool, err error) {
	id := rand.Text()
	body, err := encode(l.next, l.prev, id, l.now(), records)
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
// the put is tried again.
func (l *Log) create(ctx context.Context, body []byte) ([]byte, error) {
	k := key(l.prefix, l.next)
	var cause error
	for try := range tries {
		if try > 0 {
			if err := pause(ctx, time.Duration(try)*retryPause); err != nil {
				break
			}
		}
		_, err := l.bucket.Create(ctx, k, body)
		if err == nil {
			return body, nil
		}
		cause = errors.Join(cause, err)
		read, err := l.bucket.Get(ctx, k)
		if err == nil {
			return read.Body, nil
		}
		if !errors.Is(err, bucket.ErrNotFound) {
			cause = errors.Join(cause, err)
		}
	}
	return nil, unavailable(cause)
}

// How often and at what distance a put is tried.
const (
	tries      = 3
	retryPause = 200 * time.Millisecond
)

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
		read, err := l.bucket.Get(ctx, key(l.prefix, l.next))
		if errors.Is(err, bucket.ErrNotFound) {
			l.unsure = false
			return nil
		}
		if err != nil {
			return unavailable(err)
		}
		o, err := l.check(read.Body)
		if err != nil {
			return err
		}
		if err := l.take(o); err != nil {
			return err
		}
	}
}

// Refresh takes in what other agents have appended.
func (l *Log) Refresh(ctx context.Context) error {
	return l.Transact(ctx, func() ([]Record, error) { return nil, l.catchUp(context.WithoutCancel(ctx)) })
}

func (l *Log) check(body []byte) (object, error) {
	o, err := decode(body)
	if err == nil {
		err = o.follows(l.next, l.prev)
	}
	if err != nil {
		l.broken = damage(key(l.prefix, l.next), err.Error())
		return o, l.broken
	}
	return o, nil
}

// take applies an object that follows.
func (l *Log) take(o object) error {
	for _, r := range o.records {
		l.seq++
		if err := l.state.Apply(Entry{Record: r, Seq: l.seq, Object: o.header.Number, At: o.header.At}); err != nil {
			l.broken = damage(key(l.prefix, o.header.Number), fmt.Sprintf("its record %s cannot be applied: %v", r.Type, err))
			return l.broken
		}
	}
	l.next, l.prev = o.header.Number+1, o.hash
	l.tmu.Lock()
	l.tail = Tail{o.header.Number, o.hash, l.seq}
	l.tmu.Unlock()
	return nil
}
