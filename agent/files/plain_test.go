package files_test

import (
	"context"
	"testing"

	"github.com/loongclaw/loongclaw/agent/bucket/disk"
	"github.com/loongclaw/loongclaw/agent/files"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// TestANewNameCanBeReadByLookingAtIt: beside "notes.md" none of these may begin.
func TestANewNameCanBeReadByLookingAtIt(t *testing.T) {
	w, _ := workspace(t)
	for what, name := range map[string]string{
		"a filler": "notes\u3164.md", "half a filler": "no\uffa0tes.md", "a jamo filler": "notes\u1160.md", "a selector": "notes\ufe0f.md",
		"selector 17": "notes.md\U000e0100", "a joiner of graphemes": "no\u034ftes.md", "an empty Braille pattern": "notes\u2800.md",
		"another space": "my\u00a0notes.md", "a wide space": "my\u3000notes.md", "a thin one": "my\u2009notes.md", "a khmer vowel": "no\u17b4tes.md",
		"a folder": "my\u00a0notes/today.md", "a mongolian selector": "notes\u180b.md", "an empty note": "notes\U0001d159.md", "an unassigned one": "notes\u2065.md",
	} {
		if err := w.Write(t.Context(), name, nil); fault.CodeOf(err) != fault.CodeInvalidRequest {
			t.Errorf("%s: Write(%q) = %v, want invalid_request", what, name, err)
		}
		if _, err := w.WriteVersion(t.Context(), name, nil, ""); fault.CodeOf(err) != fault.CodeInvalidRequest {
			t.Errorf("%s: WriteVersion(%q) = %v, want invalid_request", what, name, err)
		}
	}
	for _, name := range []string{"my notes.md", "笔记/今天 ❤️.md", "3️⃣.txt", "заметки.md", "Việt Nam.md", "हिन्दी.txt"} {
		if err := w.Write(t.Context(), name, nil); err != nil {
			t.Errorf("Write(%q) = %v", name, err)
		}
	}
}

// TestANameOfAnEarlierVersionStaysUsable: it is in the store, so it is listed, read,
// written and deleted.
func TestANameOfAnEarlierVersionStaysUsable(t *testing.T) {
	ctx := context.Background()
	d, err := disk.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = d.Close() }()
	if _, err := d.Put(ctx, "u/alice/files/my_A0notes.md", []byte("before")); err != nil {
		t.Fatal(err)
	}
	w, name := files.New(d, "u/alice/files/"), "my\u00a0notes.md"
	if list, err := w.List(ctx, ""); err != nil || len(list) != 1 || list[0].Name != name {
		t.Errorf("List = %v, %v", list, err)
	}
	body, version, err := w.ReadVersion(ctx, name)
	if err != nil || string(body) != "before" {
		t.Errorf("Read = %q, %v", body, err)
	}
	if version, err = w.WriteVersion(ctx, name, []byte("after"), version); err != nil {
		t.Error(err)
	}
	if err := w.RemoveVersion(ctx, name, version); err != nil {
		t.Error(err)
	}
	if err := w.Write(ctx, name, nil); err == nil {
		t.Error("it was begun anew after it was deleted")
	}
}
