package runs

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/loongclaw/loongclaw/agent/session"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// staleAfter is how long what is known of a session counts without looking
// whether another agent has written to it.
const staleAfter = 2 * time.Second

// errOver says that another agent has cleared or deleted this generation, and that it
// is let go of here. Nobody outside of this package is told: whoever asked looks for
// the next generation.
var errOver = errors.New("another agent has ended this generation")

// refresh takes in what other agents have appended since this one last looked.
func (s *open) refresh(ctx context.Context) error {
	now := s.Now()
	s.mu.Lock()
	fresh := s.life.Phase == session.Carrying || now.Sub(s.read) < staleAfter
	s.mu.Unlock()
	if fresh {
		return nil
	}
	if err := s.takeIn(ctx); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.read = now
	return nil
}

// takeIn takes in what other agents have written, to the user's journal first: in the
// place of a journal that they have removed nothing shows, or what is taken for
// damage.
func (s *open) takeIn(ctx context.Context) error {
	if err := s.checkAlive(ctx); err != nil {
		return err
	}
	return s.explain(ctx, s.log.Refresh(ctx))
}

// explain returns an error of this session's journal, or errOver where that was removed
// while it was read. The tombstone is durable before the first object goes, so the
// user's journal has it by now.
func (s *open) explain(ctx context.Context, err error) error {
	if fault.CodeOf(err) != fault.CodeDamaged {
		return err
	}
	if gone := s.checkAlive(ctx); gone != nil {
		return gone
	}
	return err
}

// checkAlive looks into the user's journal whether another agent has ended this
// generation. If so it is let go of, and what this agent has written since goes, too.
func (s *open) checkAlive(ctx context.Context) error {
	if err := s.user.Refresh(ctx); err != nil {
		return err
	}
	if !s.isOver() {
		return nil
	}
	s.kept.drop(s)
	s.Go(func() { s.sweep(s.Root()) })
	return errOver
}

// isOver reports whether the user's journal, as far as it is known here, says that this
// generation has ended.
func (s *open) isOver() bool {
	row, _ := s.user.Session(s.id)
	return row.Epoch > s.state.Epoch() || row.Epoch == s.state.Epoch() && !row.Alive
}

// sweep removes what earlier lives of a session have left: a crash may have cut
// a deletion short, and the next life's marker stands in the place of its own.
func (s *open) sweep(ctx context.Context) {
	s.starting.Lock()
	defer s.starting.Unlock()
	if err := s.user.Sweep(ctx, s.id); err != nil {
		s.Log.Warn("objects of an ended life not removed; the next start tries again", slog.String("user", s.user.Name), slog.String("session", s.id), slog.Any("error", err))
	}
}
