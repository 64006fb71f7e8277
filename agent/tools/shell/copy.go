package shell

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/agent/files"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// Files is what a working copy is a copy of.
type Files interface {
	Snapshot(ctx context.Context) ([]files.File, error)
	ReadVersion(ctx context.Context, path string) (body []byte, version string, err error)
	WriteVersion(ctx context.Context, path string, body []byte, version string) (newVersion string, err error)
	RemoveVersion(ctx context.Context, path, version string) error
}

// The limits of a working copy.
const (
	maxFiles   = 10_000
	maxTotal   = 512 << 20
	maxChanges = 2_000 // files that one command changes
)

// Copy is a user's working copy: what the store says before a command, and what
// goes back into the store after it. It is used by one command at a time.
type Copy struct {
	Dir   string // absolute
	turn  chan struct{}
	known map[string]known // what was last seen to be the same here and in the store
}

type known struct {
	version string
	sum     [sha256.Size]byte
}

// OpenCopy makes the folder of a user's working copy.
func OpenCopy(workspaceDir, user string) (*Copy, error) {
	dir, err := filepath.Abs(filepath.Join(workspaceDir, bucket.Segment(user)))
	if err != nil {
		return nil, fmt.Errorf("shell: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("shell: make the working copy: %w", err)
	}
	// A link in place of the folder would move the whole copy elsewhere.
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return nil, fmt.Errorf("shell: %w", err)
	}
	return &Copy{Dir: dir, turn: make(chan struct{}, 1), known: map[string]known{}}, nil
}

