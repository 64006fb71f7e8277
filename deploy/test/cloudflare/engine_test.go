package cloudflare

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/deploy/internal/testenv"
)

// docker runs a command of the engine.
func docker(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "docker", args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("docker %s: %w\n%s%s", strings.Join(args, " "), err, out.String(), errs.String())
	}
	return strings.TrimSpace(out.String()), nil
}

func mustDocker(t *testing.T, args ...string) string {
	t.Helper()
	out, err := docker(t.Context(), args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// agents lists the containers that run an agent of a Worker's, and nobody else's: other
// suites may use the same engine.
func agents(ctx context.Context, w *testenv.Worker) ([]string, error) {
	out, err := docker(ctx, "ps", "--no-trunc", "--format", "{{.ID}} {{.Names}}")
	var ids []string
	for line := range strings.Lines(out) {
		if id, name, _ := strings.Cut(strings.TrimSpace(line), " "); w.IsContainer(name) {
			ids = append(ids, id)
		}
	}
	return ids, err
}

// agents lists the containers of this world that run an agent.
func (w *world) agents(t *testing.T) []string {
	t.Helper()
	ids, err := agents(t.Context(), w.Worker)
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

// addrOf is a container's address on this machine. It has its network from the
// sidecar through which workerd reaches it.
func addrOf(ctx context.Context, container string) (string, error) {
	mode, err := docker(ctx, "inspect", "--format", "{{.HostConfig.NetworkMode}}", container)
	if err != nil {
		return "", err
	}
	if sidecar, ok := strings.CutPrefix(mode, "container:"); ok {
		container = sidecar
	}
	addr, err := docker(ctx, "inspect", "--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", container)
	if err == nil && addr == "" {
		err = fmt.Errorf("the container %.12s has no address", container)
	}
	return addr, err
}

// starts counts the containers of agents that were started since a moment.
func (w *world) starts(t *testing.T, since time.Time) int {
	t.Helper()
	n := 0
	at := func(t time.Time) string { return strconv.FormatFloat(float64(t.UnixMicro())/1e6, 'f', 6, 64) }
	out := mustDocker(t, "events", "--since", at(since), "--until", at(time.Now()), "--filter", "event=start", "--format", "{{.Actor.Attributes.name}}")
	for name := range strings.Lines(out) {
		if w.IsContainer(strings.TrimSpace(name)) {
			n++
		}
	}
	return n
}

// newcomer is the one agent that runs now and did not before.
func (w *world) newcomer(t *testing.T, before []string) string {
	t.Helper()
	now := slices.DeleteFunc(w.agents(t), func(id string) bool { return slices.Contains(before, id) })
	if len(now) != 1 {
		t.Fatalf("%d containers came, want 1", len(now))
	}
	return now[0]
}

func (w *world) running(t *testing.T, container string) bool {
	t.Helper()
	return slices.Contains(w.agents(t), container)
}

// eventually waits until something holds, and says how long that took.
func eventually(t *testing.T, atMost time.Duration, what string, ask func() bool) time.Duration {
	t.Helper()
	begin := time.Now()
	for !ask() {
		if time.Since(begin) > atMost {
			t.Fatalf("not within %v: %s", atMost, what)
		}
		time.Sleep(200 * time.Millisecond)
	}
	return time.Since(begin)
}
