package mcp

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/loongclaw/loongclaw/agent/tools/process"
)

// Programs says how a server's program is started.
type Programs struct {
	Path      string // PATH of programs
	Adopts    bool   // this process gets the orphans of its descendants, as a Linux subreaper does
	Confine   func() // takes from the thread that starts a program what it must not have; may be nil
	Processes int    // of one server; 0 is the usual number
	Memory    int64  // bytes of one server; 0 is the usual
}

// child is a server that is a program of ours. It is used for one connection.
type child struct {
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stdout *messages
	stderr *tail
	home   string
	watch  *process.Watch
	ended  chan struct{} // the program was waited for
	once   sync.Once
	gone   chan struct{} // all that it had started has ended, too

	mu  sync.Mutex
	why string
}

// endPatience is how long a program may take to end once its input is closed.
const endPatience = time.Second

// start starts a server's program. It does not end with the context of whoever
// waits for the connection.
func start(e Entry, p Programs) (*child, error) {
	home, err := os.MkdirTemp("", "mcp-")
	if err != nil {
		return nil, fmt.Errorf("no folder for its program: %w", err)
	}
	c := &child{home: home, stderr: &tail{}, ended: make(chan struct{}), gone: make(chan struct{})}
	if err := c.launch(e, p); err != nil {
		_ = os.RemoveAll(home)
		return nil, err
	}
	c.watch = process.StartWatch(c.cmd.Process.Pid, p.Processes, p.Memory, p.Adopts)
	go func() {
		err := c.cmd.Wait()
		process.Ended(c.cmd.Process.Pid)
		c.note(fmt.Sprintf("its program ended (%s)", ending(err)))
		close(c.ended)
		c.stop()
	}()
	return c, nil
}

func (c *child) launch(e Entry, p Programs) error {
	path, err := lookPath(e.Command, p.Path)
	if err != nil {
		return err
	}
	c.cmd = &exec.Cmd{
		Path: path, Args: append([]string{e.Command}, e.Args...), Env: environment(e, p.Path, c.home), Dir: e.Cwd,
		Stderr: c.stderr, SysProcAttr: &syscall.SysProcAttr{Setpgid: true}, WaitDelay: time.Second,
	}
	if c.cmd.Dir == "" {
		c.cmd.Dir = c.home
	}
	if c.stdin, err = c.cmd.StdinPipe(); err != nil {
		return fmt.Errorf("its input: %w", err)
	}
	// Not StdoutPipe: the end of the program must not close what was not read yet.
	r, w, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("its output: %w", err)
	}
	c.cmd.Stdout = w
	c.stdout = newMessages(r)
	err = process.Start(func() (int, error) {
		if p.Confine != nil {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			p.Confine()
		}
		if err := c.cmd.Start(); err != nil {
			return 0, err
		}
		return c.cmd.Process.Pid, nil
	})
	_ = w.Close() // the program has its own
	if err != nil {
		_ = r.Close()
		return fmt.Errorf("its program does not start: %w", err)
	}
	return nil
}

// environment is all that a program finds: nothing of the agent's but where programs
// are, and what its entry names.
func environment(e Entry, path, home string) []string {
	all := map[string]string{"PATH": path, "HOME": home, "TMPDIR": home, "LANG": "C.UTF-8"}
	for name, value := range e.Env {
		all[name] = value
	}
	out := make([]string, 0, len(all))
	for name, value := range all {
		out = append(out, name+"="+value)
	}
	slices.Sort(out)
	return out
}

// lookPath finds a program on the path that it is started with, not on the agent's.
func lookPath(command, path string) (string, error) {
	if strings.Contains(command, "/") {
		return command, nil
	}
	for _, dir := range strings.Split(path, ":") {
		if dir == "" {
			continue
		}
		at := dir + "/" + command
		if info, err := os.Stat(at); err == nil && !info.IsDir() && info.Mode()&0o111 != 0 {
			return at, nil
		}
	}
	return "", fmt.Errorf("its program %.80q is not found", command)
}

// stop ends the program and all that it has started, and waits for that.
func (c *child) stop() {
	c.once.Do(func() {
		_ = c.stdin.Close() // the program hears it as the end of its input
		patience := time.NewTimer(endPatience)
		defer patience.Stop()
		select {
		case <-c.ended:
		case <-patience.C:
			process.KillTree(c.cmd.Process.Pid, false)
		}
		if exceeded := c.watch.End(); exceeded != "" {
			c.mu.Lock()
			c.why = "its program was ended: " + exceeded
			c.mu.Unlock()
		}
		<-c.ended
		_ = c.stdout.Close()
		_ = os.RemoveAll(c.home)
		close(c.gone)
	})
	<-c.gone
}

// note keeps the first thing that went wrong.
func (c *child) note(why string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.why == "" {
		c.why = why
	}
}

// reason says why there is no more to be had of the program, if that is so.
func (c *child) reason() string {
	if why := c.stdout.reason(); why != "" {
		return why
	}
	select {
	case <-c.ended:
	case <-time.After(200 * time.Millisecond): // its output ends a little before it does
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.why
}

func ending(err error) string {
	if err == nil {
		return "exit status 0"
	}
	return err.Error()
}

// tail keeps the end of what a program says beside its messages, for the log.
type tail struct {
	mu   sync.Mutex
	kept []byte
}

const maxTail = 2 << 10

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kept = append(t.kept, b[max(0, len(b)-maxTail):]...)
	if over := len(t.kept) - maxTail; over > 0 {
		t.kept = bytes.Clone(t.kept[over:])
	}
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.ToValidUTF8(string(t.kept), "\uFFFD")
}
