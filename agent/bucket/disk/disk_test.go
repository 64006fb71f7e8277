package disk_test

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"testing"

	"github.com/loongclaw/loongclaw/agent/bucket/buckettest"
	"github.com/loongclaw/loongclaw/agent/bucket/disk"
)

func open(t testing.TB, dir string) *disk.Disk {
	t.Helper()
	d, err := disk.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

func TestDiskIsABucket(t *testing.T) { buckettest.Run(t, open(t, t.TempDir())) }

func TestDeleteLeavesNoDirectory(t *testing.T) {
	dir := t.TempDir()
	d := open(t, dir)
	if _, err := d.Create(t.Context(), "u/alice/s/secret/1", []byte("x")); err != nil {
		t.Fatal(err)
	}
	if err := d.Delete(t.Context(), "u/alice/s/secret/1"); err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(filepath.Join(dir, "objects")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "tmp", "*", "*")); len(left) != 1 || filepath.Base(left[0]) != "lock" {
		t.Errorf("left in tmp: %v, want the lock only", left)
	}
}

func BenchmarkCreate(b *testing.B) {
	d := open(b, b.TempDir())
	body := make([]byte, 600)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := d.Create(b.Context(), "u/a/s/"+b.Name()+rnd(), body); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func rnd() string { return rand.Text() }
