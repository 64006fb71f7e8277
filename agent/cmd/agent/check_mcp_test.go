package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// toolServer plays an MCP server of the revision 2025-11-25 with one tool.
func toolServer(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	id, _, _ := strings.Cut(strings.TrimPrefix(string(body[strings.Index(string(body)+`"id":`, `"id":`):]), `"id":`), ",")
	result := ""
	switch {
	case strings.Contains(string(body), `"initialize"`):
		result = `{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"x","version":"1"}}`
	case strings.Contains(string(body), `"tools/list"`):
		result = `{"tools":[{"name":"echo","description":"says it again","inputSchema":{"type":"object"}}]}`
	case r.Method != http.MethodPost:
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	case strings.Contains(string(body), `"notifications/`):
		w.WriteHeader(http.StatusAccepted)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if result == "" {
		_, _ = fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"error":{"code":-32601,"message":"no such method"}}`, id)
		return
	}
	_, _ = fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"result":%s}`, id, result)
}

func TestCheckTriesEachServer(t *testing.T) {
	const secret = "CANARY-mcp-1a"
	dir := t.TempDir()
	good := httptest.NewServer(http.HandlerFunc(toolServer))
	defer good.Close()
	locked := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }))
	defer locked.Close()
	host := func(s *httptest.Server) string { return strings.TrimPrefix(s.URL, "http://") }
	for name, value := range map[string]string{
		"PASS_PUBLIC_KEYS": "O2onvM62pC1io6jQKm8Nc2UyFXcd4kOmOsBIoYtZ2ik=", "STORE": "disk:" + filepath.Join(dir, "store"), "WORKSPACE_DIR": filepath.Join(dir, "work"),
		"LLM_PROVIDER": "offline", "MCP_CONFIG": filepath.Join(dir, "mcp.json"), "MCP_KEY": secret, "MCP_PRIVATE_HOSTS": host(good) + "," + host(locked) + ",127.0.0.1:1",
	} {
		t.Setenv(name, value)
	}
	for name, c := range map[string]struct {
		entry string
		says  string
		fails []string // what the error says; nil: check is content
	}{
		"one that is there":        {`{"url":"` + good.URL + `"}`, "MCP server one: 1 tools over http, revision 2025-11-25; nobody has approved them yet", nil},
		"one that wants a person":  {`{"url":"` + locked.URL + `"}`, "open GET /api/mcp/one/authorize", nil},
		"a wrong key":              {`{"url":"` + locked.URL + `","headers":{"Authorization":"Bearer ${MCP_KEY}"}}`, "", []string{"refuses the credentials", "MCP_CONFIG"}},
		"nobody there":             {`{"url":"http://127.0.0.1:1"}`, "", []string{"nothing listens"}},
		"inside":                   {`{"url":"http://127.0.0.1:2"}`, "", []string{"MCP_PRIVATE_HOSTS"}},
		"a key that is not set":    {`{"url":"` + good.URL + `","headers":{"X-Key":"${MCP_MISSING}"}}`, "", []string{"MCP_MISSING is not set"}},
		"a program that is absent": {`{"command":"no-such-program"}`, "", []string{"is not found"}},
		"a program that ends":      {`{"command":"false"}`, "", []string{"exit status 1"}},
		"neither":                  {`{}`, "", []string{"either a url or a command"}},
	} {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(os.Getenv("MCP_CONFIG"), []byte(`{"mcpServers":{"one":`+c.entry+`,"two":{"url":"`+good.URL+`"}}}`), 0o600); err != nil {
				t.Fatal(err)
			}
			var out strings.Builder
			err := run(t.Context(), []string{"check"}, &out, io.Discard)
			if !strings.Contains(out.String(), "MCP server two: 1 tools") || !strings.Contains(out.String(), c.says) {
				t.Errorf("it says %s", out.String())
			}
			if (err == nil) != (c.fails == nil) || (err == nil) != strings.Contains(out.String(), "\nok: ") {
				t.Errorf("%v beside %s", err, out.String())
			}
			for _, want := range append(c.fails, "MCP server one: ", "\nNext: ") {
				if err != nil && !strings.Contains(err.Error(), want) {
					t.Errorf("%v, want %q", err, want)
				}
			}
			if strings.Contains(out.String()+fmt.Sprint(err), secret) {
				t.Errorf("a key is shown: %s, %v", out.String(), err)
			}
		})
	}
	var kept strings.Builder
	if err := run(t.Context(), []string{"ls", "config/"}, &kept, io.Discard); err != nil || kept.Len() > 0 {
		t.Errorf("check has written %q, %v", kept.String(), err)
	}
}
