package main

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/deploy/rig"
)

const (
	apiToken = "canary-of-the-api-token"
	tokens   = "alice:canary-token-of-alice"
	modelKey = "sk-canary-of-the-model"
)

// newShipper is a deploy from a folder that is this project's but for what it
// remembers.
func newShipper(t *testing.T, a *account, env map[string]string) (*shipper, *strings.Builder) {
	t.Helper()
	for name, value := range map[string]string{
		"CLOUDFLARE_API_BASE_URL": a.URL + "/client/v4", "CLOUDFLARE_API_TOKEN": apiToken, "CLOUDFLARE_ACCOUNT_ID": "acc",
		"CLOUDFLARE_CONTAINER_REGISTRY": a.registry, "DOCKER_CONFIG": t.TempDir(),
		"CI": "1", "WRANGLER_SEND_ERROR_REPORTS": "false", "XDG_CONFIG_HOME": t.TempDir(),
	} {
		t.Setenv(name, value)
	}
	out := &strings.Builder{}
	s := &shipper{
		env: "staging", dir: "../../wrangler", patience: 3 * time.Second,
		out: out, getenv: func(name string) string { return env[name] }, http: http.DefaultClient,
	}
	_ = os.Remove(s.stateFile())
	t.Cleanup(func() { _ = os.Remove(s.stateFile()) })
	return s, out
}

// site is what was deployed, as the smoke test sees it.
func site(t *testing.T, change func(w http.ResponseWriter, r *http.Request) bool) string {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if change != nil && change(w, r) {
			return
		}
		switch r.URL.Path {
		case "/health":
			_, _ = io.WriteString(w, `{"status":"ok"}`)
		case "/":
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.Header().Set("Content-Security-Policy", "default-src 'none'")
			_, _ = io.WriteString(w, "<!doctype html>")
		default:
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, `{"error":"no","code":"unauthorized"}`)
		}
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

// TestDeploy is `make deploy` from an empty account on, with the real wrangler and
// the real image, against a stand-in for Cloudflare's API and registry.
func TestDeploy(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: -short")
	}
	if err := rig.Engine(t.Context()); err != nil {
		t.Skipf("SKIPPED: a whole deploy builds and pushes the image: %v\nNext: start a container engine", err)
	}
	for _, built := range []string{"../../bin/image/agent", "../../wrangler/build/gateway.wasm"} {
		if _, err := os.Stat(built); err != nil {
			t.Fatalf("%v\nNext: make wasm image", err)
		}
	}
	a := newAccount(t)
	env := map[string]string{"LOONGCLAW_TOKENS": tokens, "GLM_API_KEY": modelKey}
	s, out := newShipper(t, a, env)
	s.address = site(t, nil)

	t.Log("the first time: bucket, secrets, Worker, image, smoke test")
	if err := s.ship(t.Context()); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if !slices.Equal(a.buckets, []string{"loongclaw-staging"}) || len(a.apps) != 1 || len(a.script.versions) != 1 {
		t.Errorf("there are the buckets %v, %d applications and %d versions", a.buckets, len(a.apps), len(a.script.versions))
	}
	if got := a.script.secrets; got["LOONGCLAW_TOKENS"] != tokens || got["GLM_API_KEY"] != modelKey || len(got) != 2 {
		t.Errorf("the Worker has other secrets than were given: %d", len(got))
	}
	image, _ := json.Marshal(a.apps[0])
	if !strings.Contains(string(image), a.registry+"/acc/loongclaw-staging-agent-staging@sha256:") && !strings.Contains(string(image), a.registry+"/acc/loongclaw-staging-agent-staging:") {
		t.Errorf("the application has another image: %s", image)
	}
	for _, line := range []string{"made the bucket loongclaw-staging", "the gateway is healthy", "nobody comes in without a credential", "it answers at " + s.address} {
		if !strings.Contains(out.String(), line) {
			t.Errorf("it does not say %q:\n%s", line, out)
		}
	}
	_, mark := a.since(0)

	t.Log("once more: nothing changes, with the secrets in the environment or not")
	for range 2 {
		if err := s.ship(t.Context()); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		clear(env)
	}
	if changes, _ := a.since(mark); len(changes) != 0 {
		t.Errorf("the second run changed something: %v", changes)
	}
	if !strings.Contains(out.String(), "nothing has changed") {
		t.Errorf("it does not say that nothing has changed:\n%s", out)
	}

	t.Log("another secret, which was absent, is a deploy; what is there stays")
	env["DEEPSEEK_API_KEY"], env["LOONGCLAW_TOKENS"] = modelKey, "mallory:another-token-012345"
	if err := s.ship(t.Context()); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if got := a.script.secrets; got["DEEPSEEK_API_KEY"] != modelKey || got["LOONGCLAW_TOKENS"] != tokens {
		t.Error("the new secret is not there, or an old one was replaced")
	}

	t.Log("a deploy that does not work says so, and how to go back")
	s.address = site(t, func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/api/sessions" {
			_, _ = io.WriteString(w, `{"sessions":[]}`) // open to all
			return true
		}
		return false
	})
	err := s.ship(t.Context())
	if err == nil || !strings.Contains(err.Error(), "nobody comes in without a credential") || !strings.Contains(err.Error(), "wrangler rollback --env staging") {
		t.Errorf("got %v", err)
	}

	said := out.String()
	for _, secret := range []string{apiToken, tokens, "canary-token-of-alice", modelKey, "another-token-012345", "canary-of-the-registry"} {
		if strings.Contains(said, secret) {
			t.Errorf("it printed the secret %q", secret)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(os.TempDir(), "loongclaw-secrets-*")); len(left) != 0 {
		t.Errorf("a file with secrets was left: %v", left)
	}
}

