package cloudflare

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/deploy/internal/rollout"
	"github.com/loongclaw/loongclaw/deploy/internal/testenv"
)

const (
	apiToken = "canary-of-the-api-token"
	tokens   = "alice:canary-token-of-alice"
	modelKey = "sk-canary-of-the-model"
)

// newPlatform is a deploy from a folder that is this project's but for what it
// remembers.
func newPlatform(t *testing.T, a *account, env map[string]string) (*Platform, *strings.Builder) {
	t.Helper()
	for name, value := range map[string]string{
		"CLOUDFLARE_API_BASE_URL": a.URL + "/client/v4", "CLOUDFLARE_API_TOKEN": apiToken, "CLOUDFLARE_ACCOUNT_ID": "acc",
		"CLOUDFLARE_CONTAINER_REGISTRY": a.registry, "DOCKER_CONFIG": t.TempDir(),
		"CI": "1", "WRANGLER_SEND_ERROR_REPORTS": "false", "XDG_CONFIG_HOME": t.TempDir(),
	} {
		t.Setenv(name, value)
	}
	out := &strings.Builder{}
	p := &Platform{
		Env: "staging", Dir: "../../../../wrangler", Patience: 2 * time.Minute, Hold: time.Minute,
		Out: out, Getenv: func(name string) string { return env[name] }, Environ: func() []string { return slices.Collect(maps.Keys(env)) }, HTTP: http.DefaultClient, nearby: true,
	}
	_ = os.Remove(p.memoryFile())
	t.Cleanup(func() { _ = os.Remove(p.memoryFile()) })
	return p, out
}

// changed makes the next deploy one of something else.
func changed(t *testing.T, p *Platform, n int) {
	t.Helper()
	path := filepath.Join(p.Dir, "..", "bin", "image", "empty", ".keep")
	if err := os.WriteFile(path, fmt.Appendf(nil, "generation %d", n), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.WriteFile(path, nil, 0o600) })
}