// Take waits for the copy's turn; release gives it back.
func (c *Copy) Take(ctx context.Context) (release func(), err error) {
	select {
	case c.turn <- struct{}{}:
		return func() { <-c.turn }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Fill makes the copy what the store says, writing only what differs. What the
// store does not have is removed.
func (c *Copy) Fill(ctx context.Context, from Files) error {
	wanted, err := from.Snapshot(ctx)
	if err != nil {
		return err
	}
	if err := fits(wanted); err != nil {
		return err
	}
	root, err := os.OpenRoot(c.Dir)
	if err != nil {
		return fmt.Errorf("shell: %w", err)
	}
	defer func() { _ = root.Close() }() // only a handle
	here, err := sums(root)
	if err != nil {
		return err
	}
	next := make(map[string]known, len(wanted))
	keep := map[string]bool{}
	for _, f := range wanted {
		keep[f.Path] = true
		for dir := path.Dir(f.Path); dir != "."; dir = path.Dir(dir) {
			keep[dir] = true
		}
	}
	if err := sweep(root, keep); err != nil {
		return err
	}
	for _, f := range wanted {
		k, err := c.fetch(ctx, root, from, f, here)
		if err != nil {
			return err
		}
		next[f.Path] = k
	}
	c.known = next
	return nil
}

func fits(wanted []files.File) error {
	total := int64(0)
	for _, f := range wanted {
		total += f.Size
	}
	if len(wanted) > maxFiles || total > maxTotal {
		return fault.New(fault.CodeTooLarge, fmt.Sprintf("the workspace has %d files and %d bytes; commands work on at most %d files and %d bytes", len(wanted), total, maxFiles, maxTotal),
			"use the tools for files, or delete some")
	}
	return nil
}

// fetch brings one file up to date.
func (c *Copy) fetch(ctx context.Context, root *os.Root, from Files, f files.File, here map[string][sha256.Size]byte) (known, error) {
	sum, present := here[f.Path]
	if k, ok := c.known[f.Path]; ok && present && f.Version != "" && k.version == f.Version && k.sum == sum {
		return k, nil
	}
	body, version, err := from.ReadVersion(ctx, f.Path)
	if err != nil {
		return known{}, err
	}
	k := known{version, sha256.Sum256(body)}
	if present && k.sum == sum {
		return k, nil
	}
	if err := root.MkdirAll(path.Dir(f.Path), 0o700); err != nil {
		return known{}, fmt.Errorf("shell: %w", err)
	}
	// A new file, never an old one's inode: a hard link would carry it elsewhere.
	if err := root.Remove(f.Path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return known{}, fmt.Errorf("shell: %w", err)
	}
	if err := root.WriteFile(f.Path, body, 0o600); err != nil {
		return known{}, fmt.Errorf("shell: %w", err)
	}
	return k, nil
}

// sweep removes what is not wanted, and what is neither file nor folder.
func sweep(root *os.Root, keep map[string]bool) error {
	var gone []string
	err := fs.WalkDir(root.FS(), ".", func(p string, d fs.DirEntry, err error) error {
		if p == "." || err != nil && d == nil {
			return err
		}
		if !keep[p] || !d.IsDir() && !d.Type().IsRegular() {
			gone = append(gone, p)
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		return err
	})
	for _, p := range gone {
		err = errors.Join(err, root.RemoveAll(p))
	}
	if err != nil {
		return fmt.Errorf("shell: clear the working copy: %w", err)
	}
	return nil
}

// sums hashes every regular file of the copy that could be one of the store's.
func sums(root *os.Root) (map[string][sha256.Size]byte, error) {
	found := map[string][sha256.Size]byte{}
	err := regular(root, func(p string, info fs.FileInfo) error {
		if info.Size() > files.MaxFile {
			found[p] = [sha256.Size]byte{} // differs from everything
			return nil
		}
		sum, err := hash(root, p)
		found[p] = sum
		return err
	})
	return found, err
}

func regular(root *os.Root, do func(string, fs.FileInfo) error) error {
	err := fs.WalkDir(root.FS(), ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		return do(p, info)
	})
	if err != nil {
		return fmt.Errorf("shell: read the working copy: %w", err)
	}
	return nil
}

func hash(root *os.Root, p string) (sum [sha256.Size]byte, err error) {
	f, err := root.Open(p)
	if err != nil {
		return sum, err
	}
	defer func() { _ = f.Close() }() // only read from
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return sum, err
	}
	return [sha256.Size]byte(h.Sum(nil)), nil
}

// Return writes back what a command changed. What it could not write back is in
// problems, a line for each; the store is then what it was for that file.
func (c *Copy) Return(ctx context.Context, to Files) (problems []string, err error) {
	root, err := os.OpenRoot(c.Dir)
	if err != nil {
		return nil, fmt.Errorf("shell: %w", err)
	}
	defer func() { _ = root.Close() }() // only a handle
	here, err := sums(root)
	if err != nil {
		return nil, err
	}
	var changed, removed []string
	for p, sum := range here {
		if k, ok := c.known[p]; !ok || k.sum != sum {
			changed = append(changed, p)
		}
	}
	for p := range c.known {
		if _, ok := here[p]; !ok {
			removed = append(removed, p)
		}
	}
	if n := len(changed) + len(removed); n > maxChanges {
		return []string{fmt.Sprintf("%d files changed; one command changes at most %d, so none of them was kept", n, maxChanges)}, nil
	}
	slices.Sort(changed)
	slices.Sort(removed)
	// Deletions first: a folder may have become a file.
	for _, p := range removed {
		if err := to.RemoveVersion(ctx, p, c.known[p].version); err != nil {
			problems = append(problems, problem(p, "was not deleted", err))
			continue
		}
		delete(c.known, p)
	}
	for _, p := range changed {
		if err := c.keep(ctx, root, to, p, here[p]); err != nil {
			problems = append(problems, problem(p, "was not kept", err))
		}
	}
	return problems, nil
}

func (c *Copy) keep(ctx context.Context, root *os.Root, to Files, p string, sum [sha256.Size]byte) error {
	if clean, err := files.Clean(p); err != nil {
		return err
	} else if clean != p {
		return fault.New(fault.CodeInvalidRequest, "the name means another path", "choose another name")
	}
	info, err := root.Lstat(p)
	if err != nil {
		return err
	}
	if info.Size() > files.MaxFile {
		return fault.New(fault.CodeTooLarge, fmt.Sprintf("it is larger than %d bytes", files.MaxFile), "split it")
	}
	body, err := root.ReadFile(p)
	if err != nil {
		return err
	}
	version, err := to.WriteVersion(ctx, p, body, c.known[p].version)
	if err != nil {
		return err
	}
	c.known[p] = known{version, sum}
	return nil
}

func problem(p, what string, err error) string {
	f := fault.From(err)
	return fmt.Sprintf("%s %s: %s; %s", p, what, f.Message, f.Hint)
}

var _ Files = (*files.Workspace)(nil)
