package main

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/agent/tools/shell"
)

// TestNoChildReadsOurSecrets hardens a process of its own, and looks at it with
// the eyes of a program that a user approved: the environment in which it was started, and its memory.
func TestNoChildReadsOurSecrets(t *testing.T) {
	const name, canary = "LOONGCLAW_HARDEN_TEST", "CANARY-5d1e"
	if os.Getenv(name) == "" {
		self, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), self, "-test.run", t.Name(), "-test.v")
		cmd.Env = append(os.Environ(), name+"="+canary)
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), "--- PASS") {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	look := shell.Job{
		Command: "sh -c 'cat /proc/$PPID/environ; dd if=/proc/$PPID/mem bs=1 count=0 2>/dev/null && echo READABLE'",
		Dir:     t.TempDir(), Path: "/usr/bin:/bin", Timeout: 10 * time.Second, MaxOutput: 1 << 20, Confine: confine,
	}
	peek := func() ([]byte, []byte) {
		r, err := shell.Run(t.Context(), look)
		if err != nil {
			t.Fatal(err)
		}
		out := []byte(r.Stdout)
		own, err := os.ReadFile("/proc/self/environ")
		if err != nil {
			own = nil // an undumpable process of no root may not read even that
		}
		return out, own
	}
	if out, own := peek(); !bytes.Contains(out, []byte(canary)) || !bytes.Contains(own, []byte(canary)) {
		t.Fatalf("this test sees nothing, so it cannot judge: %q", out)
	}
	if err := harden(); err != nil {
		t.Fatal(err)
	}
	if out, own := peek(); bytes.Contains(out, []byte(canary)) || bytes.Contains(own, []byte(canary)) || bytes.Contains(out, []byte("READABLE")) {
		t.Errorf("a child reads %q, and the process itself %q", out, own)
	}
	if got := os.Getenv(name); got != canary {
		t.Errorf("the program's own environment is %q, want it as it was", got)
	}
}
