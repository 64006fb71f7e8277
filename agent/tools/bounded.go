package tools

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/loongclaw/loongclaw/agent/loop"
)

const (
	// usualLimit is how long a call of a tool may take that has no limit of its own.
	usualLimit = time.Minute
	// maxLeft is how many calls of one user may have been given up and still run:
	// each holds what it works on.
	maxLeft = 8
)

// left counts the calls that were given up and have not ended, by user.
type left struct {
	mu    sync.Mutex
	calls map[string]int
}

func (l *left) add(user string, n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.calls[user] += n; l.calls[user] <= 0 {
		delete(l.calls, user)
	}
}

func (l *left) of(user string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.calls[user]
}

// outcome is what a call gave.
type outcome struct {
	output string
	err    error
}

// bounded runs a tool until it ends, or is given up: a tool that does not hear
// that it should end holds neither its run nor the agent's own end.
func (b *Box) bounded(ctx context.Context, t Tool, args json.RawMessage, env Env) (string, error) {
	if b.left.of(env.User) >= maxLeft {
		return "", failed("%d earlier calls have not ended; nothing is called before some of them have", maxLeft)
	}
	limit := usualLimit
	if l, ok := t.(limited); ok {
		limit = l.Limit()
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	done := make(chan outcome, 1)
	go func() {
		output, err := b.guarded(ctx, t, args, env)
		done <- outcome{output, err}
	}()
	select {
	case o := <-done:
		return o.output, o.err
	case <-ctx.Done():
	}
	patience := time.NewTimer(b.patience)
	defer patience.Stop()
	select {
	case o := <-done:
		return o.output, o.err
	case <-patience.C:
	}
	name := t.Spec().Name
	b.log.Error("a tool did not end when it should have; its run goes on without it", slog.String("tool", name), slog.String("user", env.User))
	b.left.add(env.User, 1)
	go func() {
		<-done
		b.left.add(env.User, -1)
	}()
	return "", &callError{text: loop.ErrNotEnded.Error() + ": " + name + " was given up; it may still have an effect later", cause: loop.ErrNotEnded}
}

// guarded runs a tool; a panic is an error.
func (b *Box) guarded(ctx context.Context, t Tool, args json.RawMessage, env Env) (output string, err error) {
	defer func() {
		if p := recover(); p != nil {
			name := t.Spec().Name
			b.log.Error("a tool panicked", "tool", name, "panic", fmt.Sprint(p))
			output, err = "", &callError{text: "the tool " + name + " failed inside; try another way", cause: fmt.Errorf("panic: %v", p)}
		}
	}()
	return t.Run(ctx, args, env)
}
