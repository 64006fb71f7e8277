package main

import (
	"os"
	"testing"

	"github.com/loongclaw/loongclaw/agent/tools"
	"github.com/loongclaw/loongclaw/agent/tools/shell"
	"github.com/loongclaw/loongclaw/agent/tools/worker"
)

// TestMain makes this test's program a worker when it is started as one.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == workerCommand {
		os.Exit(tools.ServeTask(os.Stdin, os.Stdout, os.Stderr, shell.Limits{}, os.Exit))
	}
	os.Exit(m.Run())
}

// testWorker gives workers that are this test's own program.
func testWorker(t *testing.T) tools.Worker {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return worker.New(worker.Config{Program: self, Args: []string{workerCommand}})
}
