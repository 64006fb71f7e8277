package testenv

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// Process is one running program, and what it starts.
type Process struct {
	cmd  *exec.Cmd
	log  tail
	done chan struct{}
}

// Start starts a program with exactly this environment.
func Start(path, dir string, env map[string]string, args ...string) (*Process, error) {
	p := &Process{cmd: exec.Command(path, args...), done: make(chan struct{})} // #nosec G204 -- what Build built
	p.cmd.Dir = dir
	for k, v := range env {
		p.cmd.Env = append(p.cmd.Env, k+"="+v)
	}
	p.cmd.Stdout, p.cmd.Stderr = &p.log, &p.log
	// A group of its own, so that its end is the end of its children, too.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", path, err)
	}
	go func() {
		_ = p.cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// Kill ends it as a power cut does and waits until it is gone.
func (p *Process) Kill() {
	_ = syscall.Kill(-p.PID(), syscall.SIGKILL)
	<-p.done
}

// Stop asks it to end with SIGTERM, and reports whether it did so in time; if not,
// it is killed.
func (p *Process) Stop(within time.Duration) bool {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	t := time.NewTimer(within)
	defer t.Stop()
	select {
	case <-p.done:
		_ = syscall.Kill(-p.PID(), syscall.SIGKILL) // children that stayed
		return true
	case <-t.C:
		p.Kill()
		return false
	}
}

// Done is closed when it has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// ExitCode is how it ended; only after Done.
func (p *Process) ExitCode() int { return p.cmd.ProcessState.ExitCode() }

// PID is its number.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Log is the end of what it wrote.
func (p *Process) Log() string { return p.log.String() }

// ready waits until a GET of url is answered with a status below that one.
func (p *Process) ready(ctx context.Context, url string, below int, within time.Duration) error {
	return p.await(ctx, url, within, func(ctx context.Context) bool {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
		if err != nil {
			return false
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			return false
		}
		_ = res.Body.Close()
		return res.StatusCode < below
	})
}

// listens waits until a connection to addr is taken.
func (p *Process) listens(ctx context.Context, addr string, within time.Duration) error {
	return p.await(ctx, addr, within, func(ctx context.Context) bool {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
		return err == nil && conn.Close() == nil
	})
}

// await asks until it serves, has ended or the time is over.
func (p *Process) await(ctx context.Context, at string, within time.Duration, serves func(context.Context) bool) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		if serves(ctx) {
			return nil
		}
		select {
		case <-tick.C:
		case <-p.Done():
			return fmt.Errorf("%s ended with code %d before it was ready:\n%s", p.cmd.Path, p.ExitCode(), p.Log())
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready at %s: %w\n%s", p.cmd.Path, at, ctx.Err(), p.Log())
		}
	}
}

// tail keeps the last part of what is written to it.
type tail struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

const keep = 64 << 10

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf.Write(b)
	if over := t.buf.Len() - keep; over > keep {
		t.buf.Next(over)
	}
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.buf.String()
}
