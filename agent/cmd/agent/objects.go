package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/agent/users"
)

// What the commands for single objects take.
const (
	getUsage = "Next: agent get KEY, such as agent get config/SOUL.md; agent ls lists the keys"
	putUsage = "Next: agent put KEY [FILE], such as agent put config/SOUL.md SOUL.md; without a file it reads its input"
	lsUsage  = "Next: agent ls [-l] [PREFIX], such as agent ls config/"
)

// getObject writes an object to stdout.
func getObject(ctx context.Context, args []string, stdout io.Writer) (err error) {
	if len(args) != 1 {
		return errors.New("get needs the key of one object\n" + getUsage)
	}
	if err := bucket.CheckKey(args[0]); err != nil {
		return fmt.Errorf("%w\n%s", err, getUsage)
	}
	store, closeStore, err := openOnlyStore(ctx, toRead)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeStore()) }()
	o, err := store.Get(ctx, args[0])
	if errors.Is(err, bucket.ErrNotFound) {
		return fmt.Errorf("the store has no object %q\n%s", args[0], getUsage)
	}
	if err != nil {
		return err
	}
	_, err = stdout.Write(o.Body)
	return err
}

// putObject writes an object, whatever was there.
func putObject(ctx context.Context, args []string, stdin io.Reader) (err error) {
	if len(args) < 1 || len(args) > 2 {
		return errors.New("put needs a key, and takes one file\n" + putUsage)
	}
	key := args[0]
	if err := bucket.CheckKey(key); err != nil {
		return fmt.Errorf("%w\n%s", err, putUsage)
	}
	if users.IsJournal(key) {
		return fmt.Errorf("%s is an object of a journal: another one in its place would damage the session\nNext: agent import brings a user's sessions back from an export", key)
	}
	name := "-"
	if len(args) == 2 {
		name = args[1]
	}
	body, err := input(name, stdin)
	if err != nil {
		return fmt.Errorf("%w\n%s", err, putUsage)
	}
	store, closeStore, err := openOnlyStore(ctx, toWrite)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeStore()) }()
	_, err = store.Put(ctx, key, body)
	return err
}

// input reads a file, or stdin for "-", as far as an object may be large.
func input(name string, stdin io.Reader) (_ []byte, err error) {
	from := stdin
	if name != "-" {
		f, err := os.Open(name) //nolint:gosec // the owner of the store names the file
		if err != nil {
			return nil, err
		}
		defer func() { _ = f.Close() }() // only read from
		from = f
	}
	var body bytes.Buffer
	if _, err := io.Copy(&body, io.LimitReader(from, bucket.MaxObject+1)); err != nil {
		return nil, err
	}
	return body.Bytes(), bucket.CheckSize(body.Bytes())
}

// listObjects writes the keys of a store, in byte order, one a line.
func listObjects(ctx context.Context, args []string, stdout io.Writer) (err error) {
	flags := flag.NewFlagSet("ls", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	long := flags.Bool("l", false, "")
	if err := flags.Parse(args); err != nil {
		return fmt.Errorf("%w\n%s", err, lsUsage)
	}
	if flags.NArg() > 1 {
		return errors.New("ls takes one prefix\n" + lsUsage)
	}
	store, closeStore, err := openOnlyStore(ctx, toRead)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeStore()) }()
	after := ""
	for {
		page, more, err := store.List(ctx, flags.Arg(0), after, 0)
		if err != nil {
			return err
		}
		var lines strings.Builder
		for _, e := range page {
			if *long {
				fmt.Fprintf(&lines, "%10d  %s  ", e.Size, e.Modified.UTC().Format(time.RFC3339))
			}
			lines.WriteString(e.Key + "\n")
			after = e.Key
		}
		if _, err := io.WriteString(stdout, lines.String()); err != nil || !more {
			return err
		}
	}
}
