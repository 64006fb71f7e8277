package main

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/loongclaw/loongclaw/deploy/internal/client"
	"github.com/loongclaw/loongclaw/deploy/internal/fakeprovider"
	"github.com/loongclaw/loongclaw/deploy/internal/testenv"
)

// world is everything that runs.
type world struct {
	Plan
	book     *book
	model    *fakeprovider.Server
	store    *testenv.S3 // nil on disk
	links    []*link     // between the agents and the store, when faults are injected
	stacks   []*testenv.Stack
	sessions []*session
}

func tokenOf(user int) string { return fmt.Sprintf("token-of-user-%05d", user) }

func build(ctx context.Context, p Plan, b *book) (w *world, err error) {
	w = &world{Plan: p, book: b}
	defer func() {
		if err != nil {
			w.down()
		}
	}()
	if w.model, err = fakeprovider.Start(); err != nil {
		return nil, err
	}
	if p.Store == OnS3 {
		if w.store, err = testenv.StartS3(ctx, p.Dir); err != nil {
			return nil, err
		}
	}
	for i := range p.Agents {
		if err := w.addStack(ctx, i); err != nil {
			return nil, err
		}
	}
	transport := client.Transport()
	for u := range p.Users {
		for n := range p.Sessions {
			s := newSession(w, u, n)
			for _, stack := range w.stacks {
				s.ways = append(s.ways, client.New(stack.Base, tokenOf(u), transport))
			}
			w.sessions = append(w.sessions, s)
		}
	}
	return w, nil
}

// addStack starts a gateway and an agent of its own, on the common store.
func (w *world) addStack(ctx context.Context, i int) error {
	tokens := make([]string, w.Users)
	for u := range tokens {
		tokens[u] = fmt.Sprintf("u%d:%s", u, tokenOf(u))
	}
	o := testenv.Options{
		Bin: w.Bin, Dir: filepath.Join(w.Dir, fmt.Sprintf("stack%d", i)), Model: w.model.URL, Tokens: strings.Join(tokens, ","),
		AgentEnv: map[string]string{"TOOLS_AUTO_APPROVE": "write_file,get_current_time,memory_save"},
	}
	if w.store != nil {
		endpoint := w.store.URL
		if w.Faults || w.Partition > 0 {
			l, err := newLink(w, i)
			if err != nil {
				return err
			}
			w.links = append(w.links, l)
			endpoint = l.url()
		}
		maps.Copy(o.AgentEnv, w.store.Env(endpoint))
	}
	if w.Store == OnSQLite {
		o.AgentEnv["STORE"] = "sqlite:" + filepath.Join(w.Dir, "loongclaw.db")
	}
	if i > 0 {
		o.With = w.stacks[0]
	}
	if err := os.MkdirAll(o.Dir, 0o750); err != nil {
		return err
	}
	s, err := testenv.Up(ctx, o)
	if err != nil {
		return err
	}
	w.stacks = append(w.stacks, s)
	return nil
}

func (w *world) down() {
	for _, s := range w.stacks {
		s.Down()
	}
	for _, l := range w.links {
		l.close()
	}
	if w.store != nil {
		w.store.Kill()
	}
	if w.model != nil {
		w.model.Close()
	}
}

// logs is what the programs wrote last.
func (w *world) logs() string {
	const short = 6 << 10
	var t strings.Builder
	for _, s := range w.stacks {
		text := s.Logs()
		if os.Getenv("SOAK_LOGS") == "" && len(text) > short {
			text = "…" + text[len(text)-short:]
		}
		t.WriteString(text)
	}
	return t.String()
}

// say tells how far it is.
func (w *world) say(format string, args ...any) {
	_, _ = fmt.Fprintf(w.Out, time.Now().Format("15:04:05 ")+format+"\n", args...)
}

// trouble kills, cuts off, and waits. When it returns every agent runs and every
// link is whole.
func (w *world) trouble(ctx context.Context) error {
	if w.Partition > 0 {
		if err := w.partition(ctx); err != nil {
			return err
		}
	}
	dice := w.dice(1)
	for round := range w.Rounds {
		if err := w.killOnce(ctx, dice); err != nil {
			return fmt.Errorf("round %d: %w", round, err)
		}
		w.model.Forget()
		if round%100 == 99 {
			w.say("%d kills", round+1)
		}
		if w.book.err() != nil {
			return fmt.Errorf("stopped after round %d", round)
		}
	}
	return wait(ctx, w.Calm)
}

// killOnce kills one agent at a random moment and starts it again.
func (w *world) killOnce(ctx context.Context, dice *rand.Rand) error {
	s := w.stacks[dice.IntN(len(w.stacks))]
	moment := time.Duration(dice.Int64N(int64(w.Between)))
	afterAck, early, dead := dice.IntN(3) == 0, dice.IntN(6) == 0, time.Duration(dice.IntN(80))*time.Millisecond
	if err := wait(ctx, moment); err != nil {
		return err
	}
	if afterAck {
		select {
		case <-w.book.nextAck():
		case <-time.After(time.Second):
		}
	}
	s.Agent.Kill()
	w.book.count("killed")
	if early {
		// Once more while it finds what the last one left.
		short, cancel := context.WithTimeout(ctx, time.Duration(20+dice.IntN(150))*time.Millisecond)
		if err := s.StartAgent(short); err == nil {
			_ = wait(ctx, dead)
		}
		cancel()
		s.Agent.Kill()
		w.book.count("killed while it started")
	}
	if err := wait(ctx, dead); err != nil {
		return err
	}
	return w.start(ctx, s)
}

// start starts an agent. Among faults one try may not be enough.
func (w *world) start(ctx context.Context, s *testenv.Stack) error {
	for end := time.Now().Add(time.Minute); ; {
		err := s.StartAgent(ctx)
		if err == nil || !w.Faults || ctx.Err() != nil || time.Now().After(end) {
			return err
		}
		w.book.count("start failed among faults")
		s.Agent.Kill()
		if err := wait(ctx, 200*time.Millisecond); err != nil {
			return err
		}
	}
}

// wait waits, or says why not.
func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
