package shell

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"sync"
	"time"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/interp"
)

// Job is one command line to run.
type Job struct {
	Command   string
	Plain     bool   // nobody approved it: it may only read
	Dir       string // the working copy, absolute
	Path      string // PATH of programs
	Timeout   time.Duration
	MaxOutput int // bytes kept of each of stdout and stderr
	Limits    Limits
}

// Limits are what a program and all that it starts may not go beyond.
type Limits struct {
	Processes int   // 0 means 64
	Memory    int64 // bytes resident, all together; 0 means 1 GiB
	// Adopts says that processes whose parents have ended become this process's
	// own: those that no line has started any more are ended.
	Adopts bool `json:"-"`
	// Confine takes from the thread that it runs on what a program that this
	// thread starts must not have; nil takes nothing.
	Confine func() `json:"-"`
	// Started does what else is to be done to a program right after its start.
	Started func(pid int) `json:"-"`
}

// Result is what a command line gave.
type Result struct {
	Stdout, Stderr string
	Exit           int
}

// Exit codes that are not a program's own.
const (
	exitTimeout = 124
	exitRefused = 126
	exitMissing = 127
)

// Stopped is the result of a line of which nothing is known but why it ended.
func Stopped(why string) Result { return Result{Stderr: why, Exit: exitTimeout} }

// maxWritten is where a line that prints without end is stopped.
const maxWritten = 32 << 20

// Run interprets a line. Its error is only about the working copy: whatever the
// line did is in the result.
func Run(ctx context.Context, job Job) (Result, error) {
	parsed, err := parse(job.Command)
	if err != nil {
		return Result{}, fmt.Errorf("shell: %w", err)
	}
	root, err := os.OpenRoot(job.Dir)
	if err != nil {
		return Result{}, fmt.Errorf("shell: open the working copy: %w", err)
	}
	defer func() { _ = root.Close() }() // only a handle

	caller := ctx
	ctx, cancel := context.WithTimeout(ctx, job.Timeout)
	defer cancel()
	ctx, flood := context.WithCancelCause(ctx)
	defer flood(nil)
	stdout := &capture{limit: job.MaxOutput, flood: flood}
	stderr := &capture{limit: job.MaxOutput, flood: flood}

	d := &sandbox{root: root, dir: job.Dir, plain: job.Plain, left: maxRead}
	started := &programs{plain: job.Plain, limits: job.Limits, slots: make(chan struct{}, maxPrograms)}
	options := append(d.options(),
		interp.Env(environment(job)), interp.Dir(job.Dir), interp.StdIO(nil, stdout, stderr),
		interp.CallHandler(callHandler(d)),
		interp.ExecHandlers(func(interp.ExecHandlerFunc) interp.ExecHandlerFunc {
			return func(ctx context.Context, args []string) error { return dispatch(ctx, d, started, args) }
		}))
	runner, err := interp.New(options...)
	if err != nil {
		return Result{}, fmt.Errorf("shell: %w", err)
	}
	err = runner.Run(ctx, parsed)
	exit := exitCode(err, stderr)
	switch {
	case caller.Err() != nil:
		exit = exitTimeout
		stderr.note("[the command was cancelled]")
	case errors.Is(context.Cause(ctx), errFlood):
		exit = exitTimeout
		stderr.note("[stopped: the command printed without end]")
	case ctx.Err() != nil:
		exit = exitTimeout
		stderr.note(fmt.Sprintf("[stopped after %v; a longer job needs a higher timeout, at most SHELL_TIMEOUT]", job.Timeout))
	}
	return Result{Stdout: stdout.text(), Stderr: stderr.text(), Exit: exit}, nil
}

func exitCode(err error, stderr *capture) int {
	var status interp.ExitStatus
	switch {
	case err == nil:
		return 0
	case errors.As(err, &status):
		return int(status)
	}
	stderr.note(err.Error())
	return 1
}

