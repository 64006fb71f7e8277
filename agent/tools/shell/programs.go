package shell

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/interp"

	"github.com/loongclaw/loongclaw/agent/tools/process"
)

const (
	maxPrograms  = 32        // at the same time, of one line
	maxHeld      = 256 << 10 // bytes of output that are held in memory, as by $(…)
	killPatience = time.Second
)

// programs starts the programs of a line that the user approved.
type programs struct {
	plain  bool
	limits Limits
	slots  chan struct{}
	held   atomic.Int64 // by commands of our own, too
}

func (p *programs) run(ctx context.Context, hc interp.HandlerContext, args []string) error {
	if blackListed(args[0]) {
		say(hc, blackReason(args[0]))
		return interp.ExitStatus(exitRefused)
	}
	if p.plain {
		say(hc, fmt.Sprintf("%s: not run: nobody approved it", args[0]))
		return interp.ExitStatus(exitRefused)
	}
	select {
	case p.slots <- struct{}{}:
		defer func() { <-p.slots }()
	case <-ctx.Done():
		return ctx.Err()
	}
	found, err := interp.LookPathDir(hc.Dir, hc.Env, args[0])
	if err != nil {
		say(hc, fmt.Sprintf("%s: no such program here", args[0]))
		return interp.ExitStatus(exitMissing)
	}
	return p.start(ctx, hc, found, args)
}

// start runs a program in a process group of its own, which ends as a whole.
func (p *programs) start(ctx context.Context, hc interp.HandlerContext, found string, args []string) error {
	cmd := exec.CommandContext(ctx, found) //nolint:gosec // what the user approved
	cmd.Args, cmd.Dir, cmd.Env = args, hc.Dir, exported(hc.Env)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = hc.Stdin, p.limited(hc.Stdout), p.limited(hc.Stderr)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = killPatience
	if err := p.launch(cmd); err != nil {
		say(hc, fmt.Sprintf("%s: cannot be started", args[0]))
		return interp.ExitStatus(exitRefused)
	}
	w := process.StartWatch(cmd.Process.Pid, p.limits.Processes, p.limits.Memory, p.limits.Adopts)
	err := cmd.Wait()
	process.Ended(cmd.Process.Pid)
	exceeded := w.End()
	var exit *exec.ExitError
	switch {
	case exceeded != "":
		say(hc, fmt.Sprintf("%s: stopped: %s (at most %d processes and %d MiB)", args[0], exceeded, w.Processes, w.Memory>>20))
		return interp.ExitStatus(128 + int(syscall.SIGKILL))
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &exit):
		if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
			return interp.ExitStatus(128 + int(status.Signal())) //nolint:gosec // signals are below 128
		}
		return interp.ExitStatus(exit.ExitCode()) //nolint:gosec // an exit code fits
	case err != nil && !errors.Is(err, exec.ErrWaitDelay):
		say(hc, fmt.Sprintf("%s: its output was cut", args[0]))
		return interp.ExitStatus(1)
	}
	return nil
}

// launch starts a program on a thread that has less than the others. It goes
// back to them: nothing of the agent's own needs what it lacks.
func (p *programs) launch(cmd *exec.Cmd) error {
	return process.Start(func() (int, error) {
		if p.limits.Confine != nil {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			p.limits.Confine()
		}
		if err := cmd.Start(); err != nil {
			return 0, err
		}
		if p.limits.Started != nil {
			p.limits.Started(cmd.Process.Pid)
		}
		return cmd.Process.Pid, nil
	})
}

// limited bounds an output that is held in memory, as that of $(…) is; pipes
// between programs and files are passed on as they are.
func (p *programs) limited(w io.Writer) io.Writer {
	switch w.(type) {
	case *os.File, *capture, *file:
		return w
	}
	return heldWriter{w, p}
}

type heldWriter struct {
	to       io.Writer
	programs *programs
}

func (h heldWriter) Write(b []byte) (int, error) {
	if h.programs.held.Add(int64(len(b))) > maxHeld {
		return 0, errFlood
	}
	return h.to.Write(b)
}

// exported is the environment of a program: what the line exported and nothing
// of the agent's.
func exported(env expand.Environ) []string {
	vars := map[string]string{}
	env.Each(func(name string, v expand.Variable) bool {
		if v.Exported && v.Kind == expand.String && name != "TMPDIR" {
			vars[name] = v.Str
		}
		return true
	})
	list := make([]string, 0, len(vars))
	for name, value := range vars {
		list = append(list, name+"="+value)
	}
	return list
}

// say writes to the line's stderr, which keeps what fits.
func say(hc interp.HandlerContext, text string) { _, _ = fmt.Fprintln(hc.Stderr, text) }
