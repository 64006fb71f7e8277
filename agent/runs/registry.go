package runs

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"

	"golang.org/x/sync/singleflight"

	"github.com/loongclaw/loongclaw/agent/auditlog"
	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/agent/guard"
	"github.com/loongclaw/loongclaw/agent/journal"
	"github.com/loongclaw/loongclaw/agent/session"
	"github.com/loongclaw/loongclaw/agent/users"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// registry is the sessions that are in memory, each once.
type registry struct {
	*env
	flight singleflight.Group

	mu   sync.Mutex
	open map[place]*open
}

// place names a session.
type place struct{ user, session string }

// lookup returns a session that lives, or not_found.
func (g *registry) lookup(ctx context.Context, user, id string) (*open, error) {
	u, err := g.users.Get(ctx, user)
	if err != nil {
		return nil, err
	}
	if row, _ := u.Session(id); !row.Alive {
		// Another agent may have made it.
		if err := u.Find(ctx, id); err != nil {
			return nil, bucket.Unavailable(err)
		}
	}
	if row, _ := u.Session(id); !row.Alive {
		if err := u.CheckGenerations(ctx, id, row.Epoch+1); err != nil {
			return nil, bucket.Unavailable(err)
		}
		return nil, fault.New(fault.CodeNotFound, "there is no session "+id, "GET /api/sessions lists them; a message creates one")
	}
	s, err := g.load(ctx, u, id)
	if err != nil {
		return nil, err
	}
	err = s.refresh(ctx)
	if err == nil && s.isOver() { // as is known since the session was last looked at
		g.drop(s)
		err = errOver
	}
	switch {
	case errors.Is(err, errOver):
		return g.lookup(ctx, user, id)
	case err != nil:
		return nil, err
	}
	s.recheck()
	return s, nil
}

// show shows a session that lives, under its lock.
func (g *registry) show(ctx context.Context, user, id string, do func(*open)) error {
	s, err := g.lookup(ctx, user, id)
	if err == nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		do(s)
	}
	return err
}

