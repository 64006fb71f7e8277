package edgetest_test

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loongclaw/loongclaw/gateway/edge/edgetest"
)

// TestHosts runs one list of cases against the native gateway and against
// workerd, as `wrangler dev` runs it. deploy/test/cloudflare runs it a third time,
// against workerd with containers.
func TestHosts(t *testing.T) {
	for _, target := range []edgetest.Target{
		{Name: "native", Start: startNative, AddrHeader: "X-Forwarded-For", TellsRefused: true},
		{Name: "workerd", Start: startWrangler, AddrHeader: "CF-Connecting-IP"},
	} {
		t.Run(target.Name, func(t *testing.T) {
			if diff := cmp.Diff(edgetest.Names(), edgetest.Run(t, target)); diff != "" {
				t.Errorf("these cases are not all (-all +ran):\n%s", diff)
			}
		})
	}
}

const (
	gatewayDir  = "../.."
	wranglerDir = "../../../wrangler"
)

// startNative builds the gateway's binary and runs it.
func startNative(t *testing.T, env map[string]string) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "gateway")
	build := exec.Command("go", "build", "-o", binary, "./cmd/gateway") //nolint:gosec // our own program
	build.Dir = gatewayDir
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	env["LISTEN_ADDR"], env["TRUSTED_PROXIES"] = "127.0.0.1:0", "127.0.0.1"
	cmd := exec.Command(binary) //nolint:gosec // just built
	for name, value := range env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	return start(t, cmd, regexp.MustCompile(`127\.0\.0\.1:[1-9]\d*`))
}

// startWrangler runs the Worker as a developer does: wrangler's workerd with
// wrangler.jsonc, without an account and without the network.
func startWrangler(t *testing.T, env map[string]string) string {
	t.Helper()
	for what, next := range map[string]string{
		"node_modules/wrangler/bin/wrangler.js": "npm ci --prefix wrangler",
		"node_modules/node/bin/node":            "npm ci --prefix wrangler",
		"build/gateway.wasm":                    "sh wrangler/build.sh",
		"build/page/index.html":                 "sh wrangler/build.sh",
	} {
		if _, err := os.Stat(filepath.Join(wranglerDir, what)); err != nil {
			t.Fatalf("wrangler/%s is missing\nNext: %s (make wasm does both)", what, next)
		}
	}
	args := []string{
		"node_modules/wrangler/bin/wrangler.js", "dev", "--ip", "127.0.0.1", "--port", "0", "--inspector-port", "0",
		"--persist-to", t.TempDir(), "--show-interactive-dev-session=false", "--enable-containers=false",
	}
	for name, value := range env {
		args = append(args, "--var", name+":"+value)
	}
	cmd := exec.Command("node_modules/node/bin/node", args...) //nolint:gosec // pinned in package-lock.json
	cmd.Dir = wranglerDir
	cmd.Env = append(os.Environ(),
		"CI=1", "NO_COLOR=1", "WRANGLER_SEND_METRICS=false", "WRANGLER_SEND_ERROR_REPORTS=false",
		"CLOUDFLARE_CF_FETCH_ENABLED=false", "WRANGLER_LOG_PATH="+t.TempDir(), "XDG_CONFIG_HOME="+t.TempDir())
	return start(t, cmd, regexp.MustCompile(`127\.0\.0\.1:[1-9]\d*`))
}

// start runs a gateway until the test ends, and gives the base URL that it names
// in its output.
func start(t *testing.T, cmd *exec.Cmd, address *regexp.Regexp) string {
	t.Helper()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = write, write
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // wrangler starts workerd: both must end
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = write.Close()
	found, ended := make(chan string, 1), make(chan string, 1)
	go func() {
		var all strings.Builder
		lines := bufio.NewScanner(io.TeeReader(read, &all))
		for lines.Scan() {
			if a := address.FindString(lines.Text()); a != "" {
				select {
				case found <- a:
				default:
				}
			}
		}
		ended <- all.String()
	}()
	t.Cleanup(func() {
		stop(t, cmd)
		log := <-ended
		_ = read.Close()
		if t.Failed() {
			t.Logf("what %s said:\n%s", filepath.Base(cmd.Path), log)
		}
	})
	select {
	case a := <-found:
		return "http://" + a
	case log := <-ended:
		ended <- log
		t.Fatalf("%s ended before it listened:\n%s", filepath.Base(cmd.Path), log)
	case <-time.After(3 * time.Minute): // a busy machine takes its time
		t.Fatalf("%s does not listen", filepath.Base(cmd.Path))
	}
	return ""
}

// stop ends a process and its children, kindly at first.
func stop(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	group := -cmd.Process.Pid
	_ = syscall.Kill(group, syscall.SIGTERM)
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Errorf("%s does not end on SIGTERM", filepath.Base(cmd.Path))
	}
	_ = syscall.Kill(group, syscall.SIGKILL)
}
