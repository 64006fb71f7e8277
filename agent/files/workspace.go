package files

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// MaxFile is the largest file of a workspace.
const MaxFile = 8 << 20

// Info is one entry of a folder.
type Info struct {
	Name string
	Dir  bool
	Size int64
}

// File is a file of the workspace as listed. Version changes with its content;
// it is empty where the store's list does not say it.
type File struct {
	Path     string
	Size     int64
	Version  string
	Modified time.Time
}

// Workspace is one user's files.
type Workspace struct {
	bucket bucket.Bucket
	prefix string
}

// New gives the workspace below prefix, such as "u/alice/files/".
func New(b bucket.Bucket, prefix string) *Workspace {
	return &Workspace{bucket: b, prefix: strings.TrimSuffix(prefix, "/") + "/"}
}

// Read gives a file's content.
func (w *Workspace) Read(ctx context.Context, path string) ([]byte, error) {
	body, _, err := w.ReadVersion(ctx, path)
	return body, err
}

// ReadVersion gives a file's content and its version.
func (w *Workspace) ReadVersion(ctx context.Context, path string) (body []byte, version string, err error) {
	path, err = cleanFile(path)
	if err != nil {
		return nil, "", err
	}
	object, err := w.bucket.Get(ctx, w.prefix+encodePath(path))
	if errors.Is(err, bucket.ErrNotFound) {
		return nil, "", w.missing(ctx, path)
	}
	if err != nil {
		return nil, "", storeFailed(err, "read", path)
	}
	return object.Body, object.ETag, nil
}

// Write stores a file, whatever was there. Its folders need not be made.
func (w *Workspace) Write(ctx context.Context, path string, body []byte) error {
	path, err := w.writable(ctx, path, body)
	if err != nil {
		return err
	}
	if _, err := w.bucket.Put(ctx, w.prefix+encodePath(path), body); err != nil {
		return storeFailed(err, "write", path)
	}
	return nil
}

// WriteVersion stores a file if it still has the version, or, with "" as the
// version, if it is not there; else the error has fault.CodeConflict and nothing
// is written.
func (w *Workspace) WriteVersion(ctx context.Context, path string, body []byte, version string) (newVersion string, err error) {
	path, err = w.writable(ctx, path, body)
	if err != nil {
		return "", err
	}
	key := w.prefix + encodePath(path)
	if version == "" {
		newVersion, err = w.bucket.Create(ctx, key, body)
	} else {
		newVersion, err = w.bucket.Replace(ctx, key, body, version)
	}
	switch {
	case err == nil:
		return newVersion, nil
	case errors.Is(err, bucket.ErrExists), errors.Is(err, bucket.ErrChanged), errors.Is(err, bucket.ErrNotFound):
		return "", conflict(path)
	}
	return "", storeFailed(err, "write", path)
}

// Remove deletes a file.
func (w *Workspace) Remove(ctx context.Context, path string) error {
	path, err := cleanFile(path)
	if err != nil {
		return err
	}
	if _, found, err := w.find(ctx, path); err != nil {
		return err
	} else if !found {
		return w.missing(ctx, path)
	}
	return w.remove(ctx, path)
}

// RemoveVersion deletes a file that still has the version; a file that is gone
// already is no error. The store has no conditional delete, so that a write
// between the look and the deletion is lost.
func (w *Workspace) RemoveVersion(ctx context.Context, path, version string) error {
	path, err := cleanFile(path)
	if err != nil {
		return err
	}
	_, now, err := w.ReadVersion(ctx, path) // not every store lists ETags
	switch {
	case fault.CodeOf(err) == fault.CodeNotFound:
		return nil
	case err != nil:
		return err
	case now != version:
		return conflict(path)
	}
	return w.remove(ctx, path)
}

func (w *Workspace) remove(ctx context.Context, path string) error {
	if err := w.bucket.Delete(ctx, w.prefix+encodePath(path)); err != nil {
		return storeFailed(err, "delete", path)
	}
	return nil
}

