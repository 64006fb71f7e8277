//go:build !js

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/gateway/host/redis/redistest"
)

// running is the program, serving on a port of its own.
type running struct {
	url string
	log *syncLog
}

// syncLog keeps what a program logs.
type syncLog struct {
	mu  sync.Mutex
	all strings.Builder
}

func (l *syncLog) add(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all.WriteString(line + "\n")
}

func (l *syncLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.String()
}

// begin runs the program until the test ends.
func begin(t *testing.T) running {
	t.Helper()
	logs, logWriter := io.Pipe()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- run(ctx, nil, nil, io.Discard, logWriter, nil); _ = logWriter.Close() }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
	})
	address, log := make(chan string, 1), &syncLog{}
	go func() {
		for lines := bufio.NewScanner(logs); lines.Scan(); {
			log.add(lines.Text())
			var line struct{ Msg, Address string }
			if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "listening" {
				address <- line.Address
			}
		}
	}()
	select {
	case a := <-address:
		return running{"http://" + a, log}
	case <-time.After(20 * time.Second):
		t.Fatalf("it does not listen:\n%s", log)
		return running{}
	}
}

func (g running) do(t *testing.T, method, path, body string, header ...string) (int, http.Header, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, g.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode == http.StatusSwitchingProtocols {
		return resp.StatusCode, resp.Header, ""
	}
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(b)
}

// ticket asks for a ticket.
func (g running) ticket(t *testing.T) string {
	t.Helper()
	status, _, body := g.do(t, "POST", "/api/tickets", "", asBob...)
	var got struct{ Ticket string }
	if err := json.Unmarshal([]byte(body), &got); err != nil || status != 200 {
		t.Fatalf("got %d %s", status, body)
	}
	return got.Ticket
}

// enter opens a socket with a ticket and says how that went.
func (g running) enter(t *testing.T, ticket string) (int, http.Header) {
	t.Helper()
	status, header, _ := g.do(t, "GET", "/ws?ticket="+ticket, "", "Connection", "Upgrade", "Upgrade", "websocket", "Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
	return status, header
}

var (
	asAlice = []string{"Authorization", "Bearer alice-secret-1"}
	asBob   = []string{"Authorization", "Bearer bob-secret-123"}
	asThief = []string{"Authorization", "Bearer nobody-knows-it"}
)

// TestGatewaysWithRedis: two gateways with one Redis are one gateway to a client;
// without it each counts alone, and takes nothing that counts once.
func TestGatewaysWithRedis(t *testing.T) {
	store := redistest.New(t)
	agent := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") }))
	defer agent.Close()
	private, _ := keys(t)
	const code = "login-code-0123456789"
	clean(t, "LISTEN_ADDR", "127.0.0.1:0", "PASS_PRIVATE_KEY", private, "AGENT_URL", agent.URL, "LOONGCLAW_TOKENS", "alice:alice-secret-1,bob:bob-secret-123",
		"LOONGCLAW_LOGIN_CODE", code, "REDIS_URL", store.URL, "RATE_LIMIT_API", "8/h", "RATE_LIMIT_CHAT", "1000/h", "RATE_LIMIT_AUTH", "3/h")
	a, b := begin(t), begin(t)
	status := func(what string, got, want int) {
		t.Helper()
		if got != want {
			t.Errorf("%s: got %d, want %d", what, got, want)
		}
	}
	ask := func(g running, as []string) int {
		s, _, _ := g.do(t, "GET", "/api/stats", "", as...)
		return s
	}
	for i, g := range []running{a, b, a, b, a, b, a, b} {
		s, h, _ := g.do(t, "GET", "/api/stats", "", asAlice...)
		status("within the limit", s, 200)
		if got, want := h.Get("RateLimit-Remaining"), strconv.Itoa(7-i); got != want {
			t.Errorf("RateLimit-Remaining: got %q, want %q", got, want)
		}
	}
	status("one more", ask(a, asAlice), 429)
	status("one more at the other", ask(b, asAlice), 429)

	tickets := []string{a.ticket(t), b.ticket(t)}
	for _, ticket := range tickets {
		first, _ := b.enter(t, ticket)
		again, _ := a.enter(t, ticket)
		status("a ticket", first, 101)
		status("a ticket again, at the other", again, 401)
	}
	login := func(g running) int {
		s, _, _ := g.do(t, "POST", "/api/login", `{"code":"`+code+`"}`)
		return s
	}
	status("a login code", login(a), 200)
	status("a login code again, at the other", login(b), 401) // the third wrong one
	status("a guess", ask(a, asThief), 429)
	status("a guess at the other", ask(b, asThief), 429)

	last := a.ticket(t)
	store.Stop(t)
	for _, g := range []running{a, b} {
		for range 8 {
			status("alice without Redis, counted anew by each", ask(g, asAlice), 200)
		}
		status("one more without Redis", ask(g, asAlice), 429)
		s, h := g.enter(t, last)
		status("a ticket without Redis", s, 503)
		if h.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
		if !strings.Contains(g.log.String(), "Redis does not answer") {
			t.Errorf("nobody was told:\n%s", g.log)
		}
	}
	store.Start(t)
	for end := time.Now().Add(20 * time.Second); !strings.Contains(a.log.String(), "Redis answers again"); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("Redis is not found again:\n%s", a.log)
		}
		ask(a, asThief)
	}
	// Bob has used none of his limit in the new Redis.
	s, _ := a.enter(t, a.ticket(t))
	status("a fresh ticket with Redis again", s, 101)
}

func TestRedisAddresses(t *testing.T) {
	for text, want := range map[string]bool{
		"": true, "redis://127.0.0.1:6379": true, "redis://:secret@cache.internal:6379/2": true, "rediss://u:p@cache:6380/": true, "unix:///run/redis.sock": true,
		"127.0.0.1:6379": false, "http://x": false, "redis://": false, "redis://h/first": false, "unix://relative": false, "redis://h:port": false,
	} {
		if err := checkRedis(text); (err == nil) != want {
			t.Errorf("%q: got %v", text, err)
		}
	}
}
