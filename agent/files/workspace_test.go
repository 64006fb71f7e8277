package files_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loongclaw/loongclaw/agent/bucket/disk"
	"github.com/loongclaw/loongclaw/agent/files"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

func workspace(t *testing.T) (*files.Workspace, *files.Workspace) {
	t.Helper()
	d, err := disk.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return files.New(d, "u/alice/files/"), files.New(d, "u/bob/files/")
}

func TestWriteReadListRemove(t *testing.T) {
	ctx := context.Background()
	w, other := workspace(t)
	long := strings.Repeat("长", 80) + ".txt"
	for _, p := range []string{"a.txt", "notes/b.md", "notes/deep/c.md", "笔记/今天 🐻.md", ".env", long} {
		if err := w.Write(ctx, p, []byte("in "+p)); err != nil {
			t.Fatalf("Write(%q): %v", p, err)
		}
		if got, err := w.Read(ctx, "./workspace/"+p); err != nil || string(got) != "in "+p {
			t.Errorf("Read(%q) = %q, %v", p, got, err)
		}
	}
	got, err := w.List(ctx, ".")
	if err != nil {
		t.Fatal(err)
	}
	want := []files.Info{{Name: ".env", Size: 7}, {Name: "a.txt", Size: 8}, {Name: "notes", Dir: true}, {Name: "笔记", Dir: true}, {Name: long, Size: int64(len(long) + 3)}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("List (-want +got):\n%s", diff)
	}
	got, err = w.List(ctx, "notes")
	if diff := cmp.Diff([]files.Info{{Name: "b.md", Size: 13}, {Name: "deep", Dir: true}}, got); diff != "" || err != nil {
		t.Errorf("List(notes): %v (-want +got):\n%s", err, diff)
	}
	if err := w.Remove(ctx, "notes/deep/c.md"); err != nil {
		t.Error(err)
	}
	if _, err := w.List(ctx, "notes/deep"); fault.CodeOf(err) != fault.CodeNotFound {
		t.Errorf("List of a folder that is gone: %v, want not_found", err)
	}
	if all, err := other.Snapshot(ctx); err != nil || len(all) != 0 {
		t.Errorf("another user's Snapshot = %v, %v, want nothing", all, err)
	}
}

func TestFilesAndFoldersDoNotMeet(t *testing.T) {
	ctx := context.Background()
	w, _ := workspace(t)
	if err := w.Write(ctx, "a/b", nil); err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{"a", "a/b/c", "a/b/c/d", "", "."} {
		if err := w.Write(ctx, p, nil); fault.CodeOf(err) != fault.CodeInvalidRequest {
			t.Errorf("Write(%q): %v, want invalid_request", p, err)
		}
	}
	if _, err := w.Read(ctx, "a"); err == nil || !strings.Contains(err.Error(), "is a folder") {
		t.Errorf("Read of a folder: %v", err)
	}
	if _, err := w.List(ctx, "a/b"); err == nil || !strings.Contains(err.Error(), "is a file") {
		t.Errorf("List of a file: %v", err)
	}
	if err := w.Remove(ctx, "a"); err == nil {
		t.Error("Remove of a folder: no error")
	}
}

func TestAFileHasALargestSize(t *testing.T) {
	w, _ := workspace(t)
	if err := w.Write(context.Background(), "big", make([]byte, files.MaxFile+1)); fault.CodeOf(err) != fault.CodeTooLarge {
		t.Errorf("Write: %v, want too_large", err)
	}
}

func TestVersionsDecideBetweenWriters(t *testing.T) {
	ctx := context.Background()
	w, _ := workspace(t)
	v1, err := w.WriteVersion(ctx, "a", []byte("1"), "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.WriteVersion(ctx, "a", []byte("x"), ""); fault.CodeOf(err) != fault.CodeConflict {
		t.Errorf("second creation: %v, want conflict", err)
	}
	v2, err := w.WriteVersion(ctx, "a", []byte("2"), v1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.WriteVersion(ctx, "a", []byte("x"), v1); fault.CodeOf(err) != fault.CodeConflict {
		t.Errorf("write over a newer version: %v, want conflict", err)
	}
	if err := w.RemoveVersion(ctx, "a", v1); fault.CodeOf(err) != fault.CodeConflict {
		t.Errorf("removal of a newer version: %v, want conflict", err)
	}
	if got, _ := w.Read(ctx, "a"); string(got) != "2" {
		t.Errorf("content = %q, want 2", got)
	}
	if err := w.RemoveVersion(ctx, "a", v2); err != nil {
		t.Error(err)
	}
	if _, err := w.WriteVersion(ctx, "a", nil, v2); fault.CodeOf(err) != fault.CodeConflict {
		t.Errorf("write to a file that is gone: %v, want conflict", err)
	}
}

func TestWalkStopsWhenAsked(t *testing.T) {
	ctx := context.Background()
	w, _ := workspace(t)
	for _, p := range []string{"a", "b", "c"} {
		if err := w.Write(ctx, p, nil); err != nil {
			t.Fatal(err)
		}
	}
	stop, seen := errors.New("stop"), 0
	err := w.Walk(ctx, func(files.File) error { seen++; return stop })
	if !errors.Is(err, stop) || seen != 1 {
		t.Errorf("Walk = %v after %d files, want stop after 1", err, seen)
	}
}