// List gives the entries of a folder, sorted by name.
func (w *Workspace) List(ctx context.Context, dir string) ([]Info, error) {
	dir, err := Clean(dir)
	if err != nil {
		return nil, err
	}
	below := ""
	if dir != "" {
		below = dir + "/"
	}
	var out []Info
	folders := map[string]bool{}
	err = w.walk(ctx, dir, func(f File) error {
		name, rest, deeper := strings.Cut(strings.TrimPrefix(f.Path, below), "/")
		switch {
		case !deeper:
			out = append(out, Info{Name: name, Size: f.Size})
		case rest != "" && !folders[name]:
			folders[name] = true
			out = append(out, Info{Name: name, Dir: true})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(out) == 0 && dir != "" {
		return nil, w.missing(ctx, dir)
	}
	slices.SortFunc(out, func(a, b Info) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// Walk calls fn for every file, in the order of their keys, until it fails.
func (w *Workspace) Walk(ctx context.Context, fn func(File) error) error {
	return w.walk(ctx, "", fn)
}

// WalkBelow is Walk for the files of a folder, which may be none.
func (w *Workspace) WalkBelow(ctx context.Context, dir string, fn func(File) error) error {
	dir, err := Clean(dir)
	if err != nil {
		return err
	}
	return w.walk(ctx, dir, fn)
}

// Snapshot lists every file.
func (w *Workspace) Snapshot(ctx context.Context) ([]File, error) {
	var all []File
	err := w.walk(ctx, "", func(f File) error {
		all = append(all, f)
		return nil
	})
	return all, err
}

func (w *Workspace) walk(ctx context.Context, dir string, fn func(File) error) error {
	prefix := w.prefix
	if dir != "" {
		prefix += encodePath(dir) + "/"
	}
	for after := ""; ; {
		entries, more, err := w.bucket.List(ctx, prefix, after, 0)
		if err != nil {
			return storeFailed(err, "list", dir)
		}
		for _, e := range entries {
			after = e.Key
			path, err := decodePath(strings.TrimPrefix(e.Key, w.prefix))
			if err != nil {
				continue // not ours: nothing here could name it
			}
			if err := fn(File{Path: path, Size: e.Size, Version: e.ETag, Modified: e.Modified}); err != nil {
				return err
			}
		}
		if !more || len(entries) == 0 {
			return nil
		}
	}
}

// find looks a file up without reading it.
func (w *Workspace) find(ctx context.Context, path string) (bucket.Entry, bool, error) {
	key := w.prefix + encodePath(path)
	// A key sorts before all that begin with it.
	entries, _, err := w.bucket.List(ctx, key, "", 1)
	if err != nil {
		return bucket.Entry{}, false, storeFailed(err, "look up", path)
	}
	if len(entries) == 1 && entries[0].Key == key {
		return entries[0], true, nil
	}
	return bucket.Entry{}, false, nil
}

func (w *Workspace) isFolder(ctx context.Context, path string) (bool, error) {
	entries, _, err := w.bucket.List(ctx, w.prefix+encodePath(path)+"/", "", 1)
	if err != nil {
		return false, storeFailed(err, "look up", path)
	}
	return len(entries) > 0, nil
}

// writable checks that a file may be written at path: not where a folder is, not
// below a file, and not under a new name that looks like another one.
func (w *Workspace) writable(ctx context.Context, path string, body []byte) (string, error) {
	path, err := cleanFile(path)
	if err != nil {
		return "", err
	}
	if len(body) > MaxFile {
		return "", fault.New(fault.CodeTooLarge, fmt.Sprintf("%s would be %d bytes; a file is at most %d", path, len(body), MaxFile),
			"split it into smaller files")
	}
	if _, unseen := CleanNew(path); unseen != nil {
		// What is there already keeps its name.
		if _, found, err := w.find(ctx, path); err != nil {
			return "", err
		} else if !found {
			return "", unseen
		}
	}
	if folder, err := w.isFolder(ctx, path); err != nil {
		return "", err
	} else if folder {
		return "", fault.New(fault.CodeInvalidRequest, path+" is a folder", "choose a name inside of it")
	}
	for i, c := range path {
		if c != '/' {
			continue
		}
		if _, found, err := w.find(ctx, path[:i]); err != nil {
			return "", err
		} else if found {
			return "", fault.New(fault.CodeInvalidRequest, path[:i]+" is a file, not a folder", "choose another folder")
		}
	}
	return path, nil
}

func cleanFile(path string) (string, error) {
	clean, err := Clean(path)
	if err == nil && clean == "" {
		return "", badPath("the path %q names the workspace, not a file", path)
	}
	return clean, err
}

// missing says that nothing is at path, or that it is not of the kind asked for.
func (w *Workspace) missing(ctx context.Context, path string) error {
	if folder, err := w.isFolder(ctx, path); err == nil && folder {
		return fault.New(fault.CodeInvalidRequest, path+" is a folder", "list it, and name a file inside of it")
	}
	if _, found, err := w.find(ctx, path); err == nil && found {
		return fault.New(fault.CodeInvalidRequest, path+" is a file, not a folder", "read it")
	}
	return fault.New(fault.CodeNotFound, "there is no "+path+" in the workspace", "list the folder to see what is there")
}

func conflict(path string) error {
	return fault.New(fault.CodeConflict, path+" was changed by somebody else in the meantime", "read it again and repeat the change")
}

func storeFailed(err error, verb, path string) error {
	return fault.Wrap(err, fault.CodeStoreFailed, fmt.Sprintf("the store did not %s %q", verb, path), "try again")
}
