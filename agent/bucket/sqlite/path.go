package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// dsn is the address of a database for the driver, whatever its path holds: blanks,
// question marks and percent signs are escaped.
func dsn(path, vfs string) string {
	u := url.URL{Scheme: "file", Path: path}
	if vfs != "" {
		u.RawQuery = "vfs=" + vfs
	}
	return u.String()
}

// prepare makes the folder and an empty file, which only its owner may read, where
// there is none. SQLite gives the files beside it the same permissions.
func prepare(c Config) (string, error) {
	path, err := prepared(c)
	if err != nil {
		return "", fmt.Errorf("sqlite store: %w", err)
	}
	return path, nil
}

func prepared(c Config) (string, error) {
	if c.Path == "" || c.Path == ":memory:" || strings.ContainsRune(c.Path, 0) {
		return "", fmt.Errorf("%q is no path of a file that lasts", c.Path)
	}
	path, err := filepath.Abs(c.Path)
	if err != nil {
		return "", err
	}
	if !c.Existing {
		if err := mkdirs(filepath.Dir(path)); err != nil {
			return "", err
		}
		if err := touch(path); err != nil {
			return "", err
		}
	}
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return "", err
	}
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() {
		return "", fmt.Errorf("%s is no file; give the path of the database, such as %s", path, filepath.Join(path, "loongclaw.db"))
	}
	if c.NetworkOf == nil {
		c.NetworkOf = func(string) (string, bool) { return "", false }
	}
	if name, remote := c.NetworkOf(filepath.Dir(path)); remote {
		return "", fmt.Errorf("%s lies on a network file system (%s), where SQLite's locks and shared memory cannot be relied on: use a local disk, or a store that is made for it (r2:BUCKET, or disk:DIRECTORY)", path, name)
	}
	if mode := info.Mode().Perm(); mode&0o007 != 0 {
		// As after a restore by another program. Not being its owner is no fault.
		_ = os.Chmod(path, mode&^0o007)
	}
	return path, nil
}

// touch makes an empty file, and nothing where there is one. It never opens one that
// exists: closing it would release the locks that this process has on it.
func touch(path string) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) //nolint:gosec // the owner of the store names the file
	if errors.Is(err, fs.ErrExist) {
		return nil // another process was quicker, or it is a link that leads nowhere
	}
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), syncDir(filepath.Dir(path)))
}

// mkdirs makes a folder and syncs each folder that got a new entry: a database in a
// folder that is gone after a power loss would be gone too.
func mkdirs(dir string) error {
	err := os.Mkdir(dir, 0o700)
	if errors.Is(err, fs.ErrNotExist) {
		if err := mkdirs(filepath.Dir(dir)); err != nil {
			return err
		}
		err = os.Mkdir(dir, 0o700)
	}
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return syncDir(filepath.Dir(dir))
}

func syncDir(dir string) error {
	f, err := os.Open(dir) //nolint:gosec // the folder of the database
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// identity is which files a store has open.
type identity struct {
	paths []string
	files []os.FileInfo
}

// filesOf looks at the database and the files beside it.
func filesOf(path string) (identity, error) {
	var id identity
	for _, p := range []string{path, path + "-wal", path + "-shm"} {
		info, err := os.Stat(p)
		if err != nil {
			return id, err
		}
		id.paths, id.files = append(id.paths, p), append(id.files, info)
	}
	return id, nil
}

// check reports a file that was removed or replaced while it is in use. What is
// written to it then would be gone at the next start.
func (id identity) check() error {
	for i, p := range id.paths {
		now, err := os.Stat(p)
		if err != nil || !os.SameFile(now, id.files[i]) {
			return fmt.Errorf("sqlite store: %s was removed or replaced while the agent has it open; nothing more is written: put the files back as they belong together, and start again", p)
		}
	}
	return nil
}