// environment is all that a program finds in its environment. TMPDIR is a name
// that no file has: the interpreter opens its own pipes there past the sandbox.
func environment(job Job) expand.Environ {
	return expand.ListEnviron("PATH="+job.Path, "HOME="+job.Dir, "LANG=C.UTF-8", "TMPDIR="+noTemp)
}

const noTemp = "/\x00"

// callHandler sees every call with its words expanded, so also the names that
// the judge could not know.
func callHandler(d *sandbox) interp.CallHandlerFunc {
	return func(ctx context.Context, args []string) ([]string, error) {
		hc := interp.HandlerCtx(ctx)
		switch {
		case blackListed(args[0]):
			return refuse(hc, blackReason(args[0])), nil
		case hidden[args[0]] && !(args[0] == "command" && len(args) > 1 && args[1] == "-v"):
			return refuse(hc, fmt.Sprintf("%q is not supported: it hides what is run", args[0])), nil
		case args[0] == "printf" && len(args) > 1 && widePrintf.MatchString(args[1]):
			return refuse(hc, "printf: a width is at most 4 digits, written in the format"), nil
		case args[0] == "pwd":
			return []string{"printf", "%s\n", d.virtual(hc.Dir)}, nil
		}
		return args, nil
	}
}

// widePrintf matches a format that makes far more than it says: "%999999d".
var widePrintf = regexp.MustCompile(`%[-+ #0]*(\d*\.)?(\d{5,}|\*)`)

// refuse says why and gives the call that stands in for the refused one.
func refuse(hc interp.HandlerContext, reason string) []string {
	_, _ = fmt.Fprintln(hc.Stderr, reason) // the line's own output
	return []string{refusal}
}

// refusal is the name of a command that only fails.
const refusal = "loongclaw-refused"

func dispatch(ctx context.Context, d *sandbox, p *programs, args []string) error {
	hc := interp.HandlerCtx(ctx)
	if args[0] == refusal {
		return interp.ExitStatus(exitRefused)
	}
	if c, ok := commands[args[0]]; ok && !(c.writes && d.plain) {
		hc.Stdout, hc.Stderr = p.limited(hc.Stdout), p.limited(hc.Stderr)
		return runCommand(ctx, d, hc, c, args)
	}
	return p.run(ctx, hc, args)
}

// runCommand runs one of our own commands. It may run in a goroutine of the
// interpreter, so that a panic here would end the agent.
func runCommand(ctx context.Context, d *sandbox, hc interp.HandlerContext, c command, args []string) (err error) {
	defer func() {
		if p := recover(); p != nil {
			_, _ = fmt.Fprintf(hc.Stderr, "%s: failed inside\n", args[0])
			err = interp.ExitStatus(1)
		}
	}()
	call := &call{ctx: ctx, sandbox: d, hc: hc, name: args[0], args: args[1:]}
	code := c.run(call)
	if call.failed && code == 0 {
		code = 1
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if code != 0 {
		return interp.ExitStatus(code)
	}
	return nil
}

var errFlood = errors.New("shell: too much output")

// capture keeps the beginning of an output and counts the rest.
type capture struct {
	limit int
	flood context.CancelCauseFunc

	mu    sync.Mutex
	kept  bytes.Buffer
	total int
	notes []string
}

func (c *capture) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if room := c.limit - c.kept.Len(); room > 0 {
		c.kept.Write(p[:min(room, len(p))])
	}
	if c.total += len(p); c.total > maxWritten {
		c.flood(errFlood)
		return 0, errFlood
	}
	return len(p), nil
}

func (c *capture) note(s string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.notes = append(c.notes, s)
}

func (c *capture) text() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := strings.ToValidUTF8(c.kept.String(), "\uFFFD")
	if c.total > c.kept.Len() {
		out += fmt.Sprintf("\n[cut: the first %d of %d bytes; use head, tail or grep to see other parts]", c.kept.Len(), c.total)
	}
	for _, n := range c.notes {
		if out != "" && !strings.HasSuffix(out, "\n") {
			out += "\n"
		}
		out += n
	}
	return out
}
