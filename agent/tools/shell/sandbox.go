package shell

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"mvdan.cc/sh/v3/interp"
)

const (
	maxRead  = 64 << 20 // bytes that the commands of one line read, all together
	maxWrite = 8 << 20  // bytes of a file that a redirection writes
)

var (
	errOutside = errors.New("outside of the workspace")
	errSpecial = errors.New("not a regular file")
	errReadOut = errors.New("too much was read; look at fewer or smaller files")
	errFull    = errors.New("the file would be too large")
)

// sandbox is how a line reaches files: through the working copy's root only.
type sandbox struct {
	root *os.Root
	dir  string // the root's absolute path
	// plain lines write nothing.
	plain bool

	mu   sync.Mutex
	left int64 // bytes that may still be read
}

// rel turns a path as a command says it into one below the root. The workspace
// is also /workspace, as in the tools for files.
func (d *sandbox) rel(cwd, name string) (string, error) {
	if !filepath.IsAbs(name) {
		name = filepath.Join(cwd, name)
	}
	name = filepath.Clean(name)
	for _, base := range []string{d.dir, "/workspace"} {
		if name == base {
			return ".", nil
		}
		if rest, ok := strings.CutPrefix(name, base+"/"); ok {
			return rest, nil
		}
	}
	return "", errOutside
}

func pathError(op, name string, err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		err = p.Err // never the real path
	}
	return &os.PathError{Op: op, Path: name, Err: err}
}

// open opens a file for a command. What is no regular file and no folder is
// refused: a pipe would wait, a device would never end.
func (d *sandbox) open(ctx context.Context, cwd, name string, flag int, perm os.FileMode) (io.ReadWriteCloser, error) {
	writes := flag&(os.O_WRONLY|os.O_RDWR|os.O_CREATE|os.O_TRUNC|os.O_APPEND) != 0
	if name == "/dev/null" {
		return null{}, nil
	}
	if writes && d.plain {
		return nil, pathError("open", name, fs.ErrPermission)
	}
	rel, err := d.rel(cwd, name)
	if err != nil {
		return nil, pathError("open", name, err)
	}
	f, err := d.root.OpenFile(rel, flag|syscall.O_NONBLOCK, perm)
	if err != nil {
		return nil, pathError("open", name, err)
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errSpecial
		if info.IsDir() {
			err = errors.New("is a folder")
		}
	}
	if err != nil {
		_ = f.Close() // nothing was read or written
		return nil, pathError("open", name, err)
	}
	return &file{open: f, sandbox: d, ctx: ctx, room: maxWrite}, nil
}

func (d *sandbox) spend(n int) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.left -= int64(n)
	if d.left < 0 {
		return errReadOut
	}
	return nil
}

// readDir lists a folder for patterns and for ls.
func (d *sandbox) readDir(cwd, name string) ([]fs.DirEntry, error) {
	rel, err := d.rel(cwd, name)
	if err != nil {
		return nil, pathError("open", name, err)
	}
	entries, err := fs.ReadDir(d.root.FS(), filepath.ToSlash(rel))
	if err != nil {
		return nil, pathError("open", name, err)
	}
	return entries, nil
}

func (d *sandbox) stat(cwd, name string, follow bool) (fs.FileInfo, error) {
	rel, err := d.rel(cwd, name)
	if err != nil {
		return nil, pathError("stat", name, err)
	}
	look := d.root.Lstat
	if follow {
		look = d.root.Stat
	}
	info, err := look(rel)
	if err != nil {
		return nil, pathError("stat", name, err)
	}
	return info, nil
}

// options wires the interpreter to the sandbox.
func (d *sandbox) options() []interp.RunnerOption {
	return []interp.RunnerOption{
		interp.OpenHandler(func(ctx context.Context, name string, flag int, perm os.FileMode) (io.ReadWriteCloser, error) {
			return d.open(ctx, interp.HandlerCtx(ctx).Dir, name, flag, perm)
		}),
		interp.ReadDirHandler2(func(ctx context.Context, name string) ([]fs.DirEntry, error) {
			return d.readDir(interp.HandlerCtx(ctx).Dir, name)
		}),
		interp.StatHandler(func(ctx context.Context, name string, follow bool) (fs.FileInfo, error) {
			return d.stat(interp.HandlerCtx(ctx).Dir, name, follow)
		}),
		interp.AccessHandler(func(ctx context.Context, name string, mode interp.AccessMode) error {
			info, err := d.stat(interp.HandlerCtx(ctx).Dir, name, true)
			if err != nil {
				return err
			}
			if os.FileMode(mode)&(info.Mode().Perm()>>6) == 0 {
				return fs.ErrPermission
			}
			return nil
		}),
	}
}

// virtual is a folder as people know it: below /workspace.
func (d *sandbox) virtual(dir string) string {
	rel, err := d.rel(dir, ".")
	if err != nil {
		return "/workspace"
	}
	return path.Join("/workspace", filepath.ToSlash(rel))
}

// file is an open file that counts what is read and written.
type file struct {
	// Not embedded: its WriteTo and ReadFrom would pass the counting by.
	open    *os.File
	sandbox *sandbox
	//nolint:containedctx // a Reader has no other way to hear of the end
	ctx  context.Context
	room int64
}

func (f *file) Read(p []byte) (int, error) {
	if err := f.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := f.open.Read(p)
	if spent := f.sandbox.spend(n); spent != nil {
		return 0, spent
	}
	return n, err
}

func (f *file) Write(p []byte) (int, error) {
	if f.room -= int64(len(p)); f.room < 0 {
		return 0, errFull
	}
	return f.open.Write(p)
}

func (f *file) Close() error { return f.open.Close() }

// null is /dev/null.
type null struct{}

func (null) Read([]byte) (int, error)    { return 0, io.EOF }
func (null) Write(p []byte) (int, error) { return len(p), nil }
func (null) Close() error                { return nil }

var _ io.ReadWriteCloser = (*file)(nil)
