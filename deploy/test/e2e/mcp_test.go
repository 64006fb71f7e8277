package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/deploy/internal/client"
	"github.com/loongclaw/loongclaw/deploy/internal/fakeprovider"
	"github.com/loongclaw/loongclaw/deploy/internal/testenv"
)

// toolServer is an MCP server as the API shows it.
type toolServer struct {
	Name, Scope, Transport, State, Error, Protocol, Hash, ApprovedHash string
	Tools                                                              []struct{ Name string }
}

// toolServers waits until every server has left a state, and returns them by name.
func toolServers(t *testing.T, c *client.Client, left string) map[string]toolServer {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); ; time.Sleep(100 * time.Millisecond) {
		var page struct{ Servers []toolServer }
		if err := do(t, c, 200, "GET", "/api/mcp", nil).JSON(&page); err != nil {
			t.Fatal(err)
		}
		out, wait := map[string]toolServer{}, false
		for _, s := range page.Servers {
			out[s.Name] = s
			wait = wait || s.State == left || s.State == "connecting"
		}
		if !wait {
			return out
		}
		if time.Now().After(end) {
			t.Fatalf("still %s: %+v", left, page.Servers)
		}
	}
}

// TestRealServersOfToolsAreDrivenThroughAChat uses servers that people use, over
// stdio and HTTP: nothing of them runs until it is approved, and then as asked.
func TestRealServersOfToolsAreDrivenThroughAChat(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs("mcp/node_modules/@modelcontextprotocol")
	if err != nil {
		t.Fatal(err)
	}
	needs(t, "mcp")
	script := func(name string) string { return filepath.Join(root, "server-"+name, "dist", "index.js") }
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "honey.txt"), []byte("in the old oak"), 0o600); err != nil {
		t.Fatal(err)
	}
	overHTTP, address, err := testenv.StartToolServer(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(overHTTP.Kill)
	servers := map[string]any{
		"everything": map[string]any{"command": "node", "args": []string{script("everything")}, "env": map[string]string{"WHO": "${MCP_WHO}"}},
		"files":      map[string]any{"command": "node", "args": []string{script("filesystem"), dir}, "allow": []string{"read_text_file"}},
		"graph":      map[string]any{"command": "node", "args": []string{script("memory")}, "env": map[string]string{"MEMORY_FILE_PATH": filepath.Join(dir, "graph.json")}},
		"thinking":   map[string]any{"command": "node", "args": []string{script("sequential-thinking")}},
		"web":        map[string]any{"url": "http://" + address + "/mcp"},
	}
	config, err := json.Marshal(map[string]any{"mcpServers": servers})
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "mcp.json"), config, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	w := own(t, func(o *testenv.Options) {
		o.AgentEnv["MCP_CONFIG"], o.AgentEnv["MCP_WHO"], o.AgentEnv["MCP_PRIVATE_HOSTS"] = filepath.Join(dir, "mcp.json"), "secret-for-one-server", address
		o.Tokens = "alice:token-of-alice-1,bob:token-of-bob-0001:chat"
	})
	owner, bob := client.New(w.Base, "token-of-alice-1", transport), client.New(w.Base, "token-of-bob-0001", transport)
	calls := map[string]struct{ tool, args, want string }{
		"everything": {"echo", `{"message":"hi there"}`, "hi there"},
		"files":      {"read_text_file", `{"path":` + fmt.Sprintf("%q", filepath.Join(dir, "honey.txt")) + `}`, "in the old oak"},
		"graph":      {"create_entities", `{"entities":[{"name":"Bear","entityType":"animal","observations":["likes honey"]}]}`, "likes honey"},
		"thinking":   {"sequentialthinking", `{"thought":"first","nextThoughtNeeded":false,"thoughtNumber":1,"totalThoughts":1}`, "thoughtNumber"},
		"web":        {"echo", `{"message":"hi over http"}`, "hi over http"},
	}
	for name, s := range toolServers(t, owner, "failed") {
		if s.State != "unapproved" || len(s.Tools) == 0 || s.Protocol == "" {
			t.Errorf("%s at first: %s %s, %d tools, %s", name, s.State, s.Error, len(s.Tools), s.Protocol)
		}
		refused(t, bob, 403, "forbidden", "POST", "/api/mcp/"+name+"/approve", map[string]any{"hash": s.Hash})
		refused(t, owner, 409, "conflict", "POST", "/api/mcp/"+name+"/approve", map[string]any{"hash": strings.Repeat("0", 64)})
		session := "before-" + name
		r := start(t, bob, session, toolMessage(name, calls[name].tool, calls[name].args))
		if _, end := await(t, bob, session, r.RunID); end.Status != "done" {
			t.Errorf("%s before: %s", name, end.Status)
		}
		do(t, owner, 200, "POST", "/api/mcp/"+name+"/approve", map[string]any{"hash": s.Hash})
	}
	for name, c := range calls {
		t.Run(name, func(t *testing.T) {
			stream := ""
			r := start(t, bob, name, toolMessage(name, c.tool, c.args))
			l := client.NewLedger()
			s := follow(t, bob, client.OverSSE, name, r.Cursor)
			if name != "files" { // whose tool the owner lets run
				asked := until(t, s, l, typed("approval_required"))
				if asked.Name != "mcp__"+name+"__"+c.tool {
					t.Errorf("asked for %s", asked.Name)
				}
				do(t, bob, 200, "POST", "/api/approvals/"+asked.ApprovalID, map[string]any{"decision": "once"})
			}
			result := until(t, s, l, typed("tool_result"))
			if result.Output != nil {
				stream = *result.Output
			}
			if result.Status != "ok" || !strings.Contains(stream, c.want) {
				t.Errorf("%s: %s %.500q", name, result.Status, stream)
			}
			until(t, s, l, finished(r.RunID))
		})
	}
	for _, where := range []string{"/api/mcp", "/api/ledger", "/api/history/everything"} {
		if a := do(t, bob, 200, "GET", where, nil); strings.Contains(string(a.Body), "secret-for-one-server") {
			t.Errorf("%s shows a secret", where)
		}
	}
}

