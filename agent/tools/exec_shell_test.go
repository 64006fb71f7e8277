package tools_test

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/agent/files"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

type shellResult struct {
	Stdout    string   `json:"stdout"`
	Stderr    *string  `json:"stderr"`
	ExitCode  int      `json:"exitCode"`
	Conflicts []string `json:"conflicts"`
}

// approved runs a command as one that the user approved.
func (h deployment) approved(ctx context.Context, t *testing.T, command string, more ...any) shellResult {
	t.Helper()
	out, err := h.box.Run(ctx, "exec_shell", arguments(t, append([]any{"command", command}, more...)...), h.env)
	if err != nil {
		t.Fatalf("exec_shell(%q): %v", command, err)
	}
	var r shellResult
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatalf("exec_shell(%q) = %s: %v", command, out, err)
	}
	return r
}

func TestShellResultHasTheOriginalsShape(t *testing.T) {
	h := newDeployment(t, nil)
	for command, want := range map[string]string{
		"echo hi":              `{"stdout":"hi\n","stderr":null,"exitCode":0}`,
		"cat none":             `{"stdout":"","stderr":"cat: none: no such file or directory\n","exitCode":1}`,
		"exit 3":               `{"stdout":"","stderr":null,"exitCode":3}`,
		"ls ../bob":            `{"stdout":"","stderr":"ls: ../bob: outside of the workspace\n","exitCode":1}`,
		"false || echo 'a<b&'": `{"stdout":"a<b&\n","stderr":null,"exitCode":0}`,
	} {
		got, err := h.box.Run(t.Context(), "exec_shell", arguments(t, "command", command), h.env)
		if got != want || err != nil {
			t.Errorf("exec_shell(%q) = %s, %v, want %s", command, got, err, want)
		}
	}
}

func TestWhatACommandChangesIsKept(t *testing.T) {
	h := newDeployment(t, nil)
	r := h.approved(t.Context(), t, "mkdir -p out && echo one > out/1.txt && cp a.txt out/2.txt && echo delta >> a.txt && cat data.csv | tee copy.csv")
	if r.ExitCode != 0 || len(r.Conflicts) != 0 {
		t.Fatalf("result %+v", r)
	}
	for p, want := range map[string]string{"out/1.txt": "one\n", "out/2.txt": "alpha\nbeta\ngamma\n", "a.txt": "alpha\nbeta\ngamma\ndelta\n", "copy.csv": "one:two:three\n"} {
		if got, err := h.alice.Read(t.Context(), p); string(got) != want || err != nil {
			t.Errorf("%s = %q, %v, want %q", p, got, err, want)
		}
	}
	// What the store gets in between is what the next command sees.
	if err := h.alice.Write(t.Context(), "a.txt", []byte("new")); err != nil {
		t.Fatal(err)
	}
	if err := h.alice.Remove(t.Context(), "copy.csv"); err != nil {
		t.Fatal(err)
	}
	if r := h.approved(t.Context(), t, "cat a.txt; ls"); !strings.HasPrefix(r.Stdout, "new") || strings.Contains(r.Stdout, "copy.csv") {
		t.Errorf("stdout = %q, want the store's present", r.Stdout)
	}
}

