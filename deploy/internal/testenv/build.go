package testenv

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Binaries are the paths of the two programs.
type Binaries struct{ Gateway, Agent string }

// Build builds both programs into dir. LOONGCLAW_BIN names a folder with
// programs that are there already, such as the one that `make build` fills.
func Build(ctx context.Context, dir string) (Binaries, error) {
	if bin := os.Getenv("LOONGCLAW_BIN"); bin != "" {
		abs, err := filepath.Abs(bin)
		return Binaries{filepath.Join(abs, "gateway"), filepath.Join(abs, "agent")}, err
	}
	root, err := Root(ctx)
	if err != nil {
		return Binaries{}, err
	}
	b := Binaries{filepath.Join(dir, "gateway"), filepath.Join(dir, "agent")}
	for module, out := range map[string]string{"gateway": b.Gateway, "agent": b.Agent} {
		cmd := exec.CommandContext(ctx, "go", "build", "-o", out, "./cmd/"+module) // #nosec G204 -- two fixed names
		cmd.Dir = filepath.Join(root, module)
		if text, err := cmd.CombinedOutput(); err != nil {
			return Binaries{}, fmt.Errorf("go build %s: %w\n%s", module, err, text)
		}
	}
	return b, nil
}

// Root is the folder that holds the modules.
func Root(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("go env GOMOD: %w", err)
	}
	return filepath.Dir(filepath.Dir(strings.TrimSpace(string(out)))), nil
}
