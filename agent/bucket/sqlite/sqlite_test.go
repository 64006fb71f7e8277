package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/agent/bucket/buckettest"
	"github.com/loongclaw/loongclaw/agent/bucket/sqlite"
)

func open(t testing.TB, path string) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(context.Background(), sqlite.Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestSQLiteIsABucket(t *testing.T) {
	buckettest.Run(t, open(t, filepath.Join(t.TempDir(), "new", "folder", "a.db")))
}

// TestTwoOnOneFileAreABucket lets every other operation go through another handle,
// as two agents' do.
func TestTwoOnOneFileAreABucket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	buckettest.Run(t, &turns{both: [2]bucket.Bucket{open(t, path), open(t, path)}})
}

type turns struct {
	mu   sync.Mutex
	n    int
	both [2]bucket.Bucket
}

func (b *turns) next() bucket.Bucket {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.n++
	return b.both[b.n%2]
}

func (b *turns) Get(ctx context.Context, key string) (bucket.Object, error) {
	return b.next().Get(ctx, key)
}

func (b *turns) Put(ctx context.Context, key string, body []byte) (string, error) {
	return b.next().Put(ctx, key, body)
}

func (b *turns) Create(ctx context.Context, key string, body []byte) (string, error) {
	return b.next().Create(ctx, key, body)
}

func (b *turns) Replace(ctx context.Context, key string, body []byte, etag string) (string, error) {
	return b.next().Replace(ctx, key, body, etag)
}

func (b *turns) Delete(ctx context.Context, key string) error { return b.next().Delete(ctx, key) }

func (b *turns) List(ctx context.Context, prefix, after string, limit int) ([]bucket.Entry, bool, error) {
	return b.next().List(ctx, prefix, after, limit)
}

func TestAPathMayHoldAnything(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a b.db", "what?mode=memory", "50%41.db", "#1.db", "a&b=c;d.db", "熊大.db", ":memory:", "file:x.db"} {
		path := filepath.Join(dir, name)
		s, err := sqlite.Open(t.Context(), sqlite.Config{Path: path})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if _, err := s.Put(t.Context(), "config/SOUL.md", []byte(name)); err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		again := open(t, path)
		if o, err := again.Get(t.Context(), "config/SOUL.md"); err != nil || string(o.Body) != name {
			t.Errorf("%s holds %q, %v", name, o.Body, err)
		}
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v, want a file that only its owner reads", name, info, err)
		}
		if wal, err := os.Stat(path + "-wal"); err != nil || wal.Mode().Perm() != 0o600 {
			t.Errorf("%s-wal: %v, %v, want a file that only its owner reads", name, wal, err)
		}
	}
	for _, path := range []string{"", ":memory:", "a\x00b", dir} {
		if s, err := sqlite.Open(t.Context(), sqlite.Config{Path: path}); err == nil {
			_ = s.Close()
			t.Errorf("%q was let in", path)
		}
	}
}

func TestACommandThatOnlyReadsLeavesNoDatabase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	if _, err := sqlite.Open(t.Context(), sqlite.Config{Path: path, Existing: true}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Open of nothing = %v", err)
	}
	if left, _ := os.ReadDir(filepath.Dir(path)); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestACallerWhoGoesIsNotHeldAndWhatWasClosedSaysSo(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "a.db"))
	gone, leave := context.WithCancel(t.Context())
	leave()
	if _, err := s.Put(gone, "a/b", nil); !errors.Is(err, context.Canceled) {
		t.Errorf("Put = %v, want Canceled", err)
	}
	if _, err := s.Get(gone, "a/b"); !errors.Is(err, context.Canceled) {
		t.Errorf("Get = %v, want Canceled", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Put(t.Context(), "a/b", nil); err == nil {
		t.Error("a closed store took an object")
	}
}

func TestAListMayBeginAnywhere(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "a.db"))
	for _, key := range []string{"a/1", "b/1", "b/2", "c"} {
		if _, err := s.Put(t.Context(), key, nil); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ prefix, after, want string }{
		{"", "", "a/1 b/1 b/2 c"},
		{"", "b/1", "b/2 c"},
		{"", "c", ""},
		{"", "~", ""},
		{"", "\x7f", ""},
		{"", "\x7f\x7f", ""},
		{"", "熊", ""},
		{"", "\xff", ""},
		{"b/", "", "b/1 b/2"},
		{"b/", "a", "b/1 b/2"},
		{"b/", "b/1", "b/2"},
		{"b/", "b/10", "b/2"},
		{"b/", "c", ""},
		{"b/", "\xff", ""},
		{"0", "", ""},
		{"d", "", ""},
		{"\x7f", "", ""},
		{"熊", "", ""},
		{"b\x00", "", ""},
		{"a/1", "", "a/1"},
		{"a/1", "a/1", ""},
	} {
		page, more, err := s.List(t.Context(), c.prefix, c.after, 0)
		var keys []string
		for _, e := range page {
			keys = append(keys, e.Key)
		}
		if got := strings.Join(keys, " "); err != nil || more || got != c.want {
			t.Errorf("List(%q after %q) = %q, %v, %v, want %q", c.prefix, c.after, got, more, err, c.want)
		}
	}
}

func TestListsDuringWritesAreWholePages(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "a.db"))
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				key := fmt.Sprintf("u/%d/log/%012d", w, i)
				if _, err := s.Create(ctx, key, []byte(key)); err != nil && ctx.Err() == nil {
					t.Error(err)
				}
				if i%3 == 2 {
					if err := s.Delete(ctx, fmt.Sprintf("u/%d/log/%012d", w, i-2)); err != nil && ctx.Err() == nil {
						t.Error(err)
					}
				}
			}
		})
	}
	for n := 0; ctx.Err() == nil; n++ {
		prefix, after := fmt.Sprintf("u/%d/", n%8), ""
		for more := true; more; {
			var page []bucket.Entry
			var err error
			if page, more, err = s.List(t.Context(), prefix, after, 100); err != nil {
				t.Fatal(err)
			}
			for _, e := range page {
				if !strings.HasPrefix(e.Key, prefix) || e.Key <= after || e.Size != int64(len(e.Key)) {
					t.Fatalf("listed %+v below %s after %s", e, prefix, after)
				}
				after = e.Key
			}
		}
	}
	wg.Wait()
}

func BenchmarkCreate(b *testing.B) {
	s := open(b, filepath.Join(b.TempDir(), "a.db"))
	body := make([]byte, 700)
	b.SetParallelism(32)
	var mu sync.Mutex
	n := 0
	b.RunParallel(func(pb *testing.PB) {
		mu.Lock()
		n++
		me := n
		mu.Unlock()
		for i := 0; pb.Next(); i++ {
			if _, err := s.Create(b.Context(), fmt.Sprintf("u/%d/log/%012d", me, i), body); err != nil {
				b.Fatal(err)
			}
		}
	})
}
