package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/loongclaw/loongclaw/deploy/internal/load"
	"github.com/loongclaw/loongclaw/deploy/internal/testenv"
)

// bareWorker is the least that could stand in the gateway's place: it knows nobody, limits
// nothing, and forwards what it gets.
const bareWorker = `export default {
  fetch(request) {
    const url = new URL(request.url);
    if (url.pathname === "/health") return Response.json({ status: "ok", timestamp: new Date().toISOString() });
    return fetch(%q + url.pathname + url.search, { method: request.method, headers: request.headers, redirect: "manual" });
  },
};
`

// edgeKey is an Ed25519 seed. The agent of this measurement believes everybody.
const edgeKey = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

// edgeWorkers is how many requests are open at a time.
const edgeWorkers = 4

// edge measures the gateway on Workers beside a bare Worker: the CPU time of workerd for a
// request, in turns. What a wall clock says of it depends on what else the machine does.
func (b *bench) edge(ctx context.Context) error {
	stub, err := load.StartStub(1)
	if err != nil {
		return err
	}
	defer stub.Close()
	gateway, err := testenv.StartWorkerd(ctx, b.sub("edge"), map[string]string{
		"LOONGCLAW_TOKENS": tokens(), "PASS_PRIVATE_KEY": edgeKey, "AGENT_URL": stub.URL,
		"RATE_LIMIT_API": "1000000/s", "RATE_LIMIT_CHAT": "1000000/s", "RATE_LIMIT_AUTH": "10/m",
	})
	if errors.Is(err, testenv.ErrNoWorkerd) {
		b.row("workerd, CPU for a request", "not measured: "+err.Error(), "")
		return nil
	}
	if err != nil {
		return err
	}
	defer gateway.Kill()
	bare, err := testenv.StartBareWorkerd(ctx, b.sub("bare"), fmt.Sprintf(bareWorker, stub.URL))
	if err != nil {
		return err
	}
	defer bare.Kill()
	for _, m := range []struct{ what, path, budget string }{
		{"workerd, CPU for GET /health", "/health", "≤ 2"},
		{"workerd, CPU for an authenticated GET that is forwarded", "/api/history", "≤ 2.5"},
		{"  each to an address of its own, so that each pass is signed", "/api/history/%d", ""},
	} {
		var ours, theirs []float64
		for _, w := range []*testenv.Workerd{gateway, bare} { // V8 compiles what is used often
			if _, err := edgeCPU(ctx, w, m.path, b.edgeRequests); err != nil {
				return err
			}
		}
		for round := range b.rounds {
			for turn := range 2 {
				w, to := gateway, &ours
				if (turn+round)%2 == 1 { // nobody is always first
					w, to = bare, &theirs
				}
				spent, err := edgeCPU(ctx, w, m.path, b.edgeRequests)
				if err != nil {
					return err
				}
				*to = append(*to, spent)
			}
		}
		b.row(m.what, fmt.Sprintf("%.3f ms, bare %.3f ms (%.2f)", median(ours), median(theirs), median(ours)/median(theirs)), m.budget)
	}
	return nil
}

// edgeCPU sends n requests of one user and returns how many milliseconds of CPU time
// workerd had for each. A refusal is an error: it would be cheaper.
func edgeCPU(ctx context.Context, w *testenv.Workerd, path string, n int) (float64, error) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: edgeWorkers}, Timeout: 30 * time.Second}
	defer client.CloseIdleConnections()
	before, err := cpu(w.PID())
	if err != nil {
		return 0, err
	}
	var next atomic.Int64
	failed := make([]error, edgeWorkers)
	var all sync.WaitGroup
	for i := range edgeWorkers {
		all.Go(func() {
			for k := next.Add(1); k <= int64(n) && failed[i] == nil; k = next.Add(1) {
				url := w.Base + path
				if strings.Contains(path, "%d") {
					url = w.Base + fmt.Sprintf(path, time.Now().UnixNano())
				}
				failed[i] = edgeGet(ctx, client, url)
			}
		})
	}
	all.Wait()
	if err := errors.Join(failed...); err != nil {
		return 0, err
	}
	after, err := cpu(w.PID())
	return float64((after - before).Microseconds()) / 1000 / float64(n), err
}

func edgeGet(ctx context.Context, client *http.Client, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return err
	}
	// About what a browser's page sends.
	req.Header.Set("Authorization", "Bearer "+tokenOf(0))
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Accept-Language", "en-GB,en;q=0.9")
	req.Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36")
	req.Header.Set("Sec-Fetch-Mode", "cors")
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %d", url, res.StatusCode)
	}
	return nil
}
