package cloudflare

import (
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/deploy/internal/client"
	"github.com/loongclaw/loongclaw/deploy/internal/fakeprovider"
	"github.com/loongclaw/loongclaw/deploy/internal/testenv"
)

// views is what was seen of the page's views.
type views struct {
	Seen                   map[string]string
	Errors, Foreign, Leaks []string
	Failed                 string
}

// TestViewsOfThePage opens the page's views in a real Chromium in front of the Worker,
// with a user's object and container behind it. What is secret of a server that the page
// has set up never comes back to it.
func TestViewsOfThePage(t *testing.T) {
	needEngine(t)
	chromium, err := testenv.Chromium()
	if err != nil {
		t.Fatal(err)
	}
	s := newTools(t)
	host := func(s *httptest.Server) string { return strings.TrimPrefix(s.URL, "http://") }
	w := newWorld(t, map[string]string{"MCP_PRIVATE_HOSTS": host(s.Server), "SLEEP_AFTER": "5m", "TOOLS_AUTO_APPROVE": "read_file"})
	c := w.user("ann")
	put(t, c, "/api/files/skills/tidy/SKILL.md", []byte("---\nname: tidy\ndescription: Keeps a den tidy.\n---\nSweep it.\n"))
	asks := fakeprovider.Say("asks", fakeprovider.Round{Calls: []fakeprovider.Call{{ID: "c1", Name: "write_file", Args: `{"path":"den.txt","content":"honey"}`}}}, fakeprovider.Round{Text: []string{"done"}})
	r := start(t, c, "asks", asks.Message())
	stream, err := c.Events(limited(t), "asks", r.Cursor)
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Cut()
	until(t, stream, client.NewLedger(), func(e client.Event) bool { return e.Type == "approval_required" })

	v := visit(t, chromium, map[string]string{"base": w.Base, "token": fmt.Sprintf(tokenOf, "ann"), "server": s.URL + "/mcp", "secret": annKey})
	if v.Failed != "" || len(v.Errors)+len(v.Foreign)+len(v.Leaks) > 0 {
		t.Errorf("%s\nerrors of the page: %q\nit asked strangers: %q\na secret came back in: %q", v.Failed, v.Errors, v.Foreign, v.Leaks)
	}
	for view, want := range map[string]string{"/tools": "tidy", "/tools/mine": "Returns the sum of two numbers", "/skills/tidy": "Sweep it.", "/needs-you": "One conversation waits for you", "/settings": "Language", "title": "(1)"} {
		if !strings.Contains(v.Seen[view], want) {
			t.Errorf("%s shows %q, want %q in it", view, v.Seen[view], want)
		}
	}
	s.mu.Lock()
	used := s.keys[annKey]
	s.mu.Unlock()
	if used == 0 {
		t.Error("the server was never shown the key that the page set")
	}
	eventually(t, 20*time.Second, "the server that the page removed is gone", func() bool { return servers(t, c)["mine"].Name == "" })
}

// visit runs the script of the views.
func visit(t *testing.T, chromium string, in map[string]string) views {
	t.Helper()
	root, err := testenv.Root(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	in["chromium"], in["library"] = chromium, filepath.Join(root, "gateway", "webchat", "node_modules", "playwright-core", "index.mjs")
	if _, err := os.Stat(in["library"]); err != nil {
		t.Fatalf("%v\nNext: make test-page, or npm ci in gateway/webchat", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	var v views
	if err := testenv.RunJSON(exec.CommandContext(ctx, "node", "views/views.mjs"), in, &v); err != nil {
		t.Fatal(err)
	}
	return v
}
