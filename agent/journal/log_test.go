package journal_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/agent/bucket/disk"
	"github.com/loongclaw/loongclaw/agent/journal"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// words is a state that keeps the bodies it was given.
type words struct {
	mu  sync.Mutex
	got []string
}

func (w *words) Apply(e journal.Entry) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.got = append(w.got, string(e.Body))
	return nil
}

func (w *words) all() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string(nil), w.got...)
}

func word(s string) journal.Record {
	b, _ := json.Marshal(s)
	return journal.Record{Type: "word", Body: b}
}

const prefix = "u/a/log/"

func open(t *testing.T, b bucket.Bucket) (*journal.Log, *words) {
	t.Helper()
	w := &words{}
	l, err := journal.Open(t.Context(), b, prefix, w, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return l, w
}

func store(t *testing.T) (*disk.Disk, string) {
	t.Helper()
	dir := t.TempDir()
	d, err := disk.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d, filepath.Join(dir, "objects", prefix)
}

func TestReadsBackInOrder(t *testing.T) {
	b, _ := store(t)
	l, w := open(t, b)
	for i := range 20 {
		if err := l.Append(t.Context(), word(fmt.Sprint(i)), word("<&>")); err != nil {
			t.Fatal(err)
		}
	}
	again, w2 := open(t, b)
	if diff := cmp.Diff(w.all(), w2.all()); diff != "" || len(w2.all()) != 40 {
		t.Errorf("reopened differs (-want +got):\n%s", diff)
	}
	if l.Tail() != again.Tail() {
		t.Errorf("tails differ: %v, %v", l.Tail(), again.Tail())
	}
}

func TestManyAppendsShareObjects(t *testing.T) {
	b, dir := store(t)
	l, w := open(t, b)
	var wg sync.WaitGroup
	for i := range 200 {
		wg.Go(func() {
			if err := l.Append(t.Context(), word(fmt.Sprint(i))); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	files, _ := os.ReadDir(dir)
	if len(w.all()) != 200 || len(files) >= 200 {
		t.Errorf("%d records in %d objects, want 200 in fewer", len(w.all()), len(files))
	}
}

func TestTwoWritersNeverOverwrite(t *testing.T) {
	b, _ := store(t)
	l1, w1 := open(t, b)
	l2, w2 := open(t, b)
	var wg sync.WaitGroup
	for i, l := range []*journal.Log{l1, l2} {
		wg.Go(func() {
			for k := range 30 {
				if err := l.Append(t.Context(), word(fmt.Sprintf("%d/%d", i, k))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for _, l := range []*journal.Log{l1, l2} {
		if err := l.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	_, w3 := open(t, b)
	if len(w3.all()) != 60 {
		t.Errorf("%d records, want 60", len(w3.all()))
	}
	if diff := cmp.Diff(w1.all(), w3.all()); diff != "" {
		t.Errorf("writer 1 sees another order:\n%s", diff)
	}
	if diff := cmp.Diff(w2.all(), w3.all()); diff != "" {
		t.Errorf("writer 2 sees another order:\n%s", diff)
	}
}

func TestTransactionSeesWhatAnotherWriterDid(t *testing.T) {
	b, _ := store(t)
	l1, _ := open(t, b)
	l2, w2 := open(t, b)
	if err := l1.Append(t.Context(), word("first")); err != nil {
		t.Fatal(err)
	}
	var seen []int
	err := l2.Transact(t.Context(), func() ([]journal.Record, error) {
		seen = append(seen, len(w2.all()))
		return []journal.Record{word("second")}, nil
	})
	if diff := cmp.Diff([]int{0, 1}, seen); err != nil || diff != "" {
		t.Errorf("build saw %v (%v), want first none, then one record", seen, err)
	}
}

// lossy loses the answer of puts: stored, but the caller is told of an error.
type lossy struct {
	bucket.Bucket
	lose int
}

func (l *lossy) Create(ctx context.Context, key string, body []byte) (string, error) {
	tag, err := l.Bucket.Create(ctx, key, body)
	if err == nil && l.lose > 0 {
		l.lose--
		return "", errors.New("connection reset")
	}
	return tag, err
}

func TestAPutWhoseAnswerWasLostIsNoRival(t *testing.T) {
	b, _ := store(t)
	l, w := open(t, &lossy{b, 3})
	for i := range 5 {
		if err := l.Append(t.Context(), word(fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
	}
	if got := strings.Join(w.all(), ""); got != `"0""1""2""3""4"` {
		t.Errorf("state = %s", got)
	}
}

func TestDamageIsNamedAndNothingIsWrittenOverIt(t *testing.T) {
	rename := func(t *testing.T, from, to string) {
		if err := os.Rename(from, to); err != nil {
			t.Fatal(err)
		}
	}
	at := func(dir string, n int) string { return filepath.Join(dir, fmt.Sprintf("%012d", n)) }
	for name, spoil := range map[string]func(t *testing.T, dir string){
		"a flipped byte at the end": func(t *testing.T, dir string) {
			body, _ := os.ReadFile(at(dir, 4))
			body[len(body)-4] ^= 1
			_ = os.WriteFile(at(dir, 4), body, 0o600)
		},
		"a flipped byte": func(t *testing.T, dir string) {
			body, _ := os.ReadFile(at(dir, 2))
			body[len(body)-4] ^= 1
			_ = os.WriteFile(at(dir, 2), body, 0o600)
		},
		"a dropped object": func(_ *testing.T, dir string) { _ = os.Remove(at(dir, 2)) },
		"a cut object":     func(_ *testing.T, dir string) { _ = os.Truncate(at(dir, 2), 90) },
		"swapped objects": func(t *testing.T, dir string) {
			rename(t, at(dir, 2), at(dir, 9))
			rename(t, at(dir, 3), at(dir, 2))
			rename(t, at(dir, 9), at(dir, 3))
		},
		"a foreign first object": func(t *testing.T, dir string) {
			other, odir := store(t)
			_ = odir
			l, err := journal.Open(t.Context(), other, "u/b/log/", &words{}, time.Now)
			if err != nil {
				t.Fatal(err)
			}
			_ = l.Append(t.Context(), word("1"))
			o, _ := other.Get(t.Context(), "u/b/log/000000000001")
			_ = os.WriteFile(at(dir, 1), o.Body, 0o600)
		},
	} {
		t.Run(name, func(t *testing.T) {
			b, dir := store(t)
			l, _ := open(t, b)
			for i := range 4 {
				_ = l.Append(t.Context(), word(fmt.Sprint(i)))
			}
			spoil(t, dir)
			_, err := journal.Open(t.Context(), b, prefix, &words{}, time.Now)
			_, verr := journal.Verify(t.Context(), b, prefix)
			for _, err := range []error{err, verr} {
				if fault.CodeOf(err) != fault.CodeDamaged || !strings.Contains(err.Error(), prefix) {
					t.Errorf("error = %v, want one that names the object", err)
				}
			}
		})
	}
}
