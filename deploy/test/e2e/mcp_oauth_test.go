package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/loongclaw/loongclaw/deploy/internal/client"
	"github.com/loongclaw/loongclaw/deploy/internal/testenv"
)

// guardedServer plays a server of tools that wants an authorization, and the
// authorization server that gives it.
func guardedServer(t *testing.T) *httptest.Server {
	t.Helper()
	var own *httptest.Server
	say := func(w http.ResponseWriter, status int, body any) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(body)
	}
	type object = map[string]any
	own = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, "/.well-known/oauth-protected-resource"):
			say(w, 200, object{"resource": own.URL + "/mcp", "authorization_servers": []string{own.URL}})
		case strings.HasPrefix(r.URL.Path, "/.well-known/"):
			say(w, 200, object{"issuer": own.URL, "authorization_endpoint": own.URL + "/authorize", "token_endpoint": own.URL + "/token", "registration_endpoint": own.URL + "/register", "response_types_supported": []string{"code"}, "code_challenge_methods_supported": []string{"S256"}})
		case r.URL.Path == "/register":
			var asked object
			_ = json.NewDecoder(r.Body).Decode(&asked)
			asked["client_id"], asked["token_endpoint_auth_method"] = "c", "none"
			say(w, 201, asked)
		case r.URL.Path == "/token":
			say(w, 200, object{"access_token": "canary-of-the-grant", "refresh_token": "canary-of-renewal", "token_type": "Bearer", "expires_in": 3600})
		case r.Header.Get("Authorization") != "Bearer canary-of-the-grant":
			w.WriteHeader(http.StatusUnauthorized)
		default:
			var m struct {
				ID     json.RawMessage
				Method string
			}
			body, _ := io.ReadAll(r.Body)
			_ = json.Unmarshal(body, &m)
			answer := object{"jsonrpc": "2.0", "id": m.ID}
			switch m.Method {
			case "initialize":
				answer["result"] = object{"protocolVersion": "2025-11-25", "capabilities": object{"tools": object{}}, "serverInfo": object{"name": "x", "version": "1"}}
			case "tools/list":
				answer["result"] = object{"tools": []object{{"name": "echo", "description": "says it again", "inputSchema": object{"type": "object"}}}}
			default:
				answer["error"] = object{"code": -32601, "message": "no such method"}
			}
			if len(m.ID) == 0 {
				w.WriteHeader(http.StatusAccepted)
				return
			}
			say(w, 200, answer)
		}
	}))
	t.Cleanup(own.Close)
	return own
}

// TestAServerIsAuthorizedThroughTheGateway leaves by one path, comes back by another,
// and looks for what was granted wherever a client can look.
func TestAServerIsAuthorizedThroughTheGateway(t *testing.T) {
	t.Parallel()
	server := guardedServer(t)
	w := own(t, func(o *testenv.Options) {
		o.AgentEnv["MCP_PRIVATE_HOSTS"] = strings.TrimPrefix(server.URL, "http://")
		o.Tokens = "alice:token-of-alice-1,bob:token-of-bob-0001"
	})
	alice, bob := client.New(w.Base, "token-of-alice-1", transport), client.New(w.Base, "token-of-bob-0001", transport)
	do(t, alice, 200, "PUT", "/api/mcp/mine", map[string]any{"url": server.URL + "/mcp"})
	if s := toolServers(t, alice, "none")["mine"]; s.State != "failed" || !strings.Contains(s.Error, "/api/mcp/mine/authorize") {
		t.Fatalf("at first: %+v", s)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.Base+"/api/mcp/mine/authorize", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer token-of-alice-1")
	left, err := transport.RoundTrip(request) // follows nothing
	if err != nil {
		t.Fatal(err)
	}
	_ = left.Body.Close() // only its head is wanted
	to, err := left.Location()
	if err != nil || left.StatusCode != http.StatusFound || !strings.HasPrefix(to.String(), server.URL+"/authorize?") || to.Query().Get("redirect_uri") != w.Base+"/api/mcp/callback" {
		t.Fatalf("%d to %v, %v", left.StatusCode, to, err)
	}
	// A page says where it leads first; who begins again ends what they began.
	var page struct{ Location string }
	request.Header.Set("Accept", "application/json")
	shown, err := transport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	err = json.NewDecoder(shown.Body).Decode(&page)
	_ = shown.Body.Close() // it was read
	if to, _ = url.Parse(page.Location); err != nil || shown.StatusCode != http.StatusOK || to == nil || !strings.HasPrefix(page.Location, server.URL+"/authorize?") {
		t.Fatalf("%d %q, %v", shown.StatusCode, page.Location, err)
	}
	back := "/api/mcp/callback?" + url.Values{"code": {"a-code"}, "state": {to.Query().Get("state")}}.Encode()
	refused(t, bob, 404, "not_found", "GET", back, nil)
	if a := do(t, alice, 200, "GET", back, nil); !strings.Contains(string(a.Body), "mine") {
		t.Errorf("who is back reads %s", a.Body)
	}
	refused(t, alice, 404, "not_found", "GET", back, nil)
	request.URL.Path, request.URL.RawQuery = "/api/mcp/callback", "state=none"
	request.Header.Set("Accept", "text/html")
	led, err := transport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = led.Body.Close() // only its head is wanted
	if to := led.Header.Get("Location"); led.StatusCode != http.StatusSeeOther || to != "/tools?authorization=unknown" {
		t.Errorf("a browser is led to %q, %d", to, led.StatusCode)
	}
	if s := toolServers(t, alice, "failed")["mine"]; s.State != "unapproved" || len(s.Tools) != 1 {
		t.Errorf("then: %+v", s)
	}
	for _, where := range []string{"/api/mcp", "/api/ledger", "/api/files", "/api/config", "/api/memory/export?format=json"} {
		if a := do(t, alice, 200, "GET", where, nil); strings.Contains(string(a.Body), "canary-of") {
			t.Errorf("%s shows what was granted", where)
		}
	}
	do(t, alice, 204, "DELETE", "/api/mcp/mine", nil)
}
