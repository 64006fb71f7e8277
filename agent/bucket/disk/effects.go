package disk

import (
	"io"
	"os"
	"path"

	"golang.org/x/sys/unix"
)

// effects are all that this package does to its directory beside reading it. Names are
// relative to the directory. Tests put in their place what fails, or what remembers in
// which order things were written and synced.
type effects interface {
	// create makes a file in this process's staging directory.
	create(staged string) (file, error)
	// discard removes it again.
	discard(staged string) error
	// mkdir makes a directory.
	mkdir(dir string) error
	// remove removes a file, and no directory.
	remove(name string) error
	// rmdir removes a directory that is empty, and no file.
	rmdir(dir string) error
	// open opens a directory into which files are put. Its path is walked once for all
	// that is done there.
	open(dir string) (folder, error)
}

// file is one that is being written.
type file interface {
	io.WriteCloser
	Sync() error
}

// folder is a directory that is open.
type folder interface {
	// link gives a staged file a name here, which must be free.
	link(staged, name string) error
	// rename moves a staged file here, in the place of what has the name.
	rename(staged, name string) error
	Sync() error
	Close() error
}

// system is how effects come about.
type system struct {
	root    *os.Root
	staging *os.Root
	staged  *os.File // staging, to name its files to the kernel
}

// stageIn opens the staging directory below the root.
func (s *system) stageIn(dir string) (err error) {
	if s.staging, err = s.root.OpenRoot(dir); err != nil {
		return err
	}
	s.staged, err = s.staging.Open(".")
	return err
}

func (s *system) close() {
	if s.staged != nil {
		_ = s.staged.Close() // nothing was written to it
	}
	if s.staging != nil {
		_ = s.staging.Close()
	}
}

func (s *system) create(staged string) (file, error) {
	return s.staging.OpenFile(staged, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
}

func (s *system) discard(staged string) error { return s.staging.Remove(staged) }

func (s *system) mkdir(dir string) error { return s.root.Mkdir(dir, 0o700) }

func (s *system) remove(name string) error { return s.unlink(name, 0) }

func (s *system) rmdir(dir string) error { return s.unlink(dir, unix.AT_REMOVEDIR) }

// unlink removes what the flags say: Root.Remove takes whichever of the two is there.
func (s *system) unlink(name string, flags int) error {
	dir, err := s.root.Open(path.Dir(name))
	if err != nil {
		return err
	}
	defer func() { _ = dir.Close() }()                         // nothing was written to it
	err = unix.Unlinkat(int(dir.Fd()), path.Base(name), flags) //nolint:gosec // a descriptor is a small number
	return failed("unlinkat", name, err)
}

func (s *system) open(dir string) (folder, error) {
	f, err := s.root.Open(dir)
	if err != nil {
		return nil, err
	}
	return &directory{f, s.staged}, nil
}

// directory is a folder of the file system. Both names that the kernel is given are
// single segments: the keys they come from are checked.
type directory struct {
	*os.File
	staged *os.File
}

func (d *directory) link(staged, name string) error {
	err := unix.Linkat(int(d.staged.Fd()), staged, int(d.Fd()), name, 0) //nolint:gosec // descriptors are small numbers
	return failed("linkat", path.Join(d.Name(), name), err)
}

func (d *directory) rename(staged, name string) error {
	err := unix.Renameat(int(d.staged.Fd()), staged, int(d.Fd()), name) //nolint:gosec // descriptors are small numbers
	return failed("renameat", path.Join(d.Name(), name), err)
}

func failed(op, name string, err error) error {
	if err == nil {
		return nil
	}
	return &os.PathError{Op: op, Path: name, Err: err}
}

// entriesOf reads a directory. A file that was opened below a root looks at each entry
// by itself, which for a directory of many costs more than all else; another handle of
// the same directory goes by what the directory says of them.
func entriesOf(f *os.File) ([]os.DirEntry, error) {
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "dup", Path: f.Name(), Err: err}
	}
	g := os.NewFile(uintptr(fd), f.Name()) //nolint:gosec // a descriptor is a small number
	defer func() { _ = g.Close() }()       // only read from
	return g.ReadDir(-1)
}
