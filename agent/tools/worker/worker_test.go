package worker_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/agent/tools/process"
	"github.com/loongclaw/loongclaw/agent/tools/worker"
)

// TestMain makes this test's program a worker when it is started as one, and an
// agent that is killed when it is started as that.
func TestMain(m *testing.M) {
	switch {
	case len(os.Args) == 2 && os.Args[1] == "worker":
		os.Exit(worker.Child{Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Funcs: tasks, Exit: os.Exit}.Main())
	case len(os.Args) == 3 && os.Args[1] == "agent":
		_, _ = pool().Run(context.Background(), worker.Task{Name: "spin", Input: []byte(os.Args[2]), Time: time.Minute, Output: 10})
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func pool() *worker.Pool {
	self, err := os.Executable()
	if err != nil {
		panic(err)
	}
	return worker.New(worker.Config{Program: self, Args: []string{"worker"}})
}

var kept [][]byte

// tasks are what hostile input could make of honest work. None listens to ctx but
// the one that says so.
var tasks = map[string]worker.Func{
	"echo": func(_ context.Context, in []byte) ([]byte, error) { return in, nil },
	"spin": func(_ context.Context, in []byte) ([]byte, error) {
		if len(in) > 0 {
			f, err := os.OpenFile(string(in), os.O_WRONLY, 0) // a pipe: it may write no file
			if err != nil {
				return nil, err
			}
			_, _ = f.WriteString(strconv.Itoa(os.Getpid()))
			_ = f.Close()
		}
		for { //nolint:staticcheck // work that hears no end
		}
	},
	"eat": func(context.Context, []byte) ([]byte, error) {
		for {
			kept = append(kept, bytes.Repeat([]byte("x"), 1<<20))
		}
	},
	"gulp": func(context.Context, []byte) ([]byte, error) {
		kept = append(kept, bytes.Repeat([]byte("x"), 3<<30))
		return nil, nil
	},
	"deep":  func(context.Context, []byte) ([]byte, error) { return []byte(strconv.Itoa(deep(1))), nil },
	"panic": func(context.Context, []byte) ([]byte, error) { panic("inside") },
	"starve": func(context.Context, []byte) ([]byte, error) { // as the runtime ends where its collector gets no memory
		_, _ = os.Stderr.WriteString("SIGSEGV: segmentation violation\nPC=0x43399d m=4 sigcode=1 addr=0x0\n")
		os.Exit(2)
		return nil, nil
	},
	"nil": func(context.Context, []byte) ([]byte, error) { // what no guard of a task can catch
		go func() { fmt.Fprintln(io.Discard, *(*int)(nil)) }()
		select {}
	},
	"fail":  func(context.Context, []byte) ([]byte, error) { return nil, errors.New("it cannot be done") },
	"flood": func(context.Context, []byte) ([]byte, error) { return make([]byte, 1<<20), nil },
	"env":   func(context.Context, []byte) ([]byte, error) { return []byte(strings.Join(os.Environ(), "\n")), nil },
	"write": func(context.Context, []byte) ([]byte, error) {
		return nil, os.WriteFile(filepath.Join(os.TempDir(), "written-by-a-worker"), []byte("x"), 0o600)
	},
	"files": func(context.Context, []byte) ([]byte, error) {
		names, err := filepath.Glob("/proc/self/fd/*")
		var out []string
		for _, n := range names {
			to, _ := os.Readlink(n)
			out = append(out, to)
		}
		return []byte(strings.Join(out, "\n")), err
	},
	"listen": func(ctx context.Context, _ []byte) ([]byte, error) {
		<-ctx.Done()
		return []byte("what there was"), nil
	},
}

func deep(n int) int { return deep(n+1) + 1 } //nolint:staticcheck // a stack that grows for ever

func TestATaskGivesItsResult(t *testing.T) {
	in := bytes.Repeat([]byte("ab\n"), 2<<20)
	out, err := pool().Run(t.Context(), worker.Task{Name: "echo", Input: in, Time: 20 * time.Second, Output: len(in)})
	if err != nil || !bytes.Equal(in, out) {
		t.Errorf("%d bytes, %v, want the %d that came in", len(out), err, len(in))
	}
}

func TestNoTaskGoesBeyondItsLimits(t *testing.T) {
	for name, c := range map[string]struct {
		task worker.Task
		want error
	}{
		"time":                    {worker.Task{Name: "spin", Time: 300 * time.Millisecond}, worker.ErrTime},
		"time, with a grace":      {worker.Task{Name: "spin", Time: 300 * time.Millisecond, Grace: 200 * time.Millisecond}, worker.ErrTime},
		"memory, bit by bit":      {worker.Task{Name: "eat", Time: 20 * time.Second, Memory: 64 << 20}, worker.ErrMemory},
		"memory, at once":         {worker.Task{Name: "gulp", Time: 20 * time.Second, Memory: 64 << 20}, worker.ErrMemory},
		"memory with programs":    {worker.Task{Name: "eat", Time: 20 * time.Second, Memory: 64 << 20, StartsPrograms: true}, worker.ErrMemory},
		"stack":                   {worker.Task{Name: "deep", Time: 20 * time.Second}, worker.ErrMemory},
		"output":                  {worker.Task{Name: "flood", Time: 20 * time.Second, Output: 1000}, worker.ErrMemory},
		"memory of the runtime":   {worker.Task{Name: "starve", Time: 20 * time.Second}, worker.ErrMemory},
		"a nil pointer":           {worker.Task{Name: "nil", Time: 20 * time.Second}, worker.ErrFailed},
		"a panic":                 {worker.Task{Name: "panic", Time: 20 * time.Second}, worker.ErrFailed},
		"an error":                {worker.Task{Name: "fail", Time: 20 * time.Second}, worker.ErrFailed},
		"a file":                  {worker.Task{Name: "write", Time: 20 * time.Second}, worker.ErrFailed},
		"a task that is not here": {worker.Task{Name: "none", Time: 20 * time.Second}, worker.ErrFailed},
	} {
		if c.task.Output == 0 {
			c.task.Output = 1 << 20
		}
		began := time.Now()
		out, err := pool().Run(t.Context(), c.task)
		if took := time.Since(began); !errors.Is(err, c.want) || took > 10*time.Second {
			t.Errorf("%s: %d bytes, %v after %v, want %v", name, len(out), err, took, c.want)
		}
	}
	if n := process.Running(); n != 0 {
		t.Errorf("%d workers still run", n)
	}
}

func TestACancelledTaskSaysWhatItHas(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(100*time.Millisecond, cancel)
	out, err := pool().Run(ctx, worker.Task{Name: "listen", Time: time.Minute, Grace: 10 * time.Second, Output: 100})
	if string(out) != "what there was" || err != nil {
		t.Errorf("%q, %v", out, err)
	}
	ctx, cancel = context.WithCancel(t.Context())
	time.AfterFunc(100*time.Millisecond, cancel)
	if out, err := pool().Run(ctx, worker.Task{Name: "spin", Time: time.Minute, Output: 100}); !errors.Is(err, context.Canceled) {
		t.Errorf("%q, %v, want cancelled", out, err)
	}
}

func TestAWorkerHasNothingOfTheAgents(t *testing.T) {
	t.Setenv("OPENAI_API_KEY", "CANARY-3e1f")
	open, err := os.Create(filepath.Join(t.TempDir(), "CANARY-file"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = open.Close() }()
	for _, task := range []string{"env", "files"} {
		out, err := pool().Run(t.Context(), worker.Task{Name: task, Time: 20 * time.Second, Output: 1 << 20})
		if err != nil || len(out) == 0 || bytes.Contains(out, []byte("CANARY")) {
			t.Errorf("%s: %q, %v", task, out, err)
		}
	}
}

// A worker whose agent was killed ends, although it hears nothing.
func TestAWorkerEndsWithItsAgent(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	said := filepath.Join(t.TempDir(), "pid")
	if err := exec.CommandContext(t.Context(), "mkfifo", said).Run(); err != nil {
		t.Fatalf("this test needs mkfifo: %v", err)
	}
	agent := exec.CommandContext(t.Context(), self, "agent", said)
	if err := agent.Start(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(said)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(string(b))
	if err != nil || !process.Alive(pid) {
		t.Fatalf("the worker %q does not run: %v", b, err)
	}
	_ = agent.Process.Kill()
	_ = agent.Wait() // it was killed
	for end := time.Now().Add(20 * time.Second); process.Alive(pid); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the worker %d lives on", pid)
		}
	}
}
