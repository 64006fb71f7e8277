package tools

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// TestThroughTheEgressProxy: pages, redirects and refusals come through the egress proxy, and
// each address is judged here before the egress proxy is asked.
func TestThroughTheEgressProxy(t *testing.T) {
	var asked []string
	egress := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Door") != "token" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		to := r.URL.Query().Get("url")
		asked = append(asked, to)
		switch to {
		case "https://pages.example.com/refused":
			w.WriteHeader(http.StatusBadGateway)
			_, _ = fmt.Fprint(w, `{"error":"pages.example.com is not on the public internet"}`)
			return
		case "https://pages.example.com/odd":
			w.WriteHeader(http.StatusTeapot)
			return
		}
		w.Header().Set(webAnswered, "answered")
		switch to {
		case "https://pages.example.com/moved":
			w.Header().Set("Location", "/there")
			w.WriteHeader(http.StatusFound)
		case "https://pages.example.com/away":
			w.Header().Set("Location", "http://169.254.169.254/latest")
			w.WriteHeader(http.StatusFound)
		case "https://pages.example.com/missing":
			w.WriteHeader(http.StatusNotFound)
		default:
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			_, _ = fmt.Fprint(w, "the page 熊")
		}
	}))
	defer egress.Close()
	tool := newWebFetch(Config{WebEgress: egress.URL, WebTimeout: 5 * time.Second, Worker: OwnWorker(t), Mark: func(r *http.Request) { r.Header.Set("X-Door", "token") }}.withDefaults())
	env := Env{UserText: "read https://pages.example.com please"}
	fetch := func(path string) string {
		raw, _ := json.Marshal(map[string]string{"url": "https://pages.example.com" + path})
		out, err := tool.Run(context.Background(), raw, env)
		if err != nil {
			return "error: " + text(err)
		}
		return out
	}
	for path, want := range map[string]string{
		"/": "the page 熊", "/moved": "the page 熊", "/refused": "error: pages.example.com is not on the public internet",
		"/odd": "error: the way to the web is closed", "/missing": "status 404", "/away": "error: https://pages.example.com/away redirects",
	} {
		if got := fetch(path); !strings.Contains(got, want) {
			t.Errorf("%s: got %q, want %q in it", path, got, want)
		}
	}
	for _, to := range asked {
		if strings.Contains(to, "169.254") {
			t.Errorf("the egress proxy was asked for %s", to)
		}
	}
	tool = newWebFetch(Config{WebEgress: "http://127.0.0.1:1", WebTimeout: 5 * time.Second}.withDefaults())
	if got := fetch("/"); !strings.HasPrefix(got, "error: ") {
		t.Errorf("without an egress proxy: got %q, want an error", got)
	}
}
