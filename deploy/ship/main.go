package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"golang.org/x/term"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "make deploy:", err)
		stop()
		os.Exit(1) //nolint:gocritic // stop was called
	}
}

func run(ctx context.Context, args []string, stdout io.Writer) error {
	s := shipper{out: stdout, getenv: os.Getenv, http: &http.Client{Timeout: 20 * time.Second}}
	f := flag.NewFlagSet("ship", flag.ContinueOnError)
	f.SetOutput(stdout)
	f.StringVar(&s.env, "env", "production", "the environment of wrangler.jsonc")
	f.StringVar(&s.dir, "dir", "../wrangler", "where wrangler.jsonc and what was built lie")
	f.StringVar(&s.address, "address", "", "look here whether it works, such as your own domain; else at the address that wrangler names")
	f.DurationVar(&s.patience, "patience", 2*time.Minute, "how long the address may take to answer")
	if err := f.Parse(args); err != nil {
		return err
	}
	if term.IsTerminal(int(os.Stdin.Fd())) { // #nosec G115 -- a file descriptor
		s.ask = askTerminal
	}
	return s.ship(ctx)
}

// askTerminal asks for a secret without showing what is typed.
func askTerminal(question string) (string, error) {
	fmt.Fprint(os.Stderr, question)
	b, err := term.ReadPassword(int(os.Stdin.Fd())) // #nosec G115 -- a file descriptor
	fmt.Fprintln(os.Stderr)
	return strings.TrimSpace(string(b)), err
}

// lines gives the lines of a text that begin with a label, without it.
func labelled(text, label string) []string {
	var found []string
	for s := bufio.NewScanner(strings.NewReader(text)); s.Scan(); {
		if v, ok := strings.CutPrefix(strings.TrimSpace(s.Text()), label); ok {
			found = append(found, strings.TrimSpace(v))
		}
	}
	return found
}
