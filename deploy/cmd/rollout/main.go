package main

import (
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

	"github.com/loongclaw/loongclaw/deploy/internal/rollout"
	"github.com/loongclaw/loongclaw/deploy/internal/rollout/cloudflare"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Getenv, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "rollout:", err)
		stop()
		os.Exit(1) //nolint:gocritic // stop was called
	}
}

const usage = "rollout deploy | rollback | status"

func run(ctx context.Context, args []string, getenv func(string) string, stdout io.Writer) error {
	r := &rollout.Rollout{Rules: rollout.Usual, Out: stdout}
	p := &cloudflare.Platform{Out: stdout, Getenv: getenv, Environ: os.Environ, HTTP: &http.Client{Timeout: time.Minute}}
	f := flag.NewFlagSet(usage, flag.ContinueOnError)
	f.SetOutput(stdout)
	f.StringVar(&p.Env, "env", "production", "the environment of wrangler.jsonc")
	f.StringVar(&p.Dir, "dir", "../wrangler", "where wrangler.jsonc and what was built lie")
	f.StringVar(&p.Address, "address", "", "where the Worker answers, such as your own domain; else the address that wrangler names")
	f.DurationVar(&r.Patience, "patience", 2*time.Minute, "how long a container may take to answer, and a deploy to be everywhere")
	f.DurationVar(&r.Rules.Watch, "watch", r.Rules.Watch, "how long a new generation is watched before it stays")
	command := "deploy"
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		command, args = args[0], args[1:]
	}
	if err := f.Parse(args); err != nil {
		return err
	}
	p.Patience, p.Hold = r.Patience, r.Rules.Watch+rollout.Trial
	if term.IsTerminal(int(os.Stdin.Fd())) { // #nosec G115 -- a file descriptor
		p.Ask = askTerminal
	}
	r.Platform = p
	switch command {
	case "deploy":
		if err := r.Deploy(ctx); err != nil {
			return err
		}
		_, err := fmt.Fprintf(stdout, "it answers at %s\nNext: make smoke ADDRESS=%[1]s, with a token in SMOKE_TOKEN, asks it over thirty questions\n", p.Where())
		return err
	case "rollback":
		return r.Rollback(ctx)
	case "status":
		return r.Status(ctx)
	}
	return fmt.Errorf("unknown command %q\nNext: %s", command, usage)
}

// askTerminal asks for a secret without showing what is typed.
func askTerminal(question string) (string, error) {
	fmt.Fprint(os.Stderr, question)
	b, err := term.ReadPassword(int(os.Stdin.Fd())) // #nosec G115 -- a file descriptor
	fmt.Fprintln(os.Stderr)
	return strings.TrimSpace(string(b)), err
}
