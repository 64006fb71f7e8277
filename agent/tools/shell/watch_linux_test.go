package shell

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/loongclaw/loongclaw/agent/tools/process"
)

// TestNoProgramGoesBeyondItsLimits runs in a process of its own, which adopts
// orphans as the agent does.
func TestNoProgramGoesBeyondItsLimits(t *testing.T) {
	if !adopting(t) {
		return
	}
	for _, program := range []string{"sh", "setsid", "tail", "sleep"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Fatalf("this test needs %s: %v", program, err)
		}
	}
	for _, c := range []struct {
		name, command string
		limits        Limits
		want          string // in stderr
	}{
		// Bounded all of them: what holds must be seen without a machine at stake.
		{"many processes", `sh -c 'i=0; while [ $i -lt 60 ]; do sleep 61.25 & i=$((i+1)); done; wait'`, Limits{Processes: 20}, "too many processes"},
		{"many in sessions of their own", `sh -c 'i=0; while [ $i -lt 60 ]; do setsid sleep 61.25 & i=$((i+1)); done; wait'`, Limits{Processes: 20}, "too many processes"},
		{"memory", `sh -c 'head -c 200000000 /dev/zero | tail -c 200000000 | sleep 5'`, Limits{Memory: 64 << 20}, "too much memory"},
		{"memory in many", `sh -c 'for i in 1 2 3 4; do head -c 40000000 /dev/zero | tail -c 40000000 | sleep 5 & done; wait'`, Limits{Memory: 64 << 20}, "too much memory"},
		{"honest", `sh -c 'for i in 1 2 3 4 5; do echo $i | cat & done; wait; head -c 1000000 /dev/zero | tail -c 10 | wc -c'`, Limits{}, ""},
	} {
		start := time.Now()
		c.limits.Adopts = true
		r, err := Run(t.Context(), Job{Command: c.command, Dir: t.TempDir(), Path: "/usr/bin:/bin", Timeout: 30 * time.Second, MaxOutput: 4096, Limits: c.limits})
		t.Logf("%s: %v", c.name, time.Since(start))
		if err != nil {
			t.Fatal(err)
		}
		if c.want == "" && (r.Exit != 0 || r.Stderr != "") || !strings.Contains(r.Stderr, c.want) || c.want != "" && r.Exit != 137 {
			t.Errorf("%s: %+v after %v, want %q", c.name, r, time.Since(start), c.want)
		}
	}
	for end := time.Now().Add(10 * time.Second); sleepers(t, "61.25") > 0; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d processes live on", sleepers(t, "61.25"))
		}
	}
}

// adopting runs a test in a process of its own, which adopts orphans as the agent
// does; true is said there.
func adopting(t *testing.T) bool {
	t.Helper()
	const subreaper = "LOONGCLAW_ADOPT"
	if os.Getenv(subreaper) != "" {
		if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
			t.Fatal(err)
		}
		return true
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, "-test.run", "^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), subreaper+"=1")
	out, err := cmd.CombinedOutput()
	if t.Logf("%s", out); err != nil || !strings.Contains(string(out), "--- PASS") {
		t.Error(err)
	}
	return false
}

// sleepers counts the processes that were given a word.
func sleepers(t *testing.T, word string) int {
	t.Helper()
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, p := range lines {
		if b, err := os.ReadFile(p); err == nil && strings.Contains(string(b), "sleep\x00"+word) {
			n++
		}
	}
	return n
}

// A process that leaves its group and its parent is nobody's, unless the agent
// adopts it.
func TestWhatAProgramLeavesBehindEnds(t *testing.T) {
	if !adopting(t) {
		return
	}
	dir := t.TempDir()
	for name, command := range map[string]string{
		"a session of its own":         `sh -c 'setsid sleep 62.25 & echo $! > pid'`,
		"its parent ends at once":      `sh -c '(setsid sh -c "echo \$\$ > pid; exec sleep 62.25" &)'; sleep 0.3`,
		"a child of one that went":     `sh -c 'setsid sh -c "sleep 62.25 & echo \$! > pid; wait" & sleep 0.3'`,
		"it ignores every soft signal": `sh -c 'trap "" TERM HUP INT; setsid sleep 62.25 & echo $! > pid'`,
	} {
		r, err := Run(t.Context(), Job{Command: command, Dir: dir, Path: "/usr/bin:/bin", Timeout: 10 * time.Second, MaxOutput: 4096, Limits: Limits{Adopts: true}})
		if err != nil || r.Exit != 0 {
			t.Fatalf("%s: %+v, %v", name, r, err)
		}
		b, err := os.ReadFile(filepath.Join(dir, "pid"))
		if err != nil {
			t.Fatalf("%s: it did not even start: %v", name, err)
		}
		pid, _ := strconv.Atoi(strings.TrimSpace(string(b)))
		for end := time.Now().Add(5 * time.Second); ; time.Sleep(10 * time.Millisecond) {
			if !process.Alive(pid) {
				break
			}
			if time.Now().After(end) {
				t.Fatalf("%s: process %d lives on", name, pid)
			}
		}
	}
	if n := process.Running(); n != 0 {
		t.Errorf("%d programs are still noted as running", n)
	}
}
