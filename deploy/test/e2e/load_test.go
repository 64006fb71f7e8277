package e2e

import (
	"context"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/deploy/internal/client"
	"github.com/loongclaw/loongclaw/deploy/internal/load"
	"github.com/loongclaw/loongclaw/deploy/internal/testenv"
)

// streams is how many streamed POSTs go through the gateway: the design's 20,000;
// under -short enough to show a proxy that cuts one in a thousand.
func streams() int {
	if testing.Short() {
		return 3_000
	}
	return 20_000
}

// clients are one for each user.
func clients(base string, n int) []*client.Client {
	t := client.Transport()
	out := make([]*client.Client, n)
	for i := range out {
		out[i] = client.New(base, tokenOf(i), t)
	}
	return out
}

// These run alone, before the parallel tests go on: they want the machine.

func TestStreamedPostsAreNeverCutShort(t *testing.T) {
	const events = 20
	stub, err := load.StartStub(events)
	if err != nil {
		t.Fatal(err)
	}
	defer stub.Close()
	s, err := testenv.Up(t.Context(), testenv.Options{Bin: bin, Dir: t.TempDir(), Tokens: tokens(), AgentURL: stub.URL})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Down()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	res := load.Posts(ctx, clients(s.Base, 64), streams(), 64, events)
	t.Logf("%d streams of %d events in %v", res.Streams, events, res.Elapsed.Round(time.Millisecond))
	if res.Whole != res.Streams {
		t.Errorf("%d of %d streams are not whole (the stub wrote %d to their end): %v", res.Streams-res.Whole, res.Streams, stub.Served.Load(), res.Failures)
	}
}

func TestAThousandConcurrentChats(t *testing.T) {
	w := own(t, func(o *testenv.Options) {
		// 250 users of 4 chats each, at the limits that a user finds.
		for _, env := range []map[string]string{o.AgentEnv, o.GatewayEnv} {
			env["MAX_CONCURRENT_RUNS"] = "4"
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	chats := load.Crowd{
		Clients: clients(w.Base, 250), Model: w.model, Chats: 1000, Chunks: 50, Delay: 20 * time.Millisecond,
		Gate: "all-are-there", Name: "crowd",
	}.Run(ctx)
	t.Logf("first event P50 %v, P95 %v, all at once",
		load.Percentile(chats, 50, func(c load.Chat) time.Duration { return c.FirstEvent }),
		load.Percentile(chats, 95, func(c load.Chat) time.Duration { return c.FirstEvent }))
	failed := load.Failed(chats)
	for _, c := range failed[:min(10, len(failed))] {
		t.Error(c.Err)
	}
	if len(failed) > 0 {
		t.Errorf("%d of %d chats failed", len(failed), len(chats))
	}
}
