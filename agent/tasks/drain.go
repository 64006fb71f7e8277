package tasks

import (
	"context"
	"errors"
	"time"

	"github.com/loongclaw/loongclaw/pkg/fault"
)

// ErrDraining is the cause with which the root of a group ends.
var ErrDraining = errors.New("this agent is stopping")

// patience is longer than a tool's: a run whose tool is given up still ends.
const patience = 8 * time.Second

// Draining is what a request is told that comes while this agent stops.
func Draining() error {
	return fault.New(fault.CodeDraining, "this agent is about to stop", "send it again").After(2 * time.Second)
}

// Root returns the context that ends when what runs must stop where it is.
func (g *Group) Root() context.Context { return g.root }

// Begin counts something that a drain waits for, and reports whether it may begin.
// done ends it.
func (g *Group) Begin() (done func(), ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.draining {
		return nil, false
	}
	g.running.Add(1)
	return g.running.Done, true
}

// IsDraining reports whether this agent has begun to stop.
func (g *Group) IsDraining() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.draining
}

// Drain lets nothing begin any more, waits for what was begun until ctx ends, then ends
// the root. It reports whether all of it has stopped soon after.
func (g *Group) Drain(ctx context.Context) bool {
	g.mu.Lock()
	g.draining = true
	g.mu.Unlock()
	idle := make(chan struct{})
	go func() { g.running.Wait(); close(idle) }()
	select {
	case <-idle:
	case <-ctx.Done():
	}
	g.cut(ErrDraining)
	return Within(patience, idle)
}

// Pause waits, or returns why this agent stops.
func (g *Group) Pause(d time.Duration) error {
	if Within(d, g.root.Done()) {
		return context.Cause(g.root)
	}
	return nil
}

// Within reports whether done is closed before the time is over.
func Within(d time.Duration, done <-chan struct{}) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-done:
		return true
	case <-t.C:
		return false
	}
}
