package files

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

func TestCleanGivesOneForm(t *testing.T) {
	for path, want := range map[string]string{
		"": "", ".": "", "/workspace": "", "./workspace/": "", "workspace": "",
		"a.txt": "a.txt", "./a.txt": "a.txt", "workspace/a.txt": "a.txt", "./workspace/a.txt": "a.txt",
		"/workspace/a/b.txt": "a/b.txt", "a//b/./c": "a/b/c", "a/../b": "b", "workspace/a/../b": "b",
		"workspace/workspace/a": "workspace/a", "笔记/今天.md": "笔记/今天.md", "e\u0301.txt": "é.txt",
		".gitignore": ".gitignore", "a/.env": "a/.env", "🐻.md": "🐻.md", "a b.txt": "a b.txt", "报告（1）．txt": "报告（1）．txt",
		"...": "...",
	} {
		got, err := Clean(path)
		if err != nil || got != want {
			t.Errorf("Clean(%q) = %q, %v, want %q", path, got, err, want)
		}
	}
}

func TestCleanIsIdempotent(t *testing.T) {
	for _, path := range []string{"a", "笔记/今天.md", "x/../y", "/workspace/q"} {
		once, err := Clean(path)
		if err != nil {
			t.Fatal(err)
		}
		if twice, err := Clean(once); err != nil || twice != once {
			t.Errorf("Clean(Clean(%q)) = %q, %v, want %q", path, twice, err, once)
		}
	}
}

func TestKeysAreReadableAndExact(t *testing.T) {
	for path, want := range map[string]string{
		"notes/a.txt": "notes/a.txt",
		".env":        "_2Eenv",
		"a b":         "a_20b",
		"a_b":         "a_5Fb",
		"笔.md":        "_u7B14.md",
		"🐻":           "_v01F43B",
	} {
		if got := encodePath(path); got != want {
			t.Errorf("encodePath(%q) = %q, want %q", path, got, want)
		}
	}
}

func TestKeysThatNothingEncodesTo(t *testing.T) {
	for _, key := range []string{"", "a//b", "_2e", "_zz", "_4", "_61", "a_2Fb", "_u0041", "_", "a_/b", "_vFFFFFF", "a/_2E_2E/b/"} {
		if got, err := decodePath(key); err == nil {
			t.Errorf("decodePath(%q) = %q, want an error", key, got)
		}
	}
}

func TestErrorsSayWhatToDo(t *testing.T) {
	_, err := Clean("../x")
	f := fault.From(err)
	if f.Code != fault.CodeInvalidRequest || f.Hint == "" {
		t.Errorf("Clean(../x) = %v with hint %q, want an invalid_request with a hint", err, f.Hint)
	}
}

func FuzzClean(f *testing.F) {
	for _, s := range []string{"a/b", "../x", "workspace/../..", "笔记", strings.Repeat("é", 120), "a\x00b", "....//", "/workspace/workspace/.."} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, path string) {
		clean, err := Clean(path)
		if err != nil || clean == "" {
			return
		}
		for _, s := range strings.Split(clean, "/") {
			if s == "" || s == "." || s == ".." || len(s) > maxSegment || !utf8.ValidString(s) {
				t.Fatalf("Clean(%q) = %q with the segment %q", path, clean, s)
			}
		}
		key := encodePath(clean)
		if err := bucket.CheckKey(key); err != nil {
			t.Fatalf("key of %q: %v", clean, err)
		}
		if back, err := decodePath(key); err != nil || back != clean {
			t.Fatalf("decodePath(encodePath(%q)) = %q, %v", clean, back, err)
		}
	})
}

func FuzzDecode(f *testing.F) {
	f.Add("a/b_20c")
	f.Add("_u7B14/_2E")
	f.Fuzz(func(t *testing.T, key string) {
		if path, err := decodePath(key); err == nil && encodePath(path) != key {
			t.Fatalf("decodePath(%q) = %q, which encodes to %q", key, path, encodePath(path))
		}
	})
}