// toolMessage is a message whose answer calls a server's tool, and ends.
func toolMessage(server, tool, args string) string {
	return script(call("mcp__"+server+"__"+tool, args), fakeprovider.Round{Chunks: 1}).Message()
}

// TestAUserSetsUpAServer shows what a user may set up, and that it is theirs alone.
func TestAUserSetsUpAServer(t *testing.T) {
	t.Parallel()
	w := own(t, func(o *testenv.Options) {
		o.Tokens = "alice:token-of-alice-1,bob:token-of-bob-0001,carol:token-of-carol-01:read"
	})
	alice, bob, carol := client.New(w.Base, "token-of-alice-1", transport), client.New(w.Base, "token-of-bob-0001", transport), client.New(w.Base, "token-of-carol-01", transport)
	refused(t, alice, 403, "forbidden", "PUT", "/api/mcp/x", map[string]any{"command": "sh"})
	refused(t, carol, 403, "forbidden", "PUT", "/api/mcp/x", map[string]any{"url": "https://tools.loongclaw.dev/mcp"})
	for _, url := range []string{"http://127.0.0.1:1/mcp", "https://localhost/mcp", "http://tools.loongclaw.dev/mcp", "https://a:b@tools.loongclaw.dev/", "ftp://x", ""} {
		refused(t, alice, 400, "invalid_request", "PUT", "/api/mcp/x", map[string]any{"url": url})
	}
	refused(t, alice, 400, "invalid_request", "PUT", "/api/mcp/Not%20A%20Name", map[string]any{"url": "https://tools.loongclaw.dev/mcp"})
	a := do(t, alice, 200, "PUT", "/api/mcp/mine", map[string]any{"url": "https://tools.loongclaw.dev/mcp", "headers": map[string]string{"Authorization": "Bearer secret-of-alice"}})
	if strings.Contains(string(a.Body), "secret-of-alice") {
		t.Errorf("a header is shown: %s", a.Body)
	}
	if got := toolServers(t, alice, "none"); got["mine"].Scope != "user" || got["mine"].State != "failed" || got["mine"].Error == "" {
		t.Errorf("alice has %+v", got)
	}
	if got := toolServers(t, bob, "none"); len(got) != 0 {
		t.Errorf("bob has %+v", got)
	}
	refused(t, bob, 404, "not_found", "DELETE", "/api/mcp/mine", nil)
	do(t, alice, 204, "DELETE", "/api/mcp/mine", nil)
	if got := toolServers(t, alice, "none"); len(got) != 0 {
		t.Errorf("alice still has %+v", got)
	}
}
