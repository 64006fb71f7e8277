package mcp_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/agent/tools/mcp"
	"github.com/loongclaw/loongclaw/agent/tools/process"
)

// The newest revision has no ping: a client that asked for one would take a living
// server for a dead one and start it again, and again. What the client says it can do
// is nothing; the SDK would offer the user's folders by itself.
func TestNothingIsPingedAndNothingOffered(t *testing.T) {
	r, w := newRig(t), newWeb(t)
	r.open(func(c *mcp.Config) {
		c.Private = map[string]bool{address(w.Server): true}
		c.Servers = map[string]mcp.Entry{"fake": r.stdio("plain"), "web": {URL: w.URL}}
	})
	heard := func() string {
		w.mu.Lock()
		defer w.mu.Unlock()
		return r.noted("heard") + strings.Join(w.sent, "\n")
	}
	r.await(mcp.Unapproved)
	for end := time.Now().Add(20 * time.Second); strings.Count(heard(), "tools/list") < 2 && time.Now().Before(end); {
		time.Sleep(10 * time.Millisecond)
	}
	time.Sleep(300 * time.Millisecond) // for whoever pings a connection that says nothing
	offers := 0
	for line := range strings.Lines(heard()) {
		var m struct {
			Method string
			Params struct {
				Capabilities *map[string]any
				Meta         map[string]json.RawMessage `json:"_meta"`
			}
		}
		if json.Unmarshal([]byte(line), &m) != nil {
			continue
		}
		if m.Method == "ping" {
			t.Errorf("it was pinged: %s", line)
		}
		if c := m.Params.Capabilities; c != nil {
			if offers++; len(*c) > 0 {
				t.Errorf("it offers %s", line)
			}
		}
		if c, ok := m.Params.Meta["io.modelcontextprotocol/clientCapabilities"]; ok {
			if offers++; string(c) != "{}" {
				t.Errorf("it offers %s", c)
			}
		}
	}
	if offers < 2 {
		t.Errorf("only %d of two servers were told what the client can do: %s", offers, heard())
	}
}

// A server whose revision nobody speaks is no server; what was begun with it ends.
func TestAServerOfAnUnknownRevisionLeavesNothing(t *testing.T) {
	odd := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var m message
		body, _ := io.ReadAll(r.Body)
		_ = json.Unmarshal(body, &m)
		w.Header().Set("Content-Type", "application/json")
		switch {
		case r.Method != http.MethodPost:
			w.WriteHeader(http.StatusMethodNotAllowed)
		case m.Method == "initialize":
			_, _ = fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"result":{"protocolVersion":"1999-12-31","capabilities":{},"serverInfo":{"name":"odd","version":"1"}}}`, m.ID)
		case len(m.ID) > 0:
			_, _ = fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"error":{"code":-32601,"message":"no such method"}}`, m.ID)
		default:
			w.WriteHeader(http.StatusAccepted)
		}
	}))
	defer odd.Close()
	r := newRig(t)
	r.open(func(c *mcp.Config) {
		c.Private = map[string]bool{address(odd): true}
		c.Servers = map[string]mcp.Entry{"fake": r.stdio("odd version"), "web": {URL: odd.URL}}
	})
	r.await(mcp.Failed)
	settled := func() int {
		n := runtime.NumGoroutine()
		for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
			if now := runtime.NumGoroutine(); now >= n {
				return now
			}
			n = runtime.NumGoroutine()
		}
		return n
	}
	try := func(times int) {
		for range times {
			for _, s := range r.source.Check(context.WithoutCancel(t.Context())) {
				if s.State != mcp.Failed || s.Error == "" {
					t.Errorf("%+v", s)
				}
			}
		}
		for end := time.Now().Add(10 * time.Second); process.Running() > 0 && time.Now().Before(end); {
			time.Sleep(10 * time.Millisecond)
		}
		if n := process.Running(); n > 0 {
			t.Errorf("%d programs of a server that is of no use still run", n)
		}
	}
	try(2)
	before := settled()
	try(10)
	if after := settled(); after > before+10 {
		t.Errorf("ten tries more have left %d goroutines", after-before)
	}
}
