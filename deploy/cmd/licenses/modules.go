package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	classifier "github.com/google/licenseclassifier/v2"
	"github.com/google/licenseclassifier/v2/assets"
)

// repository are our own modules.
var repository = []string{"pkg", "telemetry", "gateway", "agent", "deploy"}

const ours = "github.com/loongclaw/loongclaw/"

// programs are what users are given, and how each is built.
var programs = []struct{ name, module, pkg, system string }{
	{"gateway", "gateway", "./cmd/gateway", "linux/amd64"},
	{"Worker", "gateway", "./cmd/gateway", "js/wasm"},
	{"agent", "agent", "./cmd/agent", "linux/amd64"},
}

type module struct{ Path, Version string }

// goModules lists every module that a go.mod of ours requires.
func goModules(ctx context.Context, root string) ([]entry, error) {
	parts, err := partOf(ctx, root)
	if err != nil {
		return nil, err
	}
	recognise, err := assets.DefaultClassifier()
	if err != nil {
		return nil, err
	}
	seen := map[module]bool{}
	var rows []entry
	var failed []error
	for _, own := range repository {
		required, err := requires(ctx, filepath.Join(root, own))
		if err != nil {
			return nil, err
		}
		for _, m := range required {
			if seen[m] || strings.HasPrefix(m.Path, ours) {
				continue
			}
			seen[m] = true
			license, err := licenseOf(ctx, root, m, recognise)
			failed = append(failed, err)
			rows = append(rows, entry{m.Path, m.Version, license, parts[m.Path]})
		}
	}
	slices.SortFunc(rows, func(a, b entry) int { return strings.Compare(a.name+" "+a.version, b.name+" "+b.version) })
	return rows, errors.Join(failed...)
}

func requires(ctx context.Context, dir string) ([]module, error) {
	out, err := goCommand(ctx, dir, nil, "mod", "edit", "-json")
	if err != nil {
		return nil, err
	}
	var file struct{ Require []module }
	return file.Require, json.Unmarshal(out, &file)
}

// partOf says which programs hold a package of a module.
func partOf(ctx context.Context, root string) (map[string][]string, error) {
	parts := map[string][]string{}
	for _, p := range programs {
		system, arch, _ := strings.Cut(p.system, "/")
		out, err := goCommand(ctx, filepath.Join(root, p.module), []string{"GOOS=" + system, "GOARCH=" + arch},
			"list", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}", p.pkg)
		if err != nil {
			return nil, err
		}
		for path := range strings.FieldsSeq(string(out)) {
			if !slices.Contains(parts[path], p.name) {
				parts[path] = append(parts[path], p.name)
			}
		}
	}
	return parts, nil
}

// inventory is a list of other modules' licences, those of its tests and tools too. Each
// of them that is part of ours has a row of its own.
var inventory = regexp.MustCompile(`(?i)3rd-party|third-party`)

var licenseFile = regexp.MustCompile(`(?i)^(un)?licen[sc]e|^copying`)

// licenseOf reads the files at the top of a module.
func licenseOf(ctx context.Context, dir string, m module, recognise *classifier.Classifier) (string, error) {
	out, err := goCommand(ctx, dir, nil, "mod", "download", "-json", m.Path+"@"+m.Version)
	if err != nil {
		return "", err
	}
	var found struct{ Dir string }
	if err := json.Unmarshal(out, &found); err != nil {
		return "", err
	}
	files, err := os.ReadDir(found.Dir)
	if err != nil {
		return "", err
	}
	var names []string
	for _, f := range files {
		if f.IsDir() || !licenseFile.MatchString(f.Name()) || inventory.MatchString(f.Name()) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(found.Dir, f.Name()))
		if err != nil {
			return "", err
		}
		for _, match := range recognise.Match(text).Matches {
			if match.MatchType == "License" && !slices.Contains(names, match.Name) {
				names = append(names, match.Name)
			}
		}
	}
	if len(names) == 0 {
		return "", fmt.Errorf("%s %s: no file at its top holds a licence that is known\nNext: look at %s", m.Path, m.Version, found.Dir)
	}
	slices.Sort(names)
	return strings.Join(names, ", "), nil
}

func goCommand(ctx context.Context, dir string, env []string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "go", args...) // #nosec G204 -- commands of this file
	cmd.Dir = dir
	cmd.Env = append(append(os.Environ(), "GOWORK=off"), env...)
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return nil, fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, exit.Stderr)
	}
	return out, err
}
