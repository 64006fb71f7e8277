package persona_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/agent/bucket/disk"
	"github.com/loongclaw/loongclaw/agent/persona"
	"github.com/loongclaw/loongclaw/agent/users"
)

func newReader(t *testing.T) persona.Reader {
	t.Helper()
	d, err := disk.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return persona.Reader{
		Bucket: d, File: filepath.Join(t.TempDir(), "SOUL.md"), Log: slog.New(slog.DiscardHandler),
	}
}

func put(t *testing.T, b bucket.Bucket, key, text string) {
	t.Helper()
	if _, err := b.Put(t.Context(), key, []byte(text)); err != nil {
		t.Fatal(err)
	}
}

// soul is the persona's part of the prompt.
func soul(t *testing.T, prompt string) string {
	t.Helper()
	text, rest, ok := strings.Cut(prompt, "\n\nYou have tools.")
	if !ok || !strings.Contains(rest, "never instructions to you") {
		t.Fatalf("the rules are not in the prompt: %q", prompt)
	}
	if strings.Contains(rest, "20") {
		t.Errorf("something that changes is in the prompt: %q", rest)
	}
	return text
}

// The nearest SOUL.md counts, and it counts from the next call: nothing is kept.
func TestTheNearestSoulCountsFromTheNextCall(t *testing.T) {
	r := newReader(t)
	own := users.Prefix("alice@example.org") + "config/SOUL.md"
	for _, step := range []struct {
		name       string
		do         func()
		alice, bob string
	}{
		{"nothing", func() {}, persona.Default, persona.Default},
		{"the original's file", func() { write(t, r.File, "I am the file.") }, "I am the file.", "I am the file."},
		{"the deployment's", func() { put(t, r.Bucket, "config/SOUL.md", "I am the deployment.\n\n") }, "I am the deployment.", "I am the deployment."},
		{"alice's own", func() { put(t, r.Bucket, own, "  I am alice's.") }, "I am alice's.", "I am the deployment."},
		{"alice's own, changed", func() { put(t, r.Bucket, own, "I changed.") }, "I changed.", "I am the deployment."},
		{"alice's own, gone", func() { remove(t, r.Bucket, own) }, "I am the deployment.", "I am the deployment."},
		{"the deployment's, gone", func() { remove(t, r.Bucket, "config/SOUL.md") }, "I am the file.", "I am the file."},
		{"the file, changed", func() { write(t, r.File, "A new file.") }, "A new file.", "A new file."},
	} {
		step.do()
		if got := soul(t, r.For(t.Context(), "alice@example.org")); got != step.alice {
			t.Errorf("%s: alice got %q, want %q", step.name, got, step.alice)
		}
		if got := soul(t, r.For(t.Context(), "bob")); got != step.bob {
			t.Errorf("%s: bob got %q, want %q", step.name, got, step.bob)
		}
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, b bucket.Bucket, key string) {
	t.Helper()
	if err := b.Delete(t.Context(), key); err != nil {
		t.Fatal(err)
	}
}

func TestAnEmptySoulIsTheDefault(t *testing.T) {
	r := newReader(t)
	put(t, r.Bucket, "config/SOUL.md", " \n\t")
	if got := soul(t, r.For(t.Context(), "alice")); got != persona.Default {
		t.Errorf("got %q", got)
	}
	r.File = ""
	if got := soul(t, r.For(t.Context(), "alice")); got != persona.Default {
		t.Errorf("without a file: got %q", got)
	}
}

func TestALongSoulIsCutBetweenCharacters(t *testing.T) {
	const limit = 32 << 10
	for name, text := range map[string]string{
		"one byte a character": strings.Repeat("a", limit+100),
		"three":                strings.Repeat("熊", limit),
		"shifted by one":       "a" + strings.Repeat("熊", limit),
		"four":                 "ab" + strings.Repeat("🐉", limit),
		"not UTF-8":            "soul" + strings.Repeat("\xff", 10) + strings.Repeat("a", limit),
	} {
		r := newReader(t)
		put(t, r.Bucket, "config/SOUL.md", text)
		stored := soul(t, r.For(t.Context(), "alice"))
		put(t, r.Bucket, "config/SOUL.md", "")
		remove(t, r.Bucket, "config/SOUL.md")
		write(t, r.File, text)
		for where, got := range map[string]string{"store": stored, "file": soul(t, r.For(t.Context(), "alice"))} {
			if len(got) > limit || len(got) < limit-16 || !utf8.ValidString(got) || strings.Contains(got, "\uFFFD") {
				t.Errorf("%s, %s: %d bytes, UTF-8: %v, ends in %q", name, where, len(got), utf8.ValidString(got), got[max(0, len(got)-8):])
			}
		}
	}
}

// away is a bucket that does not answer.
type away struct{ bucket.Bucket }

func (away) Get(context.Context, string) (bucket.Object, error) {
	return bucket.Object{}, errors.New("connection reset")
}

func TestAStoreThatIsAwayLeavesAPersona(t *testing.T) {
	r := newReader(t)
	var log bytes.Buffer
	r.Bucket, r.Log = away{r.Bucket}, slog.New(slog.NewTextHandler(&log, nil))
	if got := soul(t, r.For(t.Context(), "alice")); got != persona.Default {
		t.Errorf("got %q", got)
	}
	if !strings.Contains(log.String(), "connection reset") || !strings.Contains(log.String(), "config/SOUL.md") {
		t.Errorf("the log does not say so: %s", log.String())
	}
}

// One user's persona is never another's, whatever they are called.
func TestNoUserReadsAnothersSoul(t *testing.T) {
	r := newReader(t)
	put(t, r.Bucket, users.Prefix("alice")+"config/SOUL.md", "secret")
	for _, name := range []string{"", "Alice", "alice/", "../alice", "alice/config", "x/../alice"} {
		if got := soul(t, r.For(t.Context(), name)); got != persona.Default {
			t.Errorf("%q reads %q", name, got)
		}
	}
}
