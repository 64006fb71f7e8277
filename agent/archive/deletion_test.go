package archive_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/loongclaw/loongclaw/agent/bucket/disk"
	"github.com/loongclaw/loongclaw/agent/memory"
	"github.com/loongclaw/loongclaw/agent/model/modeltest"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

// What a deletion leaves is written down in doc.go; this holds it to that. It
// looks into every file of the store's directory, not only at what the store
// lists.
func TestADeletedSessionLeavesNothingButItsTitle(t *testing.T) {
	dir := t.TempDir()
	store, err := disk.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	h := newDeployment(t)
	m := h.agent(store)
	title := "a title of sixty characters which is all that may be left ABC"
	h.provider.Script(
		modeltest.Reply{Text: "looking", Calls: []modeltest.Call{{Name: "memory_search", Arguments: []byte(`{"keyword":"canary-argument"}`)}}},
		modeltest.Reply{Text: "canary-answer", Reasoning: "canary-reasoning"})
	say(t, m, "secret", title+" canary-question", chat.TypeRunFinished)
	say(t, m, "cleared", title+" canary-cleared", chat.TypeRunFinished)
	u, err := m.Users().Get(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	item, err := u.Memory.Save(t.Context(), memory.Item{Content: "remembered-and-forgotten"})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(grep(t, dir, "canary-")); n == 0 {
		t.Fatal("the canaries were never there; this test proves nothing")
	}
	if err := m.Delete(t.Context(), "alice", "secret"); err != nil {
		t.Fatal(err)
	}
	if err := m.Clear(t.Context(), "alice", "cleared"); err != nil {
		t.Fatal(err)
	}
	if err := u.Memory.Forget(t.Context(), item.ID); err != nil {
		t.Fatal(err)
	}
	stop(t, m)
	if left := grep(t, dir, "canary-"); len(left) > 0 {
		t.Errorf("text of deleted sessions is left in %v", left)
	}
	// By design, and only there: the user's journal only grows.
	for _, what := range []string{"a title of sixty characters", "remembered-and-forgotten"} {
		for _, file := range grep(t, dir, what) {
			if !strings.HasPrefix(file, "objects/u/alice/log/") {
				t.Errorf("%q is left in %s", what, file)
			}
		}
	}
	// What is exported from now on does not say it any more.
	for name, body := range untar(t, export(t, store)) {
		if bytes.Contains(body, []byte("canary-")) {
			t.Errorf("the archive has text of a deleted session in %s", name)
		}
	}
}

// grep gives the files below dir that hold text.
func grep(t *testing.T, dir, text string) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := os.ReadFile(path)
		if bytes.Contains(body, []byte(text)) {
			rel, _ := filepath.Rel(dir, path)
			found = append(found, filepath.ToSlash(rel))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
