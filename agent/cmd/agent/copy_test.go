package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/agent/bucket/disk"
	"github.com/loongclaw/loongclaw/agent/bucket/sqlite"
	"github.com/loongclaw/loongclaw/agent/users"
)

// on runs the program on a store.
func on(t *testing.T, store string, args ...string) (stdout string, err error) {
	t.Helper()
	t.Setenv("STORE", store)
	var out, log bytes.Buffer
	err = run(t.Context(), args, &out, &log)
	return out.String(), err
}

func mustOn(t *testing.T, store string, args ...string) string {
	t.Helper()
	out, err := on(t, store, args...)
	if err != nil {
		t.Fatalf("%v on %s: %v", args, store, err)
	}
	return out
}

func TestTheOwnerReadsAndWritesAnyStore(t *testing.T) {
	dir := t.TempDir()
	soul := filepath.Join(dir, "SOUL.md")
	if err := os.WriteFile(soul, []byte("You are brief.\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, store := range []string{"sqlite:" + filepath.Join(dir, "a b?.db"), "disk:" + filepath.Join(dir, "d")} {
		mustOn(t, store, "put", "config/SOUL.md", soul)
		mustOn(t, store, "put", "u/me/config/SOUL.md", soul)
		if got := mustOn(t, store, "get", "config/SOUL.md"); got != "You are brief.\n" {
			t.Errorf("get = %q", got)
		}
		if got := mustOn(t, store, "ls"); got != "config/SOUL.md\nu/me/config/SOUL.md\n" {
			t.Errorf("ls = %q", got)
		}
		if got := mustOn(t, store, "ls", "-l", "u/"); !strings.Contains(got, " 15  2") || strings.Count(got, "\n") != 1 {
			t.Errorf("ls -l u/ = %q", got)
		}
		for _, args := range [][]string{
			{"get"},
			{"get", "config/none"},
			{"get", "../etc/passwd"},
			{"put"},
			{"put", "a b", soul},
			{"put", "config/x", filepath.Join(dir, "none")},
			{"put", "u/me/log/000000000001", soul},
			{"put", "u/me/s/x/000001/log/000000000001", soul},
			{"ls", "a", "b"},
			{"ls", "-x"},
		} {
			if _, err := on(t, store, args...); err == nil || !strings.Contains(err.Error(), "\nNext: ") {
				t.Errorf("%v on %s: %v, want a refusal that says what to do", args, store, err)
			}
		}
	}
}

func TestWhatOnlyReadsMakesNoStore(t *testing.T) {
	dir := t.TempDir()
	for _, store := range []string{"sqlite:" + filepath.Join(dir, "sub", "a.db"), "disk:" + filepath.Join(dir, "sub")} {
		for _, args := range [][]string{{"get", "config/SOUL.md"}, {"ls"}, {"verify"}, {"export", "-user", "me"}, {"copy", "-from", store, "-to", "disk:" + filepath.Join(dir, "other")}} {
			if _, err := on(t, store, args...); err == nil || !strings.Contains(err.Error(), "\nNext: ") {
				t.Errorf("%v on %s: %v, want a refusal that says what to do", args, store, err)
			}
		}
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestCopyMovesAStoreAndBack(t *testing.T) {
	dir := t.TempDir()
	from, db, back := filepath.Join(dir, "data"), "sqlite:"+filepath.Join(dir, "data", "loongclaw.db"), filepath.Join(dir, "back")
	remember(t, from, "honey")
	for range 2 {
		if out := mustOn(t, "", "copy", "-from", "disk:"+from, "-to", db); !strings.Contains(out, "compared byte for byte") || !strings.Contains(out, "STORE="+db) {
			t.Errorf("copy said %q", out)
		}
	}
	if out := mustOn(t, db, "verify"); !strings.Contains(out, "1 journals whole") {
		t.Errorf("verify = %q", out)
	}
	mustOn(t, "", "copy", "-from", db, "-to", "disk:"+back)
	if a, b := mustOn(t, "disk:"+from, "ls"), mustOn(t, "disk:"+back, "ls"); a != b || a == "" {
		t.Errorf("there and back again: %q, want %q", b, a)
	}
	if out := mustOn(t, "disk:"+back, "export", "-user", "alice", "-format", "json"); !strings.Contains(out, `"content": "honey"`) {
		t.Errorf("export = %q", out)
	}
}

func TestCopyRefusesWhatWouldLoseSomething(t *testing.T) {
	dir := t.TempDir()
	from := filepath.Join(dir, "from")
	remember(t, from, "honey")
	d, err := disk.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = d.Close() }()
	u, err := users.New(d, time.Now).Get(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	if err := u.Beat(t.Context(), "box", "p"); err != nil {
		t.Fatal(err)
	}
	to := "sqlite:" + filepath.Join(dir, "to.db")
	for want, args := range map[string][]string{
		"-live":       {"-from", "disk:" + from, "-to", to},
		"one store":   {"-from", "disk:" + from, "-to", "disk:" + from + "/."},
		"two stores":  {"-from", "disk:" + from},
		"neither":     {"-from", "disk:" + from, "-to", "tape:1"},
		"not defined": {"-form", "disk:" + from},
	} {
		if _, err := on(t, "", append([]string{"copy"}, args...)...); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "\nNext: ") {
			t.Errorf("copy %v: %v, want %q and what to do", args, err, want)
		}
	}
	if out := mustOn(t, "", "copy", "-live", "-from", "disk:"+from, "-to", to); !strings.Contains(out, "copy once more") {
		t.Errorf("copy -live said %q", out)
	}
	if out := mustOn(t, to, "ls"); strings.Contains(out, "/agents/") {
		t.Errorf("a heartbeat was copied:\n%s", out)
	}
}

func TestVerifyBesideALiveAgentAndOnADamagedFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	s, err := sqlite.Open(context.Background(), sqlite.Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	body := bytes.Repeat([]byte("what is in no journal "), 100)
	if _, err := s.Put(t.Context(), "u/alice/files/a", body); err != nil {
		t.Fatal(err)
	}
	if out := mustOn(t, "sqlite:"+path, "verify"); !strings.Contains(out, "0 journals damaged") {
		t.Errorf("verify = %q", out)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(file, body[:100])
	file[at] ^= 1
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := on(t, "sqlite:"+path, "verify")
	if err == nil || !strings.Contains(err.Error(), "\nNext: ") || !strings.Contains(out, "u/alice/files/a") {
		t.Errorf("verify of a damaged file = %q, %v", out, err)
	}
	if _, err := on(t, "sqlite:"+path, "get", "u/alice/files/a"); err == nil || !strings.Contains(err.Error(), bucket.ErrDamaged.Error()) {
		t.Errorf("get of a damaged object: %v", err)
	}
}

// TestTheStoreThatIsNotSet is the rule of which one is used then.
func TestTheStoreThatIsNotSet(t *testing.T) {
	disked := func(t *testing.T) { t.Helper(); remember(t, "data", "honey") }
	file := func(t *testing.T) { t.Helper(); mustOn(t, "sqlite:data/loongclaw.db", "put", "config/x", "go.sum") }
	for name, c := range map[string]struct {
		before []func(*testing.T)
		want   string
		notes  string
	}{
		"nothing yet":                {nil, "sqlite:./data/loongclaw.db", ""},
		"an earlier version's":       {[]func(*testing.T){disked}, "disk:./data", "agent copy -from disk:./data -to sqlite:./data/loongclaw.db"},
		"a database":                 {[]func(*testing.T){file}, "sqlite:./data/loongclaw.db", ""},
		"both":                       {[]func(*testing.T){disked, file}, "disk:./data", "the first is used"},
		"a folder of something else": {[]func(*testing.T){func(t *testing.T) { t.Helper(); _ = os.MkdirAll("data/photos", 0o700) }}, "sqlite:./data/loongclaw.db", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			if err := os.WriteFile("go.sum", nil, 0o600); err != nil {
				t.Fatal(err)
			}
			for _, make := range c.before {
				make(t)
			}
			t.Setenv("STORE", "")
			var c2 config
			faults := faults{}
			c2.parseStore(faults.add)
			if err := faults.err(); err != nil || c2.Store != c.want || c2.store.String() != c.want {
				t.Errorf("the store is %q (%v), want %q", c2.Store, err, c.want)
			}
			if notes := strings.Join(c2.notes, "\n"); (c.notes == "") != (notes == "") || !strings.Contains(notes, c.notes) {
				t.Errorf("it says %q, want %q", notes, c.notes)
			}
		})
	}
}

func TestAContainerOnCloudflareHasNoFile(t *testing.T) {
	for _, env := range []string{"CLOUDFLARE_APPLICATION_ID", "DOOR_TOKEN_WAIT"} {
		t.Run(env, func(t *testing.T) {
			t.Chdir(t.TempDir())
			t.Setenv(env, map[string]string{"CLOUDFLARE_APPLICATION_ID": "f3c1", "DOOR_TOKEN_WAIT": "true"}[env])
			for _, store := range []string{"", "sqlite:a.db"} {
				if _, err := on(t, store, "put", "config/x"); err == nil || !strings.Contains(err.Error(), "container on Cloudflare") {
					t.Errorf("STORE=%q: %v, want a refusal", store, err)
				}
			}
			if left, _ := os.ReadDir("."); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}
