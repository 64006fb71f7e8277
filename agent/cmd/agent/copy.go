package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/loongclaw/loongclaw/agent/transfer"
)

// copyUsage is what copy takes.
const copyUsage = "Next: agent copy -from STORE -to STORE [-live], such as agent copy -from " + earlierStore + " -to " + defaultStore

// copyStore makes one store hold what another one holds, and compares both.
func copyStore(ctx context.Context, args []string, stdout io.Writer) (err error) {
	flags := flag.NewFlagSet("copy", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	from := flags.String("from", "", "")
	to := flags.String("to", "", "")
	live := flags.Bool("live", false, "")
	if err := flags.Parse(args); err != nil {
		return fmt.Errorf("%w\n%s", err, copyUsage)
	}
	if *from == "" || *to == "" || flags.NArg() > 0 {
		return errors.New("copy needs two stores\n" + copyUsage)
	}
	c, err := storesOnly()
	if err != nil {
		return err
	}
	faults := faults{}
	source, target := c.namedStore("-from", *from, faults.add), c.namedStore("-to", *to, faults.add)
	if err := faults.err(); err != nil {
		return err
	}
	if same(source, target) {
		return fmt.Errorf("%s and %s are one store\n%s", source, target, copyUsage)
	}
	a, closeA, err := openFor(ctx, source, toRead)
	if err != nil {
		return fmt.Errorf("-from: %w", err)
	}
	defer func() { err = errors.Join(err, closeA()) }()
	b, closeB, err := openFor(ctx, target, toServe)
	if err != nil {
		return fmt.Errorf("-to: %w", err)
	}
	defer func() { err = errors.Join(err, closeB()) }()
	done, err := transfer.Copy(ctx, transfer.Config{From: a, To: b, Live: *live})
	if err != nil {
		return withHint(err)
	}
	return tellCopy(stdout, target, done, *live)
}

// same reports whether two names are those of one store.
func same(a, b storeConfig) bool {
	if a.kind != b.kind || a.kind == onR2 {
		return a.kind == b.kind && a.name == b.name
	}
	x, errX := os.Stat(a.name)
	y, errY := os.Stat(b.name)
	return filepath.Clean(a.name) == filepath.Clean(b.name) || (errX == nil && errY == nil && os.SameFile(x, y))
}

func tellCopy(stdout io.Writer, target storeConfig, done transfer.Report, live bool) error {
	var out strings.Builder
	for _, one := range done.Unread {
		fmt.Fprintf(&out, "not copied, since it cannot be read: %s\n", one)
	}
	fmt.Fprintf(&out, "%d objects copied, %d removed that the source no longer has; %d objects compared byte for byte; heartbeats left out\n", done.Copied, done.Removed, done.Objects)
	if done.Only > 0 {
		fmt.Fprintf(&out, "%d objects are in the target only and were left alone\n", done.Only)
	}
	if live {
		fmt.Fprintf(&out, "the source was in use: stop its agent and copy once more before you start with STORE=%s\n", target)
	} else {
		fmt.Fprintf(&out, "start the agent with STORE=%s\n", target)
	}
	if _, err := io.WriteString(stdout, out.String()); err != nil || len(done.Unread) == 0 {
		return err
	}
	return fmt.Errorf("%d objects of the source cannot be read and are not in the target\nNext: agent verify says what they belong to; restore them from a backup, or go on without them", len(done.Unread))
}
