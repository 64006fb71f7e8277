package native

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

func TestHealthAndPageNeverReachTheAgent(t *testing.T) {
	r := newRig(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { t.Errorf("the agent got %s", r.URL) }))
	resp, body := r.do(t, "GET", "/health", "", "Authorization", "")
	if resp.StatusCode != 200 || !strings.HasPrefix(body, `{"status":"ok","agent":"熊大","timestamp":"`) {
		t.Errorf("got %d %s", resp.StatusCode, body)
	}
	for _, path := range []string{"/", "/s/my%20session"} {
		resp, body = r.do(t, "GET", path, "", "Authorization", "")
		csp := resp.Header.Get("Content-Security-Policy")
		if resp.StatusCode != 200 || !strings.HasPrefix(body, "<!doctype html>") || !strings.Contains(csp, "require-trusted-types-for 'script'") || resp.Header.Get("Cache-Control") != "no-cache" {
			t.Errorf("%s: got %d %v", path, resp.StatusCode, resp.Header)
		}
	}
	resp, _ = r.do(t, "GET", "/", "", "If-None-Match", resp.Header.Get("ETag"))
	if resp.StatusCode != 304 {
		t.Errorf("got %d, want 304", resp.StatusCode)
	}
	resp, _ = r.do(t, "GET", "/", "", "Accept-Encoding", "gzip")
	if resp.Header.Get("Content-Encoding") != "gzip" {
		t.Errorf("not compressed: %v", resp.Header)
	}
	resp, _ = r.do(t, "GET", "/assets/abc123.js", "")
	if !strings.Contains(resp.Header.Get("Cache-Control"), "immutable") || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/javascript") {
		t.Errorf("asset: %v", resp.Header)
	}
	resp, body = r.do(t, "GET", "/assets/gone.js", "")
	if resp.StatusCode != 404 || resp.Header.Get("Cache-Control") != "no-store" || !strings.Contains(body, `"requestId"`) {
		t.Errorf("missing asset: %d %v %s", resp.StatusCode, resp.Header, body)
	}
}

func TestReadyAsksTheAgent(t *testing.T) {
	for _, status := range []int{200, 503} {
		r := newRig(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/ready" || r.Header.Get("Authorization") != "" {
				t.Errorf("the agent got %s %v", r.URL, r.Header)
			}
			w.WriteHeader(status)
		}))
		if resp, _ := r.do(t, "GET", "/ready", "", "Authorization", ""); resp.StatusCode != status {
			t.Errorf("got %d, want %d", resp.StatusCode, status)
		}
	}
}

func TestLoginIsSpentOnce(t *testing.T) {
	r := newRig(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		u, err := user(r)
		_, _ = io.WriteString(w, u)
		if err != nil {
			t.Error(err)
		}
	}))
	anonymous := []string{"Authorization", ""}
	for _, bad := range []string{"", "{", `{"code":""}`, `{"code":5}`} {
		if resp, body := r.do(t, "POST", "/api/login", bad, anonymous...); resp.StatusCode != 400 {
			t.Errorf("%q: got %d %s", bad, resp.StatusCode, body)
		}
	}
	if resp, body := r.do(t, "POST", "/api/login", `{"code":"`+strings.Repeat("x", 8<<10)+`"}`, anonymous...); resp.StatusCode != 413 {
		t.Errorf("long: got %d %s", resp.StatusCode, body)
	}
	if resp, _ := r.do(t, "POST", "/api/login", `{"code":"wrong"}`, anonymous...); resp.StatusCode != 401 {
		t.Errorf("wrong: got %d", resp.StatusCode)
	}
	resp, body := r.do(t, "POST", "/api/login", `{"code":"`+loginCode+`"}`, anonymous...)
	_, rest, _ := strings.Cut(body, `"token":"`)
	token, _, _ := strings.Cut(rest, `"`)
	if resp.StatusCode != 200 || !strings.HasPrefix(token, "lcs_") || !strings.Contains(body, `"user":"alice"`) || !strings.Contains(body, `"expiresAt":"`) {
		t.Fatalf("got %d %s", resp.StatusCode, body)
	}
	if _, got := r.do(t, "GET", "/api/stats", "", "Authorization", "BEARER "+token); got != "alice" {
		t.Errorf("the session token speaks for %q", got)
	}
	if resp, _ := r.do(t, "POST", "/api/login", `{"code":"`+loginCode+`"}`, anonymous...); resp.StatusCode != 401 {
		t.Errorf("spent: got %d", resp.StatusCode)
	}
	// Three wrong ones are allowed: two are used up.
	for _, want := range []int{401, 429} {
		if resp, _ := r.do(t, "GET", "/api/stats", "", "Authorization", "Bearer nobody-knows-it"); resp.StatusCode != want || want == 429 && resp.Header.Get("Retry-After") == "" {
			t.Errorf("got %d %v, want %d", resp.StatusCode, resp.Header, want)
		}
	}
	if resp, _ := r.do(t, "GET", "/api/stats", ""); resp.StatusCode != 200 {
		t.Errorf("a valid token after its neighbour's failures: %d", resp.StatusCode)
	}
}

func TestDrainLetsRequestsFinishAndTellsSockets(t *testing.T) {
	started, finish := make(chan struct{}), make(chan struct{})
	a := newTalker()
	r := newRig(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/api/chat" {
			a.ServeHTTP(w, r)
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		close(started)
		<-finish
		_, _ = io.WriteString(w, `{"message":"whole"}`)
	}))
	c := dial(t, r, "/ws", nil)
	follower := r.open(t, "GET", "/api/sessions/s/events", nil)
	defer func() { _ = follower.Body.Close() }()
	answer := make(chan string, 1)
	go func() {
		_, body := r.do(t, "POST", "/api/chat", `{"message":"x"}`)
		answer <- body
	}()
	<-started
	r.stop()
	if _, _, err := c.Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusServiceRestart {
		t.Errorf("got %v, want close 1012", err)
	}
	if told, err := io.ReadAll(follower.Body); err == nil || !strings.Contains(string(told), `"code":"draining"`) {
		t.Errorf("an endless stream ended with %q, %v", told, err)
	}
	select {
	case err := <-r.served:
		t.Fatalf("stopped with a request in flight: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	close(finish)
	if got := <-answer; got != `{"message":"whole"}` {
		t.Errorf("got %q", got)
	}
	if err := <-r.served; err != nil {
		t.Errorf("Serve: %v", err)
	}
	r.served <- nil
}
