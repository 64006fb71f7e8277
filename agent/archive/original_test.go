package archive_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loongclaw/loongclaw/agent/archive"
	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/agent/users"
)

// The original's day files, as it and its owner left them.
var original = map[string]string{
	"2026-03-01.md": "\n## 2026-03-01T08:00:00.000Z\n- **类型**: fact\n- **重要性**: high\n- **标签**: 蜂蜜, food\n\n蜂蜜在老橡树里\n" +
		"\n## 2026-03-01T09:30:00.000Z\n- **类型**: decision\n- **重要性**: medium\n- **标签**: 无\n\nplant oaks\n\nin two lines\n",
	"2026-03-02.md": "written by hand\r\nwithout any heading",
	"MEMORY.md":     "# Notes\n\n- likes honey\n",
}

func dayFiles(t *testing.T, store bucket.Bucket, user string) map[string]string {
	t.Helper()
	u, err := users.New(store, time.Now).Get(t.Context(), user)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for name, body := range u.Memory.DayFiles() {
		files[name] = string(body)
	}
	return files
}

func TestTheOriginalsFolderComesInOnceAndGoesOutByteForByte(t *testing.T) {
	for name, newStore := range stores {
		for _, below := range []string{"", "memory"} {
			t.Run(name+" "+below, func(t *testing.T) {
				dir, store := t.TempDir(), newStore(t)
				if err := os.MkdirAll(filepath.Join(dir, below), 0o700); err != nil {
					t.Fatal(err)
				}
				for file, body := range original {
					if err := os.WriteFile(filepath.Join(dir, below, file), []byte(body), 0o600); err != nil {
						t.Fatal(err)
					}
				}
				if err := os.Symlink("/etc/hostname", filepath.Join(dir, below, "2026-03-03.md")); err != nil {
					t.Fatal(err)
				}
				importFolder(t, store, dir)
				want := digests(t, store)
				if diff := cmp.Diff(original, dayFiles(t, store, "alice")); diff != "" {
					t.Errorf("day files (-want +got):\n%s", diff)
				}
				importFolder(t, store, dir)
				if diff := cmp.Diff(want, digests(t, store)); diff != "" {
					t.Errorf("the second import changed the store:\n%s", diff)
				}
			})
		}
	}
}

func importFolder(t *testing.T, store bucket.Bucket, dir string) {
	t.Helper()
	tarball, err := archive.FolderTar(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := archive.ImportMemory(t.Context(), store, "alice", tarball); err != nil {
		t.Fatal(err)
	}
}

func TestAMemoryTarIsNoArchive(t *testing.T) {
	files := map[string][]byte{}
	for name, body := range original {
		files["memory/"+name] = []byte(body)
	}
	body := plainTar(t, files)
	if _, err := archive.Open(bytes.NewReader(body), int64(len(body))); err != archive.ErrNoArchive { //nolint:errorlint // this very one
		t.Errorf("error = %v, want ErrNoArchive", err)
	}
}
