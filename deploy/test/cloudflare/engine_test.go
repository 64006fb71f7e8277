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
)

// image is what wrangler calls the image of the class Agent while it develops.
const image = "cloudflare-dev/agent"

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

// agents lists the containers that run an agent.
func agents(t *testing.T) []string {
	t.Helper()
	var ids []string
	for line := range strings.Lines(mustDocker(t, "ps", "--no-trunc", "--format", "{{.ID}} {{.Image}}")) {
		if id, of, _ := strings.Cut(strings.TrimSpace(line), " "); strings.HasPrefix(of, image) {
			ids = append(ids, id)
		}
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
func starts(t *testing.T, since time.Time) int {
	t.Helper()
	n := 0
	at := func(t time.Time) string { return strconv.FormatFloat(float64(t.UnixMicro())/1e6, 'f', 6, 64) }
	out := mustDocker(t, "events", "--since", at(since), "--until", at(time.Now()), "--filter", "event=start", "--format", "{{.From}}")
	for line := range strings.Lines(out) {
		if strings.HasPrefix(line, image) {
			n++
		}
	}
	return n
}

// newcomer is the one agent that runs now and did not before.
func newcomer(t *testing.T, before []string) string {
	t.Helper()
	now := slices.DeleteFunc(agents(t), func(id string) bool { return slices.Contains(before, id) })
	if len(now) != 1 {
		t.Fatalf("%d containers came, want 1", len(now))
	}
	return now[0]
}

func running(t *testing.T, container string) bool {
	t.Helper()
	return slices.Contains(agents(t), container)
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
