package testenv

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// ErrNoEarlier says that this checkout does not hold an earlier version.
var ErrNoEarlier = errors.New("this checkout holds no earlier version: it is shallow, or no repository\nNext: git fetch --unshallow --tags")

// BuildEarlier builds both programs as they were one version ago, into dir: the
// newest release that is not this very state. It says which.
func BuildEarlier(ctx context.Context, dir string) (b Binaries, revision string, err error) {
	root, err := Root(ctx)
	if err != nil {
		return Binaries{}, "", err
	}
	if revision, err = earlier(ctx, root); err != nil {
		return Binaries{}, "", err
	}
	b, err = buildRevision(ctx, root, revision, dir)
	return b, revision, err
}

// BuildRevision builds both programs of a commit of this checkout into dir.
func BuildRevision(ctx context.Context, dir, revision string) (Binaries, error) {
	root, err := Root(ctx)
	if err != nil {
		return Binaries{}, err
	}
	if _, err := git(ctx, root, "cat-file", "-e", revision+"^{commit}"); err != nil {
		return Binaries{}, ErrNoEarlier
	}
	return buildRevision(ctx, root, revision, dir)
}

// BuildRelease builds both programs of a release, such as v0.2.0, into dir.
func BuildRelease(ctx context.Context, dir, release string) (Binaries, error) {
	root, err := Root(ctx)
	if err != nil {
		return Binaries{}, err
	}
	revision, err := released(ctx, root, "HEAD", strings.TrimPrefix(release, "v"))
	if err != nil {
		return Binaries{}, err
	}
	return buildRevision(ctx, root, revision, dir)
}

func buildRevision(ctx context.Context, root, revision, dir string) (Binaries, error) {
	source := filepath.Join(dir, "source")
	if err := extract(ctx, root, revision, source); err != nil {
		return Binaries{}, err
	}
	b := Binaries{filepath.Join(dir, "gateway"), filepath.Join(dir, "agent")}
	for module, out := range map[string]string{"gateway": b.Gateway, "agent": b.Agent} {
		cmd := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-o", out, "./cmd/"+module) // #nosec G204 -- two fixed names
		cmd.Dir = filepath.Join(source, module)
		if text, err := cmd.CombinedOutput(); err != nil {
			return Binaries{}, fmt.Errorf("go build %s of %s: %w\n%s", module, revision, err, text)
		}
	}
	return b, nil
}

// headings are the releases that a changelog names, the newest first.
var headings = regexp.MustCompile(`(?m)^## \[(\d+\.\d+\.\d+)\]`)

// earlier names the version before this one: the newest release that the changelog had
// before this very change.
func earlier(ctx context.Context, root string) (string, error) {
	changelog, err := git(ctx, root, "show", "HEAD~1:CHANGELOG.md")
	newest := headings.FindStringSubmatch(changelog)
	if err != nil || newest == nil {
		return "", ErrNoEarlier
	}
	return released(ctx, root, "HEAD~1", newest[1])
}

// released returns the change that brought a release into the changelog, tagged or not
// yet. Its notes may have been there before.
func released(ctx context.Context, root, until, version string) (string, error) {
	found, err := git(ctx, root, "log", "--reverse", "--format=%h", "-S", "## ["+version+"]", until, "--", "CHANGELOG.md")
	first, _, _ := strings.Cut(found, "\n")
	if err != nil || first == "" {
		return "", ErrNoEarlier
	}
	return first, nil
}

func git(ctx context.Context, root string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", args...) // #nosec G204 -- arguments of this file
	cmd.Dir = root
	out, err := cmd.Output()
	return strings.TrimSpace(string(out)), err
}

// extract writes the files of a revision into a folder.
func extract(ctx context.Context, root, revision, to string) (err error) {
	cmd := exec.CommandContext(ctx, "git", "archive", "--format=tar", revision) // #nosec G204 -- a revision that git named
	cmd.Dir = root
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cmd.Wait()) }()
	if err := os.MkdirAll(to, 0o750); err != nil {
		return err
	}
	place, err := os.OpenRoot(to)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, place.Close()) }()
	for r := tar.NewReader(out); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := unpack(place, h, r); err != nil {
			return fmt.Errorf("%s of %s: %w", h.Name, revision, err)
		}
	}
}

func unpack(place *os.Root, h *tar.Header, from io.Reader) error {
	switch h.Typeflag {
	case tar.TypeDir:
		if err := place.Mkdir(strings.TrimSuffix(h.Name, "/"), 0o750); !errors.Is(err, fs.ErrExist) {
			return err
		}
	case tar.TypeReg:
		f, err := place.OpenFile(h.Name, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o640)
		if err != nil {
			return err
		}
		_, err = io.Copy(f, from) // #nosec G110 -- this repository's own files
		return errors.Join(err, f.Close())
	}
	return nil
}
