package mcp

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/agent/bucket/disk"
)

// TestAProgramThatStartsSlowlyIsHadInTheEnd: what is too slow for the first try, and
// would be for each one like it, has more time at the next.
func TestAProgramThatStartsSlowlyIsHadInTheEnd(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "tools"), []byte(`[{"name":"echo","description":"","inputSchema":{"type":"object"}}]`), 0o600); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	store, err := disk.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	late := Entry{Command: self, Args: []string{"-test.run=^$"}, Env: map[string]string{"FAKE_MODE": "late", "FAKE_DIR": dir}}
	s := New(Config{Bucket: store, Servers: map[string]Entry{"late": late}, Programs: &Programs{}})
	t.Cleanup(s.Close)
	s.env.connect = 400 * time.Millisecond
	s.Start()
	failed := false
	for end := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		list, err := s.List(t.Context(), "alice")
		if err != nil {
			t.Fatal(err)
		}
		failed = failed || list[0].State == Failed
		if list[0].State == Unapproved {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("it is never had: %+v", list)
		}
	}
	if !failed {
		t.Error("it was had at once, so this shows nothing")
	}
}

func TestPatienceGrowsForProgramsAlone(t *testing.T) {
	for _, c := range []struct {
		entry Entry
		tries int
		want  time.Duration
	}{
		{Entry{Command: "node"}, 0, 10 * time.Second},
		{Entry{Command: "node"}, 1, 20 * time.Second},
		{Entry{Command: "node"}, 2, 40 * time.Second},
		{Entry{Command: "node"}, 3, time.Minute},
		{Entry{Command: "node"}, 1000, time.Minute},
		{Entry{URL: "https://tools.example.org/mcp"}, 1000, 10 * time.Second},
	} {
		s := &server{entry: c.entry, tries: c.tries, env: &env{connect: connectTime}}
		if got := s.patience(); got != c.want {
			t.Errorf("%s%s after %d tries: %v, want %v", c.entry.Command, c.entry.URL, c.tries, got, c.want)
		}
	}
}
