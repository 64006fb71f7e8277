package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/loongclaw/loongclaw/agent/archive"
	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// importUsage is what import takes.
const importUsage = "Next: agent import -user USER [-force] [-files] FILE|FOLDER|-"

// importUser brings an archive back, or takes the original's memory in. Run it
// while no agent works for the user.
func importUser(ctx context.Context, args []string, stdin io.Reader, stdout io.Writer) (err error) {
	flags := flag.NewFlagSet("import", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	user := flags.String("user", "", "")
	force := flags.Bool("force", false, "")
	files := flags.Bool("files", false, "")
	if err := flags.Parse(args); err != nil {
		return fmt.Errorf("%w\n%s", err, importUsage)
	}
	if *user == "" || flags.NArg() != 1 {
		return errors.New("import needs a user and one file or folder\n" + importUsage)
	}
	store, closeStore, err := openOnlyStore(ctx, toWrite)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeStore()) }()
	if !*force {
		if err := archive.CheckRest(ctx, store, *user, time.Now()); err != nil {
			return withHint(err)
		}
	}
	return withHint(importFrom(ctx, store, *user, flags.Arg(0), *files, stdin, stdout))
}

func importFrom(ctx context.Context, store bucket.Bucket, user, name string, files bool, stdin io.Reader, stdout io.Writer) (err error) {
	if name == "-" {
		f, remove, err := spool(stdin)
		if err != nil {
			return err
		}
		defer remove()
		return importFile(ctx, store, user, f, files, stdout)
	}
	info, err := os.Stat(name)
	if err != nil {
		return fmt.Errorf("%w\n%s", err, importUsage)
	}
	if info.IsDir() {
		tarball, err := archive.FolderTar(name)
		if err != nil {
			return err
		}
		return importMemory(ctx, store, user, tarball, stdout)
	}
	f, err := os.Open(name) //nolint:gosec // the owner of the store names the file
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // only read from
	return importFile(ctx, store, user, f, files, stdout)
}

func importFile(ctx context.Context, store bucket.Bucket, user string, f *os.File, files bool, stdout io.Writer) error {
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	a, err := archive.Open(f, size)
	if errors.Is(err, archive.ErrNoArchive) {
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return err
		}
		return importMemory(ctx, store, user, f, stdout)
	}
	if err != nil {
		return err
	}
	a.Files = files
	done, err := archive.Restore(ctx, store, user, a)
	if err != nil {
		return err
	}
	for _, lacks := range a.Left() {
		if _, err := fmt.Fprintf(stdout, "not in the archive: %s\n", fault.From(lacks).Message); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(stdout, "%s: %d objects written, %d were there already, %d left out because their session has ended or gone on since\n", user, done.Written, done.Same, done.Ended)
	if err == nil && done.Gone > 0 {
		_, err = fmt.Fprintf(stdout, "%d files left out because they are not in the workspace any more\nNext: if they are to be there again, import with -files\n", done.Gone)
	}
	return err
}

func importMemory(ctx context.Context, store bucket.Bucket, user string, tarball io.Reader, stdout io.Writer) error {
	done, err := archive.ImportMemory(ctx, store, user, tarball)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdout, "%s: %d day files read, %d memories new, %d known, %d other files passed over\n", user, done.Files, done.Saved, done.Known, done.Skipped)
	return err
}

// maxSpool bounds what is taken from stdin to a temporary file; an archive is
// read more than once.
const maxSpool = 64 << 30

func spool(in io.Reader) (*os.File, func(), error) {
	f, err := os.CreateTemp("", "agent-import-")
	if err != nil {
		return nil, nil, err
	}
	remove := func() { _ = errors.Join(f.Close(), os.Remove(f.Name())) }
	n, err := io.Copy(f, io.LimitReader(in, maxSpool+1))
	if err == nil && n > maxSpool {
		err = fmt.Errorf("stdin is longer than %d GiB\n%s", maxSpool>>30, importUsage)
	}
	if err != nil {
		remove()
		return nil, nil, err
	}
	return f, remove, nil
}