// load opens the present life of a session, or its first.
func (g *registry) load(ctx context.Context, u *users.User, id string) (*open, error) {
	if s := g.inUse(u.Name, id); s != nil {
		s.touch()
		return s, nil
	}
	ch := g.flight.DoChan(u.Name+"\x00"+id, func() (opened any, err error) {
		if s := g.inUse(u.Name, id); s != nil {
			return s, nil
		}
		err = guard.Run(func() (err error) {
			opened, err = g.read(context.WithoutCancel(ctx), u, id)
			return err
		})
		return opened, err
	})
	select {
	case r := <-ch:
		if r.Err != nil {
			return nil, r.Err
		}
		return r.Val.(*open), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// read reads a session's journal and takes up what was left in it.
func (g *registry) read(ctx context.Context, u *users.User, id string) (*open, error) {
	row, _ := u.Session(id)
	epoch := row.Epoch
	if !row.Alive {
		epoch++ // the next life
	}
	s := &open{
		env: g.env, kept: g, id: id, user: u, state: session.New(id, epoch, row.Session),
		changed: make(chan struct{}), touched: g.Now(), read: g.Now(),
	}
	// The user's journal knows where this one ended at its last checkpoint: a lost
	// or a forged tail does not get past that.
	var anchors []journal.Tail
	if h, err := journal.ParseHash(row.Tail.Hash); row.Alive && row.Tail.Number > 0 && err == nil {
		anchors = append(anchors, journal.Tail{Number: row.Tail.Number, Hash: h})
	}
	log, err := g.openLog(ctx, s, anchors)
	switch err = s.explain(ctx, err); {
	case errors.Is(err, errOver):
		return g.read(ctx, u, id)
	case err != nil:
		return nil, err
	}
	if now, _ := u.Session(id); now.Epoch != row.Epoch || now.Alive != row.Alive {
		return g.read(ctx, u, id) // another agent has ended this life since
	}
	log.Beside(u.Tail)
	s.log = log
	s.mu.Lock()
	s.tellLocked(row)
	s.mu.Unlock()
	g.mu.Lock()
	g.open[place{u.Name, id}] = s
	g.mu.Unlock()
	// Whoever had to read a long journal spares the next start of it: an agent
	// that is ended again and again never comes to a checkpoint.
	g.Go(func() { s.snapshot(g.Root()) })
	if epoch > 1 {
		g.Go(func() { s.sweep(g.Root()) })
	}
	if s.state.Runs().Unfinished() {
		s.takeOver()
	} else {
		s.checkpointLater()
	}
	return s, nil
}

// openLog reads a session's journal. Of one that was never anchored the user's
// journal says least, so the store is asked for all of its lives: a later one than
// that journal knows of means that it has lost its end. That look takes the place of
// the one at a journal that has no object yet.
func (g *registry) openLog(ctx context.Context, s *open, anchors []journal.Tail) (*journal.Log, error) {
	epoch := s.state.Epoch()
	prefix := users.SessionPrefix(s.user.Name, s.id, epoch)
	if len(anchors) == 0 {
		began, err := s.user.Began(ctx, s.id)
		if err != nil {
			return nil, bucket.Unavailable(err)
		}
		if !began {
			return journal.Fresh(g.Bucket, prefix, s, g.Now), nil
		}
		if err := s.user.CheckGenerations(ctx, s.id, epoch); err != nil {
			return nil, bucket.Unavailable(err)
		}
	}
	return journal.Open(ctx, g.Bucket, prefix, s, g.Now, anchors...)
}

// audit returns the entries of a user's sessions in memory that are not written yet.
func (g *registry) audit(user string) (entries []auditlog.Entry) {
	for _, s := range g.all() {
		if s.user.Name == user {
			entries = append(entries, s.audit()...)
		}
	}
	return entries
}

// inUse returns a session that is in memory, or nil.
func (g *registry) inUse(user, id string) *open {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.open[place{user, id}]
}

// all returns the sessions that are in memory.
func (g *registry) all() []*open {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Collect(maps.Values(g.open))
}

// drop lets go of a session whose life has ended.
func (g *registry) drop(s *open) {
	g.mu.Lock()
	if at := (place{s.user.Name, s.id}); g.open[at] == s {
		delete(g.open, at)
	}
	g.mu.Unlock()
	s.end()
}

// evict takes a session out of memory unless it is in use, and reports whether it
// is out. Those who follow it hold on to it, and find its next self when it changes.
func (g *registry) evict(s *open) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	at := place{s.user.Name, s.id}
	switch {
	case g.open[at] != s:
		return true
	case s.state.Runs().Unfinished() || s.life.Phase == session.Carrying || s.followers > 0 || g.Now().Sub(s.touched) < g.EvictAfter:
		return false
	}
	delete(g.open, at)
	return true
}

// evictUsers lets go of users of whom nothing is in use, again and again.
func (g *registry) evictUsers() {
	if g.Root().Err() != nil {
		return
	}
	inUse := map[string]bool{}
	g.mu.Lock()
	for at := range g.open {
		inUse[at.user] = true
	}
	g.mu.Unlock()
	g.users.Evict(g.EvictAfter, func(name string) bool { return inUse[name] || g.feeds.Watched(name) })
	g.feeds.Evict(func(name string) bool { return inUse[name] || g.users.Open(name) != nil })
	g.After(g.EvictAfter, g.evictUsers)
}

// checkpointAll brings the checkpoints of all sessions at the end of the process,
// many at once. The root has ended; each is bounded by itself.
func (g *registry) checkpointAll() {
	var wg sync.WaitGroup
	for _, s := range g.all() {
		s.mu.Lock()
		if s.timer != nil {
			s.timer.Stop()
		}
		s.mu.Unlock()
		wg.Go(func() { g.Guard(func() { s.checkpoint(context.WithoutCancel(g.Root())) }) })
	}
	wg.Wait()
}
