package shell

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestDenialsSayWhatToDo(t *testing.T) {
	v := Judge("ls; rm -rf x")
	if v.Kind != Deny || !strings.HasPrefix(v.Reason, BlackListed) || !strings.Contains(v.Reason, "tell the user") {
		t.Errorf("Judge = %+v, want the original's words and a hint", v)
	}
}

func TestPlainCommandsWriteNothing(t *testing.T) {
	for name, c := range commands {
		if c.writes && isPlainCommand(name) {
			t.Errorf("%s writes and is plain", name)
		}
		if blackListed(name) {
			t.Errorf("%s is on the black list and has an implementation", name)
		}
	}
}

// FuzzPlain runs every line that is judged plain, and looks that it neither
// reads nor changes anything outside, nor panics.
func FuzzPlain(f *testing.F) {
	for _, s := range []string{
		"ls", "cat a | sort -n | uniq -c", "cat ../secret", "for f in *; do cat $f; done", "echo $(cat a)", "cut -f1-3 -d: a", "head -c 3 a",
		"grep -E '(a|b)+' a", "tr a-z A-Z < a", "find . -name '*'", "[[ a =~ (.*) ]] && echo x", "printf '%d %s' 1 2", "cd ..; cat secret", "date +%F", "seq 3 -1 1", "tail -n +2 a", "sort -rnu a", "wc -lwcm a",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, line string) {
		if Judge(line).Kind != Plain || strings.Contains(line, "sleep") {
			return
		}
		dir := t.TempDir()
		work := filepath.Join(dir, "work")
		for name, body := range map[string]string{filepath.Join(dir, "secret"): "CANARY", filepath.Join(work, "a"): "1:b:c\n2\n"} {
			if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(name, []byte(body), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		r, err := Run(context.Background(), Job{Command: line, Plain: true, Dir: work, Path: "/usr/bin:/bin", Timeout: 2 * time.Second, MaxOutput: 4096})
		if err != nil {
			t.Fatalf("Run(%q): %v", line, err)
		}
		if strings.Contains(r.Stdout+r.Stderr, "CANARY") && !strings.Contains(line, "CANARY") {
			t.Fatalf("Run(%q) = %+v, which leaks", line, r)
		}
		for name, want := range map[string]string{filepath.Join(dir, "secret"): "CANARY", filepath.Join(work, "a"): "1:b:c\n2\n"} {
			if got, err := os.ReadFile(name); err != nil || string(got) != want {
				t.Fatalf("after %q %s = %q, %v", line, name, got, err)
			}
		}
		if all, err := os.ReadDir(work); err != nil || len(all) != 1 {
			t.Fatalf("after %q there are %v", line, all)
		}
	})
}

// FuzzApproved runs lines as if the user had approved each, where there is no
// program to start: whatever a line does, the interpreter's own sandbox and our
// commands keep it inside, it ends in time, and it does not panic.
func FuzzApproved(f *testing.F) {
	for _, s := range []string{
		"echo x > b", "echo x >> ../secret", "cp a ../owned", "tee ../owned < a", "mkdir -p d/e && touch d/e/f", "cat < ../secret > a", "x=../secret; cat $x",
		"for i in 1 2 3; do echo $i > $i; done", "cd ..; echo x > owned", "echo {a,b}{1..3}", "ls ~ ~root /", "echo $((1<<62))", "cat <<E\n$(cat ../secret)\nE", "while read l; do echo $l; done < a",
		"case a in *) cat a;; esac", "set -- a b; shift; echo $@", "printf '%099999d' 1", "echo ${x:=y} ${#x} ${x//y/../secret}", "[[ -e ../secret ]] && echo there", "exec 3< ../secret", "a=(1 2 3); echo ${a[@]}",
	} {
		f.Add(s)
	}
	nothing := f.TempDir()
	f.Fuzz(func(t *testing.T, line string) {
		if Judge(line).Kind == Deny || strings.Contains(line, "sleep") {
			return
		}
		dir := t.TempDir()
		work, secret := filepath.Join(dir, "work"), filepath.Join(dir, "secret")
		if err := os.Mkdir(work, 0o700); err != nil {
			t.Fatal(err)
		}
		for name, body := range map[string]string{secret: "CANARY", filepath.Join(work, "a"): "1:b:c\n2\n"} {
			if err := os.WriteFile(name, []byte(body), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		start := time.Now()
		r, err := Run(context.Background(), Job{Command: line, Dir: work, Path: nothing, Timeout: 2 * time.Second, MaxOutput: 4096})
		if err != nil {
			t.Fatalf("Run(%q): %v", line, err)
		}
		if took := time.Since(start); took > 30*time.Second {
			t.Fatalf("Run(%q) took %v", line, took)
		}
		if strings.Contains(r.Stdout+r.Stderr, "CANARY") && !strings.Contains(line, "CANARY") {
			t.Fatalf("Run(%q) = %+v, which leaks", line, r)
		}
		if body, err := os.ReadFile(secret); err != nil || string(body) != "CANARY" {
			t.Fatalf("after %q the secret is %q, %v", line, body, err)
		}
		if all, err := os.ReadDir(dir); err != nil || len(all) != 2 {
			t.Fatalf("after %q there are %v outside of the workspace", line, all)
		}
	})
}
