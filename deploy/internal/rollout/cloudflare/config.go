package cloudflare

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/tailscale/hujson"

	"github.com/loongclaw/loongclaw/deploy/internal/rollout"
)

// configFile is what a deploy reads beside wrangler.jsonc, since its paths are told
// from there. It is gone after the deploy.
const configFile = "wrangler.deploy.json"

// target is what wrangler.jsonc says of an environment.
type target struct {
	Name    string
	Buckets []struct {
		Name string `json:"bucket_name"`
	} `json:"r2_buckets"`
	Containers []struct {
		Class string `json:"class_name"`
		Name  string `json:"name"`
	}
	Routes []route // where it answers, beside workers.dev
	Vars   map[string]string
}

// application is the name of the container application of a slot.
func (t target) application(slot rollout.Slot) string {
	for _, c := range t.Containers {
		if strings.HasSuffix(c.Name, "-"+string(slot)) {
			return c.Name
		}
	}
	return ""
}

func readConfig(dir string) (path string, plain []byte, err error) {
	path = filepath.Join(dir, "wrangler.jsonc")
	text, err := os.ReadFile(path) // #nosec G304 -- the project's own configuration
	if err != nil {
		return path, nil, err
	}
	plain, err = hujson.Standardize(text)
	if err != nil {
		return path, nil, fmt.Errorf("%s: %w", path, err)
	}
	return path, plain, nil
}

func readTarget(dir, env string) (target, error) {
	path, plain, err := readConfig(dir)
	if err != nil {
		return target{}, err
	}
	var c struct {
		Env    map[string]target
		Routes []route
	}
	if err := json.Unmarshal(plain, &c); err != nil {
		return target{}, fmt.Errorf("%s: %w", path, err)
	}
	to, ok := c.Env[env]
	if !ok {
		return target{}, fmt.Errorf("%s has no environment %q\nNext: choose production or staging with ENV=…", path, env)
	}
	if to.Routes == nil {
		to.Routes = c.Routes // environments inherit them
	}
	if p := to.Vars["AGENT_PLACEMENT"]; p != "" && p != "user" && p != "single" {
		return target{}, fmt.Errorf("%s: AGENT_PLACEMENT of %q is %q\nNext: write user (a container for each user, which is the default) or single (one for all)", path, env, p)
	}
	for _, slot := range []rollout.Slot{rollout.Blue, rollout.Green} {
		if to.application(slot) == "" {
			return target{}, fmt.Errorf("%s: the environment %q has no container whose name ends with -%s\nNext: compare it with the repository's", path, env, slot)
		}
	}
	return to, nil
}

// deployConfig writes wrangler.jsonc anew: one slot gets what was built, at once
// and not in steps, since nobody is there; the other keeps its image, where it has
// one. The guard against floods follows the users' limits.
func deployConfig(dir, env string, slot rollout.Slot, other string) (name string, remove func() error, err error) {
	_, plain, err := readConfig(dir)
	if err != nil {
		return "", nil, err
	}
	var c map[string]any
	if err := json.Unmarshal(plain, &c); err != nil {
		return "", nil, err
	}
	environments, _ := c["env"].(map[string]any)
	environment, _ := environments[env].(map[string]any)
	containers, _ := environment["containers"].([]any)
	for _, one := range containers {
		container, _ := one.(map[string]any)
		name, _ := container["name"].(string)
		switch {
		case strings.HasSuffix(name, "-"+string(slot)):
			container["rollout_step_percentage"] = 100
		case other != "":
			container["image"] = other
			delete(container, "image_build_context")
		}
	}
	if err := guard(environment); err != nil {
		return "", nil, err
	}
	b, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return "", nil, err
	}
	path := filepath.Join(dir, configFile)
	return configFile, func() error { return os.Remove(path) }, os.WriteFile(path, b, 0o600)
}

func memoryFile(dir, env string) string {
	return filepath.Join(dir, ".wrangler", "rollout-"+env+".json")
}

// writePrivate writes what only its owner may read.
func writePrivate(path string, b []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return os.WriteFile(path, b, 0o600)
}

// fingerprint names what is deployed: the same name is the same bytes. The seed of
// the core's boot is new in each build, and says nothing.
func fingerprint(dir string) (string, error) {
	sum := sha256.New()
	for _, root := range []string{dir, filepath.Join(dir, "..", "bin", "image"), filepath.Join(dir, "..", "deploy", "agent.Dockerfile")} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if d.IsDir() && (d.Name() == "node_modules" || d.Name() == ".wrangler" || d.Name() == "test") {
				return fs.SkipDir
			}
			if !d.Type().IsRegular() || d.Name() == "seed.mjs" || d.Name() == configFile {
				return nil
			}
			b, err := os.ReadFile(path) // #nosec G304 G122 -- below the project
			if err != nil {
				return err
			}
			rel, err := filepath.Rel(dir, path)
			_, _ = fmt.Fprintf(sum, "%s %d\n", rel, len(b))
			_, _ = sum.Write(b)
			return err
		})
		if err != nil {
			return "", fmt.Errorf("%w\nNext: make wasm image", err)
		}
	}
	return "lc-" + hex.EncodeToString(sum.Sum(nil))[:16], nil
}
