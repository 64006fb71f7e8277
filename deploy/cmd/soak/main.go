package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/loongclaw/loongclaw/deploy/internal/testenv"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		stop()
		os.Exit(1) //nolint:gocritic // stop was called
	}
}

func run(ctx context.Context, args []string, stdout io.Writer) (err error) {
	p := Plan{Out: stdout}
	f := flag.NewFlagSet("soak", flag.ContinueOnError)
	f.SetOutput(stdout)
	f.IntVar(&p.Rounds, "rounds", 1000, "how many kills")
	f.StringVar(&p.Store, "store", OnDisk, "disk, sqlite or s3")
	f.IntVar(&p.Users, "users", 8, "users")
	f.IntVar(&p.Sessions, "sessions", 2, "sessions of each user")
	f.IntVar(&p.Agents, "agents", 1, "agents on one store; 2 needs -store sqlite or s3")
	f.BoolVar(&p.Faults, "faults", false, "faults between agent and store; needs -store s3")
	f.DurationVar(&p.Partition, "partition", 0, "cut the first of two agents off from the store for so long")
	f.DurationVar(&p.Between, "between", 600*time.Millisecond, "the longest time between two kills")
	f.DurationVar(&p.Calm, "calm", 0, "go on so long after the last kill")
	f.Uint64Var(&p.Seed, "seed", 0, "repeat the choices of an earlier run; 0 chooses")
	if err := f.Parse(args); err != nil {
		return err
	}
	if p.Seed == 0 {
		p.Seed = rand.Uint64() // #nosec G404 -- choices of a test
	}
	if p.Dir, err = os.MkdirTemp("", "loongclaw-soak-"); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_, _ = fmt.Fprintln(stdout, "what is left of it lies in", p.Dir)
			return
		}
		err = os.RemoveAll(p.Dir)
	}()
	if p.Bin, err = testenv.Build(ctx, p.Dir); err != nil {
		return err
	}
	report, err := Run(ctx, p)
	_, _ = fmt.Fprintln(stdout, report)
	return err
}
