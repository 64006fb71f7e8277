package tools

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/loongclaw/loongclaw/agent/attach"
	"github.com/loongclaw/loongclaw/agent/tools/shell"
	"github.com/loongclaw/loongclaw/agent/tools/webpage"
	"github.com/loongclaw/loongclaw/agent/tools/worker"
)

// Worker does a task in a process of its own.
type Worker interface {
	Run(ctx context.Context, t worker.Task) ([]byte, error)
}

var _ Worker = (*worker.Pool)(nil)

// The tasks of the agent's workers.
const (
	taskPage  = "page"
	taskShell = "shell"
)

// shellGrace is how long a command line may take to end once its time is over:
// its programs are ended, and what it has printed by then is its result.
const shellGrace = 2 * time.Second

// shellSlack is what a line has beyond its own time, to end by its own clock and
// say that it did.
const shellSlack = 500 * time.Millisecond

// maxPageTime is how long the text of a page may take: honest ones of the largest
// size take a second.
const maxPageTime = 10 * time.Second

// ServeTask makes this process a worker, which does the one task that stdin
// brings, and returns its exit code. exit ends the process at once.
func ServeTask(stdin io.Reader, stdout, stderr io.Writer, limits shell.Limits, exit func(int)) int {
	return worker.Child{
		Stdin: stdin, Stdout: stdout, Stderr: stderr, Exit: exit,
		Funcs: map[string]worker.Func{taskPage: webpage.Work, taskShell: shell.Work(limits), attach.Task: attach.Work},
	}.Main()
}

// noWorker is the worker of a box that was given none: nothing is done in the
// agent itself instead.
type noWorker struct{}

func (noWorker) Run(context.Context, worker.Task) ([]byte, error) {
	return nil, failed("this agent has no worker process, which this call needs; tell the owner")
}

// tooMuch says what a task went beyond, "" when it was something else.
func tooMuch(err error) string {
	switch {
	case errors.Is(err, worker.ErrTime):
		return "it took too long"
	case errors.Is(err, worker.ErrMemory):
		return "it needed too much memory"
	}
	return ""
}
