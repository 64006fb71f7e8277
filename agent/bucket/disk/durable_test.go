package disk

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/agent/bucket"
)

// failing makes the syncs of directories fail whose path ends so, while on.
type failing struct {
	effects
	dir    string
	on     bool
	failed int
}

func (f *failing) open(dir string) (folder, error) {
	to, err := f.effects.open(dir)
	if err != nil || !strings.HasSuffix(dir, f.dir) {
		return to, err
	}
	return &failingFolder{to, f}, nil
}

type failingFolder struct {
	folder
	of *failing
}

func (f *failingFolder) Sync() error {
	if f.of.on {
		f.of.failed++
		return syscall.EIO
	}
	return f.folder.Sync()
}

func opened(t *testing.T, dir string) *Disk {
	t.Helper()
	d, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

// TestWhatWasNotSyncedIsNotAcknowledged lets the sync of an object's folder fail:
// the object can be read then, and neither its writer nor whoever meets it is told
// that it is there until a later sync has succeeded.
func TestWhatWasNotSyncedIsNotAcknowledged(t *testing.T) {
	d := opened(t, t.TempDir())
	if _, err := d.Create(t.Context(), "u/a/log/1", []byte("one")); err != nil {
		t.Fatal(err)
	}
	fail := &failing{effects: d.effects, dir: "log", on: true}
	d.effects = fail
	for range 3 {
		if _, err := d.Create(t.Context(), "u/a/log/2", []byte("two")); !errors.Is(err, bucket.ErrNotDurable) || errors.Is(err, bucket.ErrExists) {
			t.Fatalf("Create while the folder cannot be synced: %v, want ErrNotDurable", err)
		}
	}
	if _, err := d.Put(t.Context(), "u/a/log/3", []byte("three")); !errors.Is(err, bucket.ErrNotDurable) {
		t.Errorf("Put while the folder cannot be synced: %v, want ErrNotDurable", err)
	}
	if fail.failed != 4 {
		t.Errorf("%d syncs failed, want 4: one for each try", fail.failed)
	}
	fail.on = false
	if _, err := d.Create(t.Context(), "u/a/log/2", []byte("two")); !errors.Is(err, bucket.ErrExists) {
		t.Errorf("Create when it can be synced again: %v, want ErrExists", err)
	}
}

// TestANewFolderThatWasNotSynced: the entry of the folder itself is what failed.
// The next write finds the folder there, and must still sync its entry.
func TestANewFolderThatWasNotSynced(t *testing.T) {
	d := opened(t, t.TempDir())
	fail := &failing{effects: d.effects, dir: "objects/u", on: true}
	d.effects = fail
	if _, err := d.Create(t.Context(), "u/a/log/1", nil); err == nil {
		t.Fatal("Create with a new folder that could not be synced: no error")
	}
	before := fail.failed
	if _, err := d.Create(t.Context(), "u/a/log/1", nil); !errors.Is(err, bucket.ErrNotDurable) {
		t.Errorf("Create into a folder whose entry is not durable: %v, want ErrNotDurable", err)
	}
	if fail.failed == before {
		t.Error("the entry of the folder was not synced again")
	}
	fail.on = false
	if _, err := d.Create(t.Context(), "u/a/log/2", nil); err != nil {
		t.Error(err)
	}
	if left := d.known.unknown("objects/u/a/log"); len(left) != 0 {
		t.Errorf("not known as durable after syncs that succeeded: %v", left)
	}
}

// TestADirectoryThatWasMadeAnewIsNotKnown: what was made sure of while it was removed
// says nothing of the one that somebody has made since.
func TestADirectoryThatWasMadeAnewIsNotKnown(t *testing.T) {
	var k known
	removes := func(string) error { return nil }
	k.add(k.look(), "objects", "objects/u")
	during := k.look()
	if err := k.change("objects/u", removes); err != nil {
		t.Fatal(err)
	}
	k.add(during, "objects/u")
	if got := k.unknown("objects/u/a"); !slices.Equal(got, []string{"objects/u/a", "objects/u"}) {
		t.Errorf("not known: %v, want the directory that was removed among them", got)
	}
	k.add(k.look(), "objects/u")
	if err := k.change("objects/u", func(string) error { return syscall.ENOTEMPTY }); err == nil || len(k.unknown("objects/u")) != 0 {
		t.Errorf("a directory that stays is forgotten: %v", k.unknown("objects/u"))
	}
}

// TestADirectoryThatAnotherProcessRemovedIsNotKnown: this process has made sure of it
// before, and makes it anew.
func TestADirectoryThatAnotherProcessRemovedIsNotKnown(t *testing.T) {
	dir := t.TempDir()
	d, other := opened(t, dir), opened(t, dir)
	for _, above := range []string{"objects/u/a", "objects/u", "objects"} {
		if _, err := d.Create(t.Context(), "u/a/log/1", nil); err != nil {
			t.Fatal(err)
		}
		if err := other.Delete(t.Context(), "u/a/log/1"); err != nil {
			t.Fatal(err)
		}
		system := d.effects
		d.effects = &failing{effects: system, dir: above, on: true}
		if _, err := d.Create(t.Context(), "u/a/log/1", nil); !errors.Is(err, bucket.ErrNotDurable) {
			t.Errorf("Create while %s cannot be synced: %v, want ErrNotDurable", above, err)
		}
		d.effects = system
		if err := d.Delete(t.Context(), "u/a/log/1"); err != nil {
			t.Fatal(err)
		}
	}
}

// TestWhatIsDeletedAsAWholeStaysDeleted: a delete that leaves its directory empty has
// that directory's own end synced, and so has one that repeats it.
func TestWhatIsDeletedAsAWholeStaysDeleted(t *testing.T) {
	d := opened(t, t.TempDir())
	for _, key := range []string{"u/a/log/1", "u/a/log/2", "u/a/name"} {
		if _, err := d.Create(t.Context(), key, nil); err != nil {
			t.Fatal(err)
		}
	}
	fail := &failing{effects: d.effects, dir: "objects/u/a", on: true}
	d.effects = fail
	if err := d.Delete(t.Context(), "u/a/log/1"); err != nil || fail.failed != 0 {
		t.Errorf("Delete of one of two: %v after %d syncs that failed, want none", err, fail.failed)
	}
	for range 2 {
		if err := d.Delete(t.Context(), "u/a/log/2"); !errors.Is(err, bucket.ErrNotDurable) {
			t.Errorf("Delete of the last one while that cannot be synced: %v, want ErrNotDurable", err)
		}
	}
	fail.on = false
	if err := d.Delete(t.Context(), "u/a/log/2"); err != nil {
		t.Error(err)
	}
}

// TestTheWayToANewStoreIsSynced: each directory that got a new entry, and no other.
func TestTheWayToANewStoreIsSynced(t *testing.T) {
	top := t.TempDir()
	var synced []string
	note := func(dir string) error {
		rel, err := filepath.Rel(top, dir)
		synced = append(synced, rel)
		return err
	}
	for range 2 {
		if err := mkdirs(filepath.Join(top, "a", "b", "c"), note); err != nil {
			t.Fatal(err)
		}
	}
	if want := []string{".", "a", "a/b"}; !slices.Equal(synced, want) {
		t.Errorf("synced %v, want %v", synced, want)
	}
}

// TestAStartRemovesWhatKilledProcessesLeft has a process that lives, one that was
// killed in the middle of a write, and files of a version that had no directory of
// its own for each process.
func TestAStartRemovesWhatKilledProcessesLeft(t *testing.T) {
	dir := t.TempDir()
	living := opened(t, dir)
	killed := opened(t, dir)
	half := func(name string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	half(living.staging.name + "/HALF")
	half(killed.staging.name + "/HALF")
	if err := killed.staging.lock.Close(); err != nil { // as the kernel does it for a process that was killed
		t.Fatal(err)
	}
	for name, age := range map[string]time.Duration{"OLD": 25 * time.Hour, "YOUNG": time.Hour} {
		at := time.Now().Add(-age)
		if err := os.Chtimes(half("tmp/"+name), at, at); err != nil {
			t.Fatal(err)
		}
	}
	next := opened(t, dir)
	var left []string
	entries, err := os.ReadDir(filepath.Join(dir, "tmp"))
	for _, e := range entries {
		left = append(left, "tmp/"+e.Name())
	}
	want := []string{living.staging.name, next.staging.name, "tmp/YOUNG"}
	slices.Sort(want)
	if err != nil || !slices.Equal(left, want) {
		t.Errorf("tmp holds %v, %v, want %v: what may be another process's only", left, err, want)
	}
	if _, err := living.Create(t.Context(), "u/a/log/1", []byte("one")); err != nil {
		t.Errorf("a process that lives cannot write after another's start: %v", err)
	}
}

// TestProcessesThatStartTogetherAllWrite lets many start at once: none removes the
// directory of another that has just made it.
func TestProcessesThatStartTogetherAllWrite(t *testing.T) {
	dir := t.TempDir()
	var starts sync.WaitGroup
	for i := range 24 {
		starts.Go(func() {
			for range 10 {
				d, err := Open(dir)
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := d.Put(t.Context(), fmt.Sprintf("u/a/log/%d", i), []byte("x")); err != nil {
					t.Error(err)
				}
				if err := d.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	starts.Wait()
	if left, err := os.ReadDir(filepath.Join(dir, "tmp")); err != nil || len(left) != 0 {
		t.Errorf("tmp holds %v, %v after all have ended", left, err)
	}
}
