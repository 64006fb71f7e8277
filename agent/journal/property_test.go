package journal_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/loongclaw/loongclaw/agent/journal"
)

// Any interleaving of up to three writers, with lost answers, failures, puts
// that arrive late, crashes, reloads and snapshots that come and go.
func TestNothingAcknowledgedIsLostAndNothingIsDoubled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rapid.Check(bubbled{t}, func(rt *rapid.T) {
			w := &world{t: rt, store: newMemory(), acked: map[string][]string{}}
			w.boot()
			w.boot()
			steps := rapid.IntRange(10, 80).Draw(rt, "steps")
			for i := range steps {
				w.step(i)
				synctest.Wait()
			}
			w.end()
		})
	})
}

// bubbled is a test without its deadline, which is not of the bubble's time.
type bubbled struct{ *testing.T }

func (bubbled) Deadline() (time.Time, bool) { return time.Time{}, false }

func (w *world) step(i int) {
	word := fmt.Sprintf("w%d", i)
	p := rapid.SampledFrom(w.procs).Draw(w.t, "process")
	patience := rapid.SampledFrom([]time.Duration{time.Second, time.Hour}).Draw(w.t, "patience")
	what := rapid.SampledFrom([]string{
		"append", "append", "transact", "transact", "again", "refresh",
		"request", "request", "request", "request", "request", "request", "request", "late", "late",
		"time", "time", "long", "crash", "many", "snapshot", "snapshot", "lose snapshots",
	}).Draw(w.t, "step")
	switch what {
	case "append", "transact":
		w.send(p, word, what == "transact", patience)
	case "again":
		w.mu.Lock()
		failed := w.failed
		w.failed = nil
		w.mu.Unlock()
		for _, f := range failed {
			w.send(p, f, true, patience)
		}
	case "refresh":
		go func() { _ = p.log.Refresh(context.Background()) }()
	case "request":
		if rs := w.pending(); len(rs) > 0 {
			fate := rapid.SampledFrom([]string{fateOK, fateOK, fateOK, fateLost, fateFail, fateLate}).Draw(w.t, "fate")
			w.settle(rapid.SampledFrom(rs).Draw(w.t, "request"), fate)
		}
	case "late":
		w.arrive(rapid.IntRange(0, 3).Draw(w.t, "which"))
	case "time":
		time.Sleep(500 * time.Millisecond)
	case "long":
		time.Sleep(12 * time.Second)
	case "crash":
		w.crash(p)
		w.boot()
		if len(w.procs) < 3 && rapid.Bool().Draw(w.t, "one more") {
			w.boot()
		}
	case "many":
		w.many(word)
	case "snapshot":
		w.snapshot(p)
	case "lose snapshots":
		w.loseSnapshots()
	}
}

// arrive lets a put arrive that its sender has given up.
func (w *world) arrive(i int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if i < len(w.late) {
		w.late[i].do()
		w.late = slices.Delete(w.late, i, i+1)
	}
}

// many writes enough objects for a snapshot, by a process of its own.
func (w *world) many(word string) {
	w.boot()
	p := w.procs[len(w.procs)-1]
	p.gate.open = true
	for i := range 70 {
		w.send(p, fmt.Sprintf("%s.%d", word, i), false, time.Hour)
	}
	w.crash(p)
}

func (w *world) snapshot(p *process) {
	p.gate.mu.Lock()
	open := p.gate.open
	p.gate.open = true
	p.gate.mu.Unlock()
	s, err := p.log.Pack(context.Background())
	if err == nil && s != nil {
		err = s.Store(context.Background())
	}
	if err != nil {
		w.t.Fatalf("snapshot: %v", err)
	}
	p.gate.mu.Lock()
	p.gate.open = open
	p.gate.mu.Unlock()
}

func (w *world) loseSnapshots() {
	w.store.mu.Lock()
	defer w.store.mu.Unlock()
	for k := range w.store.objects {
		if strings.Contains(k, "/snap/") {
			delete(w.store.objects, k)
		}
	}
}

// end lets everything come to rest and compares it with the model.
func (w *world) end() {
	live := slices.Clone(w.procs)
	for _, p := range live {
		p.gate.mu.Lock()
		p.gate.open = true
		p.gate.mu.Unlock()
	}
	for _, r := range w.pending() {
		w.settle(r, fateOK)
	}
	time.Sleep(2 * time.Minute)
	synctest.Wait()
	for len(w.late) > 0 {
		w.arrive(0)
	}
	for _, p := range live {
		if err := p.log.Refresh(context.Background()); err != nil {
			w.t.Fatalf("refresh: %v", err)
		}
	}
	if _, err := journal.Verify(context.Background(), w.store, prefix); err != nil {
		w.t.Fatalf("the chain is broken: %v", err)
	}
	w.boot()
	with := w.procs[len(w.procs)-1]
	w.loseSnapshots()
	w.boot()
	without := w.procs[len(w.procs)-1]
	got := without.state.all()
	if diff := cmp.Diff(got, with.state.all()); diff != "" || with.log.Tail() != without.log.Tail() {
		w.t.Fatalf("a snapshot says something else (-without +with):\n%s", diff)
	}
	for i, p := range live {
		if diff := cmp.Diff(got, p.state.all()); diff != "" || p.log.Tail() != without.log.Tail() {
			w.t.Fatalf("process %d sees something else (-store +process):\n%s", i, diff)
		}
	}
	w.compare(got)
}

func (w *world) compare(got []string) {
	at := map[string]int{}
	for i, line := range got {
		_, word, _ := strings.Cut(line[strings.Index(line, " ")+1:], " ")
		word = strings.Trim(word, `"`)
		if _, twice := at[word]; twice {
			w.t.Fatalf("%s is there twice", word)
		}
		at[word] = i
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for word, before := range w.acked {
		i, ok := at[word]
		if !ok {
			w.t.Fatalf("%s was acknowledged and is lost", word)
		}
		for _, b := range before {
			if at[b] > i {
				w.t.Fatalf("%s was acknowledged before %s was sent, and comes after it", b, word)
			}
		}
	}
}
