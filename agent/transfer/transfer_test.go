package transfer_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"pgregory.net/rapid"

	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/agent/bucket/disk"
	"github.com/loongclaw/loongclaw/agent/bucket/r2"
	"github.com/loongclaw/loongclaw/agent/bucket/sqlite"
	"github.com/loongclaw/loongclaw/agent/transfer"
	"github.com/loongclaw/loongclaw/agent/users"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

func onDisk(t interface{ Fatal(...any) }, dir string) *disk.Disk {
	d, err := disk.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func onSQLite(t interface{ Fatal(...any) }, dir string) *sqlite.Store {
	s, err := sqlite.Open(context.Background(), sqlite.Config{Path: filepath.Join(dir, "a.db")})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// onS3 is a bucket of its own on a server in this process.
func onS3(t interface{ Fatal(...any) }) (store bucket.Bucket, closeIt func()) {
	backend := s3mem.New()
	if err := backend.CreateBucket("bucket"); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(gofakes3.New(backend).Server())
	return r2.New(r2.Config{Bucket: "bucket", Endpoint: server.URL, AccessKey: "key", SecretKey: "secret"}), server.Close
}

// opened is an empty store of one of the kinds.
func opened(t interface{ Fatal(...any) }, kind, dir string) (store bucket.Bucket, closeIt func()) {
	switch kind {
	case "disk":
		d := onDisk(t, filepath.Join(dir, "d"))
		return d, func() { _ = d.Close() }
	case "sqlite":
		s := onSQLite(t, dir)
		return s, func() { _ = s.Close() }
	}
	return onS3(t)
}

// all is what a store holds.
func all(t interface{ Fatal(...any) }, b bucket.Bucket) map[string]string {
	m := map[string]string{}
	for after, more := "", true; more; {
		page, next, err := b.List(context.Background(), "", after, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page {
			o, err := b.Get(context.Background(), e.Key)
			if err != nil {
				t.Fatal(err)
			}
			m[e.Key], after = string(o.Body), e.Key
		}
		more = next
	}
	return m
}

func wantSame(t interface {
	Fatal(...any)
	Errorf(string, ...any)
}, got, want map[string]string,
) {
	maps.DeleteFunc(want, func(key, _ string) bool { return users.IsBeat(key) })
	if maps.Equal(got, want) {
		return
	}
	for _, key := range slices.Sorted(maps.Keys(want)) {
		if body, ok := got[key]; !ok || body != want[key] {
			t.Errorf("%s: in the target %v, as in the source %v", key, ok, body == want[key])
		}
	}
	for key := range got {
		if _, ok := want[key]; !ok {
			t.Errorf("%s: only in the target", key)
		}
	}
}

// breaking fails after a number of writes, as a process that is killed does.
type breaking struct {
	bucket.Bucket
	left int
}

var errKilled = errors.New("killed")

func (b *breaking) Create(ctx context.Context, key string, body []byte) (string, error) {
	if b.left--; b.left < 0 {
		return "", errKilled
	}
	return b.Bucket.Create(ctx, key, body)
}

func (b *breaking) Replace(ctx context.Context, key string, body []byte, etag string) (string, error) {
	if b.left--; b.left < 0 {
		return "", errKilled
	}
	return b.Bucket.Replace(ctx, key, body, etag)
}

func (b *breaking) Delete(ctx context.Context, key string) error {
	if b.left--; b.left < 0 {
		return errKilled
	}
	return b.Bucket.Delete(ctx, key)
}

// keyGen draws keys as a store has them: of several users, journals among them.
func keyGen() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		user := rapid.SampledFrom([]string{"u/alice/", "u/_fna7a/", "u/zoe/"}).Draw(t, "user")
		n := rapid.IntRange(1, 3).Draw(t, "n")
		return rapid.SampledFrom([]string{
			"config/SOUL.md", "config/mcp.json",
			user + fmt.Sprintf("log/%012d", n), user + fmt.Sprintf("s/main/%06d/log/%012d", n, n), user + fmt.Sprintf("s/log/000001/log/%012d", n),
			user + "files/a", user + "files/d/b", user + fmt.Sprintf("open/s%d", n), user + fmt.Sprintf("s/main/000001/snap/%d", n), user + fmt.Sprintf("s/log/000001/attached/%02d", n), user + "snap/end", user + "agents/box",
		}).Draw(t, "key")
	})
}

// bodyGen draws bodies, many of the same size: what was changed shows by its bytes only.
func bodyGen() *rapid.Generator[string] {
	return rapid.OneOf(rapid.StringN(0, 8, 40), rapid.SampledFrom([]string{"one", "two", "six"}))
}

