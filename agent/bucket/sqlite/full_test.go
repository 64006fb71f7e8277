package sqlite

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/agent/bucket"
)

// TestAFullDiskIsSurvived bounds the database as a disk does: what finds no room is
// refused, what does is taken although it waits beside it, what was acknowledged
// stays, and when there is room again the store goes on.
func TestAFullDiskIsSurvived(t *testing.T) {
	all := pragmas
	defer func() { pragmas = all }()
	pragmas = append(all[:len(all):len(all)], "max_page_count=100")
	s, err := Open(t.Context(), Config{Path: filepath.Join(t.TempDir(), "a.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	var kept []string
	var full error
	for i := 0; full == nil && i < 1000; i++ {
		key := fmt.Sprintf("u/a/log/%012d", i)
		if _, full = s.Create(t.Context(), key, make([]byte, 2000)); full == nil {
			kept = append(kept, key)
		}
	}
	if !errors.Is(full, errFull) || !strings.Contains(full.Error(), "free some space") {
		t.Fatalf("a full disk: %v, want an error that says what to do", full)
	}
	// In one group with what is far too large.
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			if _, err := s.Create(t.Context(), fmt.Sprintf("u/a/files/large-%d", i), make([]byte, 1<<20)); !errors.Is(err, errFull) {
				t.Errorf("a large object on a full disk: %v", err)
			}
		})
		wg.Go(func() {
			if err := s.Delete(t.Context(), kept[i]); err != nil {
				t.Errorf("Delete on a full disk: %v", err)
			}
		})
	}
	wg.Wait()
	kept = kept[8:]
	pragmas = all
	if s.writer != nil { // it has the bound; the committer stands still
		if err := s.writer.close(); err != nil {
			t.Error(err)
		}
		s.writer = nil
	}
	if _, err := s.Create(t.Context(), "u/a/files/large-0", make([]byte, 1<<20)); err != nil {
		t.Errorf("with room again: %v", err)
	}
	for _, key := range kept {
		if o, err := s.Get(t.Context(), key); err != nil || len(o.Body) != 2000 {
			t.Errorf("%s was acknowledged: %d bytes, %v", key, len(o.Body), err)
		}
	}
	if _, err := s.Get(t.Context(), "u/a/files/large-1"); !errors.Is(err, bucket.ErrNotFound) {
		t.Errorf("what was refused: %v, want nothing", err)
	}
	if found, err := s.Check(t.Context()); err != nil || len(found.Problems) > 0 {
		t.Errorf("Check = %+v, %v", found, err)
	}
}

// TestWritesThatWaitAreOneTransaction counts the transactions of many writers.
func TestWritesThatWaitAreOneTransaction(t *testing.T) {
	s, err := Open(t.Context(), Config{Path: filepath.Join(t.TempDir(), "a.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	other, err := openTurn(s.path) // another process, at work
	if err != nil || !other.take() {
		t.Fatal(err)
	}
	defer func() { _ = other.close() }()
	waiting := func() int {
		s.mu.Lock()
		defer s.mu.Unlock()
		return len(s.waiting)
	}
	var wg sync.WaitGroup
	write := func(i int) {
		wg.Go(func() {
			if _, err := s.Create(t.Context(), fmt.Sprintf("u/a/files/%d", i), nil); err != nil {
				t.Error(err)
			}
		})
	}
	write(0) // it is taken up, and waits for its turn
	time.Sleep(50 * time.Millisecond)
	for i := range 200 {
		write(1 + i)
	}
	for waiting() < 200 {
		time.Sleep(time.Millisecond)
	}
	before := frames(t, s)
	other.giveBack()
	wg.Wait()
	if n := frames(t, s) - before; n > 60 {
		t.Errorf("200 small objects took %d pages of the log, want those of few transactions", n)
	}
}

// TestTwoWritesSideBySideShareASync: a message and its pending marker are put at the
// same moment into a store that rests, again and again.
func TestTwoWritesSideBySideShareASync(t *testing.T) {
	r := record(t)
	s, err := Open(t.Context(), Config{Path: filepath.Join(t.TempDir(), "a.db"), vfs: recorderName})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	const pairs = 200
	before := r.syncs("a.db-wal")
	for i := range pairs {
		var wg sync.WaitGroup
		for _, key := range []string{"u/a/open/%d", "u/a/s/%d/000001/log/000000000001"} {
			wg.Go(func() {
				if _, err := s.Create(t.Context(), fmt.Sprintf(key, i), nil); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	}
	if n := r.syncs("a.db-wal") - before; n > pairs*3/2 {
		t.Errorf("%d pairs of writes took %d syncs", pairs, n)
	} else {
		t.Logf("%d pairs of writes took %d syncs", pairs, n)
	}
}

// TestWhatIsDeletedIsGoneFromTheFiles: neither the database nor its log holds a word of
// it after a moment, nor does a copy of them.
func TestWhatIsDeletedIsGoneFromTheFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	s, err := Open(t.Context(), Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	const secret = "zyxwv-98765"
	holds := func() bool {
		all := ""
		for _, name := range []string{path, path + "-wal"} {
			b, err := os.ReadFile(name) // closing it takes the locks away; nobody else is here
			if err != nil {
				t.Fatal(err)
			}
			all += string(b)
		}
		return strings.Contains(all, secret)
	}
	for i := range 20 {
		key := fmt.Sprintf("u/a/files/%d", i)
		for _, body := range []string{strings.Repeat(secret, 1+i*100), secret, "another"}[:1+i%3] {
			if _, err := s.Put(t.Context(), key, []byte(body)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if !holds() {
		t.Fatal("the text is nowhere: this test cannot see")
	}
	for i := range 20 {
		if err := s.Delete(t.Context(), fmt.Sprintf("u/a/files/%d", i)); err != nil {
			t.Fatal(err)
		}
	}
	for end := time.Now().Add(10 * time.Second); holds(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the files still hold what was deleted")
		}
	}
}

// frames is how many pages the log holds.
func frames(t *testing.T, s *Store) int {
	t.Helper()
	var busy, pages, back int64
	if err := s.anchor.numbers(t.Context(), "PRAGMA wal_checkpoint(PASSIVE)", &busy, &pages, &back); err != nil {
		t.Fatal(err)
	}
	return int(pages)
}