// TestDeploy is `make deploy` from an empty account on, and `make rollback`, with
// the real wrangler and the real image, against a stand-in for Cloudflare's API and
// registry.
func TestDeploy(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: -short")
	}
	if err := testenv.Engine(t.Context()); err != nil {
		t.Skipf("SKIPPED: a whole deploy builds and pushes the image: %v\nNext: start a container engine", err)
	}
	for _, built := range []string{"../../../../bin/image/agent", "../../../../wrangler/build/gateway.wasm"} {
		if _, err := os.Stat(built); err != nil {
			t.Fatalf("%v\nNext: make wasm image", err)
		}
	}
	a := newAccount(t)
	env := map[string]string{"LOONGCLAW_TOKENS": tokens, "GLM_API_KEY": modelKey}
	p, out := newPlatform(t, a, env)
	s := newSite(t, a)
	p.Address = s.URL
	r := &rollout.Rollout{Platform: p, Out: out, Patience: 10 * time.Second, Rules: rollout.Rules{
		Watch: time.Second, Every: 100 * time.Millisecond, Failed: 0.02, Enough: 10, Slower: 5, Slow: time.Second,
	}}
	deploy := func(orders string) {
		t.Helper()
		if err := r.Deploy(t.Context()); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		if got := s.told(); got != orders {
			t.Errorf("the operator's interface was told: %s\nwant: %s", got, orders)
		}
	}

	t.Log("the first time: bucket, secrets, Worker, images, canary, switch")
	deploy("hold blue, try blue, try blue, dismiss, serve blue, keep")
	if !slices.Equal(a.buckets, []string{"loongclaw-staging"}) || len(a.apps) != 2 || len(a.script.versions) != 1 {
		t.Errorf("there are the buckets %v, %d applications and %d versions", a.buckets, len(a.apps), len(a.script.versions))
	}
	if got := a.script.secrets; got["LOONGCLAW_TOKENS"] != tokens || got["GLM_API_KEY"] != modelKey || got[publicURL] != s.URL || len(got) != 5 {
		t.Errorf("the Worker has other secrets than were given: %d", len(got))
	}
	first := a.images()
	for _, slot := range []string{"blue", "green"} {
		if !strings.HasPrefix(first[slot], a.registry+"/acc/loongclaw-staging-") {
			t.Errorf("%s has another image: %v", slot, first)
		}
	}
	_, mark := a.since(0)

	t.Log("once more: nothing changes, with the secrets in the environment or not")
	for range 2 {
		deploy("")
		clear(env)
	}
	if changes, _ := a.since(mark); len(changes) != 0 {
		t.Errorf("the second run changed something: %v", changes)
	}

	t.Log("a new image goes into the slot that does not serve, and nothing of the other changes; with it a secret that was absent")
	env["DEEPSEEK_API_KEY"], env["LOONGCLAW_TOKENS"] = modelKey, "mallory:another-token-012345"
	changed(t, p, 1)
	deploy("hold green, try blue, try green, try blue, try blue, dismiss, serve green, keep")
	if got := a.script.secrets; got["DEEPSEEK_API_KEY"] != modelKey || got["LOONGCLAW_TOKENS"] != tokens {
		t.Error("the new secret is not there, or an old one was replaced")
	}
	second := a.images()
	if second["green"] == first["green"] || second["blue"] != first["blue"] {
		t.Errorf("the images were %v and are %v", first, second)
	}
	changes, _ := a.since(mark)
	for _, change := range changes {
		if strings.Contains(change, "/applications/"+a.app("blue")) {
			t.Errorf("the application that served was touched: %s", change)
		}
	}

	t.Log("a rollback is one order, also from a machine that knows nothing")
	if err := os.Remove(p.memoryFile()); err != nil {
		t.Fatal(err)
	}
	if err := r.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := s.told(); got != "serve blue, keep" || s.state.Serves != rollout.Blue {
		t.Errorf("the operator's interface was told: %s", got)
	}

	t.Log("an image that is red: the switch stays, the Worker goes back, and so can nobody")
	changed(t, p, 2)
	serves := a.script.serves
	s.sick = rollout.Green
	err := r.Deploy(t.Context())
	var red *rollout.Failure
	if !errors.As(err, &red) || red.Stuck != nil || !strings.Contains(err.Error(), "the canary in green: GET /api/sessions: status 500") {
		t.Errorf("got %v", err)
	}
	if got, want := s.told(), "hold green, try blue, try green, try blue, dismiss"; got != want {
		t.Errorf("the operator's interface was told: %s\nwant: %s", got, want)
	}
	if a.script.serves != serves || a.images()["blue"] != second["blue"] {
		t.Errorf("the Worker's version %s serves, want %s; images %v", a.script.serves, serves, a.images())
	}
	if err := r.Rollback(t.Context()); err == nil || !strings.Contains(err.Error(), "that is no way back") {
		t.Errorf("a rollback into what was red: got %v", err)
	}
	if err := r.Status(t.Context()); err != nil || !strings.Contains(out.String(), "was red, or never tried; in the last") {
		t.Errorf("status: %v", err)
	}

	said := out.String()
	for _, secret := range []string{apiToken, tokens, "canary-token-of-alice", modelKey, "another-token-012345", "canary-of-the-registry", a.secret("ROLLOUT_KEY"), a.secret("LOONGCLAW_CANARY")} {
		if strings.Contains(said, secret) {
			t.Errorf("it printed the secret %q", secret)
		}
	}
	left, _ := filepath.Glob(filepath.Join(os.TempDir(), "loongclaw-secrets-*"))
	if _, err := os.Stat(filepath.Join(p.Dir, configFile)); len(left) != 0 || err == nil {
		t.Errorf("a file was left: %v, or %s", left, configFile)
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
		{name: "of servers of tools", env: map[string]string{"LOONGCLAW_TOKENS": tokens, "MCP_TRACKER": modelKey, "MCP_TIMEOUT": "5s", "MCP_PRIVATE_HOSTS": "x:1", "MCP_lower": modelKey, "NO_MCP_X": modelKey}, want: []string{"LOONGCLAW_TOKENS", "MCP_TRACKER"}},
		{name: "no model: the offline one answers", env: map[string]string{"LOONGCLAW_TOKENS": tokens}, want: []string{"LOONGCLAW_TOKENS"}},
		{name: "asked for", answers: []string{tokens, modelKey}, want: []string{"GLM_API_KEY", "LOONGCLAW_TOKENS"}},
		{name: "a token is made", answers: []string{"", ""}, want: []string{"LOONGCLAW_TOKENS"}},
		{name: "another way in stands in wrangler.jsonc", vars: map[string]string{"ACCESS_TEAM_DOMAIN": "bears", "OLLAMA_URL": "https://o.example.org"}, want: nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, out := newPlatform(t, a, tt.env)
			if tt.answers != nil {
				p.Ask = func(string) (string, error) {
					next := tt.answers[0]
					tt.answers = tt.answers[1:]
					return next, nil
				}
			}
			p.to = target{Name: "loongclaw-staging", Vars: tt.vars}
			got, err := p.secrets()
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
	p, _ := newPlatform(t, newAccount(t), nil)
	p.Env = "nowhere"
	if _, err := p.State(t.Context()); err == nil || !strings.Contains(err.Error(), `"nowhere"`) || !strings.Contains(err.Error(), "production or staging") {
		t.Errorf("got %v", err)
	}
}

// What a deploy reads: the new image for one slot, the other's as it is, and
// nothing of it stays.
func TestDeployConfig(t *testing.T) {
	dir := t.TempDir()
	text, err := os.ReadFile("../../../../wrangler/wrangler.jsonc")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "wrangler.jsonc"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	const kept = "registry.example/acc/loongclaw-staging-blue@sha256:0123"
	name, remove, err := deployConfig(dir, "staging", rollout.Green, kept)
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	var c struct {
		Env map[string]struct {
			Containers []struct {
				Name, Image string
				Context     string `json:"image_build_context"`
				Step        int    `json:"rollout_step_percentage"`
			}
		}
	}
	if err := json.Unmarshal(b, &c); err != nil {
		t.Fatal(err)
	}
	blue, green := c.Env["staging"].Containers[0], c.Env["staging"].Containers[1]
	if blue.Image != kept || blue.Context != "" || blue.Step != 0 {
		t.Errorf("blue: got %+v, want it as it is", blue)
	}
	if green.Image != "../deploy/agent.Dockerfile" || green.Context != "../bin/image" || green.Step != 100 {
		t.Errorf("green: got %+v, want what was built, at once", green)
	}
	if other := c.Env["production"].Containers[0]; other.Image != "../deploy/agent.Dockerfile" {
		t.Errorf("another environment was changed: %+v", other)
	}
	if err := remove(); err != nil {
		t.Error(err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("something was left: %v", left)
	}
}

// A placement that the Worker would take for the default is told before a deploy.
func TestAPlacementIsOneOfTwo(t *testing.T) {
	text, err := os.ReadFile("../../../../wrangler/wrangler.jsonc")
	if err != nil {
		t.Fatal(err)
	}
	for placement, want := range map[string]string{"": "", "user": "", "single": "", "Single": `AGENT_PLACEMENT of "staging" is "Single"`} {
		dir := t.TempDir()
		with := strings.ReplaceAll(string(text), `"SLEEP_AFTER"`, `"AGENT_PLACEMENT": "`+placement+`", "SLEEP_AFTER"`)
		if err := os.WriteFile(filepath.Join(dir, "wrangler.jsonc"), []byte(with), 0o600); err != nil {
			t.Fatal(err)
		}
		to, err := readTarget(dir, "staging")
		if want == "" && (err != nil || to.Vars["AGENT_PLACEMENT"] != placement) {
			t.Errorf("%q: got %q, %v", placement, to.Vars["AGENT_PLACEMENT"], err)
		}
		if want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: got %v, want %s", placement, err, want)
		}
	}
}
