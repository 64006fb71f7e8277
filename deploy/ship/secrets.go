package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
)

// known are the secrets of wrangler.jsonc: one way in, and one model.
var (
	waysIn = []string{"LOONGCLAW_TOKENS", "JWT_PUBLIC_KEYS", "ACCESS_TEAM_DOMAIN"}
	models = []string{"GLM_API_KEY", "DEEPSEEK_API_KEY", "KIMI_API_KEY", "OPENAI_API_KEY", "ANTHROPIC_API_KEY", "OLLAMA_API_KEY", "OLLAMA_URL"}
)

// secrets gives those that are absent on the Worker and were named here: in the
// environment, or on the terminal. What stands on the Worker stays as it is.
func (s *shipper) secrets(ctx context.Context, to target) (map[string]string, error) {
	there, err := s.present(ctx, to)
	if err != nil {
		return nil, err
	}
	fresh := map[string]string{}
	have := func(names []string) bool {
		found := false
		for _, name := range names {
			found = found || there[name] || fresh[name] != ""
		}
		return found
	}
	for _, name := range append(append([]string{}, waysIn...), models...) {
		if v := strings.TrimSpace(s.getenv(name)); v != "" && !there[name] {
			fresh[name] = v
			s.say("the secret %s comes from the environment", name)
		}
	}
	if !have(waysIn) {
		if err := s.askWayIn(fresh); err != nil {
			return nil, err
		}
	}
	if !have(models) {
		if err := s.askModel(fresh); err != nil {
			return nil, err
		}
	}
	return fresh, nil
}

// present says which variables and secrets the Worker has.
func (s *shipper) present(ctx context.Context, to target) (map[string]bool, error) {
	there := map[string]bool{}
	for name, value := range to.Vars {
		there[name] = value != ""
	}
	text, err := s.wrangler(ctx, "secret", "list", "--env", s.env, "--format", "json")
	var failed *wranglerError
	if errors.As(err, &failed) && strings.Contains(failed.text, "not found") {
		return there, nil // the Worker does not exist yet
	}
	if err != nil {
		return nil, err
	}
	var list []struct{ Name string }
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		return nil, fmt.Errorf("the list of secrets cannot be read: %w", err)
	}
	for _, secret := range list {
		there[secret.Name] = true
	}
	return there, nil
}

// errNoWayIn names what is absent: without it nobody could come in, and the
// gateway would refuse to serve.
var errNoWayIn = errors.New(`there is no way in: LOONGCLAW_TOKENS is neither on the Worker nor in the environment
Next: LOONGCLAW_TOKENS="alice:$(openssl rand -hex 16)" make deploy
      or one of the other ways in of docs/CONFIGURATION.md: JWT_PUBLIC_KEYS, ACCESS_TEAM_DOMAIN with ACCESS_AUD`)

func (s *shipper) askWayIn(fresh map[string]string) error {
	if s.ask == nil {
		return errNoWayIn
	}
	text, err := s.ask("LOONGCLAW_TOKENS, as alice:TOKEN,bob:TOKEN:read (Enter makes a token for you): ")
	if err != nil {
		return err
	}
	if text == "" {
		token := rand.Text()
		text = "owner:" + token
		s.say("your token, which is shown this once: %s", token)
	}
	fresh["LOONGCLAW_TOKENS"] = text
	return nil
}

func (s *shipper) askModel(fresh map[string]string) error {
	if s.ask != nil {
		text, err := s.ask("GLM_API_KEY (Enter for none): ")
		if err != nil {
			return err
		}
		if text != "" {
			fresh["GLM_API_KEY"] = text
			return nil
		}
	}
	s.say("no model has a key, so the offline model will answer\nNext, for one of %s: npx wrangler secret put GLM_API_KEY --env %s", strings.Join(models, ", "), s.env)
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
