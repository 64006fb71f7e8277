package worker

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// Func does one kind of task. When ctx ends it returns what it has.
type Func func(ctx context.Context, input []byte) ([]byte, error)

// The child's exit codes, beside Go's own 2 for a panic and for memory that the
// system refused.
const (
	exitOK     = 0
	exitFailed = 1
	exitMemory = 3
	exitTime   = 4
)

// maxHeader is more than a header's line ever needs.
const maxHeader = 4 << 10

// orphanLife is how long a child goes on that has heard of its end, or should
// have: the agent's own patience is shorter.
const orphanLife = 5 * time.Second

// watchEvery is how often the child looks at its own memory. The system's limit,
// where it has one, is never late; this one says what it was.
const watchEvery = 5 * time.Millisecond

// Child is the other side of a Pool: the process that does the task.
type Child struct {
	Stdin  io.Reader
	Stdout io.Writer
	Stderr io.Writer
	Funcs  map[string]Func
	Exit   func(code int) // ends the process at once
}

// Main does the one task that Stdin brings, and returns the process's exit code.
func (c Child) Main() int {
	in := bufio.NewReaderSize(c.Stdin, maxHeader)
	line, err := in.ReadSlice('\n')
	if err != nil {
		return c.failed("the task's header is missing: %v", err)
	}
	var head header
	if err := json.Unmarshal(line, &head); err != nil {
		return c.failed("the task's header cannot be read: %v", err)
	}
	do := c.Funcs[head.Name]
	if do == nil || head.Size < 0 {
		return c.failed("there is no task %q", head.Name)
	}
	// Before anything of the input is looked at.
	limit(head)
	go c.watch(head.Memory)
	input := make([]byte, head.Size)
	if _, err := io.ReadFull(in, input); err != nil {
		return c.failed("the task's input is cut short: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go c.hear(in, cancel)
	// The agent ends a child that is late; this is for one whose agent is gone.
	time.AfterFunc(head.Time+orphanLife, func() { c.Exit(exitTime) })
	output, err := do(ctx, input)
	if err != nil {
		return c.failed("%v", err)
	}
	if _, err := c.Stdout.Write(output); err != nil {
		return c.failed("the result cannot be written: %v", err)
	}
	return exitOK
}

func (c Child) failed(format string, a ...any) int {
	_, _ = fmt.Fprintf(c.Stderr, format+"\n", a...) // nobody else to tell
	return exitFailed
}

// hear ends the task when the agent closes the input, or is gone.
func (c Child) hear(in io.Reader, cancel func()) {
	_, _ = io.Copy(io.Discard, in) // any end is an end
	cancel()
	time.Sleep(orphanLife)
	c.Exit(exitTime)
}

// watch ends the process when it has more memory than it may.
func (c Child) watch(most int64) {
	debug.SetMemoryLimit(most * 3 / 4) // the collector works harder before it is too late
	seen := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	for range time.Tick(watchEvery) {
		metrics.Read(seen)
		if int64(seen[0].Value.Uint64()-seen[1].Value.Uint64()) > most { //nolint:gosec // a machine's memory fits
			c.Exit(exitMemory)
		}
	}
}
