package runs

import (
	"context"
	"log/slog"
	"sync"

	"github.com/loongclaw/loongclaw/agent/session"
	"github.com/loongclaw/loongclaw/agent/users"
)

// recovery takes up what earlier processes, or other agents, have left unfinished.
type recovery struct {
	*registry
	mu       sync.Mutex
	visiting map[string]int // whose sessions are being looked through, and how often
}

// meet looks through what is left of a user who has come into memory: an agent may
// have left a run, and nobody has opened its session since.
func (r *recovery) meet(u *users.User) {
	r.count(u.Name, 1)
	r.Go(func() {
		defer r.count(u.Name, -1)
		r.visit(r.Root(), u)
	})
}

// count counts who looks through what was left of a user.
func (r *recovery) count(user string, n int) {
	defer r.feeds.Of(user).Wake()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.visiting == nil {
		r.visiting = map[string]int{}
	}
	if r.visiting[user] += n; r.visiting[user] == 0 {
		delete(r.visiting, user)
	}
}

// done waits until nobody looks through what was left of a user, and reports whether
// that is so.
func (r *recovery) done(ctx context.Context, user string) bool {
	for {
		more := r.feeds.Of(user).Changed()
		if r.running(user) == 0 {
			return true
		}
		select {
		case <-more:
		case <-ctx.Done():
			return false
		}
	}
}

// running returns how many look through what was left: of a user, or of all where
// that is empty.
func (r *recovery) running(user string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	if user != "" {
		return r.visiting[user]
	}
	n := 0
	for _, times := range r.visiting {
		n += times
	}
	return n
}

func (r *recovery) visit(ctx context.Context, u *users.User) {
	u.Recover(func(mark users.Marker) {
		if err := r.resume(ctx, u, mark); err != nil {
			r.Log.Error("session not recovered", slog.String("user", u.Name), slog.String("session", mark.Session.ID), slog.Any("error", err))
		}
	})
}

// resume takes up what a pending marker stands for.
func (r *recovery) resume(ctx context.Context, u *users.User, mark users.Marker) error {
	row, _ := u.Session(mark.Session.ID)
	s, err := r.load(ctx, u, mark.Session.ID)
	if err != nil {
		return err
	}
	if !row.Alive || row.Epoch > mark.Epoch {
		return s.finishDeletion(ctx)
	}
	s.mu.Lock()
	s.changeLocked(session.MarkerFound)
	s.mu.Unlock()
	s.checkpointLater()
	return nil
}

// finishDeletion ends a deletion that a crash cut short. The marker goes, too,
// unless a message has come since and has made it its own.
func (s *open) finishDeletion(ctx context.Context) error {
	s.starting.Lock()
	defer s.starting.Unlock()
	if err := s.user.Sweep(ctx, s.id); err != nil {
		return err
	}
	s.mu.Lock()
	marked := s.life.Marker == session.Ours
	s.mu.Unlock()
	if marked {
		return nil
	}
	return s.user.RemoveMarker(ctx, s.id)
}
