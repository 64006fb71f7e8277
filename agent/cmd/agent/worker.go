package main

import (
	"os"

	"github.com/loongclaw/loongclaw/agent/tools"
	"github.com/loongclaw/loongclaw/agent/tools/shell"
	"github.com/loongclaw/loongclaw/agent/tools/worker"
)

// workerCommand makes this program a worker of an agent, which does one task for
// a tool and ends. It is for the agent only: it reads the task from its input.
const workerCommand = "tool"

// serveTask does one task as a worker.
func serveTask() int {
	return tools.ServeTask(os.Stdin, os.Stdout, os.Stderr, shellLimits(), os.Exit)
}

// newWorker gives workers that are this program.
func newWorker(limits shell.Limits) tools.Worker {
	return worker.New(worker.Config{Program: ownProgram(), Args: []string{workerCommand}, Adopts: limits.Adopts, Confine: limits.Confine})
}

// ownProgram is where this program is found. On Linux the kernel's own link is
// the very file that runs, also after it was replaced by a new version.
func ownProgram() string {
	const link = "/proc/self/exe"
	if _, err := os.Stat(link); err == nil {
		return link
	}
	path, err := os.Executable()
	if err != nil {
		return os.Args[0]
	}
	return path
}
