package gateway_test

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	module    = "github.com/loongclaw/loongclaw/gateway"
	telemetry = "github.com/loongclaw/loongclaw/telemetry"
)

// owners are the packages that alone may import a foreign thing.
var owners = map[string][]string{
	"github.com/labstack/echo/v4":            {"edge"},
	"github.com/coder/websocket":             {"host/native", "edge/edgetest"}, // edgetest is a client
	"github.com/kelseyhightower/envconfig":   {"cmd/gateway"},
	"golang.org/x/time/rate":                 {"limit"},
	"github.com/redis/go-redis/v9":           {"host/redis"},
	"github.com/go-redis/redis_rate/v10":     {"host/redis"},
	module + "/host/redis":                   {"cmd/gateway"},
	"github.com/cloudflare/tableflip":        {"cmd/gateway"},
	"syscall/js":                             {"host/workers", "cmd/gateway", "host/workers/testprogram"},
	"embed":                                  {"webchat"},
	"github.com/prometheus/":                 {"host/meter"},
	"go.opentelemetry.io/":                   {"host/trace"},
	module + "/host/native":                  {"cmd/gateway"},
	module + "/host/meter":                   {"cmd/gateway"},
	module + "/host/trace":                   {"cmd/gateway"},
	module + "/host/workers":                 {"cmd/gateway", "host/workers/testprogram"},
	module + "/webchat":                      {"cmd/gateway"},
	"github.com/loongclaw/loongclaw/pkg/sse": {"host/native", "edge/edgetest"}, // the core never sees a stream
	telemetry + "/metrics":                   {"host/meter"},
	telemetry + "/traces":                    {"host/trace"},
	telemetry + "/program":                   {"cmd/gateway"},
}

// mayImport are the rooms of the gateway that a room may know of.
var mayImport = map[string][]string{
	"access": {}, "limit": {},
	"edge":           {"access", "limit"},
	"host/native":    {"edge", "limit", "host/native/h1"},
	"host/native/h1": {},
	"host/meter":     {},
	"host/trace":     {},
	"host/workers":   {"edge"},
	"host/redis":     {"limit"},
	"webchat":        {},
}

// coreBans is what makes the core free of I/O: these stay out of it.
var coreBans = []string{"os", "os/exec", "os/signal", "syscall", "net/http/httputil", "net/http/httptest", "log", "log/slog", "embed", "io/fs"}

// wasmBans are packages that the WebAssembly build must not contain, and why.
var wasmBans = map[string]string{
	"net/http/httputil":                      "its reverse proxy waits; on Workers the host forwards",
	"os/exec":                                "there is no process to start",
	"os/signal":                              "there is no signal, and it keeps a goroutine",
	"embed":                                  "the page is the platform's asset store's; embedding it costs start time",
	"html/template":                          "nothing is rendered here, and it is large",
	"net/http/httptest":                      "a decision needs no recorder",
	"net/http/pprof":                         "it serves the process's memory",
	"expvar":                                 "it publishes the process's memory",
	"testing":                                "it belongs to tests",
	"github.com/cloudflare/tableflip":        "there is no process to hand over to",
	"github.com/coder/websocket":             "sockets are held by the Durable Object",
	"github.com/labstack/echo/v4/middleware": "several of its middlewares wait or start goroutines; ours decide",
	module + "/host/native":                  "it waits",
	module + "/host/redis":                   "it waits; on Workers objects remember",
	"github.com/redis/go-redis/v9":           "it waits",
	"github.com/go-redis/redis_rate/v10":     "it waits",
	module + "/host/meter":                   "it carries client_golang; on Workers nobody scrapes",
	module + "/webchat":                      "it embeds the page",
	telemetry + "/":                          "it is about a process, and carries what it exports with",
	"github.com/loongclaw/loongclaw/pkg/sse": "no byte of an answer's stream passes through Go on Workers",
	"github.com/google/go-cmp/cmp":           "it belongs to tests",
	"go.opentelemetry.io/":                   "it exports in the background, and it is large",
	"github.com/prometheus/":                 "on Workers nobody scrapes, and it is large",
}

type goPackage struct {
	ImportPath string
	Imports    []string
}

