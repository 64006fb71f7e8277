package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/loongclaw/loongclaw/deploy/internal/fakeprovider"
	"github.com/loongclaw/loongclaw/deploy/internal/load"
	"github.com/loongclaw/loongclaw/deploy/internal/testenv"
)

// variant is a tree with a store, which is measured in turns with others: on a machine
// that does other work only the ratio of neighbours says something.
type variant struct {
	name  string
	bin   testenv.Binaries
	store string // scheme of the agent's store
}

// figure is something that is measured of each variant; less is better.
type figure struct {
	what   string
	unit   string
	budget string
}

// What is compared, in the order in which measure gives it.
var figures = []figure{
	{"start to ready", "ms", "≤ 100 ms"},
	{"the agent, resident when idle", "MiB", "≤ 40 MiB"},
	{"CPU of the agent for a new chat", "ms", "≤ 0.33"},
	{"CPU of the gateway for it", "ms", ""},
	{"all in one moment: P95 to the first event", "ms", "≤ 0.25"},
	{"100 a second beside a busy process: P95 that is added to the first piece", "ms", "< 200 ms"},
	{"the agent, resident after all of them", "MiB", ""},
}

// compare measures an earlier commit and the present tree with each of its stores.
func (b *bench) compare(ctx context.Context) error {
	earlier, err := testenv.BuildRevision(ctx, b.sub("base"), b.base)
	if errors.Is(err, testenv.ErrNoEarlier) {
		b.row("beside "+b.base, "not measured: this checkout does not hold it", "")
		return nil
	}
	if err != nil {
		return err
	}
	variants := []variant{{b.base, earlier, "disk"}, {"files", b.bin, "disk"}, {"SQLite", b.bin, "sqlite"}}
	got := make([][][]float64, len(variants)) // of each variant, each figure, each round
	for i := range got {
		got[i] = make([][]float64, len(figures))
	}
	for round := range b.rounds {
		for turn := range variants {
			i := (turn + round) % len(variants) // nobody is always first
			measured, err := b.measure(ctx, variants[i], fmt.Sprintf("%d-%d", round, i))
			if err != nil {
				return fmt.Errorf("%s: %w", variants[i].name, err)
			}
			for f, m := range measured {
				got[i][f] = append(got[i][f], m)
			}
		}
	}
	for f, fig := range figures {
		var said []string
		base := median(got[0][f])
		for i, v := range variants {
			m := median(got[i][f])
			said = append(said, fmt.Sprintf("%s %.1f", v.name, m))
			if i > 0 && base > 0 {
				said[i] += fmt.Sprintf(" (%.2f)", m/base)
			}
		}
		b.row(fig.what, strings.Join(said, ", ")+" "+fig.unit, fig.budget)
	}
	return nil
}

// measure gives the figures of one variant, from a store of its own.
func (b *bench) measure(ctx context.Context, v variant, name string) ([]float64, error) {
	model, err := fakeprovider.Start()
	if err != nil {
		return nil, err
	}
	defer model.Close()
	dir := b.sub("compare-" + name)
	s, err := testenv.Up(ctx, testenv.Options{
		Bin: v.bin, Dir: dir, Tokens: tokens(), Model: model.URL,
		AgentEnv:   map[string]string{"STORE": v.store + ":" + filepath.Join(dir, "store", "data"), "LOG_LEVEL": "warn"},
		GatewayEnv: map[string]string{"LOG_LEVEL": "warn"},
	})
	if err != nil {
		return nil, err
	}
	defer s.Down()
	s.Agent.Stop(10 * time.Second)
	began := time.Now()
	if err := s.StartAgent(ctx); err != nil {
		return nil, err
	}
	out := []float64{float64(time.Since(began).Microseconds()) / 1000}
	idle, err := resident(s.Agent.PID())
	if err != nil {
		return nil, err
	}
	out = append(out, float64(idle)/1024)

	crowd := load.Crowd{Clients: clients(s.Base, users), Model: model, Chats: 50, Chunks: chunks, Delay: 10 * time.Millisecond, Spread: time.Second, Name: "warm"}
	if err := b.whole(v, crowd.Run(ctx)); err != nil {
		return nil, err
	}
	agent, gateway, err := cpuOf(s)
	if err != nil {
		return nil, err
	}
	crowd.Name, crowd.Chats, crowd.Spread = "even", b.turns, time.Duration(b.turns)*20*time.Millisecond
	if err := b.whole(v, crowd.Run(ctx)); err != nil {
		return nil, err
	}
	agentAfter, gatewayAfter, err := cpuOf(s)
	if err != nil {
		return nil, err
	}
	perChat := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 / float64(b.turns) }
	out = append(out, perChat(agentAfter-agent), perChat(gatewayAfter-gateway))

	crowd.Name, crowd.Gate, crowd.Spread, crowd.Chats, crowd.Delay = "burst", "burst-"+name, 0, b.chats, 20*time.Millisecond
	burst := crowd.Run(ctx)
	if err := b.whole(v, burst); err != nil {
		return nil, err
	}
	out = append(out, float64(load.Percentile(burst, 95, func(c load.Chat) time.Duration { return c.FirstEvent }).Milliseconds()))

	busy := exec.CommandContext(ctx, "sh", "-c", "while :; do :; done")
	if err := busy.Start(); err != nil {
		return nil, err
	}
	crowd.Name, crowd.Gate, crowd.Spread, crowd.Chats = "beside", "", time.Duration(b.turns)*10*time.Millisecond, b.turns
	beside := crowd.Run(ctx)
	_ = busy.Process.Kill()
	_ = busy.Wait()
	if err := b.whole(v, beside); err != nil {
		return nil, err
	}
	out = append(out, float64(load.Percentile(beside, 95, func(c load.Chat) time.Duration { return c.Added }).Milliseconds()))
	after, err := resident(s.Agent.PID())
	return append(out, float64(after)/1024), err
}

// whole reports an event that was lost; that an older tree loses some is its own.
func (b *bench) whole(v variant, chats []load.Chat) error {
	failed := load.Failed(chats)
	if len(failed) == 0 {
		return nil
	}
	why := fmt.Sprintf("%s: %d of %d chats failed, the first with: %v", v.name, len(failed), len(chats), failed[0].Err)
	if v.name == b.base {
		b.row(why, "", "")
		return nil
	}
	b.failed = append(b.failed, why)
	return nil
}

func cpuOf(s *testenv.Stack) (agent, gateway time.Duration, err error) {
	if agent, err = cpu(s.Agent.PID()); err != nil {
		return 0, 0, err
	}
	gateway, err = cpu(s.Gateway.PID())
	return agent, gateway, err
}

func median(v []float64) float64 {
	if len(v) == 0 {
		return 0
	}
	v = slices.Sorted(slices.Values(v))
	return v[len(v)/2]
}
