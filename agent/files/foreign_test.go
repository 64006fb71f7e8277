package files_test

import (
	"encoding/json"
	"fmt"
	"sync"
	"testing"

	"github.com/loongclaw/loongclaw/agent/bucket/disk"
	"github.com/loongclaw/loongclaw/agent/files"
)

func TestWhatIsForeignIsKept(t *testing.T) {
	store, err := disk.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	w := files.New(store, "u/alice/files/")
	var all sync.WaitGroup
	for i := range 20 { // agents write at the same time
		all.Go(func() {
			if err := files.New(store, "u/alice/files/").NoteForeign(t.Context(), fmt.Sprintf("a/%d.txt", i), []string{"page"}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if err := w.NoteOwn(t.Context(), "a/3.txt"); err != nil {
		t.Fatal(err)
	}
	f, err := w.Foreign(t.Context())
	if err != nil || len(f.Files) != 19 || f.Of("a/3.txt") != nil || f.Of("a/4.txt") == nil || f.Of("b") != nil || f.Below("") == nil || f.Below("a") == nil || f.Below("a/4") != nil {
		t.Errorf("%+v, %v", f, err)
	}
	if f, err := files.New(store, "u/bob/files/").Foreign(t.Context()); err != nil || f.Below("") != nil {
		t.Errorf("another user's: %+v, %v", f, err)
	}
	if _, err := store.Put(t.Context(), "u/alice/config/foreign-files.json", []byte("{")); err != nil {
		t.Fatal(err)
	}
	if f, err := w.Foreign(t.Context()); err != nil || f.Of("b") == nil {
		t.Errorf("what cannot be read lets a file be the user's: %+v, %v", f, err)
	}
	full := files.Foreign{Files: map[string][]string{}}
	for i := range 2000 {
		full.Files[fmt.Sprint(i)] = []string{"page"}
	}
	body, err := json.Marshal(full)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Put(t.Context(), "u/carol/config/foreign-files.json", body); err != nil {
		t.Fatal(err)
	}
	if err := files.New(store, "u/carol/files/").NoteForeign(t.Context(), "one more", []string{"page"}); err != nil {
		t.Fatal(err)
	}
	if f, err := files.New(store, "u/carol/files/").Foreign(t.Context()); err != nil || f.Of("never written") == nil || len(f.Files) > 2000 {
		t.Errorf("with too many files: %d, all %v, %v", len(f.Files), f.All, err)
	}
}