// Where secrets come from needs no deploy.
func TestSecrets(t *testing.T) {
	a := newAccount(t)
	for _, tt := range []struct {
		name    string
		env     map[string]string
		vars    map[string]string
		answers []string // on the terminal; nil where there is none
		want    []string
		err     error
	}{
		{name: "nothing and nobody to ask", err: errNoWayIn},
		{name: "from the environment", env: map[string]string{"LOONGCLAW_TOKENS": tokens, "KIMI_API_KEY": modelKey}, want: []string{"KIMI_API_KEY", "LOONGCLAW_TOKENS"}},
		{name: "no model: the offline one answers", env: map[string]string{"LOONGCLAW_TOKENS": tokens}, want: []string{"LOONGCLAW_TOKENS"}},
		{name: "asked for", answers: []string{tokens, modelKey}, want: []string{"GLM_API_KEY", "LOONGCLAW_TOKENS"}},
		{name: "a token is made", answers: []string{"", ""}, want: []string{"LOONGCLAW_TOKENS"}},
		{name: "another way in stands in wrangler.jsonc", vars: map[string]string{"ACCESS_TEAM_DOMAIN": "bears", "OLLAMA_URL": "https://o.example.org"}, want: nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, out := newShipper(t, a, tt.env)
			if tt.answers != nil {
				s.ask = func(string) (string, error) {
					next := tt.answers[0]
					tt.answers = tt.answers[1:]
					return next, nil
				}
			}
			got, err := s.secrets(t.Context(), target{Name: "loongclaw-staging", Vars: tt.vars})
			if !errors.Is(err, tt.err) {
				t.Fatalf("got %v, want %v", err, tt.err)
			}
			var names []string
			for name, value := range got {
				names = append(names, name)
				if strings.Contains(out.String(), modelKey) || strings.Contains(out.String(), tokens) {
					t.Errorf("it printed %s", name)
				}
				if value == "" {
					t.Errorf("%s is empty", name)
				}
			}
			slices.Sort(names)
			if !slices.Equal(names, tt.want) {
				t.Errorf("got %v, want %v", names, tt.want)
			}
		})
	}
}

func TestAnUnknownEnvironmentIsNamed(t *testing.T) {
	s, _ := newShipper(t, newAccount(t), nil)
	s.env = "nowhere"
	if err := s.ship(t.Context()); err == nil || !strings.Contains(err.Error(), `"nowhere"`) || !strings.Contains(err.Error(), "production or staging") {
		t.Errorf("got %v", err)
	}
}
