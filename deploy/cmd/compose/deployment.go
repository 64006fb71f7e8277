package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/loongclaw/loongclaw/deploy/internal/client"
	"github.com/loongclaw/loongclaw/deploy/internal/rollout"
	"github.com/loongclaw/loongclaw/pkg/pass"
)

// deployment is one project of compose.yaml.
type deployment struct {
	state, file, project string
	image                string // of the new agent
	publish, metrics     string
	monitoring           bool
	trial                time.Duration
	out                  io.Writer

	samples []sample // what the gateway's metrics were
}

func (h *deployment) path(parts ...string) string {
	return filepath.Join(append([]string{h.state}, parts...)...)
}

// up makes what is missing and starts everything.
func (h *deployment) up(ctx context.Context) error {
	_, err := os.Stat(h.path("compose.env"))
	isNew := errors.Is(err, os.ErrNotExist)
	if err := h.found(); err != nil {
		return err
	}
	settings, err := h.digest()
	if err != nil {
		return err
	}
	for _, slot := range []rollout.Slot{rollout.Blue, rollout.Green} {
		if err := h.set(variable(slot, "SETTINGS"), settings); err != nil {
			return err
		}
		if isNew { // both begin with the same image
			if err := h.set(variable(slot, "KEPT"), "true"); err != nil {
				return err
			}
		}
	}
	args := []string{"up", "-d"}
	if h.monitoring {
		args = append([]string{"--profile", "monitoring"}, args...)
	}
	if err := h.compose(ctx, args...); err != nil {
		return err
	}
	if err := h.ready(ctx, time.Minute); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(h.out, "ready: http://%s/\n", h.publish); err != nil || !isNew {
		return err
	}
	owner, err := h.secret("LOONGCLAW_TOKENS")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(h.out, "log in as me with the token %s\n(it stands in %s)\n", owner, h.path("gateway.env"))
	return err
}

// ready waits until the gateway says that an agent is.
func (h *deployment) ready(ctx context.Context, patience time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	c := client.New("http://"+h.publish, "", nil)
	for {
		a, err := c.Do(ctx, http.MethodGet, "/ready", nil)
		if err == nil && a.Status == http.StatusOK {
			return nil
		}
		if err == nil {
			err = errors.New(a.String())
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("not ready after %v: %w\nNext: look at the logs of agent-blue and store", patience, err)
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// found makes the folder of a new deployment: keys and tokens that nobody else has. What
// is there stays as it is.
func (h *deployment) found() error {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return fmt.Errorf("making a key: %w", err)
	}
	access, secret := rand.Text(), rand.Text()+rand.Text()
	if err := os.MkdirAll(h.path("switch"), 0o755); err != nil { // #nosec G301 -- the gateway in its container is another user
		return err
	}
	files := []struct{ name, text string }{
		{"compose.env", fmt.Sprintf("STATE=%s\nPUBLISH=%s\nPUBLISH_METRICS=%s\n", h.state, h.publish, h.metrics)},
		{"gateway.env", fmt.Sprintf("# Every variable: docs/CONFIGURATION.md\nPASS_PRIVATE_KEY=%s\nLOONGCLAW_TOKENS=me:%s\nLOONGCLAW_CANARY=canary:%s\n", pass.FormatPrivate(private), rand.Text(), rand.Text())},
		{"agent.env", fmt.Sprintf("# Every variable: docs/CONFIGURATION.md. A model's key goes here.\nPASS_PUBLIC_KEYS=%s\nR2_ACCESS_KEY_ID=%s\nR2_SECRET_ACCESS_KEY=%s\n", pass.FormatPublic(public), access, secret)},
		{"store.env", fmt.Sprintf("ROOT_ACCESS_KEY=%s\nROOT_SECRET_KEY=%s\n", access, secret)},
	}
	there := 0
	for _, f := range files {
		if _, err := os.Stat(h.path(f.name)); err == nil {
			there++
		}
	}
	switch there {
	case len(files):
		return h.known()
	case 0:
	default:
		return fmt.Errorf("%s is half there: of compose.env, gateway.env, agent.env and store.env some are missing, and new ones would not fit the others\nNext: bring the missing ones back, or move the folder away to begin anew", h.state)
	}
	for _, f := range files {
		if err := os.WriteFile(h.path(f.name), []byte(f.text), 0o600); err != nil {
			return err
		}
	}
	return h.list(line{slot: "blue"}, line{slot: "green", more: "spare"})
}

// known reads where an existing deployment is found.
func (h *deployment) known() error {
	env, err := h.settings("compose.env")
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("there is no deployment in %s\nNext: make compose", h.state)
	}
	if err != nil {
		return err
	}
	h.publish, h.metrics = env["PUBLISH"], env["PUBLISH_METRICS"]
	return nil
}

// settings reads one of the files of the folder.
func (h *deployment) settings(name string) (map[string]string, error) {
	b, err := os.ReadFile(h.path(name))
	if err != nil {
		return nil, err
	}
	all := map[string]string{}
	for l := range strings.Lines(string(b)) {
		if name, value, ok := strings.Cut(strings.TrimSpace(l), "="); ok && !strings.HasPrefix(name, "#") {
			all[name] = value
		}
	}
	return all, nil
}

// set changes one setting of compose itself.
func (h *deployment) set(name, value string) error {
	env, err := h.settings("compose.env")
	if err != nil {
		return err
	}
	env[name] = value
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(env)) {
		fmt.Fprintf(&b, "%s=%s\n", k, env[k])
	}
	return h.replace(b.String(), 0o600, "compose.env")
}

