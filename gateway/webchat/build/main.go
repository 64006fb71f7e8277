// Command build bundles the page: src into dist. It needs Node and the
// page's npm packages (npm ci in gateway/webchat).
//
// Owns: how sources become files, and the record of what they were made from.
// Touches: gateway/webchat/src and node_modules (reads), dist and dist.sum (writes).
// Never: part of the gateway's binary.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "build:", err)
		os.Exit(1)
	}
}

func run(args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("build", flag.ContinueOnError)
	dir := flags.String("dir", "webchat", "the folder with src, node_modules and dist")
	if err := flags.Parse(args); err != nil {
		return err
	}
	files, err := bundle(*dir)
	if err != nil {
		return err
	}
	sum, err := sourceSum(*dir)
	if err != nil {
		return err
	}
	if err := write(filepath.Join(*dir, "dist"), files); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(*dir, sumFile), []byte(sum+"\n"), 0o600); err != nil {
		return fmt.Errorf("record what the page was made from: %w", err)
	}
	first, all := sizes(files)
	if _, err := fmt.Fprintf(stdout, "page: %d files, gzip %d bytes at first load, %d in all\n", len(files), first, all); err != nil {
		return err
	}
	for _, lang := range languages {
		w := weigh(files, lang)
		if _, err := fmt.Fprintf(stdout, "a reader of %s: conversation %d, files %d (%d on plain HTTP only), places %d, together %d; code %d, formulas %d, sanitizer %d\n",
			lang, w.conversation, w.files, w.digest, w.places, w.page(), w.code, w.math, w.sanitizer); err != nil {
			return err
		}
	}
	return nil
}

// write replaces what is in dist.
func write(dist string, files map[string][]byte) error {
	if err := os.RemoveAll(dist); err != nil {
		return fmt.Errorf("clear the old page: %w", err)
	}
	for name, content := range files {
		path := filepath.Join(dist, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			return fmt.Errorf("write the page: %w", err)
		}
		if err := os.WriteFile(path, content, 0o600); err != nil {
			return fmt.Errorf("write the page: %w", err)
		}
	}
	return nil
}
