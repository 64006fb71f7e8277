package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/agent/bucket/disk"
	"github.com/loongclaw/loongclaw/agent/memory"
	"github.com/loongclaw/loongclaw/agent/users"
)

// command runs the program with a disk store and nothing else of a configuration.
func command(t *testing.T, store string, args ...string) (stdout string, err error) {
	t.Helper()
	t.Setenv("STORE", "disk:"+store)
	var out, log bytes.Buffer
	err = run(t.Context(), args, &out, &log)
	return out.String(), err
}

func TestExportThenImport(t *testing.T) {
	from, to, dir := t.TempDir(), t.TempDir(), t.TempDir()
	remember(t, from, "honey")
	file := filepath.Join(dir, "alice.tar")
	if _, err := command(t, from, "export", "-user", "alice", "-o", file); err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("left beside the export: %v", left)
	}
	streamed, err := command(t, from, "export", "-user", "alice")
	if body, _ := os.ReadFile(file); err != nil || streamed != string(body) {
		t.Errorf("stdout and the file differ (%v)", err)
	}
	for _, want := range []string{"alice: 1 objects written, 0 were there", "alice: 0 objects written, 1 were there"} {
		if out, err := command(t, to, "import", "-user", "alice", file); err != nil || !strings.Contains(out, want) {
			t.Errorf("import said %q (%v), want %q", out, err, want)
		}
	}
	if out, err := command(t, to, "export", "-user", "alice", "-format", "json"); err != nil || !strings.Contains(out, `"content": "honey"`) {
		t.Errorf("json = %q, %v", out, err)
	}
	if _, err := command(t, to, "import", "-user", "bob", file); err == nil || !strings.Contains(err.Error(), "\nNext: ") {
		t.Errorf("as bob: %v, want a refusal that says what to do", err)
	}
}

func TestImportRefusesALiveAgentsUserUnlessForced(t *testing.T) {
	from, to := t.TempDir(), t.TempDir()
	remember(t, from, "honey")
	file := filepath.Join(t.TempDir(), "alice.tar")
	if _, err := command(t, from, "export", "-user", "alice", "-o", file); err != nil {
		t.Fatal(err)
	}
	store, err := disk.Open(to)
	if err != nil {
		t.Fatal(err)
	}
	u, err := users.New(store, time.Now).Get(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	if err := u.Beat(t.Context(), "box", "p"); err != nil {
		t.Fatal(err)
	}
	if _, err := command(t, to, "import", "-user", "alice", file); err == nil || !strings.Contains(err.Error(), "-force") {
		t.Errorf("error = %v, want one that names -force", err)
	}
	if _, err := command(t, to, "import", "-user", "alice", "-force", file); err != nil {
		t.Errorf("forced: %v", err)
	}
}

func TestImportTakesTheOriginalsFolder(t *testing.T) {
	store, dir := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "2026-03-01.md"), []byte("by hand\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"1 memories new, 0 known", "0 memories new, 1 known"} {
		if out, err := command(t, store, "import", "-user", "alice", dir); err != nil || !strings.Contains(out, want) {
			t.Errorf("import said %q (%v), want %q", out, err, want)
		}
	}
}

func TestExportAndImportSayWhatTheyNeed(t *testing.T) {
	for _, args := range [][]string{
		{"export"},
		{"export", "-user", "alice", "-format", "zip"},
		{"export", "-user", "nobody"},
		{"import", "-user", "alice"},
		{"import", "-user", "alice", "there-is-no-such-file"},
		{"import", "-what"},
	} {
		if _, err := command(t, t.TempDir(), args...); err == nil || !strings.Contains(err.Error(), "\nNext: ") {
			t.Errorf("%v: error = %v, want one with what to do next", args, err)
		}
	}
}

func remember(t *testing.T, dir, what string) {
	t.Helper()
	store, err := disk.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	u, err := users.New(store, time.Now).Get(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := u.Memory.Save(t.Context(), memory.Item{Content: what}); err != nil {
		t.Fatal(err)
	}
}
