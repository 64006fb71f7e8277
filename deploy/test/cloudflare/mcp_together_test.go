package cloudflare

import (
	"maps"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/loongclaw/loongclaw/deploy/internal/client"
)

// TestServersOfToolsTogether drives servers of tools where all users share a container:
// the instance's are everybody's, and no user's own is reached from there.
func TestServersOfToolsTogether(t *testing.T) {
	needEngine(t)
	s := newTools(t)
	host := func(s *httptest.Server) string { return strings.TrimPrefix(s.URL, "http://") }
	w := newWorld(t, map[string]string{"MCP_OURS": ourKey, "MCP_TIMEOUT": "5s", "MCP_PRIVATE_HOSTS": host(s.Server), "SLEEP_AFTER": "5m"}, func(dir string) {
		putObject(t, dir, "config/mcp.json", map[string]any{"mcpServers": map[string]any{
			"ours": map[string]any{"url": s.URL + "/mcp", "headers": map[string]string{"Authorization": "Bearer ${MCP_OURS}"}, "allow": []string{"echo"}},
		}})
	})
	// Ann has a server from when each user had a container of their own.
	own := map[string]any{"url": s.URL + "/mcp", "headers": map[string]string{"X-Key": annKey}}
	ask(t, w.user("ann"), 200, "PUT", "/api/mcp/mine", own)
	w.Down()
	w.opts.Vars = maps.Clone(w.opts.Vars)
	w.opts.Vars["AGENT_PLACEMENT"] = "single"
	w.up(t)
	for _, step := range []struct {
		name string
		run  func(*testing.T, *world, *tools)
	}{
		{"the instance's server is approved once and used by all", instancesServerTogether},
		{"a user's own server is refused, with what to do", usersServerTogether},
		{"a container in other hands reaches no user's server, with whosever token", sharedContainerInOtherHands},
	} {
		t.Run(step.name, func(t *testing.T) { step.run(t, w, s) })
	}
}

func instancesServerTogether(t *testing.T, w *world, _ *tools) {
	ann, ben := w.user("ann"), w.user("ben")
	ours := servers(t, ann)["ours"]
	if ours.State != "unapproved" {
		t.Fatalf("%+v", ours)
	}
	ask(t, ann, 200, "POST", "/api/mcp/ours/approve", map[string]string{"hash": ours.Hash})
	for name, c := range map[string]*client.Client{"honey": ann, "berries": ben} {
		if e := use(t, c, "ours", "mcp__ours__echo", `{"message":"`+name+`"}`, false); !heard(e, name) {
			t.Errorf("%s: %+v", name, e)
		}
	}
	if n := len(w.agents(t)); n != 1 {
		t.Errorf("%d containers run, want one", n)
	}
}

func usersServerTogether(t *testing.T, w *world, s *tools) {
	for _, name := range []string{"ann", "ben"} {
		c := w.user(name)
		a := ask(t, c, 403, "PUT", "/api/mcp/his", map[string]any{"url": s.URL + "/mcp", "headers": map[string]string{"X-Key": benKey}})
		if !strings.Contains(string(a.Body), "share one container") || !strings.Contains(string(a.Body), "config/mcp.json") {
			t.Errorf("%s is told %s", name, a.Body)
		}
		if one := servers(t, c)["his"]; one.Name != "" {
			t.Errorf("%s has %+v", name, one)
		}
	}
	if one := servers(t, w.user("ann"))["mine"]; one.State != "failed" || !strings.Contains(one.Error, "share one container") {
		t.Errorf("what ann had is shown as %+v", one)
	}
	ask(t, w.user("ann"), 403, "GET", "/api/mcp/mine/authorize", nil)
}

func sharedContainerInOtherHands(t *testing.T, w *world, s *tools) {
	all := w.agents(t)
	if len(all) != 1 {
		t.Fatalf("%d containers run, want one", len(all))
	}
	probe := putProbe(t, all[0])
	s.mu.Lock()
	clear(s.keys)
	s.mu.Unlock()
	mine := identity(s.URL + "/mcp")
	initialize := `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"x","version":"1"}}}`
	for _, name := range []string{"ann", "ben"} {
		token := stolenToken(t, all[0], name)
		if token == "" {
			t.Fatalf("the token of %s is not in the container's memory", name)
		}
		for address, want := range map[string]string{
			"http://mcp.internal/servers/u/ann/mine":  "403 ",
			"http://mcp.internal/servers/u/ben/mine":  "403 ",
			"http://mcp.internal/servers/config/mine": "404 ",
			"http://mcp.internal/servers/config/ours": "200 ",
		} {
			if got := mustDocker(t, "exec", all[0], probe, "ask", "POST", address, token, mine, initialize); !strings.HasPrefix(got, want) || strings.Contains(got, serverCanary) {
				t.Errorf("with the token of %s: %s: got %s, want %s", name, address, got, want)
			}
		}
	}
	s.mu.Lock()
	if n := s.keys[annKey]; n != 0 {
		t.Errorf("the server was shown ann's key %d times", n)
	}
	s.mu.Unlock()
	// What is ann's can still be taken away.
	ask(t, w.user("ann"), 204, "DELETE", "/api/mcp/mine", nil)
	if one := servers(t, w.user("ann"))["mine"]; one.Name != "" {
		t.Errorf("%+v", one)
	}
}