// list asks the go tool about packages of a build.
func list(t *testing.T, env []string, args ...string) []goPackage {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-json=ImportPath,Imports"}, args...)...) //nolint:gosec // our own arguments
	cmd.Env = append(os.Environ(), env...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
	}
	var all []goPackage
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

var wasm = []string{"GOOS=js", "GOARCH=wasm"}

// both lists our packages as both builds see them.
func both(t *testing.T) []goPackage {
	t.Helper()
	all := append(list(t, nil, "./..."), list(t, wasm, "./...")...)
	if len(all) < 12 {
		t.Fatalf("only %d packages were found", len(all))
	}
	return all
}

func room(path string) string { return strings.TrimPrefix(strings.TrimPrefix(path, module), "/") }

// behind: a name that ends in "/" stands for everything below it.
func behind(foreign, path string) bool {
	return path == foreign || strings.HasSuffix(foreign, "/") && strings.HasPrefix(path, foreign)
}

func TestEachForeignThingHasOneDoor(t *testing.T) {
	opened := map[string]bool{}
	for _, p := range both(t) {
		for _, i := range p.Imports {
			for foreign, rooms := range owners {
				if !behind(foreign, i) {
					continue
				}
				opened[foreign] = true
				if !slices.Contains(rooms, room(p.ImportPath)) {
					t.Errorf("%s imports %s, which belongs to %v only", p.ImportPath, i, rooms)
				}
			}
		}
	}
	for i := range owners {
		if !opened[i] {
			t.Errorf("nothing imports %s any more: take its foreign away", i)
		}
	}
}

func TestRoomsKnowOnlyWhatTheyMay(t *testing.T) {
	for _, p := range both(t) {
		allowed, ruled := mayImport[room(p.ImportPath)]
		if !ruled {
			continue
		}
		for _, i := range p.Imports {
			if strings.HasPrefix(i, module+"/") && !slices.Contains(allowed, room(i)) {
				t.Errorf("%s imports %s", p.ImportPath, i)
			}
			if slices.Contains([]string{"edge", "access", "limit"}, room(p.ImportPath)) && slices.Contains(coreBans, i) {
				t.Errorf("%s imports %s: the core does no I/O", p.ImportPath, i)
			}
		}
	}
}

func TestWASMHoldsNothingThatWaits(t *testing.T) {
	deps := list(t, wasm, "-deps", "./cmd/gateway")
	found := map[string]bool{}
	for _, p := range deps {
		found[p.ImportPath] = true
		for ban, why := range wasmBans {
			if behind(ban, p.ImportPath) {
				t.Errorf("the WebAssembly build contains %s: %s", p.ImportPath, why)
			}
		}
	}
	for _, must := range []string{module + "/edge", module + "/host/workers", "syscall/js"} {
		if !found[must] {
			t.Errorf("the WebAssembly build lacks %s: is the right program listed?", must)
		}
	}
}

// The core must not start what goes on after its answer. The one shared instance
// would hang in it.
func TestTheCoreNeverWaits(t *testing.T) {
	waits := []string{"time.Sleep", "time.After", "time.NewTimer", "time.NewTicker", "time.Tick(", "context.WithTimeout", "context.WithDeadline", "\tgo ", "http.Client", "http.Get(", "select {", "sync.WaitGroup", "sync.Cond", "chan "}
	for _, dir := range []string{"edge", "access", "limit"} {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v %v", dir, files, err)
		}
		for _, f := range files {
			if strings.HasSuffix(f, "_test.go") {
				continue
			}
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			for n, line := range strings.Split(string(b), "\n") {
				code, _, _ := strings.Cut(line, "//")
				for _, w := range waits {
					if strings.Contains(code, w) {
						t.Errorf("%s:%d has %q", f, n+1, strings.TrimSpace(w))
					}
				}
			}
		}
	}
}

func TestBuildTagsAreOnlyInHostFiles(t *testing.T) {
	err := filepath.WalkDir(".", func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && d.Name() == "node_modules" {
			return filepath.SkipDir
		}
		host := strings.HasPrefix(path, "host/") || strings.HasPrefix(path, "cmd/gateway/main_") || path == "webchat/files.go"
		if d.IsDir() || filepath.Ext(path) != ".go" || host {
			return nil
		}
		b, err := os.ReadFile(path)
		if err == nil && strings.HasPrefix(string(b), "//go:build") && !strings.HasPrefix(string(b), "//go:build ignore") {
			t.Errorf("%s has a build tag: platforms differ only in host files", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
