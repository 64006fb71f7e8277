package conformance_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestMain makes this program the client that the suite starts.
func TestMain(m *testing.M) {
	scenario := os.Getenv("MCP_CONFORMANCE_SCENARIO")
	if scenario == "" {
		os.Exit(m.Run())
	}
	ctx, cancel := context.WithTimeout(context.Background(), 25*time.Second)
	defer cancel()
	if err := play(ctx, scenario, os.Getenv("MCP_CONFORMANCE_CONTEXT"), os.Args[len(os.Args)-1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// TestOurClientConforms runs what a revision of the protocol demands of clients. What
// is expected to fail stands in testdata with its reason, and must fail: the suite
// takes neither another failure nor a success of those.
func TestOurClientConforms(t *testing.T) {
	folder, err := filepath.Abs("../../../../deploy/test/e2e/mcp/node_modules")
	if err != nil {
		t.Fatal(err)
	}
	node, suite := filepath.Join(folder, ".bin", "node"), filepath.Join(folder, "@modelcontextprotocol", "conformance", "dist", "index.js")
	for _, file := range []string{node, suite} {
		if _, err := os.Stat(file); err != nil {
			t.Fatalf("%v\nNext: make test-go, or npm ci in deploy/test/e2e/mcp", err)
		}
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for revision, demanded := range map[string]int{"2025-11-25": 18, "2026-07-28": 32} {
		t.Run(revision, func(t *testing.T) {
			expected, err := filepath.Abs(filepath.Join("testdata", "expected-"+revision+".yaml"))
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
			defer cancel()
			cmd := exec.CommandContext(ctx, node, suite, "client", "--command", self, "--requirements", revision, "--expected-failures", expected) // #nosec G204 -- the suite, pinned
			cmd.Dir = t.TempDir()
			cmd.Env = append(os.Environ(), "NO_COLOR=1", "FORCE_COLOR=0")
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Errorf("the suite says no: %v\n%s", err, out)
			}
			// Neither does it pass by running less.
			ran := strings.Count(string(out), "✓ ") + strings.Count(string(out), "✗ ")
			if ran < demanded {
				t.Errorf("%d scenarios ran, want %d or more\n%s", ran, demanded, out)
			}
		})
	}
}
