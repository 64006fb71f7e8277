package native

import (
	"context"
	"crypto/ed25519"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/loongclaw/loongclaw/gateway/access"
	"github.com/loongclaw/loongclaw/gateway/edge"
	"github.com/loongclaw/loongclaw/gateway/limit"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/pass"
)

const (
	aliceToken = "alice-token-123456"
	bobToken   = "bob-token-12345678"
	loginCode  = "login-code-123456"
)

var passKey = ed25519.NewKeyFromSeed([]byte("0123456789abcdef0123456789abcdef"))

// rig is a gateway on a port of its own before an agent that the test writes.
type rig struct {
	url    string
	host   *Host
	stop   context.CancelFunc
	served chan error
	client *http.Client
}

type option func(*edge.Config, *Config)

func newRig(t testing.TB, agent http.Handler, options ...option) *rig {
	t.Helper()
	srv := httptest.NewServer(agent)
	t.Cleanup(srv.Close)
	tokens, err := access.ParseTokens("alice:" + aliceToken + ",bob:" + bobToken + ":read")
	if err != nil {
		t.Fatal(err)
	}
	fast := limit.Rate{N: 1_000_000, Per: time.Minute}
	ec := edge.Config{
		Version: "test", Tokens: tokens, LoginCode: loginCode, PassKey: passKey, Agents: []string{srv.URL}, Loopback: true,
		AsksReady: true, Spends: true, Limits: limit.Rates{Chat: fast, API: fast, Auth: limit.Rate{N: 3, Per: time.Hour}},
		Origins: access.Origins{"https://app.example.com"},
	}
	page := fstest.MapFS{
		"index.html":       {Data: []byte("<!doctype html><title>page</title>" + strings.Repeat("<p>text</p>", 200))},
		"assets/abc123.js": {Data: []byte("export{}")},
	}
	hc := Config{Page: page, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Timeouts: DefaultWait()}
	for _, o := range options {
		o(&ec, &hc)
	}
	for _, url := range ec.Agents {
		hc.Agents = append(hc.Agents, edge.Agent{URL: url})
	}
	if hc.Core, err = edge.New(ec); err != nil {
		t.Fatal(err)
	}
	host, err := New(hc)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	r := &rig{url: "http://" + ln.Addr().String(), host: host, stop: stop, served: make(chan error, 1)}
	r.client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	go func() { r.served <- host.Serve(ctx, ln) }()
	t.Cleanup(func() {
		r.client.CloseIdleConnections()
		stop()
		srv.CloseClientConnections()
		if err := <-r.served; err != nil {
			t.Errorf("Serve: %v", err)
		}
		r.served <- nil
	})
	return r
}

// do makes a request as alice, unless the header says otherwise.
func (r *rig) do(t *testing.T, method, path, body string, header ...string) (*http.Response, string) {
	t.Helper()
	resp := r.open(t, method, path, strings.NewReader(body), header...)
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%s %s: reading the answer: %v", method, path, err)
	}
	return resp, string(b)
}

func (r *rig) open(t *testing.T, method, path string, body io.Reader, header ...string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, r.url+path, body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+aliceToken)
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
		if header[i+1] == "" {
			req.Header.Del(header[i])
		}
	}
	resp, err := r.client.Do(req)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return resp
}

// user checks a request's pass as the agent does and says whom it is for.
func user(r *http.Request) (string, error) {
	p, err := pass.Verify([]ed25519.PublicKey{passKey.Public().(ed25519.PublicKey)}, r.Header.Get(chat.HeaderPass), r.Method, r.URL.EscapedPath(), time.Now())
	return p.User, err
}

// waits changes how long the host waits.
func waits(change func(*Wait)) option {
	return func(_ *edge.Config, h *Config) { change(&h.Timeouts) }
}

// connect opens a connection that ends with the test.
func (r *rig) connect(t *testing.T) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(r.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	return conn
}
