package workers_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/pass"
)

const token = "alice-token-0123456789"

// variables are what a Worker needs.
func variables(agentURL string) map[string]string {
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))
	return map[string]string{
		"LOONGCLAW_TOKENS": "alice:" + token,
		"PASS_PRIVATE_KEY": pass.FormatPrivate(key),
		"ALLOWED_ORIGINS":  "https://app.example.com",
		"AGENT_URL":        agentURL,
		"RATE_LIMIT_CHAT":  "100000/s",
		"RATE_LIMIT_API":   "100000/s",
		"RATE_LIMIT_AUTH":  "100000/s",
	}
}

// TestFirstRequestPaysNoBoot: Go has started before anybody asks, and the secret
// seed was enough for it.
func TestFirstRequestPaysNoBoot(t *testing.T) {
	w := startWorkerd(t, production(t), variables("http://127.0.0.1:1"))
	before := w.probe()
	if before.MemoryBytes == 0 || before.SeedBytes == 0 || !before.Configured || before.Timers != 0 {
		t.Errorf("before the first request: got %+v, want an instance that has booted from the seed and is configured, without timers", before)
	}
	if before.SeedBytes > 256 {
		t.Errorf("the boot drew %d bytes, want at most the seed's 256", before.SeedBytes)
	}
	started := time.Now()
	if status, body := w.get(chat.PathHealth); status != http.StatusOK {
		t.Fatalf("got %d %s", status, body)
	}
	first := time.Since(started)
	started = time.Now()
	w.get(chat.PathHealth)
	t.Logf("first request %s, second %s", first, time.Since(started))
	if after := w.probe(); !after.SameInstance {
		t.Error("the first request booted an instance")
	}
}

// TestRequestIDsDiffer: what the real core draws is not the seed's, either.
func TestRequestIDsDiffer(t *testing.T) {
	build := production(t)
	seen := make(map[string]bool)
	for range 2 {
		w := startWorkerd(t, build, variables("http://127.0.0.1:1"))
		for range 2 {
			_, body := w.get("/nothing")
			var got struct{ RequestID string }
			if err := json.Unmarshal([]byte(body), &got); err != nil || got.RequestID == "" || seen[got.RequestID] {
				t.Fatalf("got the request id %q (%v), want a new one", got.RequestID, err)
			}
			seen[got.RequestID] = true
		}
	}
}

// TestManyRequests: 20,000 requests of every kind arm no timer, lose no
// instance, and leave the memory as a tenth of them did.
func TestManyRequests(t *testing.T) {
	var reached atomic.Int64
	agent := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reached.Add(1)
		_, _ = io.Copy(w, r.Body)
	}))
	t.Cleanup(agent.Close)
	w := startWorkerd(t, production(t), variables(agent.URL))
	const warm, all = 2_000, 20_000
	w.storm(warm)
	before := w.probe()
	started := time.Now()
	w.storm(all - warm)
	t.Logf("%d requests in %s; memory %d then %d bytes", all-warm, time.Since(started).Round(time.Millisecond), before.MemoryBytes, w.probe().MemoryBytes)
	after := w.probe()
	if after.MemoryBytes != before.MemoryBytes {
		t.Errorf("memory: got %d bytes after %d requests, want the %d after %d", after.MemoryBytes, all, before.MemoryBytes, warm)
	}
	// Go's housekeeping may want a timer now and then; it gets none.
	if !after.SameInstance {
		t.Errorf("got %+v, want the first instance", after)
	}
	if reached.Load() == 0 {
		t.Error("no request reached the agent")
	}
}

// storm sends n requests of every kind, and wants each one's own status.
func (i *isolate) storm(n int) {
	i.t.Helper()
	kinds := []struct {
		method, path, token, body string
		want                      int
	}{
		{http.MethodGet, chat.PathHealth, "", "", http.StatusOK},
		{http.MethodGet, chat.PathStats, "", "", http.StatusUnauthorized},
		{http.MethodGet, chat.PathStats, token + "x", "", http.StatusUnauthorized},
		{http.MethodGet, "/nothing", token, "", http.StatusNotFound},
		{http.MethodGet, "/api/history/a%2Fb", token, "", http.StatusBadRequest},
		{http.MethodOptions, chat.PathChat, "", "", http.StatusNoContent},
		{http.MethodPost, chat.PathChat, token, `{"message":"hi"}`, http.StatusOK},
		{http.MethodGet, "/api/sessions/s/events?after=", token, "", http.StatusOK},
	}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}}
	defer client.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	var next atomic.Int64
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for k := next.Add(1); k <= int64(n); k = next.Add(1) {
				kind := kinds[k%int64(len(kinds))]
				req, err := http.NewRequestWithContext(ctx, kind.method, i.url+kind.path, strings.NewReader(kind.body))
				if err != nil {
					i.t.Error(err)
					return
				}
				req.Header.Set("Origin", "https://app.example.com")
				if kind.method == http.MethodOptions {
					req.Header.Set("Access-Control-Request-Method", http.MethodPost)
				}
				if kind.token != "" {
					req.Header.Set("Authorization", "Bearer "+kind.token)
				}
				resp, err := client.Do(req)
				if err != nil {
					i.t.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
				if resp.StatusCode != kind.want {
					i.t.Errorf("%s %s: got %d, want %d", kind.method, kind.path, resp.StatusCode, kind.want)
					return
				}
			}
		})
	}
	wg.Wait()
}

// TestSize holds the WASM to its budget.
func TestSize(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join(production(t), "gateway.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	var zip bytes.Buffer
	z := gzip.NewWriter(&zip)
	_, _ = z.Write(raw)
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	t.Logf("gateway.wasm: %d bytes, %d with gzip", len(raw), zip.Len())
	if len(raw) > 12_000_000 || zip.Len() > 3_200_000 {
		t.Errorf("got %d bytes, %d with gzip; want at most 12000000 and 3200000", len(raw), zip.Len())
	}
}
