package testenv

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// WorkerOptions say how the Worker is to run.
type WorkerOptions struct {
	Dir        string            // what Cloudflare would keep is kept below it
	Vars       map[string]string // variables and secrets
	Containers bool              // run the agent's image; else AGENT_URL must be among Vars
	Config     string            // another configuration than wrangler/wrangler.jsonc
	Addr       string            // where to listen; empty is a free address
	Name       string            // as what it runs; empty is a name that no other has
}

// Worker is `wrangler dev`: the Worker with its objects in real workerd, and the
// agent's real image where containers are on.
type Worker struct {
	*Process
	Base   string
	Addr   string
	Name   string            // its containers' names have it
	Images map[string]string // of its classes of containers: the tags that they are started by
}

// StartWorker runs the Worker and waits until it answers.
func StartWorker(ctx context.Context, o WorkerOptions) (*Worker, error) {
	root, err := Root(ctx)
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(root, "wrangler")
	for what, next := range map[string]string{
		"node_modules/wrangler/bin/wrangler.js": "make wasm",
		"build/gateway.wasm":                    "make wasm",
	} {
		if _, err := os.Stat(filepath.Join(dir, what)); err != nil {
			return nil, fmt.Errorf("wrangler/%s is missing\nNext: %s", what, next)
		}
	}
	addr := o.Addr
	if addr == "" {
		if addr, err = FreeAddr(); err != nil {
			return nil, err
		}
	}
	name := o.Name
	if name == "" {
		// Several suites may use one engine, and wrangler names containers by Worker and user.
		name = "loongclaw-" + strings.ToLower(rand.Text())
	}
	_, port, _ := strings.Cut(addr, ":")
	args := []string{
		"node_modules/wrangler/bin/wrangler.js", "dev", "--name", name, "--ip", "127.0.0.1", "--port", port, "--inspector-port", "0",
		"--persist-to", o.Dir, "--show-interactive-dev-session=false", fmt.Sprintf("--enable-containers=%t", o.Containers),
	}
	if o.Config != "" {
		args = append(args, "--config", o.Config)
	}
	for _, name := range slices.Sorted(maps.Keys(o.Vars)) {
		args = append(args, "--var", name+":"+o.Vars[name])
	}
	env := map[string]string{
		"CI": "1", "NO_COLOR": "1", "WRANGLER_SEND_METRICS": "false", "WRANGLER_SEND_ERROR_REPORTS": "false",
		"CLOUDFLARE_CF_FETCH_ENABLED": "false", "WRANGLER_LOG_PATH": o.Dir, "XDG_CONFIG_HOME": o.Dir,
	}
	for _, name := range os.Environ() {
		key, value, _ := strings.Cut(name, "=")
		if _, ours := env[key]; !ours {
			env[key] = value
		}
	}
	p, err := Start("node_modules/node/bin/node", dir, env, args...)
	if err != nil {
		return nil, err
	}
	w := &Worker{Process: p, Base: "http://" + addr, Addr: addr, Name: name}
	// An image is built before it answers, and the egress proxy alone has no /health.
	if err := p.ready(ctx, w.Base+"/health", http.StatusInternalServerError, 3*time.Minute); err != nil {
		w.Down()
		return nil, err
	}
	w.Images = images(w.Log())
	return w, nil
}

// built is what wrangler calls an image that it builds: the class, and a tag that is new
// for each start.
var built = regexp.MustCompile(`cloudflare-dev/(\w+):[0-9a-f]+`)

// images finds the images that wrangler says it has built, by class.
func images(log string) map[string]string {
	all := map[string]string{}
	for _, m := range built.FindAllStringSubmatch(log, -1) {
		all[m[1]] = m[0]
	}
	return all
}

// IsContainer reports whether a container of this name is one that this Worker has
// started for one of its objects, and not the sidecar through which it is reached.
func (w *Worker) IsContainer(name string) bool {
	_, object, ok := strings.Cut(name, "-"+w.Name+"-")
	return ok && strings.HasPrefix(name, "workerd-") && !strings.HasSuffix(object, "-proxy")
}

// Down ends wrangler and what it started.
func (w *Worker) Down() { w.Stop(20 * time.Second) }

// Engine returns an error where wrangler cannot build and run containers; it says
// what is missing.
func Engine(ctx context.Context) error {
	docker := os.Getenv("WRANGLER_DOCKER_BIN")
	if docker == "" {
		docker = "docker"
	}
	// An image is built with flags that only buildx knows.
	for _, args := range [][]string{{"info", "--format", "{{.ServerVersion}}"}, {"build", "--load", "--help"}} {
		if out, err := exec.CommandContext(ctx, docker, args...).CombinedOutput(); err != nil { // #nosec G204 G702 -- the engine of the caller's environment
			lines := strings.Split(strings.TrimSpace(string(out)), "\n")
			return fmt.Errorf("%s %s: %w: %s", filepath.Base(docker), args[0], err, strings.Join(lines, " "))
		}
	}
	return nil
}
