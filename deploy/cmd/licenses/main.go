package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "make dependencies:", err)
		stop()
		os.Exit(1) //nolint:gocritic // stop was called
	}
}

func run(ctx context.Context, args []string) error {
	f := flag.NewFlagSet("licenses", flag.ContinueOnError)
	root := f.String("root", "..", "the repository's folder")
	out := f.String("o", "../docs/DEPENDENCIES.md", "the page to write")
	if err := f.Parse(args); err != nil {
		return err
	}
	modules, err := goModules(ctx, *root)
	if err != nil {
		return err
	}
	page, err := npmPackages(filepath.Join(*root, "gateway/webchat"))
	if err != nil {
		return err
	}
	worker, err := npmPackages(filepath.Join(*root, "wrangler"))
	if err != nil {
		return err
	}
	return os.WriteFile(*out, write(modules, page, worker), 0o644) // #nosec G306 -- a page of the repository
}

// entry is a row of the page.
type entry struct {
	name, version, license string
	in                     []string // the programs that hold it; none for tests and tools
}

const head = `# Dependencies

Written by ` + "`make dependencies`" + ` from the go.mod files and the package locks; a test compares. Licences are recognised in the modules' own files by [licenseclassifier](https://github.com/google/licenseclassifier), and taken from the lock for npm.

"Part of" says which of the things that users are given holds it. Everything else is for building and testing.
`

func write(modules, page, worker []entry) []byte {
	var b bytes.Buffer
	b.WriteString(head)
	for _, part := range []struct {
		title string
		rows  []entry
	}{
		{"Go modules", modules},
		{"npm: the page", page},
		{"npm: wrangler and its tools", worker},
	} {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n| name | version | licence | part of |\n|---|---|---|---|\n", part.title, summary(part.rows))
		for _, e := range part.rows {
			in := strings.Join(e.in, ", ")
			if in == "" {
				in = "–"
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", e.name, e.version, e.license, in)
		}
	}
	return b.Bytes()
}

// summary counts the licences of what is given to users, and of the rest.
func summary(rows []entry) string {
	given, rest := map[string]int{}, map[string]int{}
	for _, e := range rows {
		if len(e.in) > 0 {
			given[e.license]++
		} else {
			rest[e.license]++
		}
	}
	return fmt.Sprintf("Part of what users are given: %s. The rest: %s.", counted(given), counted(rest))
}

func counted(n map[string]int) string {
	if len(n) == 0 {
		return "none"
	}
	var names []string
	for name := range n {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		if n[a] != n[b] {
			return n[b] - n[a]
		}
		return strings.Compare(a, b)
	})
	for i, name := range names {
		names[i] = fmt.Sprintf("%d %s", n[name], name)
	}
	return strings.Join(names, ", ")
}