func TestWhatIsDroppedIntoTheCopyIsNotSeen(t *testing.T) {
	h := newDeployment(t, nil)
	h.approved(t.Context(), t, "ls")
	work := filepath.Join(h.outside, "work", "alice")
	if err := os.WriteFile(filepath.Join(work, "dropped.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(h.outside, "secret"), filepath.Join(work, "link.txt")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(work, "a.txt"), []byte("tampered"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := h.approved(t.Context(), t, "ls; cat a.txt link.txt")
	if strings.Contains(r.Stdout, "dropped") || strings.Contains(r.Stdout, "tampered") || strings.Contains(r.Stdout, canary) {
		t.Errorf("stdout = %q, want what the store says", r.Stdout)
	}
}

func needs(t *testing.T, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		t.Fatalf("this test needs %s: %v", program, err)
	}
}

func TestLinksThatAProgramMakesLeadNowhere(t *testing.T) {
	needs(t, "ln")
	h := newDeployment(t, nil)
	r := h.approved(t.Context(), t, "ln -s ../../secret l; ln -s ../bob d; cat l; cat d/secret.txt; cat < l; ls d; grep -r CANARY .; echo x > l; find . -name 's*'; [ -e l ] && echo there")
	if strings.Contains(r.Stdout, canary) || strings.Contains(r.Stdout, "secret.txt") || strings.Contains(r.Stdout, "there") {
		t.Errorf("stdout = %q, which leaks", r.Stdout)
	}
	if body, err := os.ReadFile(filepath.Join(h.outside, "secret")); err != nil || !strings.Contains(string(body), canary) {
		t.Errorf("the file outside = %q, %v", body, err)
	}
	if _, err := h.alice.Read(t.Context(), "l"); fault.CodeOf(err) != fault.CodeNotFound {
		t.Errorf("the link was kept: %v", err)
	}
}

// A name is a link outside in one moment and a file in the next, while our own
// commands read and write it.
func TestALinkThatComesAndGoesLeadsNowhere(t *testing.T) {
	needs(t, "ln")
	h := newDeployment(t, nil)
	r := h.approved(t.Context(), t, "sh -c 'i=0; while [ $i -lt 150 ]; do ln -sfn ../../secret l; ln -f a.txt l; ln -sfn ../.. d; ln -sfn notes d; i=$((i+1)); done' | "+
		"for i in $(seq 150); do cat l; cat < l; grep -r CANARY . ; echo x >> l; ls d; cat d/secret; echo owned > d/owned; done")
	if strings.Contains(r.Stdout, canary) || r.Stderr != nil && strings.Contains(*r.Stderr, canary) {
		t.Errorf("result %+v, which leaks", r)
	}
	if body, err := os.ReadFile(filepath.Join(h.outside, "secret")); err != nil || string(body) != canary+"\n"+canary {
		t.Errorf("the file outside = %q, %v", body, err)
	}
	if _, err := os.Stat(filepath.Join(h.outside, "owned")); err == nil {
		t.Error("a file was made outside")
	}
}

func TestAPipeFileDoesNotHoldACommand(t *testing.T) {
	needs(t, "mkfifo")
	h := newDeployment(t, nil)
	r := h.approved(t.Context(), t, "mkfifo p; cat p; cat < p; echo over")
	if !strings.Contains(r.Stdout, "over") {
		t.Errorf("result %+v, want it to go on", r)
	}
}

func TestAConflictIsPartOfTheResult(t *testing.T) {
	h := newDeployment(t, nil)
	h.env.Files = &meddler{Workspace: h.alice}
	r := h.approved(t.Context(), t, "echo mine > a.txt; echo two > b.txt")
	if len(r.Conflicts) != 1 || !strings.Contains(r.Conflicts[0], "a.txt was not kept") {
		t.Errorf("conflicts = %q, want one about a.txt", r.Conflicts)
	}
	if got, _ := h.alice.Read(t.Context(), "a.txt"); string(got) != "theirs" {
		t.Errorf("a.txt = %q, want what was newer", got)
	}
	if got, _ := h.alice.Read(t.Context(), "b.txt"); string(got) != "two\n" {
		t.Errorf("b.txt = %q, want it kept", got)
	}
}

func TestProgramsGetNoSecrets(t *testing.T) {
	needs(t, "printenv")
	h := newDeployment(t, nil)
	r := h.approved(t.Context(), t, "printenv; X=1 printenv X")
	if strings.Contains(r.Stdout, canary) || strings.Contains(r.Stdout, "TMPDIR") {
		t.Errorf("environment = %q", r.Stdout)
	}
	if !strings.Contains(r.Stdout, "HOME=") || !strings.Contains(r.Stdout, "PATH=") || !strings.HasSuffix(r.Stdout, "1\n") {
		t.Errorf("environment = %q, want HOME, PATH and what the line says", r.Stdout)
	}
}

func TestATimeoutEndsTheWholeGroup(t *testing.T) {
	needs(t, "sh")
	h := newDeployment(t, nil)
	start := time.Now()
	r := h.approved(t.Context(), t, "sh -c 'sleep 60 & echo $! > child; sleep 60'", "timeout", 300)
	if r.ExitCode != 124 || r.Stderr == nil || !strings.Contains(*r.Stderr, "stopped after") || time.Since(start) > 10*time.Second {
		t.Errorf("result %+v after %v, want a timeout", r, time.Since(start))
	}
	pid, err := h.alice.Read(t.Context(), "child")
	if err != nil {
		t.Fatalf("what the command wrote before is lost: %v", err)
	}
	gone := func() bool {
		stat, err := os.ReadFile(filepath.Join("/proc", strings.TrimSpace(string(pid)), "stat"))
		return err != nil || strings.Contains(string(stat), ") Z ")
	}
	for deadline := time.Now().Add(5 * time.Second); !gone(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the child %s lives on", pid)
		}
	}
}

