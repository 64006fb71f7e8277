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

// origin is of a page that the gateway lets in, so that every answer is marked for it.
const origin = "https://bench.example"

// proxy is one way to the agent.
type proxy struct {
	name  string
	base  string
	pid   int // 0: none of its own
	rates []float64
	costs []float64 // CPU in µs for a request
}

// requests compares small requests through the gateway, with token check, rate limit and
// CORS on, with Caddy and nginx that only proxy, and with none between: in turns, since a
// machine that does other work has no other measure. nginx has one worker, which leaves a
// core to whoever asks and answers.
func (b *bench) requests(ctx context.Context) error {
	wrk, err := exec.LookPath("wrk")
	if err != nil {
		b.row("requests a second", "not measured: install wrk", "")
		return nil
	}
	return b.withStub(ctx, "requests", 1, func(s *testenv.Stack, stub *load.Stub) error {
		proxies := []*proxy{{name: "direct", base: stub.URL}, {name: "gateway", base: s.Base, pid: s.Gateway.PID()}}
		for name, start := range map[string]func(context.Context, string) (string, int, func(), error){"nginx": b.nginx, "caddy": b.caddy} {
			base, pid, stop, err := start(ctx, stub.URL)
			if errors.Is(err, exec.ErrNotFound) {
				b.row("requests/s, "+name, "not installed", "")
				continue
			}
			if err != nil {
				return err
			}
			defer stop()
			proxies = append(proxies, &proxy{name: name, base: base, pid: pid})
		}
		for round := range b.rounds {
			for turn := range proxies { // nobody is always first
				if err := b.runWrk(ctx, wrk, proxies[(turn+round)%len(proxies)]); err != nil {
					return err
				}
			}
		}
		b.compareProxies(proxies)
		return nil
	})
}

// compareProxies prints what was measured of each, the median of its rounds.
func (b *bench) compareProxies(proxies []*proxy) {
	rates, costs := map[string]float64{}, map[string]float64{}
	for _, p := range proxies {
		rates[p.name], costs[p.name] = median(p.rates), median(p.costs)
		said := fmt.Sprintf("%.0f (%.2f of direct)", rates[p.name], rates[p.name]/rates["direct"])
		if p.pid != 0 {
			said += fmt.Sprintf(", %.1f µs of CPU each", costs[p.name])
		}
		b.row("requests/s, "+p.name, said, "")
	}
	b.ratio("gateway beside Caddy", rates["gateway"], rates["caddy"], "≥ 2")
	b.ratio("gateway beside nginx", rates["gateway"], rates["nginx"], "≥ 0.75")
	b.ratio("CPU of the gateway for a request beside Caddy", costs["gateway"], costs["caddy"], "")
	b.ratio("CPU of the gateway for a request beside nginx", costs["gateway"], costs["nginx"], "")
}

func (b *bench) ratio(what string, ours, theirs float64, budget string) {
	if theirs > 0 {
		b.row(what, fmt.Sprintf("%.2f", ours/theirs), budget)
	}
}

var (
	rate  = regexp.MustCompile(`Requests/sec:\s+([0-9.]+)`)
	count = regexp.MustCompile(`(\d+) requests in `)
)

// runWrk measures one round of a proxy.
func (b *bench) runWrk(ctx context.Context, wrk string, p *proxy) error {
	before, err := cpuOfAll(p.pid)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, wrk, "-t1", "-c16", fmt.Sprintf("-d%ds", int(b.wrk.Seconds())), // #nosec G204 -- found by LookPath
		"-H", "Authorization: Bearer "+tokenOf(0), "-H", "Origin: "+origin, p.base+"/api/history")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("wrk: %w: %s", err, out)
	}
	after, err := cpuOfAll(p.pid)
	if err != nil {
		return err
	}
	if strings.Contains(string(out), "Non-2xx") {
		return fmt.Errorf("wrk got refusals from %s: %s", p.base, out)
	}
	persecond, all := rate.FindSubmatch(out), count.FindSubmatch(out)
	if persecond == nil || all == nil {
		return fmt.Errorf("wrk said nothing of requests a second: %s", out)
	}
	r, rerr := strconv.ParseFloat(string(persecond[1]), 64)
	n, nerr := strconv.ParseFloat(string(all[1]), 64)
	p.rates, p.costs = append(p.rates, r), append(p.costs, float64((after-before).Microseconds())/max(n, 1))
	return errors.Join(rerr, nerr)
}

func (b *bench) nginx(ctx context.Context, upstream string) (string, int, func(), error) {
	path, err := exec.LookPath("nginx")
	if err != nil {
		path, err = exec.LookPath("/usr/sbin/nginx")
	}
	if err != nil {
		return "", 0, nil, exec.ErrNotFound
	}
	dir := b.sub("nginx")
	addr, err := testenv.FreeAddr()
	if err != nil {
		return "", 0, nil, err
	}
	conf := fmt.Sprintf(`daemon off; pid %s/pid; error_log %s/error.log; worker_processes 1;
events { worker_connections 1024; }
http { access_log off; client_body_temp_path %s/b; proxy_temp_path %s/p; fastcgi_temp_path %s/f; uwsgi_temp_path %s/u; scgi_temp_path %s/s;
 upstream agent { server %s; keepalive 64; }
 server { listen %s; location / { proxy_pass http://agent; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off; } } }
`, dir, dir, dir, dir, dir, dir, dir, strings.TrimPrefix(upstream, "http://"), addr)
	return b.peer(ctx, dir, "nginx.conf", conf, addr, path, "-p", dir, "-c", filepath.Join(dir, "nginx.conf"))
}

func (b *bench) caddy(ctx context.Context, upstream string) (string, int, func(), error) {
	path, err := exec.LookPath("caddy")
	if err != nil {
		return "", 0, nil, exec.ErrNotFound
	}
	dir := b.sub("caddy")
	addr, err := testenv.FreeAddr()
	if err != nil {
		return "", 0, nil, err
	}
	conf := fmt.Sprintf("{\n admin off\n auto_https off\n}\nhttp://%s {\n reverse_proxy %s\n}\n", addr, upstream)
	return b.peer(ctx, dir, "Caddyfile", conf, addr, path, "run", "--config", filepath.Join(dir, "Caddyfile"))
}

// peer starts a program with a configuration and waits until it listens.
func (b *bench) peer(ctx context.Context, dir, name, conf, addr, path string, args ...string) (string, int, func(), error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return "", 0, nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, name), []byte(conf), 0o600); err != nil {
		return "", 0, nil, err
	}
	cmd := exec.CommandContext(ctx, path, args...) // #nosec G204 -- found by LookPath
	cmd.Env = append(os.Environ(), "HOME="+dir)
	if err := cmd.Start(); err != nil {
		return "", 0, nil, err
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
			return "http://" + addr, cmd.Process.Pid, stop, nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			stop()
			return "", 0, nil, fmt.Errorf("%s does not listen: %w", path, ctx.Err())
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
