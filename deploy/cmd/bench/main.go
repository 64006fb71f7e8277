package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/loongclaw/loongclaw/deploy/internal/client"
	"github.com/loongclaw/loongclaw/deploy/internal/testenv"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// options say how much to measure.
type options struct {
	chats   int
	spread  time.Duration
	streams int
	sockets int
	wrk     time.Duration
	only    string
	base    string
	rounds  int
	turns   int
	opened  int
	// edgeRequests is how many requests make one figure of workerd's.
	edgeRequests int
}

// bench is a run under way.
type bench struct {
	options
	bin testenv.Binaries
	dir string
	out io.Writer
	// failed says that something was lost, which no speed makes up for.
	failed []string
}

const users = 250

func tokenOf(i int) string { return fmt.Sprintf("bench-token-%05d", i) }

func tokens() string {
	all := make([]string, users)
	for i := range all {
		all[i] = fmt.Sprintf("u%d:%s", i, tokenOf(i))
	}
	return strings.Join(all, ",")
}

func clients(base string, n int) []*client.Client {
	t := client.Transport()
	out := make([]*client.Client, n)
	for i := range out {
		out[i] = client.New(base, tokenOf(i%users), t)
	}
	return out
}

func run(ctx context.Context, args []string, stdout io.Writer) error {
	var b bench
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.IntVar(&b.chats, "chats", 1000, "concurrent streaming chats, half SSE and half WebSocket")
	flags.DurationVar(&b.spread, "spread", 10*time.Second, "time over which the chats start, and which each answer lasts")
	flags.IntVar(&b.streams, "streams", 20_000, "streamed POSTs through the gateway")
	flags.IntVar(&b.sockets, "sockets", 1000, "idle WebSockets")
	flags.DurationVar(&b.wrk, "wrk", 5*time.Second, "how long wrk runs, where it is installed")
	flags.IntVar(&b.opened, "users", 10_000, "users whom one agent has in memory, for -only users")
	flags.StringVar(&b.only, "only", "compare,chats,streams,requests,sockets,edge", "what to measure; users is measured where it is named")
	flags.StringVar(&b.base, "base", "40c3a8d", "the commit that the present tree is compared with, in turns")
	flags.IntVar(&b.rounds, "rounds", 3, "how often each is measured where trees or programs are compared; the median counts")
	flags.IntVar(&b.turns, "compare-chats", 300, "chats of each measurement of a comparison")
	flags.IntVar(&b.edgeRequests, "edge-requests", 4000, "requests of each measurement of the gateway on Workers")
	if err := flags.Parse(args); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "loongclaw-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	b.dir = dir
	if b.bin, err = testenv.Build(ctx, dir); err != nil {
		return err
	}
	b.out = stdout
	b.row("what", "measured", "budget")
	for _, m := range []struct {
		name    string
		measure func(context.Context) error
	}{{"compare", b.compare}, {"chats", b.firstEvents}, {"streams", b.posts}, {"requests", b.requests}, {"sockets", b.idleSockets}, {"edge", b.edge}, {"users", b.manyUsers}} {
		if !slices.Contains(strings.Split(b.only, ","), m.name) {
			continue
		}
		if err := m.measure(ctx); err != nil {
			return err
		}
	}
	if len(b.failed) > 0 {
		return fmt.Errorf("not only slow but wrong: %s", strings.Join(b.failed, "; "))
	}
	return nil
}

func (b *bench) row(what, measured, budget string) {
	_, _ = fmt.Fprintf(b.out, "%-56s  %-36s  %s\n", what, measured, budget)
}

// sub makes a folder for one measurement.
func (b *bench) sub(name string) string { return b.dir + "/" + name }
