package journal

import (
	"context"
	"encoding/json"
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
	Hash   Hash // of that object
	Beside Tail // what its writer knew of the journal beside this one
	More   bool // others of the same object follow at once
}

// State is what a journal's records make. Apply is called for each record in
// order, at load and when it has become durable, never by two at once. Of a
// record that is Newer it may only count the number.
type State interface {
	Apply(e Entry) error
}

// Log is one journal, open for reading and appending.
type Log struct {
	bucket bucket.Bucket
	state  State
	now    func() time.Time
	beside func() Tail // nil where no journal is beside this one

	mu      sync.Mutex // guards waiting and writing
	waiting []*pending
	writing bool

	// These belong to whoever is writing.
	chain
	unsure bool  // a put had no answer: look before the next one
	doubt  bool  // what stands at the next number may not be durable: see to that first
	broken error // damage: nothing is written any more

	tmu  sync.Mutex // guards what follows
	tail Tail
	// newer is the error of a record that only later readers know: reading goes
	// on, nothing is written.
	newer error
	// snaps are the numbers of the snapshots that are known here, the oldest
	// first; base is the one that counts.
	snaps   []uint64
	base    uint64
	ignored error
	fresh   *Snapshot // of what Open has read, where that was much
	packing bool      // somebody makes a snapshot or stores one
}

// Tail names an object of a journal, for the most part its last.
type Tail struct {
	Number uint64
	Hash   Hash
	Seq    uint64
}

// Open reads a journal into state and makes it ready for appending. A prefix
// ends in "/log/". The objects that are expected must be in the journal, with
// their hashes: what another journal has anchored shows a tail that was lost or
// made anew.
func Open(ctx context.Context, b bucket.Bucket, prefix string, state State, now func() time.Time, expected ...Tail) (*Log, error) {
	l := &Log{bucket: b, state: state, now: now, chain: begin(prefix)}
	l.expected = expected
	if err := l.load(ctx); err != nil {
		return nil, err
	}
	if err := l.complete(); err != nil {
		return nil, err
	}
	l.expected = nil
	return l, nil
}

// Fresh is a journal of which the caller knows that it has no object: it saves the
// look. Where somebody else has begun it in the meantime, the first write finds that.
func Fresh(b bucket.Bucket, prefix string, state State, now func() time.Time) *Log {
	return &Log{bucket: b, state: state, now: now, chain: begin(prefix)}
}

// Beside has every object that is written from now on name the last object of
// another journal. It is called before the first write.
func (l *Log) Beside(tail func() Tail) { l.beside = tail }

// Expect checks that the journal has an object that somebody saw there: an end that
// was lost shows in no other way.
func (l *Log) Expect(ctx context.Context, t Tail) error {
	if t.Number > l.Tail().Number {
		if err := l.Refresh(ctx); err != nil {
			return err
		}
	}
	switch have := l.Tail(); {
	case t.Number > have.Number:
		return damage(l.key(have.Number+1), fmt.Sprintf("it is missing: there was an object %d, and the journal ends before it", t.Number))
	case t.Number == have.Number && t.Hash == have.Hash, t.Number == 0:
		return nil
	}
	body, err := l.get(ctx, l.key(t.Number))
	if err != nil {
		return unread(l.key(t.Number), err)
	}
	if hashOf(body) != t.Hash {
		return damage(l.key(t.Number), "it is not the object that was there before")
	}
	return nil
}

// Tail names the last object known here.
func (l *Log) Tail() Tail {
	l.tmu.Lock()
	defer l.tmu.Unlock()
	return l.tail
}

// Writable returns nil, or the error that every append would get: the journal
// holds a record that only later readers know.
func (l *Log) Writable() error {
	l.tmu.Lock()
	defer l.tmu.Unlock()
	return l.newer
}

// pending is an append that waits for its batch.
type pending struct {
	build   func() ([]Record, error)
	size    int  // bytes of what build makes; of a plain append
	alone   bool // build must see what was appended before it
	refresh bool // nothing to write: take in what others wrote
	done    chan error

	mu   sync.Mutex
	gone bool // the caller has left: build, which uses what is the caller's, must not run any more
}

// errGone ends an append whose caller has left before it was written.
var errGone = errors.New("journal: the caller has left")

func (p *pending) records() ([]Record, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.gone {
		return nil, errGone
	}
	return p.build()
}

func (p *pending) leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.gone = true
}

// What shares an object: at most maxBatch appends, and no more than maxBatchBytes
// of records unless a single append has more.
const (
	maxBatch      = 256
	maxBatchBytes = 4 << 20
)

// Append writes records that do not depend on the state, and returns when they
// are durable and applied. Those of several callers may share an object.
func (l *Log) Append(ctx context.Context, records ...Record) error {
	for _, r := range records {
		// Not later: the fault of one must not fail those that share its object.
		if r.Type == "" || (r.Body != nil && !json.Valid(r.Body)) {
			return fmt.Errorf("journal: a record of type %q cannot be written: it needs a type and a body that is JSON", r.Type)
		}
	}
	size, err := Size(records...)
	if err == nil {
		err = fits(size)
	}
	if err != nil {
		return err
	}
	return l.enqueue(ctx, &pending{build: func() ([]Record, error) { return records, nil }, size: size})
}

// Transact writes the records that build makes from the current state. build
// runs while nothing else is applied, and again when another writer was first;
// it does not run after Transact has returned. No records and no error writes
// nothing.
func (l *Log) Transact(ctx context.Context, build func() ([]Record, error)) error {
	return l.enqueue(ctx, &pending{build: build, alone: true})
}

// Refresh takes in what other writers have written.
func (l *Log) Refresh(ctx context.Context) error {
	return l.enqueue(ctx, &pending{refresh: true, alone: true})
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
	}
	p.leave()
	select {
	case err := <-p.done: // it was settled in this moment
		return err
	default:
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

// cut takes the next batch: one transaction, or the plain appends before the next
// transaction, as many as share an object.
func (l *Log) cut() []*pending {
	n, size := 0, 0
	for n < len(l.waiting) && n < maxBatch && !(l.waiting[n].alone && n > 0) {
		if size += l.waiting[n].size; size > maxBatchBytes && n > 0 {
			break
		}
		n++
		if l.waiting[n-1].alone {
			break
		}
	}
	batch := l.waiting[:n:n]
	l.waiting = l.waiting[n:]
	return batch
}
