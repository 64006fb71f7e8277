package main

import (
	"io"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/loongclaw/loongclaw/agent/websearch/websearchtest"
)

func TestCheckTriesTheSearch(t *testing.T) {
	dir := t.TempDir()
	const secret = "CANARY-search-1a"
	fake := &websearchtest.Fake{Name: "glm", Key: secret, Pages: []websearchtest.Page{{Title: "x", URL: "https://x.example.org/"}}}
	server := httptest.NewServer(fake)
	defer server.Close()
	for name, value := range map[string]string{
		"PASS_PUBLIC_KEYS": "O2onvM62pC1io6jQKm8Nc2UyFXcd4kOmOsBIoYtZ2ik=", "STORE": "disk:" + filepath.Join(dir, "store"), "WORKSPACE_DIR": filepath.Join(dir, "work"),
		"GLM_API_KEY": secret, "GLM_API_URL": server.URL, "LLM_PROVIDER": "offline",
	} {
		t.Setenv(name, value)
	}
	for _, c := range []struct{ provider, denies, says, fails string }{
		{"", "", "web search by glm, listening", ""},
		{"glm", "", "web search by glm, listening", ""},
		{"none", "", "no web search", ""},
		{"", "key", "web search by glm, which does not work", ""}, // the key may be for models alone
		{"glm", "key", "", "WEB_SEARCH_PROVIDER=glm: "},
		{"google", "", "", "WEB_SEARCH_PROVIDER is not one of"},
		{"brave", "", "", "BRAVE_API_KEY is not set"},
	} {
		t.Setenv("WEB_SEARCH_PROVIDER", c.provider)
		fake.Denies = c.denies
		var out strings.Builder
		err := run(t.Context(), []string{"check"}, &out, io.Discard)
		switch {
		case c.fails == "" && (err != nil || !strings.Contains(out.String(), c.says)):
			t.Errorf("%+v: %q, %v", c, out.String(), err)
		case c.fails != "" && (err == nil || !strings.Contains(err.Error(), c.fails) || !strings.Contains(err.Error(), "Next:")):
			t.Errorf("%+v: %q, %v", c, out.String(), err)
		}
		if err != nil && strings.Contains(err.Error(), secret) || strings.Contains(out.String(), secret) {
			t.Errorf("%+v: the key is shown: %q, %v", c, out.String(), err)
		}
	}
	t.Setenv("WEB_SEARCH_PROVIDER", "tavily")
	t.Setenv("WEB_DOOR_URL", "http://web.internal")
	var out strings.Builder
	if err := run(t.Context(), []string{"check"}, &out, io.Discard); err != nil || !strings.Contains(out.String(), "not tried") {
		t.Errorf("behind an egress proxy: %q, %v", out.String(), err)
	}
}
