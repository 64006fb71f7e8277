package archive

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/agent/memory"
	"github.com/loongclaw/loongclaw/agent/users"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// ImportMemory takes in the original's memory folder as a tar. Importing again
// adds nothing, and the day files come back byte for byte.
func ImportMemory(ctx context.Context, b bucket.Bucket, user string, tarball io.Reader) (memory.Imported, error) {
	if err := checkUser(user); err != nil {
		return memory.Imported{}, err
	}
	u, err := users.New(b, time.Now).Get(ctx, user)
	if err != nil {
		return memory.Imported{}, storeFailed(err)
	}
	return u.Memory.Import(ctx, tarball)
}

// FolderTar gives the .md files of the original's memory folder, or of the folder
// that has it, as a tar. Links are not followed.
func FolderTar(dir string) (io.Reader, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("archive: %w", err)
	}
	defer func() { _ = root.Close() }() // only read from
	if inner, err := root.OpenRoot("memory"); err == nil {
		defer func() { _ = inner.Close() }()
		root = inner
	}
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return nil, fmt.Errorf("archive: %w", err)
	}
	var body bytes.Buffer
	out := tar.NewWriter(&body)
	count := 0
	for _, e := range entries {
		if !e.Type().IsRegular() || !strings.HasSuffix(e.Name(), ".md") || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		if err := addFile(root, out, e.Name()); err != nil {
			return nil, err
		}
		if count++; body.Len() > memory.MaxImport {
			return nil, tooLarge("the folder's .md files are more than %d MiB", memory.MaxImport>>20)
		}
	}
	if count == 0 {
		return nil, fault.New(fault.CodeInvalidRequest, "the folder has no .md files", "give the original's memory folder")
	}
	return &body, errors.Join(out.Close())
}

// addFile adds a file with its own time, which an entry without one is given.
func addFile(root *os.Root, out *tar.Writer, name string) (err error) {
	f, err := root.Open(name)
	if err != nil {
		return fmt.Errorf("archive: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	body, err := io.ReadAll(io.LimitReader(f, memory.MaxDayFile+1))
	if err != nil {
		return fmt.Errorf("archive: %w", err)
	}
	if len(body) > memory.MaxDayFile {
		return tooLarge("the file %s is longer than %d MiB", quote(name), memory.MaxDayFile>>20)
	}
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("archive: %w", err)
	}
	if err = out.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Size: int64(len(body)), Mode: 0o600, ModTime: info.ModTime()}); err == nil {
		_, err = out.Write(body)
	}
	return err
}
