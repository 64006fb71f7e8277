package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/loongclaw/loongclaw/agent/archive"
	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// exportUsage is what export takes.
const exportUsage = "Next: agent export -user USER [-format tar|json|md] [-o FILE|-]"

// exportTries is how often an export begins anew because a session was deleted
// in the meantime.
const exportTries = 5

// exportUser writes all of a user to a file or to stdout. It only reads the
// store and may run beside a live agent.
func exportUser(ctx context.Context, args []string, stdout, stderr io.Writer) (err error) {
	flags := flag.NewFlagSet("export", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	user := flags.String("user", "", "")
	format := flags.String("format", "tar", "")
	file := flags.String("o", "-", "")
	if err := flags.Parse(args); err != nil {
		return fmt.Errorf("%w\n%s", err, exportUsage)
	}
	if *user == "" || flags.NArg() > 0 || (*format != "tar" && *format != "json" && *format != "md") {
		return errors.New("export needs a user, and knows the formats tar, json and md\n" + exportUsage)
	}
	store, closeStore, err := openOnlyStore(ctx, toRead)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeStore()) }()
	e := exporter{store: store, user: *user, format: *format, stderr: stderr}
	if *file == "-" {
		if f, ok := stdout.(*os.File); ok && *format != "json" && isTerminal(f) {
			return errors.New("a tar is nothing for a terminal\n" + exportUsage)
		}
		return withHint(e.write(ctx, stdout))
	}
	return withHint(e.toFile(ctx, *file))
}

type exporter struct {
	store  bucket.Bucket
	user   string
	format string
	stderr io.Writer
}

// write makes one try. What is damaged is exported as it is and told at the end.
func (e exporter) write(ctx context.Context, w io.Writer) error {
	snap, err := archive.Take(ctx, e.store, e.user)
	if err != nil {
		return err
	}
	var found []error
	switch e.format {
	case "tar":
		m, err := snap.WriteTar(ctx, w)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(e.stderr, "%d objects of %s exported\n", m.Objects, e.user)
		return errors.Join(err, incomplete(snap.Left()))
	case "json":
		var d archive.Document
		if d, found, err = snap.Document(ctx); err == nil {
			err = d.WriteJSON(w)
		}
	default:
		var pages bytes.Buffer // so that a try that fails writes nothing
		if found, err = snap.WriteMarkdown(ctx, &pages); err == nil {
			_, err = pages.WriteTo(w)
		}
	}
	return errors.Join(err, incomplete(found))
}

// toFile writes beside the file and gives it its name at the end, so that half
// an export never looks whole. A tar is read back first.
func (e exporter) toFile(ctx context.Context, name string) (err error) {
	part := name + "." + rand.Text()[:8] + ".part"
	f, err := os.OpenFile(part, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600) //nolint:gosec // the owner of the store names the file
	if err != nil {
		return fmt.Errorf("%w\nNext: choose a file that can be written with -o", err)
	}
	defer func() {
		if err := os.Remove(part); err != nil && !errors.Is(err, os.ErrNotExist) {
			_, _ = fmt.Fprintln(e.stderr, "warning: not removed:", part)
		}
	}()
	damaged, err := e.fill(ctx, f)
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := os.Rename(part, name); err != nil {
		return err
	}
	return damaged
}

// fill writes the export into a file. damaged says what of the user's own
// objects is damaged: the file is whole all the same.
func (e exporter) fill(ctx context.Context, f *os.File) (damaged, err error) {
	for range exportTries {
		if err = f.Truncate(0); err == nil {
			_, err = f.Seek(0, io.SeekStart)
		}
		if err == nil {
			err = e.write(ctx, f)
		}
		if !errors.Is(err, archive.ErrMoved) {
			break
		}
	}
	if errors.Is(err, errIncomplete) {
		damaged, err = err, nil
	}
	if err == nil && e.format == "tar" {
		var more error
		more, err = readBack(ctx, f)
		damaged = errors.Join(damaged, more)
	}
	return damaged, errors.Join(err, f.Sync())
}

func readBack(ctx context.Context, f *os.File) (damaged, err error) {
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, err
	}
	a, err := archive.Open(f, size)
	if err != nil {
		return nil, err
	}
	found, err := a.Check(ctx)
	return incomplete(found), err
}

var errIncomplete = errors.New("the export is there, but the store holds what is damaged, and is in it as it is, or what is too large, and is not")

// incomplete is the error of an export of a user with damaged journals.
func incomplete(found []error) error {
	if len(found) == 0 {
		return nil
	}
	text := ""
	for _, err := range found {
		text += "\n  " + fault.From(err).Message
	}
	return fmt.Errorf("%w:%s\nNext: restore these objects or delete their sessions; `agent import` refuses a tar with damaged journals", errIncomplete, text)
}

// withHint shows what to do next of an error that knows it.
func withHint(err error) error {
	var f *fault.Error
	if !errors.As(err, &f) || f.Hint == "" {
		return err
	}
	return fmt.Errorf("%w\nNext: %s", err, f.Hint)
}

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
