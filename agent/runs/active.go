package runs

import (
	"context"
	"maps"
	"slices"

	"github.com/loongclaw/loongclaw/agent/session"
	"github.com/loongclaw/loongclaw/agent/sessionlist"
)

// Activity is what is in use in this process, and what runs.
type Activity struct {
	sessions *registry
	recovery *recovery
}

// Active returns how many sessions something runs in. Whoever may stop this agent
// asks: what waits for a user's decision does not count. What was left unfinished
// counts until it has been looked through.
func (a Activity) Active() int { return a.ActiveOf("") }

// ActiveOf returns the same for one user, who may be moved to another agent when it
// is 0; for all when user is empty.
func (a Activity) ActiveOf(user string) int {
	n := a.recovery.running(user)
	for _, s := range a.sessions.all() {
		if (user == "" || s.user.Name == user) && s.active() {
			n++
		}
	}
	return n
}

// Waiting returns how many messages wait for the run before thea.
func (a Activity) Waiting() int {
	n := 0
	for _, s := range a.sessions.all() {
		s.mu.Lock()
		n += s.state.Runs().Waiting()
		s.mu.Unlock()
	}
	return n
}

// Busy names the users of whom something runs.
func (a Activity) Busy() []string {
	busy := map[string]bool{}
	for _, s := range a.sessions.all() {
		if s.active() {
			busy[s.user.Name] = true
		}
	}
	return slices.AppendSeq([]string{}, maps.Keys(busy))
}

// Draining reports whether this agent has begun to stop.
func (a Activity) Draining() bool { return a.sessions.IsDraining() }

// Look shows the state of a session that is in use, and reports whether it is.
func (a Activity) Look(user, id string, show func(*session.State)) bool {
	s := a.sessions.inUse(user, id)
	if s == nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.life.Phase == session.Ended {
		return false
	}
	show(s.state)
	return true
}

// Recovering reports whether it is still being looked for what of a user was left
// unfinished.
func (a Activity) Recovering(user string) bool { return a.recovery.running(user) > 0 }

// Recovered waits until that is done, and reports whether it is.
func (a Activity) Recovered(ctx context.Context, user string) bool { return a.recovery.done(ctx, user) }

func (s *open) active() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.activeLocked()
}

var _ sessionlist.Live = Activity{}
