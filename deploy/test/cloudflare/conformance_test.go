package cloudflare

import (
	"context"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loongclaw/loongclaw/deploy/internal/testenv"
	"github.com/loongclaw/loongclaw/gateway/edge/edgetest"
)

// TestConformance holds the Worker with its objects and containers to the list
// of cases to which gateway/edge/edgetest holds the native gateway and the Worker
// with an agent elsewhere. In the containers stands a program that brings each
// connection to the suite's own agent.
func TestConformance(t *testing.T) {
	needEngine(t)
	ran := edgetest.Run(t, edgetest.Target{Name: "workerd with containers", Start: startContained, AddrHeader: "CF-Connecting-IP"})
	if diff := cmp.Diff(edgetest.Names(), ran); diff != "" {
		t.Errorf("these cases are not all (-all +ran):\n%s", diff)
	}
}

func startContained(t *testing.T, env map[string]string) string {
	t.Helper()
	target := strings.TrimPrefix(env["AGENT_URL"], "http://")
	delete(env, "AGENT_URL")
	w, err := testenv.StartWorker(t.Context(), testenv.WorkerOptions{Dir: t.TempDir(), Containers: true, Vars: env, Config: stubConfig(t)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var all sync.WaitGroup
	all.Go(func() { bridge(ctx, w, target) })
	t.Cleanup(func() {
		stop()
		w.Down()
		all.Wait()
		if t.Failed() {
			t.Logf("what wrangler said:\n%s", w.Log())
		}
	})
	return w.Base
}

// stubConfig is wrangler.jsonc with another image.
func stubConfig(t *testing.T) string {
	t.Helper()
	root, err := testenv.Root(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(dir, "stub"), "./stub")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	file := filepath.Join(dir, "stub.Dockerfile")
	write(t, file, "FROM scratch\nCOPY stub /stub\nENTRYPOINT [\"/stub\"]\n")
	config, err := os.ReadFile(filepath.Join(root, "wrangler", "wrangler.jsonc"))
	if err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer(
		`"main": "worker.mjs"`, `"main": "`+filepath.Join(root, "wrangler", "worker.mjs")+`"`,
		`"build/page"`, `"`+filepath.Join(root, "wrangler", "build", "page")+`"`,
		`"../deploy/agent.Dockerfile"`, `"`+file+`"`,
		`"../bin/image"`, `"`+dir+`"`,
	).Replace(string(config))
	path := filepath.Join(dir, "wrangler.jsonc")
	write(t, path, text)
	return path
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// bridge dials into each container that comes, and from there to the target.
func bridge(ctx context.Context, w *testenv.Worker, target string) {
	known := map[string]bool{}
	for ctx.Err() == nil {
		ids, _ := agents(ctx, w) // the engine that does not answer now is asked again
		for _, id := range ids {
			if known[id] {
				continue
			}
			if ip, err := addrOf(ctx, id); err == nil {
				known[id] = true
				go dialIn(ctx, ip+":8789", target)
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// dialIn keeps one connection waiting in a container, and joins each that is
// taken with the target. One that the target refuses is closed.
func dialIn(ctx context.Context, stub, target string) {
	for ctx.Err() == nil {
		in, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "tcp", stub)
		if err != nil {
			time.Sleep(20 * time.Millisecond)
			continue
		}
		first := make([]byte, 4096)
		n, err := in.Read(first) // somebody has come
		if err != nil {
			_ = in.Close()
			continue
		}
		go func() {
			defer func() { _ = in.Close() }()
			out, err := net.Dial("tcp", target)
			if err != nil {
				_ = in.(*net.TCPConn).SetLinger(0)
				return
			}
			defer func() { _ = out.Close() }()
			if _, err := out.Write(first[:n]); err != nil {
				return
			}
			var both sync.WaitGroup
			both.Go(func() { _, _ = io.Copy(out, in); _ = out.(*net.TCPConn).CloseWrite() })
			both.Go(func() { _, _ = io.Copy(in, out); _ = in.(*net.TCPConn).CloseWrite() })
			both.Wait()
		}()
	}
}
