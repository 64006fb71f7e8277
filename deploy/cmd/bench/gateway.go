package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/loongclaw/loongclaw/deploy/internal/client"
	"github.com/loongclaw/loongclaw/deploy/internal/load"
	"github.com/loongclaw/loongclaw/deploy/internal/testenv"
)

// requests compares small requests through the gateway, with token check, rate
// limit and CORS on, with Caddy and nginx that only proxy, and with none between.
// nginx has one worker, which leaves a core to whoever asks and answers.
func (b *bench) requests(ctx context.Context) error {
	wrk, err := exec.LookPath("wrk")
	if err != nil {
		b.row("requests a second", "not measured: install wrk", "")
		return nil
	}
	return b.withStub(ctx, "requests", 1, func(s *testenv.Stack, stub *load.Stub) error {
		rates := map[string]float64{}
		for _, proxy := range []struct {
			name  string
			start func(context.Context, string) (string, func(), error)
		}{
			{"direct", func(context.Context, string) (string, func(), error) { return stub.URL, func() {}, nil }},
			{"gateway", func(context.Context, string) (string, func(), error) { return s.Base, func() {}, nil }},
			{"nginx", b.nginx},
			{"caddy", b.caddy},
		} {
			base, stop, err := proxy.start(ctx, stub.URL)
			if errors.Is(err, exec.ErrNotFound) {
				b.row("requests/s, "+proxy.name, "not installed", "")
				continue
			}
			if err != nil {
				return err
			}
			rates[proxy.name], err = b.runWrk(ctx, wrk, base+"/api/history")
			stop()
			if err != nil {
				return err
			}
			b.row("requests/s, "+proxy.name, fmt.Sprintf("%.0f (%.2f of direct)", rates[proxy.name], rates[proxy.name]/rates["direct"]), "")
		}
		b.ratio("gateway beside Caddy", rates["gateway"], rates["caddy"], "≥ 2")
		b.ratio("gateway beside nginx", rates["gateway"], rates["nginx"], "≥ 0.75")
		return nil
	})
}

func (b *bench) ratio(what string, ours, theirs float64, budget string) {
	if theirs > 0 {
		b.row(what, fmt.Sprintf("%.2f", ours/theirs), budget)
	}
}

var rate = regexp.MustCompile(`Requests/sec:\s+([0-9.]+)`)

func (b *bench) runWrk(ctx context.Context, wrk, url string) (float64, error) {
	cmd := exec.CommandContext(ctx, wrk, "-t1", "-c16", fmt.Sprintf("-d%ds", int(b.wrk.Seconds())), // #nosec G204 -- found by LookPath
		"-H", "Authorization: Bearer "+tokenOf(0), url)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("wrk: %w: %s", err, out)
	}
	if strings.Contains(string(out), "Non-2xx") {
		return 0, fmt.Errorf("wrk got refusals from %s: %s", url, out)
	}
	m := rate.FindSubmatch(out)
	if m == nil {
		return 0, fmt.Errorf("wrk said nothing of requests a second: %s", out)
	}
	return strconv.ParseFloat(string(m[1]), 64)
}

func (b *bench) nginx(ctx context.Context, upstream string) (string, func(), error) {
	path, err := exec.LookPath("nginx")
	if err != nil {
		path, err = exec.LookPath("/usr/sbin/nginx")
	}
	if err != nil {
		return "", nil, exec.ErrNotFound
	}
	dir := b.sub("nginx")
	addr, err := testenv.FreeAddr()
	if err != nil {
		return "", nil, err
	}
	conf := fmt.Sprintf(`daemon off; pid %s/pid; error_log %s/error.log; worker_processes 1;
events { worker_connections 1024; }
http { access_log off; client_body_temp_path %s/b; proxy_temp_path %s/p; fastcgi_temp_path %s/f; uwsgi_temp_path %s/u; scgi_temp_path %s/s;
 upstream agent { server %s; keepalive 64; }
 server { listen %s; location / { proxy_pass http://agent; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off; } } }
`, dir, dir, dir, dir, dir, dir, dir, strings.TrimPrefix(upstream, "http://"), addr)
	return b.peer(ctx, dir, "nginx.conf", conf, addr, path, "-p", dir, "-c", filepath.Join(dir, "nginx.conf"))
}

func (b *bench) caddy(ctx context.Context, upstream string) (string, func(), error) {
	path, err := exec.LookPath("caddy")
	if err != nil {
		return "", nil, exec.ErrNotFound
	}
	dir := b.sub("caddy")
	addr, err := testenv.FreeAddr()
	if err != nil {
		return "", nil, err
	}
	conf := fmt.Sprintf("{\n admin off\n auto_https off\n}\nhttp://%s {\n reverse_proxy %s\n}\n", addr, upstream)
	return b.peer(ctx, dir, "Caddyfile", conf, addr, path, "run", "--config", filepath.Join(dir, "Caddyfile"))
}

// peer starts a program with a configuration and waits until it listens.
func (b *bench) peer(ctx context.Context, dir, name, conf, addr, path string, args ...string) (string, func(), error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return "", nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, name), []byte(conf), 0o600); err != nil {
		return "", nil, err
	}
	cmd := exec.CommandContext(ctx, path, args...) // #nosec G204 -- found by LookPath
	cmd.Env = append(os.Environ(), "HOME="+dir)
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	stop := func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if res, err := http.Get("http://" + addr + "/api/history"); err == nil { // #nosec G107 -- our own
			_ = res.Body.Close()
			return "http://" + addr, stop, nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			stop()
			return "", nil, fmt.Errorf("%s does not listen: %w", path, ctx.Err())
		}
	}
}

// idleSockets measures what a WebSocket costs that says nothing.
func (b *bench) idleSockets(ctx context.Context) error {
	return b.withStub(ctx, "sockets", 1, func(s *testenv.Stack, _ *load.Stub) error {
		cs := clients(s.Base, users)
		open := func(n int) (func(), error) {
			var all []*client.Socket
			stop := func() {
				for _, ws := range all {
					ws.Cut()
				}
			}
			for i := range n {
				ws, err := cs[i%len(cs)].Dial(ctx, "/ws")
				if err != nil {
					return stop, err
				}
				all = append(all, ws)
			}
			return stop, nil
		}
		// A few first, so that what is made once is not counted.
		stop, err := open(50)
		defer stop()
		if err != nil {
			return err
		}
		before, err := resident(s.Gateway.PID())
		if err != nil {
			b.row("an idle WebSocket, resident", "not measured: "+err.Error(), "≤ 32 KiB")
			return nil
		}
		stop, err = open(b.sockets)
		defer stop()
		if err != nil {
			return err
		}
		after, err := resident(s.Gateway.PID())
		b.row(fmt.Sprintf("an idle WebSocket of %d, resident", b.sockets), fmt.Sprintf("%.1f KiB", float64(after-before)/float64(b.sockets)), "≤ 32 KiB")
		b.row("the gateway, resident before them", fmt.Sprintf("%.1f MiB", float64(before)/1024), "")
		return err
	})
}
