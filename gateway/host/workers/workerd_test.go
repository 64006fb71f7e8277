package workers_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// wranglerDir holds what Cloudflare runs, and its tools.
const wranglerDir = "../../../wrangler"

// testWorker is the Worker of these tests: the real one, and what they ask of it.
const testWorker = "test/probe.mjs"

// libraries are what modules name without a path: here workerd looks beside who names
// them, and has no bundle.
var libraries = map[string]string{"mcp/oauth4webapi": "node_modules/oauth4webapi/build/index.js"}

// modules are the files of the Worker below wrangler/, with the capnp field that
// says what they are. The probe, which is the first, imports what it needs.
func modules(t *testing.T) [][2]string {
	t.Helper()
	all := [][2]string{{testWorker, "esModule"}, {"mcp/oauth4webapi", "esModule"}, {"build/wasm_exec.js", "esModule"}, {"build/seed.mjs", "esModule"}, {"build/gateway.wasm", "wasm"}}
	for _, pattern := range []string{"*.mjs", "*/*.mjs"} {
		found, err := filepath.Glob(filepath.Join(wranglerDir, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range found {
			name, err := filepath.Rel(wranglerDir, path)
			if err != nil {
				t.Fatal(err)
			}
			if dir := filepath.Dir(name); dir != "test" && dir != "build" && dir != "node_modules" {
				all = append(all, [2]string{filepath.ToSlash(name), "esModule"})
			}
		}
	}
	return all
}

// isolate is one workerd process with one isolate in it.
type isolate struct {
	t   *testing.T
	url string
	log *logged
}

// logged keeps what a process wrote.
type logged struct{ strings.Builder }

// production is the folder with the built Worker.
func production(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(wranglerDir, "build")
	if _, err := os.Stat(filepath.Join(dir, "gateway.wasm")); err != nil {
		t.Fatalf("the Worker is not built (%v)\nNext: make wasm", err)
	}
	return dir
}

// misbehaving builds the core that misbehaves on demand.
func misbehaving(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	out, err := exec.Command("sh", filepath.Join(wranglerDir, "build.sh"), "./host/workers/testprogram", dir).CombinedOutput() //nolint:gosec // our own script
	if err != nil {
		t.Fatalf("build.sh: %v\n%s", err, out)
	}
	return dir
}

// workerdBinary is workerd itself and not its npm wrapper, which would leave
// workerd behind when it is killed.
func workerdBinary(t *testing.T) string {
	t.Helper()
	found, _ := filepath.Glob(filepath.Join(wranglerDir, "node_modules/@cloudflare/workerd-*/bin/workerd"))
	if len(found) == 0 {
		t.Fatal("workerd is not installed\nNext: npm ci --prefix wrangler (make wasm does it)")
	}
	path, err := filepath.Abs(found[0])
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// startWorkerd runs what is in build, with the Worker's text bindings.
func startWorkerd(t *testing.T, build string, vars map[string]string) *isolate {
	t.Helper()
	dir := t.TempDir()
	config := layOut(t, dir, build, vars)
	in, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	i := &isolate{t: t, log: &logged{}}
	cmd := exec.Command(workerdBinary(t), "serve", "--control-fd=3", config) //nolint:gosec // the tests' own binary
	cmd.ExtraFiles = []*os.File{out}
	cmd.Stdout, cmd.Stderr = &i.log.Builder, &i.log.Builder
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = in.Close()
		if t.Failed() {
			t.Logf("what workerd said:\n%s", i.log.String())
		}
	})
	_ = out.Close()
	i.url = fmt.Sprintf("http://127.0.0.1:%d", listenPort(t, in, i.log))
	return i
}

// layOut puts the Worker's files and workerd's configuration into dir.
func layOut(t *testing.T, dir, build string, vars map[string]string) string {
	t.Helper()
	var list, bindings []string
	for _, module := range modules(t) {
		name, kind := module[0], module[1]
		from := filepath.Join(wranglerDir, name)
		if file, ok := libraries[name]; ok {
			from = filepath.Join(wranglerDir, file)
		}
		if filepath.Dir(name) == "build" {
			from = filepath.Join(build, filepath.Base(name))
		}
		content, err := os.ReadFile(from) //nolint:gosec // the names above
		if err != nil {
			t.Fatal(err)
		}
		to := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, content, 0o600); err != nil {
			t.Fatal(err)
		}
		list = append(list, fmt.Sprintf("(name = %q, %s = embed %q)", name, kind, name))
	}
	for name, value := range vars {
		bindings = append(bindings, fmt.Sprintf("(name = %q, text = %q)", name, value))
	}
	bindings = append(bindings, `(name = "ADDRESS", durableObjectNamespace = "Address")`,
		`(name = "USER", durableObjectNamespace = "User")`, `(name = "VAULT", durableObjectNamespace = "Vault")`)
	objects := filepath.Join(dir, "storage")
	if err := os.Mkdir(objects, 0o700); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(dir, "config.capnp")
	text := fmt.Sprintf(`using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = (
      modules = [%s], bindings = [%s],
      durableObjectNamespaces = [(className = "User", uniqueKey = "user", enableSql = true), (className = "Vault", uniqueKey = "vault", enableSql = true), (className = "Address", uniqueKey = "address", enableSql = true)],
      durableObjectStorage = (localDisk = "objects"),
      compatibilityDate = "2026-11-17")),
    (name = "objects", disk = (path = %q, writable = true)),
    (name = "internet", network = (allow = ["public", "private"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
`, strings.Join(list, ", "), strings.Join(bindings, ", "), objects)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return config
}

// listenPort waits until workerd says where it listens.
func listenPort(t *testing.T, control *os.File, log *logged) int {
	t.Helper()
	_ = control.SetReadDeadline(time.Now().Add(60 * time.Second))
	lines := bufio.NewScanner(control)
	for lines.Scan() {
		var said struct {
			Event string `json:"event"`
			Port  int    `json:"port"`
		}
		if json.Unmarshal(lines.Bytes(), &said) == nil && said.Event == "listen" {
			return said.Port
		}
	}
	t.Fatalf("workerd does not listen: %v\n%s", lines.Err(), log.String())
	return 0
}

// get asks for a path.
func (i *isolate) get(path string) (status int, body string) {
	i.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, i.url+path, http.NoBody)
	if err != nil {
		i.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		i.t.Fatalf("GET %s: %v", path, err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		i.t.Fatalf("GET %s: %v", path, err)
	}
	return resp.StatusCode, string(b)
}

// probe is what the tests' Worker tells about its instance.
type probe struct {
	MemoryBytes  int64 `json:"memoryBytes"`
	Timers       int   `json:"timers"`
	SeedBytes    int   `json:"seedBytes"`
	Configured   bool  `json:"configured"`
	SameInstance bool  `json:"sameInstance"`
	Signed       int   `json:"signed"`    // by JavaScript for Go
	UserCalls    int   `json:"userCalls"` // of users' objects
	UserRows     int   `json:"userRows"`  // that they wrote
}

func (i *isolate) probe() probe {
	i.t.Helper()
	_, body := i.get("/.probe")
	var p probe
	if err := json.Unmarshal([]byte(body), &p); err != nil {
		i.t.Fatalf("probe: %v in %q", err, body)
	}
	return p
}
