package journal_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"
	"sync"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/agent/journal"
)

var errCut = errors.New("connection reset")

// request is a call to the store that waits for its fate.
type request struct {
	key  string
	do   func()      // carries it out
	done chan string // how it ends for the caller
	name string
}

// How a request ends.
const (
	fateOK   = "ok"
	fateLost = "lost" // carried out, the answer does not arrive
	fateFail = "fail" // not carried out
	fateLate = "late" // the answer does not arrive; it is carried out some time later
)

// gate stands between one process and the store: each request waits there until
// the test has drawn what becomes of it.
type gate struct {
	*memory
	w    *world
	name string

	mu   sync.Mutex
	open bool // requests pass
	dead bool // the process has crashed: nothing it does reaches the store
}

func (g *gate) pass(ctx context.Context, key string, do func()) error {
	g.mu.Lock()
	open, dead := g.open, g.dead
	g.mu.Unlock()
	if dead {
		return errCut
	}
	if open {
		do()
		return nil
	}
	r := &request{key, do, make(chan string, 1), g.name}
	g.w.add(r)
	select {
	case fate := <-r.done:
		if fate != fateOK {
			return errCut
		}
		return nil
	case <-ctx.Done():
		return ctx.Err() // the request stays: it may still arrive
	}
}

func (g *gate) Create(ctx context.Context, key string, body []byte) (tag string, err error) {
	body = slices.Clone(body)
	// What the store says is settled when the request arrives there.
	if perr := g.pass(ctx, key, func() { tag, err = g.memory.Create(ctx, key, body) }); perr != nil {
		return "", perr
	}
	return tag, err
}

func (g *gate) Get(ctx context.Context, key string) (o bucket.Object, err error) {
	var got bucket.Object
	var gotErr error
	if perr := g.pass(ctx, key, func() { got, gotErr = g.memory.Get(ctx, key) }); perr != nil {
		return o, perr
	}
	return got, gotErr
}

// process is one writer: a journal open in a process that may crash.
type process struct {
	gate  *gate
	log   *journal.Log
	state *history
}

// history is a state that keeps everything it was given.
type history struct {
	mu  sync.Mutex
	got []string
}

func (h *history) Apply(e journal.Entry) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.got = append(h.got, fmt.Sprintf("%d %d %s", e.Seq, e.Object, e.Body))
	return nil
}

func (h *history) all() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.got)
}

func (h *history) has(word string) bool {
	return slices.ContainsFunc(h.all(), func(s string) bool { return strings.HasSuffix(s, ` "`+word+`"`) })
}

// world is the store, the processes and what their clients know.
type world struct {
	t      *rapid.T
	store  *memory
	procs  []*process
	nextID int

	mu      sync.Mutex
	waiting []*request
	late    []*request
	acked   map[string][]string // word → what had been acknowledged when it was sent
	failed  []string            // words of transactions without an acknowledgement: sent again
}

func (w *world) add(r *request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.waiting = append(w.waiting, r)
}

// take gives the requests that wait, in an order that does not depend on the
// goroutines', and keeps them.
func (w *world) pending() []*request {
	w.mu.Lock()
	defer w.mu.Unlock()
	sort.SliceStable(w.waiting, func(i, j int) bool {
		a, b := w.waiting[i], w.waiting[j]
		return a.name+a.key < b.name+b.key
	})
	return slices.Clone(w.waiting)
}

func (w *world) settle(r *request, fate string) {
	w.mu.Lock()
	w.waiting = slices.DeleteFunc(w.waiting, func(x *request) bool { return x == r })
	if fate == fateLate {
		w.late = append(w.late, r)
	}
	w.mu.Unlock()
	if fate == fateOK || fate == fateLost {
		r.do()
	}
	r.done <- fate
}

// boot starts a process, which reads the journal.
func (w *world) boot() {
	w.nextID++
	p := &process{gate: &gate{memory: w.store, w: w, name: fmt.Sprint(w.nextID), open: true}, state: &history{}}
	l, err := journal.Open(context.Background(), p.gate, prefix, p.state, time.Now)
	if err != nil {
		w.t.Fatalf("journal cannot be opened: %v", err)
	}
	if err := l.Ignored(); err != nil {
		w.t.Fatalf("a snapshot was not used: %v", err)
	}
	p.log = l
	p.gate.open = false
	w.procs = append(w.procs, p)
}

func (w *world) crash(p *process) {
	p.gate.mu.Lock()
	p.gate.dead = true
	p.gate.mu.Unlock()
	w.procs = slices.DeleteFunc(w.procs, func(x *process) bool { return x == p })
	for _, r := range w.pending() {
		if r.name == p.gate.name {
			w.settle(r, rapid.SampledFrom([]string{fateFail, fateLate, fateLost}).Draw(w.t, "fate in the crash"))
		}
	}
}

// send lets a client of p send a word; transactions are repeatable.
func (w *world) send(p *process, word string, transact bool, patience time.Duration) {
	w.mu.Lock()
	before := make([]string, 0, len(w.acked))
	for k := range w.acked {
		before = append(before, k)
	}
	w.mu.Unlock()
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		var err error
		if transact {
			err = p.log.Transact(ctx, func() ([]journal.Record, error) {
				if p.state.has(word) {
					return nil, nil
				}
				return []journal.Record{wordOf(word)}, nil
			})
		} else {
			err = p.log.Append(ctx, wordOf(word))
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		switch {
		case err == nil && !transact:
			w.acked[word] = before
		case err == nil && w.acked[word] == nil:
			// A repetition may find what an earlier try has written long ago.
			w.acked[word] = []string{}
		case err != nil && transact:
			w.failed = append(w.failed, word)
		}
	}()
	synctest.Wait()
}

func wordOf(s string) journal.Record {
	return journal.Record{Type: "word", Body: []byte(`"` + s + `"`)}
}
