package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/loongclaw/loongclaw/deploy/internal/rollout"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "compose:", err)
		os.Exit(1)
	}
}

const usage = "compose up | deploy -image NAME | rollback | status | down"

func run(ctx context.Context, args []string, out io.Writer) error {
	if len(args) == 0 {
		return errors.New("which command?\nNext: " + usage)
	}
	rules := rollout.Usual
	// After the switch every session is read from the store once, and the gateway's
	// figures do not tell such requests apart.
	rules.Slow = 2 * time.Second
	h := deployment{out: out}
	f := flag.NewFlagSet("compose "+args[0], flag.ContinueOnError)
	f.SetOutput(out)
	f.StringVar(&h.state, "state", "../.compose", "the folder for keys, tokens and the switch")
	f.StringVar(&h.file, "file", "compose.yaml", "the compose file; others are added with COMPOSE_MORE")
	f.StringVar(&h.project, "project", "loongclaw", "the name of the project")
	f.StringVar(&h.image, "image", "", "of the new agent")
	f.StringVar(&h.publish, "publish", "127.0.0.1:8787", "where the gateway is found; kept from the first start on")
	f.StringVar(&h.metrics, "metrics", "127.0.0.1:9787", "where its metrics are found; kept, too")
	f.BoolVar(&h.monitoring, "monitoring", false, "Prometheus and Grafana, too; their images are pulled")
	f.DurationVar(&rules.Watch, "watch", rules.Watch, "how long a new agent is watched after the switch")
	patience := f.Duration("patience", time.Minute, "how long the canary waits for an agent that starts")
	if err := f.Parse(args[1:]); err != nil {
		return err
	}
	if f.NArg() > 0 {
		return fmt.Errorf("%q is not understood\nNext: %s", f.Arg(0), usage)
	}
	var err error
	if h.state, err = filepath.Abs(h.state); err != nil {
		return err
	}
	h.trial = rules.Watch + rollout.Trial
	r := &rollout.Rollout{Platform: &h, Rules: rules, Patience: *patience, Out: out}
	switch args[0] {
	case "up":
		return h.up(ctx)
	case "deploy":
		return h.deploy(ctx, r)
	case "rollback":
		return h.rollback(ctx, r)
	case "status":
		return h.status(ctx)
	case "down":
		return h.compose(ctx, "down")
	}
	return fmt.Errorf("there is no command %q\nNext: %s", args[0], usage)
}

// deploy brings the new image in.
func (h *deployment) deploy(ctx context.Context, r *rollout.Rollout) error {
	if h.image == "" {
		return errors.New("which image?\nNext: compose deploy -image NAME, or make compose-deploy, which builds one")
	}
	if err := h.known(); err != nil {
		return err
	}
	return r.Deploy(ctx)
}

func (h *deployment) rollback(ctx context.Context, r *rollout.Rollout) error {
	if err := h.known(); err != nil {
		return err
	}
	return r.Rollback(ctx)
}

func (h *deployment) status(ctx context.Context) error {
	if err := h.known(); err != nil {
		return err
	}
	s, err := h.State(ctx)
	if err != nil {
		return err
	}
	for _, slot := range []rollout.Slot{rollout.Blue, rollout.Green} {
		image, role := s.Images[slot], ""
		if image == "" {
			image = "nothing"
		}
		if slot == s.Serves {
			role = ", serves"
		}
		if _, err := fmt.Fprintf(h.out, "%s: %s%s\n", slot, image, role); err != nil {
			return err
		}
	}
	b, err := os.ReadFile(h.path("switch", "agents"))
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(h.out, "the switch:\n%s", b)
	return err
}
