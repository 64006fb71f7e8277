package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/tailscale/hujson"
)

// shipper is one deploy.
type shipper struct {
	env, dir, address string
	patience          time.Duration

	out    io.Writer
	getenv func(string) string
	ask    func(question string) (string, error) // nil where nobody can be asked
	http   *http.Client
}

// target is what wrangler.jsonc says of an environment.
type target struct {
	Name    string
	Buckets []struct {
		Name string `json:"bucket_name"`
	} `json:"r2_buckets"`
	Vars map[string]string
}

func (s *shipper) ship(ctx context.Context) error {
	to, err := s.target()
	if err != nil {
		return err
	}
	s.say("%s: the Worker %s", s.env, to.Name)
	if err := s.buckets(ctx, to); err != nil {
		return err
	}
	secrets, err := s.secrets(ctx, to)
	if err != nil {
		return err
	}
	tag, err := fingerprint(s.dir)
	if err != nil {
		return err
	}
	address, deployed := s.deployed(ctx, to, tag)
	if deployed && len(secrets) == 0 {
		s.say("nothing has changed since the last deploy (%s)", tag)
	} else if address, err = s.deploy(ctx, to, tag, secrets); err != nil {
		return err
	}
	if s.address != "" {
		address = s.address
	}
	if err := s.smoke(ctx, address); err != nil {
		return fmt.Errorf("%w\nNext: look at `npx wrangler tail --env %s`; `npx wrangler rollback --env %s` brings the Worker of the deploy before back", err, s.env, s.env)
	}
	s.say("it answers at %s", address)
	return nil
}

func (s *shipper) say(format string, args ...any) {
	_, _ = fmt.Fprintf(s.out, format+"\n", args...)
}

// target reads wrangler.jsonc.
func (s *shipper) target() (target, error) {
	path := filepath.Join(s.dir, "wrangler.jsonc")
	text, err := os.ReadFile(path) // #nosec G304 -- the project's own configuration
	if err != nil {
		return target{}, err
	}
	plain, err := hujson.Standardize(text)
	if err != nil {
		return target{}, fmt.Errorf("%s: %w", path, err)
	}
	var c struct{ Env map[string]target }
	if err := json.Unmarshal(plain, &c); err != nil {
		return target{}, fmt.Errorf("%s: %w", path, err)
	}
	to, ok := c.Env[s.env]
	if !ok {
		return target{}, fmt.Errorf("%s has no environment %q\nNext: choose production or staging with ENV=…", path, s.env)
	}
	return to, nil
}

// buckets makes those that are missing.
func (s *shipper) buckets(ctx context.Context, to target) error {
	list, err := s.wrangler(ctx, "r2", "bucket", "list")
	if err != nil {
		return fmt.Errorf("%w\nNext: `npx wrangler login` in the folder wrangler, or set CLOUDFLARE_API_TOKEN; R2 must be switched on once in the dashboard", err)
	}
	there := labelled(list, "name:")
	for _, b := range to.Buckets {
		if slices.Contains(there, b.Name) {
			s.say("the bucket %s is there", b.Name)
			continue
		}
		if _, err := s.wrangler(ctx, "r2", "bucket", "create", b.Name); err != nil {
			return err
		}
		s.say("made the bucket %s", b.Name)
	}
	return nil
}

// state is what this machine remembers of a deploy, beside what Cloudflare knows.
type state struct{ Tag, Address string }

func (s *shipper) stateFile() string {
	return filepath.Join(s.dir, ".wrangler", "shipped-"+s.env+".json")
}

// deployed says whether the last deploy was of exactly this, and where it answers.
func (s *shipper) deployed(ctx context.Context, to target, tag string) (address string, is bool) {
	var last state
	b, err := os.ReadFile(s.stateFile())
	if err != nil || json.Unmarshal(b, &last) != nil || last.Tag != tag || last.Address == "" {
		return "", false
	}
	// Somebody else may have deployed since.
	text, err := s.wrangler(ctx, "versions", "list", "--name", to.Name, "--json")
	if err != nil {
		return "", false
	}
	var versions []struct {
		Number      int               `json:"number"`
		Annotations map[string]string `json:"annotations"`
	}
	if json.Unmarshal([]byte(text), &versions) != nil || len(versions) == 0 {
		return "", false
	}
	newest := versions[0]
	for _, v := range versions {
		if v.Number > newest.Number {
			newest = v
		}
	}
	return last.Address, newest.Annotations["workers/tag"] == tag
}

// deploy uploads everything, with the secrets that were absent: there is no moment
// in which the Worker stands there without them.
func (s *shipper) deploy(ctx context.Context, to target, tag string, secrets map[string]string) (address string, err error) {
	args := []string{"deploy", "--env", s.env, "--tag", tag, "--message", "make deploy"}
	if len(secrets) > 0 {
		path, remove, err := secretsFile(secrets)
		if err != nil {
			return "", err
		}
		defer func() { err = errors.Join(err, remove()) }()
		args = append(args, "--secrets-file", path)
	}
	s.say("deploying %s", tag)
	events, err := s.wranglerEvents(ctx, args...)
	if err != nil {
		return "", fmt.Errorf("%w\nNext: correct what wrangler says, and run it again: what was done stays done. It builds the agent's image, for which a container engine with buildx must run here", err)
	}
	for _, e := range events {
		if e.Type == "deploy" && len(e.Targets) > 0 {
			address = e.Targets[0]
		}
	}
	if address == "" && s.address == "" {
		return "", errors.New("it was deployed, and wrangler names no address\nNext: register a workers.dev subdomain, or add routes to wrangler.jsonc and name the address: make deploy ADDRESS=https://…")
	}
	if address == "" {
		address = s.address
	}
	b, err := json.Marshal(state{tag, address})
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(s.stateFile()), 0o750); err != nil {
		return "", err
	}
	return address, os.WriteFile(s.stateFile(), b, 0o600)
}
