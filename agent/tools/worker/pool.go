package worker

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/loongclaw/loongclaw/agent/tools/process"
)

// Task is one piece of work for a process of its own.
type Task struct {
	Name  string // which of the child's functions
	Input []byte
	// Time is how long it may take. Then, or when its context ends, the child is
	// told, and killed after the Grace, in which it can still say what it has.
	Time, Grace time.Duration

	Memory int64 // bytes of the Go heap and stacks; 0 means DefaultMemory
	Output int   // bytes of the result at most
	// StartsPrograms says that the task starts programs that the user approved.
	// They would inherit the kernel's limits on one process, so that those are not
	// set; such programs have limits of their own.
	StartsPrograms bool
}

// DefaultMemory is enough for the largest page that web_fetch reads, unless it
// was made to be expensive.
const DefaultMemory = 256 << 20

// Why a task gave no result.
var (
	ErrTime   = errors.New("worker: the task took too long")
	ErrMemory = errors.New("worker: the task needed too much memory")
	ErrFailed = errors.New("worker: the task failed inside")
)

// most is how many tasks that start no programs compute at the same time.
const most = 16

// Pool starts children.
type Pool struct {
	config Config
	slots  chan struct{}
}

// Config says how a child is started.
type Config struct {
	Program string   // the agent's own program
	Args    []string // what makes it a worker
	Adopts  bool     // this process gets the orphans of its descendants, as a Linux subreaper does
	Confine func()   // takes from the thread that starts a child what it must not have; may be nil
}

// New makes a pool.
func New(c Config) *Pool { return &Pool{config: c, slots: make(chan struct{}, most)} }

// header goes to the child before the task's input, as one line of JSON.
type header struct {
	Name     string        `json:"name"`
	Size     int           `json:"size"` // bytes of input that follow
	Time     time.Duration `json:"time"` // with the grace
	Memory   int64         `json:"memory"`
	Programs bool          `json:"programs,omitempty"`
}

// Run does a task and returns its result. When ctx ends first the child is told,
// and what it still says within the grace counts: a command that was cancelled has
// a result, too.
func (p *Pool) Run(ctx context.Context, t Task) ([]byte, error) {
	if t.Memory <= 0 {
		t.Memory = DefaultMemory
	}
	if !t.StartsPrograms {
		select {
		case p.slots <- struct{}{}:
			defer func() { <-p.slots }()
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	c, err := p.start(t)
	if err != nil {
		return nil, err
	}
	return c.result(ctx, t)
}

// child is a child that runs.
type child struct {
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stdout *bounded
	stderr *bounded
	adopts bool
	done   chan error
}

func (p *Pool) start(t Task) (*child, error) {
	head, err := json.Marshal(header{Name: t.Name, Size: len(t.Input), Time: t.Time + t.Grace, Memory: t.Memory, Programs: t.StartsPrograms})
	if err != nil {
		return nil, fmt.Errorf("worker: %w", err)
	}
	cmd := exec.Command(p.config.Program, p.config.Args...) //nolint:gosec // the agent itself
	cmd.Args[0] = "loongclaw-worker"                        // for people who list processes
	cmd.Dir, cmd.Env = "/", environment()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	// Once the child has ended, whatever else holds its output is not waited for.
	cmd.WaitDelay = time.Second
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("worker: %w", err)
	}
	c := &child{
		cmd: cmd, stdin: stdin, adopts: p.config.Adopts, done: make(chan error, 1),
		stdout: &bounded{room: t.Output}, stderr: &bounded{room: 4 << 10, cuts: true},
	}
	cmd.Stdout, cmd.Stderr = c.stdout, c.stderr
	if err := process.Start(p.launch(cmd)); err != nil {
		return nil, fmt.Errorf("worker: start: %w", err)
	}
	process.YieldTo(cmd.Process.Pid)
	go func() {
		// A child that ends before it has read everything says why in its status.
		_, _ = stdin.Write(append(append(head, '\n'), t.Input...))
	}()
	go func() {
		err := cmd.Wait()
		process.Ended(cmd.Process.Pid)
		c.done <- err
	}()
	return c, nil
}

func (p *Pool) launch(cmd *exec.Cmd) func() (int, error) {
	return func() (int, error) {
		if p.config.Confine != nil {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			p.config.Confine()
		}
		if err := cmd.Start(); err != nil {
			return 0, err
		}
		return cmd.Process.Pid, nil
	}
}

// environment is all that a child finds: nothing of the agent's. A trace of its
// goroutines would be the hostile input's size.
func environment() []string { return []string{"GOTRACEBACK=none", "GOMAXPROCS=2"} }

// result waits for the child's end, makes sure of it, and reads what came of it.
func (c *child) result(ctx context.Context, t Task) ([]byte, error) {
	over := time.NewTimer(t.Time)
	defer over.Stop()
	var err error
	late := false
	select {
	case err = <-c.done:
	case <-ctx.Done():
		late = true
	case <-over.C:
		late = true
	}
	if late {
		_ = c.stdin.Close() // the child hears it as the end of its input
		patience := time.NewTimer(t.Grace)
		defer patience.Stop()
		select {
		case err = <-c.done:
		case <-patience.C:
			process.KillTree(c.cmd.Process.Pid, c.adopts)
			err = <-c.done
		}
	}
	_ = c.stdin.Close()
	if t.StartsPrograms {
		process.KillTree(c.cmd.Process.Pid, c.adopts) // what they left behind
	}
	switch {
	case c.stdout.full:
		return nil, fmt.Errorf("%w: its result is larger than %d bytes", ErrMemory, t.Output)
	case err == nil:
		return c.stdout.kept.Bytes(), nil
	case errors.Is(ctx.Err(), context.Canceled):
		return nil, ctx.Err()
	}
	return nil, c.why(err, late)
}

// outOfMemory is what Go's runtime says when it gets no more memory. Where its garbage
// collector gets none it reads address 0 on the system's stack, which no Go code does.
var outOfMemory = []string{"out of memory", "cannot allocate memory", "goroutine stack exceeds", "SIGSEGV: segmentation violation\nPC="}

// why tells from how a child ended what was too much.
func (c *child) why(err error, late bool) error {
	said := c.stderr.kept.String()
	var exit *exec.ExitError
	switch {
	case late:
		return ErrTime
	case !errors.As(err, &exit):
		return fmt.Errorf("%w: %w", ErrFailed, err)
	case exit.ExitCode() == exitMemory, slices.ContainsFunc(outOfMemory, func(sign string) bool { return strings.Contains(said, sign) }):
		return ErrMemory
	case exit.ExitCode() == exitTime:
		return ErrTime
	}
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		if status.Signal() == syscall.SIGXCPU {
			return ErrTime
		}
		return ErrMemory // where memory runs out, the kernel ends a child first
	}
	return fmt.Errorf("%w: %s", ErrFailed, strings.TrimSpace(said))
}

// bounded keeps the beginning of an output. What does not fit is an error for
// the writer, unless it is just cut.
type bounded struct {
	kept bytes.Buffer
	room int
	cuts bool
	full bool
}

func (b *bounded) Write(p []byte) (int, error) {
	n := min(len(p), b.room-b.kept.Len())
	b.kept.Write(p[:n])
	if n == len(p) || b.cuts {
		return len(p), nil
	}
	b.full = true
	return n, io.ErrShortBuffer
}
