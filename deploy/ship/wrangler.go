package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// wranglerError is a command of wrangler's that failed, and what it said.
type wranglerError struct {
	args []string
	text string
	err  error
}

func (e *wranglerError) Error() string {
	return fmt.Sprintf("wrangler %s: %v\n%s", strings.Join(e.args, " "), e.err, strings.TrimSpace(e.text))
}

func (e *wranglerError) Unwrap() error { return e.err }

// wrangler runs a command and gives what it printed.
func (s *shipper) wrangler(ctx context.Context, args ...string) (string, error) {
	return s.command(ctx, nil, args...)
}

// event is a line of what wrangler tells programs.
type event struct {
	Type    string
	Targets []string
}

// wranglerEvents runs a command, showing what it prints, and gives its events.
func (s *shipper) wranglerEvents(ctx context.Context, args ...string) ([]event, error) {
	dir, err := os.MkdirTemp("", "loongclaw-ship-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "events")
	text, err := s.command(ctx, []string{"WRANGLER_OUTPUT_FILE_PATH=" + path}, args...)
	if err != nil {
		return nil, err
	}
	s.say("%s", strings.TrimSpace(text))
	b, err := os.ReadFile(path) // #nosec G304 -- just made
	if err != nil {
		return nil, fmt.Errorf("wrangler did not say what it did: %w", err)
	}
	var events []event
	for line := range bytes.Lines(b) {
		var e event
		if json.Unmarshal(line, &e) == nil {
			events = append(events, e)
		}
	}
	return events, nil
}

func (s *shipper) command(ctx context.Context, env []string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "node_modules/node/bin/node", append([]string{"node_modules/wrangler/bin/wrangler.js"}, args...)...) // #nosec G204 -- pinned in package-lock.json
	cmd.Dir = s.dir
	cmd.Env = append(append(os.Environ(), "NO_COLOR=1", "WRANGLER_SEND_METRICS=false"), env...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return out.String(), &wranglerError{args, out.String() + errs.String(), err}
	}
	return out.String(), nil
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
			if !d.Type().IsRegular() || d.Name() == "seed.mjs" {
				return nil
			}
			b, err := os.ReadFile(path) // #nosec G304 -- below the project
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
