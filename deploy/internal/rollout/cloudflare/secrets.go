package cloudflare

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/loongclaw/loongclaw/agent/model/providers"
	"github.com/loongclaw/loongclaw/agent/websearch"
)

// The secrets that a deploy knows: one way in, one model and, if wanted, a search. Those
// of models and searches are what the tables of providers name.
var (
	waysIn   = []string{"LOONGCLAW_TOKENS", "JWT_PUBLIC_KEYS", "ACCESS_TEAM_DOMAIN"}
	models   = modelSecrets()
	searches = searchSecrets()

	serverSecret   = regexp.MustCompile(`^MCP_[A-Z0-9_]+$`)
	serverSettings = []string{"MCP_CONFIG", "MCP_TIMEOUT", "MCP_PRIVATE_HOSTS", "MCP_DOOR_URL"} // no secrets
)

// modelSecrets are the keys of models; of Ollama, which needs none, the address, too.
func modelSecrets() []string {
	var names []string
	for _, row := range providers.All() {
		names = append(names, row.Keys...)
		if row.Name == "ollama" {
			names = append(names, row.URL())
		}
	}
	return names
}

// searchSecrets are the keys of searches that are not a model's as well; where a search
// has none, its address, which may hold a password.
func searchSecrets() []string {
	var names []string
	for _, row := range websearch.All() {
		secrets := row.Keys
		if len(secrets) == 0 {
			secrets = row.URLs
		}
		for _, name := range secrets {
			if !slices.Contains(models, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// fromEnvironment returns the secrets that are named in the environment and absent on
// the Worker. What stands there stays as it is.
func (p *Platform) fromEnvironment(there map[string]bool) map[string]string {
	fresh := map[string]string{}
	for _, name := range slices.Concat(waysIn, models, searches, p.serverSecrets()) {
		if v := strings.TrimSpace(p.Getenv(name)); v != "" && !there[name] {
			fresh[name] = v
		}
	}
	return fresh
}

// serverSecrets are those of servers of tools that the environment has: config/mcp.json
// names them, and all begin alike.
func (p *Platform) serverSecrets() []string {
	if p.Environ == nil {
		return nil
	}
	var names []string
	for _, v := range p.Environ() {
		name, _, _ := strings.Cut(v, "=")
		if serverSecret.MatchString(name) && !slices.Contains(serverSettings, name) {
			names = append(names, name)
		}
	}
	return names
}

// secrets returns those that are absent on the Worker and were named here: in the
// environment, or on the terminal.
func (p *Platform) secrets() (map[string]string, error) {
	fresh := p.fromEnvironment(p.there)
	for _, name := range slices.Sorted(maps.Keys(fresh)) {
		p.say("the secret %s comes from the environment", name)
	}
	have := func(names []string) bool {
		return slices.ContainsFunc(names, func(name string) bool { return p.there[name] || fresh[name] != "" || p.to.Vars[name] != "" })
	}
	if !have(waysIn) {
		if err := p.askWayIn(fresh); err != nil {
			return nil, err
		}
	}
	if !have(models) {
		if err := p.askModel(fresh); err != nil {
			return nil, err
		}
	}
	return fresh, nil
}

// present says which secrets the Worker has; nil where there is no Worker yet.
func (p *Platform) present(ctx context.Context) (map[string]bool, error) {
	text, err := p.wrangler(ctx, "secret", "list", "--env", p.Env, "--format", "json")
	var failed *wranglerError
	if errors.As(err, &failed) && strings.Contains(failed.text, "not found") {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%w\n%s", err, nextAccount)
	}
	var list []struct{ Name string }
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		return nil, fmt.Errorf("the list of secrets cannot be read: %w", err)
	}
	there := map[string]bool{}
	for _, secret := range list {
		there[secret.Name] = true
	}
	return there, nil
}

// giveSecrets sets secrets on the Worker that stands there.
func (p *Platform) giveSecrets(ctx context.Context, secrets map[string]string) (err error) {
	path, remove, err := secretsFile(secrets)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, remove()) }()
	_, err = p.wrangler(ctx, "secret", "bulk", path, "--env", p.Env)
	return err
}

// errNoWayIn names what is absent: without it nobody could come in, and the
// gateway would refuse to serve.
var errNoWayIn = errors.New(`there is no way in: LOONGCLAW_TOKENS is neither on the Worker nor in the environment
Next: LOONGCLAW_TOKENS="alice:$(openssl rand -hex 16)" make deploy
      or one of the other ways in of docs/CONFIGURATION.md: JWT_PUBLIC_KEYS, ACCESS_TEAM_DOMAIN with ACCESS_AUD`)

func (p *Platform) askWayIn(fresh map[string]string) error {
	if p.Ask == nil {
		return errNoWayIn
	}
	text, err := p.Ask("LOONGCLAW_TOKENS, as alice:TOKEN,bob:TOKEN:read (Enter makes a token for you): ")
	if err != nil {
		return err
	}
	if text == "" {
		token := rand.Text()
		text = "owner:" + token
		p.say("your token, which is shown this once: %s", token)
	}
	fresh["LOONGCLAW_TOKENS"] = text
	return nil
}

func (p *Platform) askModel(fresh map[string]string) error {
	if p.Ask != nil {
		text, err := p.Ask("GLM_API_KEY (Enter for none): ")
		if err != nil {
			return err
		}
		if text != "" {
			fresh["GLM_API_KEY"] = text
			return nil
		}
	}
	p.say("no model has a key, so the offline model will answer\nNext, for one of %s: npx wrangler secret put GLM_API_KEY --env %s", strings.Join(models, ", "), p.Env)
	return nil
}

// secretsFile writes secrets where wrangler reads them, and nobody else can.
func secretsFile(secrets map[string]string) (path string, remove func() error, err error) {
	f, err := os.CreateTemp("", "loongclaw-secrets-*.json")
	if err != nil {
		return "", nil, err
	}
	remove = func() error { return os.Remove(f.Name()) }
	if err := errors.Join(f.Chmod(0o600), json.NewEncoder(f).Encode(secrets), f.Close()); err != nil {
		return "", nil, errors.Join(err, remove())
	}
	return f.Name(), remove, nil
}
