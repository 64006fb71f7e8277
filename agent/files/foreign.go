package files

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/loongclaw/loongclaw/agent/bucket"
)

// Foreign says of which files others may have written the text: those that were written
// while the model saw foreign text, until their user writes them. It is one object for
// all files of a user, so that to ask costs one request.
type Foreign struct {
	Files map[string][]string `json:"files"` // where that text came from, by the files' paths
	// All is set where there were more files than are counted: every file counts then.
	All bool `json:"all,omitempty"`
}

// maxForeign is how many files are counted one by one, maxFrom how many sources of each.
const (
	maxForeign = 2000
	maxFrom    = 4
)

// Of returns where foreign text in a file came from; nil is nowhere.
func (f Foreign) Of(path string) []string {
	if f.All {
		return []string{"text from outside"}
	}
	return f.Files[path]
}

// Below returns where foreign text in any file of a folder came from; "" is the
// workspace.
func (f Foreign) Below(dir string) []string {
	if f.All {
		return f.Of("")
	}
	for _, path := range slices.Sorted(maps.Keys(f.Files)) {
		if dir == "" || strings.HasPrefix(path, dir+"/") {
			return f.Files[path]
		}
	}
	return nil
}

// foreignKey is beside the workspace: no file of it has this name.
func (w *Workspace) foreignKey() string {
	return strings.TrimSuffix(strings.TrimSuffix(w.prefix, "/"), "files") + "config/foreign-files.json"
}

// Foreign returns what is known of all files.
func (w *Workspace) Foreign(ctx context.Context) (Foreign, error) {
	f, _, err := w.foreign(ctx)
	return f, err
}

func (w *Workspace) foreign(ctx context.Context) (f Foreign, etag string, err error) {
	o, err := w.bucket.Get(ctx, w.foreignKey())
	if errors.Is(err, bucket.ErrNotFound) {
		return Foreign{Files: map[string][]string{}}, "", nil
	}
	if err != nil {
		return Foreign{}, "", storeFailed(err, "look up", "")
	}
	if json.Unmarshal(o.Body, &f) != nil {
		f = Foreign{All: true} // what cannot be read must not make a file the user's
	}
	if f.Files == nil {
		f.Files = map[string][]string{}
	}
	return f, o.ETag, nil
}

// NoteForeign notes that a file is about to be written while the model sees text from
// these sources.
func (w *Workspace) NoteForeign(ctx context.Context, path string, from []string) error {
	path, err := cleanFile(path)
	if err != nil {
		return err
	}
	return w.changeForeign(ctx, func(f *Foreign) bool {
		if _, known := f.Files[path]; !known && len(f.Files) >= maxForeign {
			f.All = true
			return true
		}
		if slices.Equal(f.Files[path], from) {
			return false
		}
		f.Files[path] = from[:min(len(from), maxFrom)]
		return true
	})
}

// NoteOwn notes that the user has written a file, or removed it.
func (w *Workspace) NoteOwn(ctx context.Context, path string) error {
	path, err := cleanFile(path)
	if err != nil {
		return err
	}
	return w.changeForeign(ctx, func(f *Foreign) bool {
		_, known := f.Files[path]
		delete(f.Files, path)
		return known
	})
}

// changeForeign changes what is known, whoever else does at the same time.
func (w *Workspace) changeForeign(ctx context.Context, change func(*Foreign) bool) error {
	for {
		f, etag, err := w.foreign(ctx)
		if err != nil {
			return err
		}
		if !change(&f) {
			return nil
		}
		body, err := json.Marshal(f)
		if err != nil {
			return err
		}
		if etag == "" {
			_, err = w.bucket.Create(ctx, w.foreignKey(), body)
		} else {
			_, err = w.bucket.Replace(ctx, w.foreignKey(), body, etag)
		}
		switch {
		case err == nil:
			return nil
		case !errors.Is(err, bucket.ErrExists) && !errors.Is(err, bucket.ErrChanged):
			return storeFailed(err, "write", "")
		}
	}
}