// TestACopyIsTheSource: whatever the source holds, wherever the copy is interrupted,
// whatever happens to the source in between, from any kind of store to any: the last
// copy is the source without its heartbeats.
func TestACopyIsTheSource(t *testing.T) {
	// Each check makes two stores that sync all they write; a number of one's own on
	// the command line counts.
	if f := flag.Lookup("rapid.checks"); f.Value.String() == f.DefValue {
		_ = flag.Set("rapid.checks", "25")
		defer func() { _ = flag.Set("rapid.checks", f.DefValue) }()
	}
	dir := t.TempDir()
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		kinds := rapid.SampledFrom([]string{"disk", "sqlite", "s3"})
		from, closeFrom := opened(t, kinds.Draw(t, "from"), filepath.Join(dir, fmt.Sprint(n), "from"))
		defer closeFrom()
		to, closeTo := opened(t, kinds.Draw(t, "to"), filepath.Join(dir, fmt.Sprint(n), "to"))
		defer closeTo()
		ctx := context.Background()
		fill := func(label string) {
			for key, body := range rapid.MapOfN(keyGen(), bodyGen(), 0, 20).Draw(t, label) {
				if users.IsJournal(key) {
					body = key // never changes
				}
				if _, err := from.Put(ctx, key, []byte(body)); err != nil {
					t.Fatal(err)
				}
			}
		}
		fill("at first")
		later := func() time.Time { return time.Now().Add(time.Hour) } // the heartbeats here are of nobody
		finished := false                                              // what was deleted since is left alone in a finished copy
		for range rapid.IntRange(0, 3).Draw(t, "interrupted") {
			live := rapid.Bool().Draw(t, "live")
			_, err := transfer.Copy(ctx, transfer.Config{From: from, To: &breaking{to, rapid.IntRange(0, 12).Draw(t, "writes")}, Live: live, Now: later})
			if err != nil && !errors.Is(err, errKilled) {
				t.Fatal(err)
			}
			finished = finished || (err == nil && !live)
			time.Sleep(2 * time.Millisecond) // what is written from here on is newer
			fill("in between")
			if finished {
				continue
			}
			for _, key := range slices.Sorted(maps.Keys(all(t, from))) {
				if rapid.IntRange(0, 3).Draw(t, "delete") == 0 {
					if err := from.Delete(ctx, key); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
		if _, err := transfer.Copy(ctx, transfer.Config{From: from, To: to, Now: later}); err != nil {
			t.Fatal(err)
		}
		wantSame(t, all(t, to), all(t, from))
		if err := transfer.Ready(ctx, to); err != nil {
			t.Errorf("after a copy that has ended: %v", err)
		}
	})
}

func put(t *testing.T, b bucket.Bucket, pairs ...string) {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if _, err := b.Put(t.Context(), pairs[i], []byte(pairs[i+1])); err != nil {
			t.Fatal(err)
		}
	}
}

func pairOf(t *testing.T) (from *disk.Disk, to *sqlite.Store) {
	t.Helper()
	from, to = onDisk(t, t.TempDir()), onSQLite(t, t.TempDir())
	t.Cleanup(func() { _, _ = from.Close(), to.Close() })
	return from, to
}

func copied(t *testing.T, from, to bucket.Bucket, live bool) (transfer.Report, error) {
	t.Helper()
	return transfer.Copy(t.Context(), transfer.Config{From: from, To: to, Live: live})
}