// replace writes a file so that a reader sees the old one or the new one.
func (h *deployment) replace(text string, mode os.FileMode, parts ...string) error {
	path := h.path(parts...)
	if err := os.WriteFile(path+".new", []byte(text), mode); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// secret returns NAME:TOKEN of a variable of the gateway's, the first of several.
func (h *deployment) secret(variable string) (string, error) {
	env, err := h.settings("gateway.env")
	if err != nil {
		return "", err
	}
	first, _, _ := strings.Cut(env[variable], ",")
	_, token, ok := strings.Cut(first, ":")
	if !ok {
		return "", fmt.Errorf("gateway.env has no %s=NAME:TOKEN\nNext: add it, and start the gateway again: make compose", variable)
	}
	token, _, _ = strings.Cut(token, ":")
	return token, nil
}

// compose runs docker-compose, or docker's own compose where that is there.
func (h *deployment) compose(ctx context.Context, args ...string) error {
	env, err := h.settings("compose.env")
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("there is no deployment in %s\nNext: make compose", h.state)
	}
	if err != nil {
		return err
	}
	all := []string{"-p", h.project, "-f", h.file}
	for more := range strings.FieldsSeq(os.Getenv("COMPOSE_MORE")) {
		all = append(all, "-f", more)
	}
	program := "docker-compose"
	if exec.CommandContext(ctx, "docker", "compose", "version").Run() == nil {
		program, all = "docker", append([]string{"compose"}, all...)
	}
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, program, append(all, args...)...) // #nosec G204 -- our own arguments
	cmd.Stdout, cmd.Stderr = &said, &said
	cmd.Env = os.Environ()
	for name, value := range env { // docker-compose 1.29 takes an --env-file relative to other places than newer ones
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", program, strings.Join(args, " "), err, bytes.TrimSpace(said.Bytes()))
	}
	return nil
}

// docker runs docker and gives what it says.
func docker(ctx context.Context, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, "docker", args...).Output() // #nosec G204 -- our own arguments
	if err != nil {
		var failed *exec.ExitError
		if errors.As(err, &failed) {
			err = fmt.Errorf("%w: %s", err, bytes.TrimSpace(failed.Stderr))
		}
		return "", fmt.Errorf("docker %s: %w", args[0], err)
	}
	return strings.TrimSpace(string(out)), nil
}
