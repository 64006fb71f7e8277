package testenv

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// ErrNoWorkerd says that workerd or the built Worker is not there.
var ErrNoWorkerd = errors.New("workerd and the built Worker are not there: make wasm")

// Workerd is workerd itself, without the proxy and the log lines of `wrangler dev`.
type Workerd struct {
	*Process
	Base string
}

// StartWorkerd runs the built Worker below dir, with the objects that need no container;
// AGENT_URL is among vars.
func StartWorkerd(ctx context.Context, dir string, vars map[string]string) (*Workerd, error) {
	root, err := Root(ctx)
	if err != nil {
		return nil, err
	}
	wrangler := filepath.Join(root, "wrangler")
	wasm, err := os.ReadFile(filepath.Join(wrangler, "build", "gateway.wasm")) // #nosec G304 -- what build.sh built
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNoWorkerd
	}
	if err != nil {
		return nil, err
	}
	// One file, as wrangler makes it: workerd itself knows no packages.
	bundle := exec.CommandContext(ctx, "node_modules/esbuild/bin/esbuild", "worker.mjs", "--bundle", "--format=esm", "--target=esnext",
		"--log-level=warning", "--external:cloudflare:*", "--external:node:*", "--external:*.wasm")
	bundle.Dir = wrangler
	var faults bytes.Buffer
	bundle.Stderr = &faults
	worker, err := bundle.Output()
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNoWorkerd
	}
	if err != nil {
		return nil, fmt.Errorf("esbuild: %w\n%s", err, &faults)
	}
	// The first is the one that workerd starts; it imports ../build/gateway.wasm.
	names := []string{"edge/worker.mjs", "build/gateway.wasm"}
	files := map[string][]byte{names[0]: worker, names[1]: wasm}
	var bindings, objects []string
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		bindings = append(bindings, fmt.Sprintf("(name = %q, text = %q)", name, vars[name]))
	}
	for binding, class := range map[string]string{"USER": "User", "VAULT": "Vault", "ADDRESS": "Address", "WATCH": "Watch"} {
		bindings = append(bindings, fmt.Sprintf("(name = %q, durableObjectNamespace = %q)", binding, class))
		objects = append(objects, fmt.Sprintf("(className = %q, uniqueKey = %q, enableSql = true)", class, class))
	}
	return serveWorkerd(ctx, dir, names, files, fmt.Sprintf("bindings = [%s], durableObjectNamespaces = [%s], durableObjectStorage = (localDisk = \"objects\"),",
		strings.Join(bindings, ", "), strings.Join(objects, ", ")))
}

// StartBareWorkerd runs one module of JavaScript, to have something to compare with.
func StartBareWorkerd(ctx context.Context, dir, module string) (*Workerd, error) {
	return serveWorkerd(ctx, dir, []string{"bare.mjs"}, map[string][]byte{"bare.mjs": []byte(module)}, "")
}

// serveWorkerd lays out the modules, of which the first is the Worker, starts workerd and
// waits until it answers.
func serveWorkerd(ctx context.Context, dir string, names []string, files map[string][]byte, more string) (*Workerd, error) {
	binary, err := workerdBinary(ctx)
	if err != nil {
		return nil, err
	}
	addr, err := FreeAddr()
	if err != nil {
		return nil, err
	}
	kinds := map[string]string{".mjs": "esModule", ".wasm": "wasm"}
	var modules []string
	for _, name := range names {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return nil, err
		}
		if err := os.WriteFile(path, files[name], 0o600); err != nil {
			return nil, err
		}
		modules = append(modules, fmt.Sprintf("(name = %q, %s = embed %q)", name, kinds[filepath.Ext(name)], name))
	}
	storage := filepath.Join(dir, "storage")
	if err := os.MkdirAll(storage, 0o700); err != nil {
		return nil, err
	}
	var config bytes.Buffer
	fmt.Fprintf(&config, `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = (modules = [%s], %s compatibilityDate = "2026-11-17")),
    (name = "objects", disk = (path = %q, writable = true)),
    (name = "internet", network = (allow = ["public", "private"])),
  ],
  sockets = [(name = "http", address = %q, http = (), service = "main")],
);
`, strings.Join(modules, ", "), more, storage, addr)
	path := filepath.Join(dir, "config.capnp")
	if err := os.WriteFile(path, config.Bytes(), 0o600); err != nil {
		return nil, err
	}
	p, err := Start(binary, dir, nil, "serve", path)
	if err != nil {
		return nil, err
	}
	w := &Workerd{Process: p, Base: "http://" + addr}
	if err := p.ready(ctx, w.Base+"/health", http.StatusMultipleChoices, time.Minute); err != nil {
		w.Kill()
		return nil, err
	}
	return w, nil
}

// workerdBinary is workerd and not its wrapper of npm, which would leave workerd behind.
func workerdBinary(ctx context.Context) (string, error) {
	root, err := Root(ctx)
	if err != nil {
		return "", err
	}
	found, err := filepath.Glob(filepath.Join(root, "wrangler/node_modules/@cloudflare/workerd-*/bin/workerd"))
	if err != nil {
		return "", err
	}
	if len(found) == 0 {
		return "", ErrNoWorkerd
	}
	return found[0], nil
}