func TestASourceInUseIsRefused(t *testing.T) {
	from, to := pairOf(t)
	u, err := users.New(from, time.Now).Get(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	if err := u.Beat(t.Context(), "box 1", "p"); err != nil {
		t.Fatal(err)
	}
	put(t, from, "config/SOUL.md", "one")
	if _, err := copied(t, from, to, false); fault.CodeOf(err) != fault.CodeConflict || !strings.Contains(err.Error(), "box 1") {
		t.Errorf("copy of a source in use: %v", err)
	}
	if got := all(t, to); len(got) != 0 {
		t.Errorf("a copy that was refused has written %v", got)
	}
	if _, err := copied(t, from, to, true); err != nil {
		t.Fatal(err)
	}
	for key := range all(t, to) {
		if users.IsBeat(key) {
			t.Errorf("the heartbeat %s was copied", key)
		}
	}
	// The process has left: it is nobody's any more.
	if err := u.Leave(t.Context(), "box 1", "p"); err != nil {
		t.Fatal(err)
	}
	if _, err := copied(t, from, to, false); err != nil {
		t.Error(err)
	}
	wantSame(t, all(t, to), all(t, from))
}

// TestATargetThatHasGoneOnKeepsWhatItHas: nothing is written when anything of it
// would be lost.
func TestATargetThatHasGoneOnKeepsWhatItHas(t *testing.T) {
	const log = "u/alice/log/00000000000"
	for name, goOn := range map[string][]string{
		"another object in a journal":   {log + "2", "the target's"},
		"one more object in a journal":  {log + "3", "the target's"},
		"a file that was changed there": {"u/alice/files/a", "the target's"},
	} {
		t.Run(name, func(t *testing.T) {
			from, to := pairOf(t)
			put(t, from, log+"1", "1", "u/alice/files/a", "a")
			if _, err := copied(t, from, to, false); err != nil {
				t.Fatal(err)
			}
			put(t, from, log+"2", "2")
			put(t, to, goOn...)
			before := all(t, to)
			if _, err := copied(t, from, to, false); fault.CodeOf(err) != fault.CodeConflict {
				t.Errorf("copy = %v, want a conflict", err)
			}
			wantSame(t, all(t, to), before)
		})
	}
}

func TestACopyThatWasFinishedMayBeRepeated(t *testing.T) {
	from, to := pairOf(t)
	put(t, from, "u/alice/log/000000000001", "1", "u/alice/files/a", "a")
	if _, err := copied(t, from, to, false); err != nil {
		t.Fatal(err)
	}
	time.Sleep(5 * time.Millisecond) // times of files are what says which one is newer
	put(t, from, "u/alice/log/000000000002", "2", "u/alice/files/a", "newer")
	done, err := copied(t, from, to, false)
	if err != nil || done.Copied != 2 {
		t.Errorf("copy = %+v, %v, want two objects copied", done, err)
	}
	wantSame(t, all(t, to), all(t, from))
	if done, err = copied(t, from, to, false); err != nil || done.Copied != 0 || done.Objects != 3 {
		t.Errorf("copy of what is there = %+v, %v", done, err)
	}
}

func TestAnAgentKeepsOffHalfACopyAndTakesALiveOne(t *testing.T) {
	from, to := pairOf(t)
	for i := range 20 {
		put(t, from, fmt.Sprintf("u/alice/files/%d", i), "x")
	}
	if _, err := copied(t, from, &breaking{to, 3}, false); !errors.Is(err, errKilled) {
		t.Fatal(err)
	}
	if err := transfer.Ready(t.Context(), to); fault.CodeOf(err) != fault.CodeConflict {
		t.Errorf("half a copy: %v, want a refusal", err)
	}
	if _, err := copied(t, from, to, true); err != nil {
		t.Fatal(err)
	}
	if err := transfer.Ready(t.Context(), to); err != nil {
		t.Errorf("a copy of a live store: %v", err)
	}
	// It is the agent's now.
	put(t, to, "u/alice/files/new", "y")
	if _, err := copied(t, from, to, false); err != nil {
		t.Fatal(err)
	}
	if _, err := to.Get(t.Context(), "u/alice/files/new"); err != nil {
		t.Errorf("what the agent wrote since: %v", err)
	}
}

// damagedAt cannot give one object.
type damagedAt struct {
	bucket.Bucket
	key string
}

func (b damagedAt) Get(ctx context.Context, key string) (bucket.Object, error) {
	if key == b.key {
		return bucket.Object{}, bucket.ErrDamaged
	}
	return b.Bucket.Get(ctx, key)
}

func TestWhatCannotBeReadIsToldAndTheRestIsCopied(t *testing.T) {
	from, to := pairOf(t)
	put(t, from, "u/alice/files/a", "a", "u/alice/files/b", "b")
	done, err := copied(t, damagedAt{from, "u/alice/files/a"}, to, false)
	if err != nil || len(done.Unread) != 1 || !strings.HasPrefix(done.Unread[0], "u/alice/files/a") {
		t.Errorf("copy = %+v, %v", done, err)
	}
	if got := all(t, to); len(got) != 1 || got["u/alice/files/b"] != "b" {
		t.Errorf("the target holds %v", got)
	}
}

func TestLargeObjectsAreCopiedAFewAtATime(t *testing.T) {
	from, to := pairOf(t)
	body := bytes.Repeat([]byte("0123456789abcdef"), bucket.MaxObject/16)
	for i := range 3 {
		if _, err := from.Put(t.Context(), fmt.Sprintf("u/alice/files/%d", i), body); err != nil {
			t.Fatal(err)
		}
	}
	if done, err := copied(t, from, to, false); err != nil || done.Copied != 3 || done.Objects != 3 {
		t.Errorf("copy = %+v, %v", done, err)
	}
}