func TestACancelEndsACommandAndKeepsWhatItDid(t *testing.T) {
	h := newDeployment(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(200*time.Millisecond, cancel)
	r := h.approved(ctx, t, "echo done > before.txt; sleep 60")
	if r.ExitCode != 124 || r.Stderr == nil || !strings.Contains(*r.Stderr, "cancelled") {
		t.Errorf("result %+v, want cancelled", r)
	}
	if got, err := h.alice.Read(t.Context(), "before.txt"); string(got) != "done\n" {
		t.Errorf("before.txt = %q, %v", got, err)
	}
}

func TestEndlessOutputIsStopped(t *testing.T) {
	needs(t, "yes")
	h := newDeployment(t, nil)
	for _, command := range []string{"yes", "while true; do echo yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy; done", "yes | cat", "echo $(yes)", "yes > big.txt", "yes | tr y n", "yes | sort", "echo $(seq 100000; seq 100000; seq 100000)"} {
		start := time.Now()
		r := h.approved(t.Context(), t, command, "timeout", 700)
		if time.Since(start) > 8*time.Second || len(r.Stdout) > 33<<10 {
			t.Errorf("%q: %d bytes after %v", command, len(r.Stdout), time.Since(start))
		}
	}
}

func TestLongOutputIsCutWithAMark(t *testing.T) {
	h := newDeployment(t, nil)
	out, err := h.box.Run(t.Context(), "exec_shell", arguments(t, "command", "seq 90000"), h.env)
	var r shellResult
	if err != nil || json.Unmarshal([]byte(out), &r) != nil || !strings.Contains(r.Stdout, "[cut: ") || len(out) > 32<<10 {
		t.Errorf("%d bytes, %v, want JSON with a mark", len(out), err)
	}
}

func TestTwoUsersNeverMeet(t *testing.T) {
	h := newDeployment(t, nil)
	bob := h
	bob.env.User = "bob/../alice"
	if r := bob.approved(t.Context(), t, "ls; pwd"); r.ExitCode != 0 {
		t.Errorf("result %+v", r)
	}
	entries, err := os.ReadDir(filepath.Join(h.outside, "work"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() == "alice" {
			t.Error("a user's name led into another's folder")
		}
	}
}

// meddler is a workspace that somebody else writes to while a command runs.
type meddler struct {
	*files.Workspace
	done bool
}

func (m *meddler) WriteVersion(ctx context.Context, path string, body []byte, version string) (string, error) {
	if !m.done {
		m.done = true
		if err := m.Write(ctx, "a.txt", []byte("theirs")); err != nil {
			return "", err
		}
	}
	return m.Workspace.WriteVersion(ctx, path, body, version)
}
