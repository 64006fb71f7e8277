package cloudflare

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/loongclaw/loongclaw/deploy/internal/rollout"
)

// wranglerError is a command of wrangler's that failed, and what it said.
type wranglerError struct {
	args []string
	text string
	err  error
}

func (e *wranglerError) Error() string {
	return fmt.Sprintf("wrangler %s: %v\n%s", strings.Join(e.args, " "), e.err, strings.TrimSpace(e.text))
}

func (e *wranglerError) Unwrap() error { return e.err }

// wrangler runs a command and gives what it printed.
func (p *Platform) wrangler(ctx context.Context, args ...string) (string, error) {
	return p.command(ctx, nil, args...)
}

// event is a line of what wrangler tells programs.
type event struct {
	Type    string
	Targets []string
}

// wranglerEvents runs a command, showing what it prints, and gives its events.
func (p *Platform) wranglerEvents(ctx context.Context, args ...string) ([]event, error) {
	dir, err := os.MkdirTemp("", "loongclaw-rollout-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "events")
	text, err := p.command(ctx, []string{"WRANGLER_OUTPUT_FILE_PATH=" + path}, args...)
	if err != nil {
		return nil, err
	}
	p.say("%s", strings.TrimSpace(text))
	b, err := os.ReadFile(path) // #nosec G304 -- just made
	if err != nil {
		return nil, fmt.Errorf("wrangler did not say what it did: %w", err)
	}
	var events []event
	for line := range bytes.Lines(b) {
		var e event
		if json.Unmarshal(line, &e) == nil {
			events = append(events, e)
		}
	}
	return events, nil
}

func (p *Platform) command(ctx context.Context, env []string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "node_modules/node/bin/node", append([]string{"node_modules/wrangler/bin/wrangler.js"}, args...)...) // #nosec G204 -- pinned in package-lock.json
	cmd.Dir = p.Dir
	cmd.Env = append(append(os.Environ(), "NO_COLOR=1", "WRANGLER_SEND_METRICS=false"), env...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return out.String(), &wranglerError{args, out.String() + errs.String(), err}
	}
	return out.String(), nil
}

// application is a slot's container application, as Cloudflare has it.
type application struct {
	ID, Name, Image string
	Rollout         string `json:"active_rollout_id"`
	Configuration   struct{ Image string }
}

// applications returns those of the slots; a slot that never had one is absent.
func (p *Platform) applications(ctx context.Context) (map[rollout.Slot]application, error) {
	text, err := p.wrangler(ctx, "containers", "list", "--json")
	if err != nil {
		return nil, fmt.Errorf("%w\n%s", err, nextAccount)
	}
	var all []application
	if err := json.Unmarshal([]byte(text), &all); err != nil {
		return nil, fmt.Errorf("the list of containers cannot be read: %w", err)
	}
	found := map[rollout.Slot]application{}
	for _, app := range all {
		for _, slot := range []rollout.Slot{rollout.Blue, rollout.Green} {
			if app.Name == p.to.application(slot) {
				found[slot] = app
			}
		}
	}
	return found, nil
}

// settled waits until a slot's application starts containers from its new image
// only, and names that.
func (p *Platform) settled(ctx context.Context, slot rollout.Slot) (image string, err error) {
	ctx, cancel := context.WithTimeout(ctx, p.Patience)
	defer cancel()
	if p.apps[slot].ID == "" {
		if p.apps, err = p.applications(ctx); err != nil {
			return "", err
		}
	}
	app, ok := p.apps[slot]
	if !ok {
		return "", fmt.Errorf("it was deployed, and there is no container application %s", p.to.application(slot))
	}
	for {
		now, err := p.info(ctx, app.ID)
		if err != nil {
			return "", err
		}
		if now.Rollout == "" {
			return now.Configuration.Image, nil
		}
		select {
		case <-ctx.Done():
			return "", fmt.Errorf("the image of %s is still being rolled out after %v", app.Name, p.Patience)
		case <-time.After(2 * time.Second):
		}
	}
}

// imageOf is a slot's image, empty where there is none. A deploy that names it in
// just this form changes nothing of it.
func (p *Platform) imageOf(ctx context.Context, slot rollout.Slot) (string, error) {
	app, ok := p.apps[slot]
	if !ok {
		return "", nil
	}
	now, err := p.info(ctx, app.ID)
	return now.Configuration.Image, err
}

func (p *Platform) info(ctx context.Context, id string) (application, error) {
	text, err := p.wrangler(ctx, "containers", "info", id, "--json")
	if err != nil {
		return application{}, err
	}
	var app application
	if err := json.Unmarshal([]byte(text), &app); err != nil {
		return application{}, fmt.Errorf("what wrangler says of the container application cannot be read: %w", err)
	}
	return app, nil
}

// version is the newest version of the Worker.
func (p *Platform) version(ctx context.Context) (string, error) {
	text, err := p.wrangler(ctx, "versions", "list", "--name", p.to.Name, "--json")
	if err != nil {
		return "", err
	}
	var versions []struct {
		ID     string `json:"id"`
		Number int    `json:"number"`
	}
	if err := json.Unmarshal([]byte(text), &versions); err != nil {
		return "", fmt.Errorf("the list of versions cannot be read: %w", err)
	}
	newest := ""
	for number, i := -1, 0; i < len(versions); i++ {
		if versions[i].Number > number {
			number, newest = versions[i].Number, versions[i].ID
		}
	}
	return newest, nil
}

// nextAccount is what to do when Cloudflare does not let one in.
const nextAccount = "Next: `npx wrangler login` in the folder wrangler, or set CLOUDFLARE_API_TOKEN; R2 must be switched on once in the dashboard, and containers need the paid plan"

// buckets makes those that are missing.
func (p *Platform) buckets(ctx context.Context) error {
	list, err := p.wrangler(ctx, "r2", "bucket", "list")
	if err != nil {
		return fmt.Errorf("%w\n%s", err, nextAccount)
	}
	there := labelled(list, "name:")
	for _, b := range p.to.Buckets {
		if slices.Contains(there, b.Name) {
			continue
		}
		if _, err := p.wrangler(ctx, "r2", "bucket", "create", b.Name); err != nil {
			return err
		}
		p.say("made the bucket %s", b.Name)
	}
	return nil
}

// labelled returns what stands behind a label in the lines of a text.
func labelled(text, label string) []string {
	var found []string
	for s := bufio.NewScanner(strings.NewReader(text)); s.Scan(); {
		if v, ok := strings.CutPrefix(strings.TrimSpace(s.Text()), label); ok {
			found = append(found, strings.TrimSpace(v))
		}
	}
	return found
}

// deploy uploads everything, with the secrets that were absent: there is no moment
// in which the Worker stands there without them. It gives the addresses at which the
// Worker answers.
func (p *Platform) deploy(ctx context.Context, config, tag string, secrets map[string]string) (addresses []string, err error) {
	path, remove, err := secretsFile(secrets)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, remove()) }()
	p.say("deploying %s", tag)
	events, err := p.wranglerEvents(ctx, "deploy", "--config", config, "--env", p.Env, "--tag", tag, "--message", "make deploy", "--secrets-file", path)
	if err != nil {
		return nil, fmt.Errorf("%w\nNext: correct what wrangler says, and run it again: what was done stays done. It builds the agent's image, for which a container engine with buildx must run here", err)
	}
	for _, e := range events {
		if e.Type == "deploy" {
			addresses = addressesOf(e.Targets)
		}
	}
	return addresses, nil
}
