package load

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/loongclaw/loongclaw/deploy/internal/client"
	"github.com/loongclaw/loongclaw/deploy/internal/fakeprovider"
)

// Crowd is many chats at once.
type Crowd struct {
	Clients []*client.Client // shared out evenly
	Model   *fakeprovider.Server
	Chats   int
	Chunks  int
	Delay   time.Duration // between the pieces of an answer
	Spread  time.Duration // the chats start evenly over this time
	Gate    string        // when set, answers stop after their first piece until all are there
	Name    string        // makes script ids unique
}

// Chat is what one chat saw.
type Chat struct {
	Over       string
	Err        error
	FirstEvent time.Duration // from asking to the first event
	FirstChunk time.Duration // from asking to the first piece of the answer
	Added      time.Duration // the same without the model's part
}

// Run lets all chat, half of them over SSE and half over WebSockets, and checks
// every event of theirs.
func (w Crowd) Run(ctx context.Context) []Chat {
	chats := make([]Chat, w.Chats)
	scripts := make([]fakeprovider.Script, w.Chats)
	sockets := make([]*client.Socket, w.Chats)
	for i := range chats {
		scripts[i] = fakeprovider.Say(fmt.Sprintf("%s-%d", w.Name, i), fakeprovider.Round{Chunks: w.Chunks, Delay: int(w.Delay.Milliseconds()), Gate: w.Gate, GateAt: 1})
		chats[i].Over = []string{client.OverSSE, client.OverWS}[i%2]
	}
	w.each(func(i int) {
		// Sockets are open before the clock starts, as a page's are.
		if chats[i].Over == client.OverWS {
			sockets[i], chats[i].Err = w.client(i).Dial(ctx, "/ws")
		}
	})
	if w.Gate != "" {
		go w.openWhenAllAreThere(ctx)
	}
	w.each(func(i int) {
		if chats[i].Err != nil {
			return
		}
		wait(ctx, w.Spread*time.Duration(i)/time.Duration(w.Chats))
		chats[i] = w.chat(ctx, i, chats[i].Over, scripts[i], sockets[i])
	})
	w.takeOutTheModel(chats, scripts)
	return chats
}

func (w Crowd) each(do func(i int)) {
	var wg sync.WaitGroup
	for i := range w.Chats {
		wg.Go(func() { do(i) })
	}
	wg.Wait()
}

func (w Crowd) client(i int) *client.Client { return w.Clients[i/2%len(w.Clients)] }

// openWhenAllAreThere opens the gate when every answer has begun: then, and not
// before, all are streaming at the same time.
func (w Crowd) openWhenAllAreThere(ctx context.Context) {
	defer w.Model.Open(w.Gate)
	_ = w.Model.Begun(ctx, w.Name+"-", w.Chats)
}

func wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

func (w Crowd) chat(ctx context.Context, i int, over string, script fakeprovider.Script, socket *client.Socket) Chat {
	c := Chat{Over: over}
	session := fmt.Sprintf("%s-%d", w.Name, i)
	asked := time.Now()
	var s client.Stream
	if over == client.OverWS {
		s = socket
		c.Err = socket.Send("chat", map[string]any{"message": script.Message(), "sessionId": session})
	} else {
		s, c.Err = w.client(i).Chat(ctx, session, script.Message())
	}
	if c.Err != nil {
		return c
	}
	defer s.Cut()
	l := client.NewLedger()
	for {
		e, err := s.Next()
		if err != nil {
			c.Err = fmt.Errorf("%s: after %d chunks and %q: %w", over, l.Chunks, l.Steps, err)
			return c
		}
		if c.FirstEvent == 0 {
			c.FirstEvent = e.At.Sub(asked)
		}
		if c.FirstChunk == 0 && e.Type == "message_chunk" {
			c.FirstChunk = e.At.Sub(asked)
		}
		if c.Err = l.Take(e); c.Err != nil {
			return c
		}
		if e.Type == "error" {
			c.Err = fmt.Errorf("%s: %s", over, e.Raw)
			return c
		}
		if e.Type == "run_finished" {
			c.Err = whole(l, e, script)
			return c
		}
	}
}

// whole says what is wrong with a run that has ended.
func whole(l *client.Ledger, end client.Event, script fakeprovider.Script) error {
	as := l.Answers[end.RunID]
	switch {
	case end.Status != "done":
		return fmt.Errorf("the run ended with %s", end.Raw)
	case len(as) != 1 || as[0].Text() != script.Answer(0):
		return fmt.Errorf("the answer is %v, the model said %q", as, script.Answer(0))
	}
	return nil
}

func (w Crowd) takeOutTheModel(chats []Chat, scripts []fakeprovider.Script) {
	own := map[string]time.Duration{}
	for _, r := range w.Model.Requests("") {
		own[r.ID] = r.FirstByte.Sub(r.Arrived)
	}
	for i := range chats {
		chats[i].Added = chats[i].FirstChunk - own[scripts[i].ID]
	}
}

// Failed returns the chats with an error.
func Failed(chats []Chat) []Chat {
	return slices.DeleteFunc(slices.Clone(chats), func(c Chat) bool { return c.Err == nil })
}

// Percentile is the p-th percentile of what of gives for each chat that did not
// fail.
func Percentile(chats []Chat, p float64, of func(Chat) time.Duration) time.Duration {
	var ds []time.Duration
	for _, c := range chats {
		if c.Err == nil {
			ds = append(ds, of(c))
		}
	}
	if len(ds) == 0 {
		return 0
	}
	slices.Sort(ds)
	return ds[min(len(ds)-1, int(float64(len(ds))*p/100))]
}
