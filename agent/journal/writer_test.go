package journal_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/agent/journal"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// hanging is a store of which some requests are carried out and never answered.
type hanging struct {
	*memory
	creates, gets int // how many hang
}

func (h *hanging) Create(ctx context.Context, key string, body []byte) (string, error) {
	tag, err := h.memory.Create(ctx, key, body)
	if h.creates > 0 {
		h.creates--
		<-ctx.Done()
		return "", ctx.Err()
	}
	return tag, err
}

func (h *hanging) Get(ctx context.Context, key string) (bucket.Object, error) {
	if h.gets > 0 {
		h.gets--
		<-ctx.Done()
		return bucket.Object{}, ctx.Err()
	}
	return h.memory.Get(ctx, key)
}

func TestAPutThatHangsIsLookedUpAndAcknowledged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &hanging{memory: newMemory()}
		l, w := open(t, b)
		b.creates = 1
		if err := l.Append(t.Context(), word("x")); err != nil || len(w.all()) != 1 {
			t.Errorf("Append = %v, %d records, want it found in the store", err, len(w.all()))
		}
	})
}

func TestAStoreThatHangsStopsNobodyForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &hanging{memory: newMemory()}
		l, _ := open(t, b)
		b.creates, b.gets = 99, 99
		began := time.Now()
		errs := make(chan error, 2)
		go func() { errs <- l.Append(context.Background(), word("x")) }()
		go func() { errs <- l.Refresh(context.Background()) }()
		for range 2 {
			if err := <-errs; fault.CodeOf(err) != fault.CodeStoreFailed {
				t.Errorf("error = %v, want store_unavailable", err)
			}
		}
		if took := time.Since(began); took > time.Minute {
			t.Errorf("it took %v", took)
		}
		// The store is back: what was stored without an answer is there once.
		b.creates, b.gets = 0, 0
		if err := l.Append(t.Context(), word("y")); err != nil {
			t.Fatal(err)
		}
		_, w := open(t, b.memory)
		if diff := cmp.Diff([]string{`"x"`, `"y"`}, w.all()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func TestNothingIsBuiltForACallerThatHasLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &hanging{memory: newMemory()}
		l, _ := open(t, b)
		b.creates, b.gets = 1, 1
		go func() { _ = l.Append(context.Background(), word("slow")) }()
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		built := 0
		left := make(chan error)
		go func() {
			left <- l.Transact(ctx, func() ([]journal.Record, error) { built++; return []journal.Record{word("late")}, nil })
		}()
		synctest.Wait()
		cancel()
		if err := <-left; !errors.Is(err, context.Canceled) {
			t.Errorf("error = %v, want that of the context", err)
		}
		if err := l.Append(t.Context(), word("after")); err != nil {
			t.Fatal(err)
		}
		_, w := open(t, b.memory)
		if diff := cmp.Diff([]string{`"slow"`, `"after"`}, w.all()); diff != "" || built != 0 {
			t.Errorf("built %d times (-want +got):\n%s", built, diff)
		}
	})
}

func TestARecordThatCannotBeWrittenFailsAlone(t *testing.T) {
	b := newMemory()
	l, _ := open(t, b)
	for _, r := range []journal.Record{{Type: "", Body: []byte("1")}, {Type: "x", Body: []byte("{")}} {
		if err := l.Append(t.Context(), r); err == nil {
			t.Errorf("%+v was written", r)
		}
		if err := l.Transact(t.Context(), func() ([]journal.Record, error) { return []journal.Record{r}, nil }); err == nil {
			t.Errorf("%+v was written", r)
		}
	}
	if err := l.Append(t.Context(), word("fine")); err != nil {
		t.Error(err)
	}
}

// picky is a state that does not take a record.
type picky struct{ history }

func (p *picky) Apply(e journal.Entry) error {
	if string(e.Body) == `"bad"` {
		return errors.New("not understood")
	}
	return p.history.Apply(e)
}

func TestWhatCannotBeAppliedIsNotAcknowledgedAndStopsTheJournal(t *testing.T) {
	b := newMemory()
	l, err := journal.Open(t.Context(), b, prefix, &picky{}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{"bad", "good"} {
		if err := l.Append(t.Context(), word(s)); fault.CodeOf(err) != fault.CodeDamaged || !strings.Contains(err.Error(), prefix+"000000000001") {
			t.Errorf("%s: %v, want damage that names the object", s, err)
		}
	}
	if n := len(b.objects); n != 1 {
		t.Errorf("%d objects, want nothing written after the one that cannot be applied", n)
	}
}

// behind is a store whose listing lacks what was written while it was made, and
// whose answers come in another order.
type behind struct {
	*memory
	lacks string
	late  string
}

func (s behind) List(ctx context.Context, prefix, after string, limit int) ([]bucket.Entry, bool, error) {
	page, more, err := s.memory.List(ctx, prefix, after, limit)
	return slices.DeleteFunc(page, func(e bucket.Entry) bool { return e.Key == s.lacks }), more, err
}

func (s behind) Get(ctx context.Context, key string) (bucket.Object, error) {
	if key == s.late {
		time.Sleep(50 * time.Millisecond)
	}
	return s.memory.Get(ctx, key)
}

func TestAListingThatLacksAnObjectIsNoDamage(t *testing.T) {
	b := newMemory()
	l, h := written(t, b, 9)
	got := &history{}
	again, err := journal.Open(t.Context(), behind{memory: b, lacks: prefix + "000000000005"}, prefix, got, time.Now)
	if err != nil || again.Tail() != l.Tail() {
		t.Fatalf("Open = %v", err)
	}
	if diff := cmp.Diff(h.all(), got.all()); diff != "" {
		t.Error(diff)
	}
}

func TestTheFirstBadObjectIsNamedWhateverIsReadFirst(t *testing.T) {
	b := newMemory()
	written(t, b, 9)
	for _, n := range []int{3, 7} {
		b.objects[fmt.Sprintf("%s%012d", prefix, n)] = []byte("x")
	}
	_, err := journal.Verify(t.Context(), behind{memory: b, late: prefix + "000000000003"}, prefix)
	if err == nil || !strings.Contains(err.Error(), prefix+"000000000003") {
		t.Errorf("error = %v, want object 3 named", err)
	}
}
