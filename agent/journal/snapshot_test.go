package journal_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loongclaw/loongclaw/agent/journal"
)

const snaps = "u/a/snap/"

// written makes a journal of n objects.
func written(t *testing.T, b *memory, n int) (*journal.Log, *history) {
	t.Helper()
	h := &history{}
	l, err := journal.Open(t.Context(), b, prefix, h, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	more(t, l, n)
	return l, h
}

func more(t *testing.T, l *journal.Log, n int) {
	t.Helper()
	for i := range n {
		if err := l.Append(t.Context(), word(fmt.Sprint("a", i)), word("b")); err != nil {
			t.Fatal(err)
		}
	}
}

func snapshot(t *testing.T, l *journal.Log) bool {
	t.Helper()
	s, err := l.Pack(t.Context())
	if err == nil && s != nil {
		err = s.Store(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	return s != nil
}

func keysOf(b *memory, prefix string) (out []string) {
	entries, _, _ := b.List(context.Background(), prefix, "", 100)
	for _, e := range entries {
		out = append(out, e.Key)
	}
	return out
}

func TestSnapshotsAreWrittenSeldomAndTheNewestTwoStay(t *testing.T) {
	b := newMemory()
	l, h := written(t, b, 63)
	if snapshot(t, l) {
		t.Error("a snapshot after 63 objects, want none before 64")
	}
	for range 4 {
		more(t, l, 64)
		if !snapshot(t, l) || snapshot(t, l) {
			t.Error("want one snapshot for 64 objects, and no second one")
		}
	}
	if diff := cmp.Diff([]string{snaps + "000000000255", snaps + "000000000319"}, keysOf(b, snaps)); diff != "" {
		t.Errorf("snapshots (-want +got):\n%s", diff)
	}
	more(t, l, 3)
	again := &history{}
	l2, err := journal.Open(t.Context(), b, prefix, again, time.Now)
	if err != nil || l2.Ignored() != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(h.all(), again.all()); diff != "" || l2.Tail() != l.Tail() {
		t.Errorf("read from a snapshot it differs:\n%s", diff)
	}
	// What was opened from a snapshot goes on from it.
	more(t, l2, 61)
	if !snapshot(t, l2) || len(keysOf(b, snaps)) != 2 {
		t.Errorf("snapshots = %v, want the newest two", keysOf(b, snaps))
	}
}

func TestASnapshotSparesTheReadingOfWhatItHolds(t *testing.T) {
	b := newMemory()
	l, _ := written(t, b, 300)
	snapshot(t, l)
	more(t, l, 2)
	for n := 1; n < 300; n++ {
		delete(b.objects, fmt.Sprintf("%s%012d", prefix, n))
	}
	// So few are left that nothing but the list tells: put some back.
	for n := 1; n < 70; n++ {
		b.objects[fmt.Sprintf("%s%012d", prefix, n)] = []byte("not read")
	}
	h := &history{}
	if _, err := journal.Open(t.Context(), b, prefix, h, time.Now); err != nil || len(h.all()) != 604 {
		t.Errorf("%d records, %v, want all 604 without reading what the snapshot holds", len(h.all()), err)
	}
	if _, err := journal.Verify(t.Context(), b, prefix); err == nil {
		t.Error("verify believes a snapshot")
	}
}

// A journal is due for a snapshot when it has grown enough since the last one, and
// while nobody makes one.
func TestWhenASnapshotIsDue(t *testing.T) {
	b := newMemory()
	l, _ := written(t, b, 63)
	for n, want := range []bool{false, true} {
		if got := l.Due(); got != want {
			t.Errorf("after %d objects: due = %v", 63+n, got)
		}
		more(t, l, 1)
	}
	packed, err := l.Pack(t.Context())
	if err != nil || packed == nil || l.Due() {
		t.Errorf("while one is made: %v, due = %v", err, l.Due())
	}
	if err := packed.Store(t.Context()); err != nil || l.Due() {
		t.Errorf("when it is stored: %v, due = %v", err, l.Due())
	}
}

// Where the first page of a long journal ends beside the snapshot, nothing is read
// twice and nothing is left out.
func TestAJournalIsReadOnFromItsSnapshot(t *testing.T) {
	for _, n := range []int{64, 65, 100, 128} {
		for _, after := range []int{0, 1, 63} {
			b := newMemory()
			l, h := written(t, b, n)
			snapshot(t, l)
			more(t, l, after)
			again := &history{}
			l2, err := journal.Open(t.Context(), b, prefix, again, time.Now)
			if err != nil || l2.Tail() != l.Tail() || cmp.Diff(h.all(), again.all()) != "" {
				t.Errorf("%d objects and %d after the snapshot: %d of %d records, %v", n, after, len(again.all()), len(h.all()), err)
			}
		}
	}
}

func TestASnapshotThatCannotBeRightIsIgnored(t *testing.T) {
	other := newMemory()
	ol, err := journal.Open(t.Context(), other, "u/b/log/", &history{}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	more(t, ol, 70)
	snapshot(t, ol)
	rival := newMemory() // the same journal with another past
	rl, _ := written(t, rival, 70)
	snapshot(t, rl)

	key := snaps + "000000000070"
	for name, spoil := range map[string]func(body []byte) []byte{
		"a flipped byte":     func(b []byte) []byte { b[len(b)/2] ^= 1; return b },
		"a flipped header":   func(b []byte) []byte { b[30] ^= 1; return b },
		"cut":                func(b []byte) []byte { return b[:len(b)-9] },
		"empty":              func([]byte) []byte { return nil },
		"a later version":    func(b []byte) []byte { return bytes.Replace(b, []byte(`"v":1`), []byte(`"v":2`), 1) },
		"another number":     func(b []byte) []byte { return bytes.Replace(b, []byte(`"n":70`), []byte(`"n":69`), 1) },
		"another seq":        func(b []byte) []byte { return bytes.Replace(b, []byte(`"seq":140`), []byte(`"seq":141`), 1) },
		"another journal's":  func([]byte) []byte { return other.objects["u/b/snap/000000000070"] },
		"another past's":     func([]byte) []byte { return rival.objects[key] },
		"an object's number": func([]byte) []byte { return []byte(`{"v":1}`) },
	} {
		t.Run(name, func(t *testing.T) {
			b := newMemory()
			l, h := written(t, b, 70)
			snapshot(t, l)
			b.objects[key] = spoil(bytes.Clone(b.objects[key]))
			got := &history{}
			l2, err := journal.Open(t.Context(), b, prefix, got, time.Now)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(h.all(), got.all()); diff != "" || l2.Tail() != l.Tail() {
				t.Errorf("it was believed:\n%s", diff)
			}
			if err := l2.Ignored(); err == nil || !strings.Contains(err.Error(), key) {
				t.Errorf("Ignored() = %v, want why %s was not used", err, key)
			}
			// The next one is made anew, from the journal.
			more(t, l2, 64)
			snapshot(t, l2)
			if l3, err := journal.Open(t.Context(), b, prefix, &history{}, time.Now); err != nil || l3.Ignored() != nil || l3.Tail() != l2.Tail() {
				t.Errorf("the next snapshot is not used: %v", err)
			}
		})
	}
}

func TestASnapshotDoesNotHideThatItsObjectIsGone(t *testing.T) {
	b := newMemory()
	l, _ := written(t, b, 70)
	snapshot(t, l)
	delete(b.objects, prefix+"000000000070")
	l2, err := journal.Open(t.Context(), b, prefix, &history{}, time.Now)
	if err != nil || l2.Tail().Number != 69 || l2.Ignored() == nil {
		t.Errorf("tail %d, %v, want 69 and the snapshot ignored", l2.Tail().Number, err)
	}
	if _, err := journal.Open(t.Context(), b, prefix, &history{}, time.Now, l.Tail()); err == nil || !strings.Contains(err.Error(), prefix+"000000000070") {
		t.Errorf("error = %v, want the anchored object named", err)
	}
}

func TestNothingOfASnapshotStaysWhenItsJournalWasRemoved(t *testing.T) {
	b := newMemory()
	l, _ := written(t, b, 70)
	s, err := l.Pack(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	clear(b.objects) // another agent deletes the session
	if err := s.Store(t.Context()); err != nil || len(b.objects) != 0 {
		t.Errorf("left: %v, %v", keysOf(b, "u/"), err)
	}
}
