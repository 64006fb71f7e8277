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
func failing(d *Disk, dir string, on *bool) (failed *int) {
	failed = new(int)
	d.sync = func(f *os.File) error {
		if info, err := f.Stat(); *on && err == nil && info.IsDir() && strings.HasSuffix(f.Name(), dir) {
			*failed++
			return syscall.EIO
		}
		return f.Sync()
	}
	return failed
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
	on := true
	failed := failing(d, "log", &on)
	for range 3 {
		if _, err := d.Create(t.Context(), "u/a/log/2", []byte("two")); !errors.Is(err, bucket.ErrNotDurable) || errors.Is(err, bucket.ErrExists) {
			t.Fatalf("Create while the folder cannot be synced: %v, want ErrNotDurable", err)
		}
	}
	if _, err := d.Put(t.Context(), "u/a/log/3", []byte("three")); !errors.Is(err, bucket.ErrNotDurable) {
		t.Errorf("Put while the folder cannot be synced: %v, want ErrNotDurable", err)
	}
	if *failed != 4 {
		t.Errorf("%d syncs failed, want 4: one for each try", *failed)
	}
	on = false
	if _, err := d.Create(t.Context(), "u/a/log/2", []byte("two")); !errors.Is(err, bucket.ErrExists) {
		t.Errorf("Create when it can be synced again: %v, want ErrExists", err)
	}
}

// TestANewFolderThatWasNotSynced: the entry of the folder itself is what failed.
// The next write finds the folder there, and must still sync its entry.
func TestANewFolderThatWasNotSynced(t *testing.T) {
	d := opened(t, t.TempDir())
	on := true
	failed := failing(d, "objects/u", &on)
	if _, err := d.Create(t.Context(), "u/a/log/1", nil); err == nil {
		t.Fatal("Create with a new folder that could not be synced: no error")
	}
	before := *failed
	if _, err := d.Create(t.Context(), "u/a/log/1", nil); !errors.Is(err, bucket.ErrNotDurable) {
		t.Errorf("Create into a folder whose entry is not durable: %v, want ErrNotDurable", err)
	}
	if *failed == before {
		t.Error("the entry of the folder was not synced again")
	}
	on = false
	if _, err := d.Create(t.Context(), "u/a/log/2", nil); err != nil {
		t.Error(err)
	}
	if len(d.doubtful) != 0 {
		t.Errorf("doubtful = %v after a sync that succeeded", d.doubtful)
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
