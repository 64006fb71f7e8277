package main

import (
	"context"
	"fmt"
	"time"

	"github.com/loongclaw/loongclaw/deploy/internal/fakeprovider"
	"github.com/loongclaw/loongclaw/deploy/internal/load"
	"github.com/loongclaw/loongclaw/deploy/internal/testenv"
)

const chunks = 50

// firstEvents measures chats that come evenly and overlap, and then all at the
// same moment.
func (b *bench) firstEvents(ctx context.Context) error {
	model, err := fakeprovider.Start()
	if err != nil {
		return err
	}
	defer model.Close()
	s, err := testenv.Up(ctx, testenv.Options{Bin: b.bin, Dir: b.sub("chats"), Tokens: tokens(), Model: model.URL})
	if err != nil {
		return err
	}
	defer s.Down()
	crowd := load.Crowd{
		Clients: clients(s.Base, users), Model: model, Chats: b.chats, Chunks: chunks,
		Delay: b.spread / chunks, Spread: b.spread, Name: "even",
	}
	b.chatRows(fmt.Sprintf("%d chats, %.0f new a second", b.chats, float64(b.chats)/b.spread.Seconds()), crowd.Run(ctx), "P95 < 200 ms, 0 errors")
	crowd.Name, crowd.Gate, crowd.Spread, crowd.Delay = "burst", "burst", 0, 20*time.Millisecond
	b.chatRows(fmt.Sprintf("%d chats in one moment", b.chats), crowd.Run(ctx), "0 errors")
	return nil
}

func (b *bench) chatRows(what string, chats []load.Chat, budget string) {
	pair := func(of func(load.Chat) time.Duration) string {
		return fmt.Sprintf("P50 %s, P95 %s", ms(load.Percentile(chats, 50, of)), ms(load.Percentile(chats, 95, of)))
	}
	b.row(what+": to the first event", pair(func(c load.Chat) time.Duration { return c.FirstEvent }), "")
	failed := load.Failed(chats)
	b.row("  to the first piece of the answer, model excluded", fmt.Sprintf("%s, %d errors", pair(func(c load.Chat) time.Duration { return c.Added }), len(failed)), budget)
	if len(failed) > 0 {
		b.failed = append(b.failed, fmt.Sprintf("%s: %d failed, the first with: %v", what, len(failed), failed[0].Err))
	}
}

func ms(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond)) }

// posts counts streamed POSTs through the gateway alone.
func (b *bench) posts(ctx context.Context) error {
	const events = 20
	return b.withStub(ctx, "posts", events, func(s *testenv.Stack, _ *load.Stub) error {
		res := load.Posts(ctx, clients(s.Base, 64), b.streams, 64, events)
		cut := res.Streams - res.Whole
		b.row(fmt.Sprintf("%d streamed POSTs of %d events: cut short", b.streams, events),
			fmt.Sprintf("%d (%.0f streams/s)", cut, float64(res.Streams)/res.Elapsed.Seconds()), "0")
		if cut > 0 {
			b.failed = append(b.failed, fmt.Sprintf("%d streams cut short, such as: %v", cut, res.Failures))
		}
		return nil
	})
}

// withStub runs a gateway before an agent that thinks of nothing.
func (b *bench) withStub(ctx context.Context, name string, events int, measure func(*testenv.Stack, *load.Stub) error) error {
	stub, err := load.StartStub(events)
	if err != nil {
		return err
	}
	defer stub.Close()
	s, err := testenv.Up(ctx, testenv.Options{
		Bin: b.bin, Dir: b.sub(name), Tokens: tokens(), AgentURL: stub.URL,
		// wrk is one user and sends more than any limit allows.
		GatewayEnv: map[string]string{"RATE_LIMIT_API": "1000000/s", "RATE_LIMIT_CHAT": "1000000/s", "LOG_LEVEL": "warn", "ALLOWED_ORIGINS": origin},
	})
	if err != nil {
		return err
	}
	defer s.Down()
	return measure(s, stub)
}
