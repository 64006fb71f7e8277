package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "make run:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, stdout, stderr io.Writer) error {
	env := environ()
	if err := env.readDotEnv(".env"); err != nil {
		return err
	}
	env.defaults()
	for _, name := range []string{"LISTEN_ADDR", "AGENT_LISTEN_ADDR"} {
		if err := free(ctx, env[name]); err != nil {
			return fmt.Errorf("%s: %w\nNext: stop what listens there, or set %s to another address", name, err, name)
		}
	}
	made, err := env.secrets(ctx)
	if err != nil {
		return err
	}
	agent, err := start(env, stderr, "agent")
	if err != nil {
		return err
	}
	defer agent.end()
	// A gateway that finds no agent warns, which is no good first line to read.
	if err := ready(ctx, url(env["AGENT_LISTEN_ADDR"])+"/ready", agent); err != nil {
		return err
	}
	gateway, err := start(env, stderr, "gateway")
	if err != nil {
		return err
	}
	defer gateway.end()
	if err := ready(ctx, url(env["LISTEN_ADDR"])+"/ready", agent, gateway); err != nil {
		return err
	}
	welcome(stdout, env, made)
	select {
	case <-ctx.Done():
		fmt.Fprintln(stderr, "stopping …")
		return nil
	case err := <-agent.done:
		agent.done <- nil
		return fmt.Errorf("the agent has ended: %w\nNext: its last lines above say why", orClean(err))
	case err := <-gateway.done:
		gateway.done <- nil
		return fmt.Errorf("the gateway has ended: %w\nNext: its last lines above say why", orClean(err))
	}
}

// free returns an error where an address cannot be listened on. Without this look, what
// listens there already would answer for the programs that are about to start.
func free(ctx context.Context, addr string) error {
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	return ln.Close()
}

func orClean(err error) error {
	if err == nil {
		return errors.New("without an error")
	}
	return err
}

func welcome(out io.Writer, env environment, made bool) {
	fmt.Fprintf(out, "\n熊大 is awake.\n\n  WebChat   %s/#login=%s\n            (this link logs in once)\n", url(env["LISTEN_ADDR"]), env["LOONGCLAW_LOGIN_CODE"])
	if made {
		fmt.Fprintf(out, "  API token in %s\n", env.file())
	}
	fmt.Fprint(out, "\nCtrl-C ends both.\n")
}

// program is one of the two, running.
type program struct {
	name string
	cmd  *exec.Cmd
	done chan error
}

func start(env environment, stderr io.Writer, name string) (*program, error) {
	p := &program{name: name, cmd: exec.Command(filepath.Join("bin", name)), done: make(chan error, 1)} //nolint:gosec // one of two fixed names
	p.cmd.Env = env.list()
	p.cmd.Stdout, p.cmd.Stderr = stderr, stderr
	// Ctrl-C reaches the whole process group; a group of their own lets us end
	// the gateway first, so that nobody is let in to an agent that stops.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("%s does not start: %w\nNext: make build", name, err)
	}
	go func() { p.done <- p.cmd.Wait() }()
	return p, nil
}

// endTime is a little more than either program takes to drain.
const endTime = 25 * time.Second

func (p *program) end() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended by itself
	select {
	case <-p.done: //nolint:errcheck // asked to end, it ended
	case <-time.After(endTime):
		_ = p.cmd.Process.Kill()
	}
}

// startTime is how long each may take to be ready.
const startTime = 50 * time.Second

// ready waits until an address says that it is ready, and as long as the programs
// that it takes for that run.
func ready(ctx context.Context, address string, programs ...*program) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		if err != nil {
			return err
		}
		res, err := http.DefaultClient.Do(req)
		if err == nil {
			_ = res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return nil
			}
		}
		for _, p := range programs {
			select {
			case err := <-p.done:
				p.done <- nil
				return fmt.Errorf("%s did not start: %w\nNext: its last lines above say why", p.name, orClean(err))
			default:
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("not ready after %s: %w\nNext: look at the lines above", startTime, ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// url is where this machine reaches what listens at an address.
func url(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return "http://" + listen
	}
	if ip := net.ParseIP(host); host == "" || (ip != nil && ip.IsUnspecified()) {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, strings.TrimSpace(port))
}
