package cloudflare

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestSmoke asks the Worker and its containers what `make smoke` asks. An agent that
// slept is seen to wake: strangers did not wake it, and what was said is there.
func TestSmoke(t *testing.T) {
	w := newWorld(t, map[string]string{"TOOLS_AUTO_APPROVE": "get_current_time"})
	program := filepath.Join(t.TempDir(), "smoke")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, "../../cmd/smoke").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	cmd := exec.CommandContext(t.Context(), program, "-address", w.Base, "-sleep", (4 * sleepAfter).String()) // #nosec G204 -- just built
	cmd.Env = append(os.Environ(), "SMOKE_TOKEN="+fmt.Sprintf(tokenOf, "ann"))
	out, err := cmd.CombinedOutput()
	text := string(out)
	if err != nil || strings.Contains(text, "not asked ") {
		t.Errorf("%v\n%s", err, text)
	}
	if !strings.Contains(text, "a container started: waking, restoring, ready") {
		t.Errorf("no container was seen to start:\n%s", text)
	}
}
