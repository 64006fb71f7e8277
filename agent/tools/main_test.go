package tools

import (
	"os"
	"testing"

	"github.com/loongclaw/loongclaw/agent/tools/shell"
	"github.com/loongclaw/loongclaw/agent/tools/worker"
)

// TestMain makes this test's program a worker when it is started as one.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == "worker" {
		os.Exit(ServeTask(os.Stdin, os.Stdout, os.Stderr, shell.Limits{}, os.Exit))
	}
	os.Exit(m.Run())
}

// OwnWorker is a pool of workers that are this test's own program.
func OwnWorker(t testing.TB) Worker {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return worker.New(worker.Config{Program: self, Args: []string{"worker"}})
}

// Linked puts a link of a page into sight.
func Linked(s *Sight, address string) { s.linked([]string{address}) }
