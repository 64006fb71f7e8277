package journal_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/agent/journal"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

func sized(n int) journal.Record {
	return journal.Record{Type: "x", Body: []byte(`"` + strings.Repeat("x", n-2) + `"`)}
}

// TestWhatNoStoreGivesBackIsNotWritten: neither an append nor a transaction may make
// an object that is too large, and the next one finds the journal as it was.
func TestWhatNoStoreGivesBackIsNotWritten(t *testing.T) {
	m := newMemory()
	l, err := journal.Open(t.Context(), m, "u/a/log/", &history{}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	overhead, err := journal.Size(sized(2))
	if err != nil {
		t.Fatal(err)
	}
	most := journal.MaxRecords - overhead + 2
	for what, write := range map[string]func(r journal.Record) error{
		"append": func(r journal.Record) error { return l.Append(t.Context(), r) },
		"transact": func(r journal.Record) error {
			return l.Transact(t.Context(), func() ([]journal.Record, error) { return []journal.Record{r}, nil })
		},
	} {
		before := l.Tail()
		err := write(sized(most + 1))
		if !errors.Is(err, bucket.ErrTooLarge) || fault.CodeOf(err) != fault.CodeTooLarge {
			t.Errorf("%s of too much: %v, want too_large", what, err)
		}
		if l.Tail() != before {
			t.Errorf("%s of too much has written object %d", what, l.Tail().Number)
		}
		if err := write(sized(most)); err != nil {
			t.Errorf("%s of as much as fits: %v", what, err)
		}
	}
	for key, body := range m.objects {
		if len(body) > bucket.MaxObject || len(body) < journal.MaxRecords {
			t.Errorf("%s has %d bytes", key, len(body))
		}
	}
	if _, err := journal.Verify(t.Context(), m, "u/a/log/"); err != nil {
		t.Error(err)
	}
}

// TestABatchIsCutByItsBytes: what many append at once may be too much for one object
// though each of them is small.
func TestABatchIsCutByItsBytes(t *testing.T) {
	m := newMemory()
	l, err := journal.Open(t.Context(), m, "u/a/log/", &history{}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 24 {
		all.Go(func() {
			if err := l.Append(t.Context(), sized(1<<20)); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for key, body := range m.objects {
		if len(body) > 5<<20 {
			t.Errorf("%s has %d bytes", key, len(body))
		}
	}
	if tail, err := journal.Verify(t.Context(), m, "u/a/log/"); err != nil || tail.Seq != 24 {
		t.Errorf("%+v, %v, want 24 records", tail, err)
	}
}

// doubtful is a store whose first puts under a key are there and not durable.
type doubtful struct {
	*memory
	key   string
	times int
}

// TestWhatIsNotDurableIsNotBelieved: the object can be read, and is put again until
// the store says that it is there for good; while it does not, nothing is
// acknowledged, also not what a later writer finds there.
func TestWhatIsNotDurableIsNotBelieved(t *testing.T) {
	d := &doubtful{memory: newMemory(), key: "u/a/log/000000000001", times: 2}
	state := &history{}
	l, err := journal.Open(t.Context(), d, "u/a/log/", state, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Append(t.Context(), sized(10)); err != nil {
		t.Errorf("durable at the third try: %v", err)
	}
	d.key, d.times = "u/a/log/000000000002", 6
	if err := l.Append(t.Context(), sized(11)); fault.CodeOf(err) != fault.CodeStoreFailed {
		t.Errorf("not durable in three tries: %v, want store_unavailable", err)
	}
	if n := len(state.all()); n != 1 {
		t.Errorf("%d records applied, want 1", n)
	}
	if err := l.Append(t.Context(), sized(12)); fault.CodeOf(err) != fault.CodeStoreFailed {
		t.Errorf("an append behind what is not durable: %v, want store_unavailable", err)
	}
	d.times = 0
	if err := l.Append(t.Context(), sized(12)); err != nil {
		t.Error(err)
	}
	if n := len(state.all()); n != 3 {
		t.Errorf("%d records applied, want 3: the one that was not acknowledged is there, too", n)
	}
}

func (d *doubtful) Create(ctx context.Context, key string, body []byte) (string, error) {
	tag, err := d.memory.Create(ctx, key, body)
	if key == d.key && d.times > 0 {
		d.times--
		return "", bucket.ErrNotDurable
	}
	return tag, err
}
