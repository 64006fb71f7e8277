package runs

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/loongclaw/loongclaw/agent/users"
)

// An agent that runs something of a user says every beatEvery that it is alive;
// after beatDead without it, another agent may take its runs over.
const (
	beatEvery = 10 * time.Second
	beatDead  = 30 * time.Second
	// mindEvery is between two looks at a session that another agent has in hand:
	// it may have left, or have finished what a message here waits behind.
	mindEvery = 2 * time.Second
)

func (m *Manager) owner() Owner { return Owner{Instance: m.Instance, Process: m.process} }

// pulse is this agent's heartbeat for one user. It beats while the user has
// active runs; a run's own run_started is the first beat, so that a short one
// costs none.
type pulse struct {
	m    *Manager
	user *users.User

	mu     sync.Mutex
	active int
	beaten bool // there is a heartbeat to remove
	ticker *time.Timer
}

func (m *Manager) pulseOf(u *users.User) *pulse {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := m.beats[u.Name]
	if p == nil {
		p = &pulse{m: m, user: u}
		m.beats[u.Name] = p
	}
	return p
}

// enter and leave count active runs.
func (p *pulse) enter() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.active++; p.active == 1 {
		p.ticker = p.m.after(beatEvery, p.tick)
	}
}

func (p *pulse) leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.active--; p.active > 0 {
		return
	}
	p.ticker.Stop()
	if p.m.root.Err() != nil {
		return // Drain says what was left
	}
	if p.beaten {
		p.beaten = false
		p.m.background(p.unbeat)
	}
}

func (p *pulse) unbeat() {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(p.m.root), beatEvery)
	defer cancel()
	if err := p.user.Unbeat(ctx, p.m.Instance); err != nil {
		p.m.Log.Warn("heartbeat not removed", slog.String("user", p.user.Name), slog.Any("err", err))
	}
}

func (p *pulse) tick() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.active == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(p.m.root, beatEvery)
	defer cancel()
	if err := p.user.Beat(ctx, p.m.Instance, p.m.process); err != nil {
		p.m.Log.Warn("heartbeat not stored", slog.String("user", p.user.Name), slog.Any("err", err))
	}
	p.beaten = true
	p.ticker = p.m.after(beatEvery, p.tick)
}

// leave says that this process has ended and has left runs of these users.
func (m *Manager) leave() {
	m.mu.Lock()
	all := slices.Collect(maps.Values(m.left))
	m.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(m.root), beatEvery)
	defer cancel()
	var done sync.WaitGroup
	for _, u := range all {
		done.Go(func() {
			if err := u.Leave(ctx, m.Instance, m.process); err != nil {
				m.Log.Warn("other agents are not told that this one has left; they wait until its heartbeat is old", slog.String("user", u.Name), slog.Any("err", err))
			}
		})
	}
	done.Wait()
}

// noteEnds writes where the journals of all users in memory end.
func (m *Manager) noteEnds() {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(m.root), beatEvery)
	defer cancel()
	var done sync.WaitGroup
	for _, u := range m.users.All() {
		done.Go(func() {
			if err := u.NoteEnd(ctx); err != nil {
				m.Log.Warn("the end of a user's journal is not noted; the next one who opens it does that", slog.String("user", u.Name), slog.Any("err", err))
			}
		})
	}
	done.Wait()
}

// mayTake says whether this agent may run what owner left unfinished: an earlier
// process of this instance has ended, another instance has said that it leaves, or
// is dead, since its heartbeat is old.
func (m *Manager) mayTake(ctx context.Context, u *users.User, o Owner, started time.Time) bool {
	if o.Instance == m.Instance || o.Instance == "" {
		return true
	}
	last, left, err := u.LastBeat(ctx, o.Instance)
	if err != nil {
		m.Log.Warn("heartbeat not read", slog.String("instance", o.Instance), slog.Any("err", err))
		return false
	}
	if left != "" && left == o.Process {
		return true
	}
	if started.After(last) {
		last = started
	}
	return m.Now().Sub(last) > beatDead
}

// mind sees to it that what another agent does not finish in a session is taken up
// here, when that may be.
func (m *Manager) mind(s *session) {
	s.mu.Lock()
	begin := !s.minded && !s.working && !s.ended && s.busy() && (s.current == "" || s.foreign(m.process))
	s.minded = s.minded || begin
	s.mu.Unlock()
	if begin && !m.isDraining() {
		m.adopt(s)
	}
}

// adopt takes up the unfinished runs of a session. When they belong to an agent
// that is alive, it looks again later.
func (m *Manager) adopt(s *session) {
	s.mu.Lock()
	s.minded = false
	var o Owner
	var started time.Time
	if r := s.runs[s.current]; r != nil {
		o, started = r.owner, s.entries[r.started-1].at.Time
	}
	ended, mine := s.ended, o.Process == m.process
	s.mu.Unlock()
	if ended || mine {
		return
	}
	ctx, cancel := context.WithTimeout(m.root, beatEvery)
	defer cancel()
	if m.mayTake(ctx, s.user, o, started) {
		s.mu.Lock()
		if r := s.runs[s.current]; r != nil && r.owner == o {
			s.takeable = r.started
		}
		s.mu.Unlock()
		m.work(s, false)
		return
	}
	s.mu.Lock()
	s.minded = true
	s.mu.Unlock()
	m.after(mindEvery, func() {
		if m.isDraining() {
			return
		}
		ctx, cancel := context.WithTimeout(m.root, beatEvery)
		defer cancel()
		if err := s.log.Refresh(ctx); err != nil {
			m.Log.Warn("session not refreshed", slog.Any("err", err))
		}
		if s.unfinished() {
			m.adopt(s)
			return
		}
		s.mu.Lock()
		s.minded = false
		s.mu.Unlock()
		m.settle(s)
	})
}

// watchEvery is how often a running agent looks for what other agents have
// appended to the session: messages, decisions, or the run's end.
const watchEvery = 2 * time.Second

// watch takes in what others append to a session while this agent runs a run of
// it, and stops the run when it is no longer this agent's.
func (m *Manager) watch(ctx context.Context, s *session, r *run, stop context.CancelCauseFunc) {
	t := time.NewTicker(watchEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		if err := s.log.Refresh(ctx); err != nil {
			continue // the next step finds out what this means
		}
		s.mu.Lock()
		lost := s.current != r.id || r.owner != m.owner()
		s.mu.Unlock()
		if lost {
			stop(errTaken)
			return
		}
	}
}

// Active is how many sessions something runs in. Whoever may stop this agent asks:
// what waits for a user's decision does not count. What was left unfinished counts
// until it has been looked through.
func (m *Manager) Active() int { return m.ActiveOf("") }

// ActiveOf is the same for one user, who may be moved to another agent when it is
// 0; for all when user is empty.
func (m *Manager) ActiveOf(user string) int {
	n := 0
	m.mu.Lock()
	open := slices.Collect(maps.Values(m.open))
	for name, times := range m.recovering {
		if user == "" || user == name {
			n += times
		}
	}
	m.mu.Unlock()
	for _, s := range open {
		if user != "" && s.user.Name != user {
			continue
		}
		s.mu.Lock()
		if s.active() {
			n++
		}
		s.mu.Unlock()
	}
	return n
}

// Waiting is how many messages wait for the run before them.
func (m *Manager) Waiting() int {
	m.mu.Lock()
	open := slices.Collect(maps.Values(m.open))
	m.mu.Unlock()
	n := 0
	for _, s := range open {
		s.mu.Lock()
		n += len(s.queue)
		s.mu.Unlock()
	}
	return n
}

// Busy names the users of whom something runs.
func (m *Manager) Busy() []string {
	m.mu.Lock()
	open := slices.Collect(maps.Values(m.open))
	m.mu.Unlock()
	busy := map[string]bool{}
	for _, s := range open {
		s.mu.Lock()
		if s.active() {
			busy[s.user.Name] = true
		}
		s.mu.Unlock()
	}
	return slices.AppendSeq([]string{}, maps.Keys(busy))
}

// Recover takes up what an earlier process left unfinished of these users. What
// cannot be read of one keeps nobody else waiting, and is in the log.
func (m *Manager) Recover(ctx context.Context, names ...string) {
	for _, name := range names {
		m.recovers(name, 1)
	}
	for _, name := range names {
		if u, err := m.users.Get(ctx, name); err == nil {
			m.lookThrough(ctx, u)
		} else {
			m.Log.Error("user's journal not readable", slog.String("user", name), slog.Any("err", err))
		}
		m.recovers(name, -1)
	}
}

// recovers counts who looks through what was left of a user.
func (m *Manager) recovers(user string, n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.recovering[user] += n; m.recovering[user] == 0 {
		delete(m.recovering, user)
	}
}

// meet looks through what is left of a user who has come into memory: an agent may
// have left a run, and nobody has opened its session since.
func (m *Manager) meet(u *users.User) {
	m.recovers(u.Name, 1)
	m.background(func() {
		defer m.recovers(u.Name, -1)
		m.lookThrough(m.root, u)
	})
}

func (m *Manager) lookThrough(ctx context.Context, u *users.User) {
	u.Met(func(mark users.Mark) {
		if err := m.takeUp(ctx, u, mark); err != nil {
			m.Log.Error("session not recovered", slog.String("user", u.Name), slog.String("session", mark.Session.ID), slog.Any("err", err))
		}
	})
}

func (m *Manager) takeUp(ctx context.Context, u *users.User, mark users.Mark) error {
	row, _ := u.Row(mark.Session.ID)
	s, err := m.load(ctx, u, mark.Session.ID)
	if err != nil {
		return err
	}
	if !row.Alive || row.Epoch > mark.Epoch {
		return m.finishDeletion(ctx, s)
	}
	s.mu.Lock()
	s.found = true
	s.mu.Unlock()
	m.settle(s)
	return nil
}

// finishDeletion ends a deletion that a crash cut short. The mark goes, too,
// unless a message has come since and has made it its own.
func (m *Manager) finishDeletion(ctx context.Context, s *session) error {
	s.starting.Lock()
	defer s.starting.Unlock()
	if err := s.user.Sweep(ctx, s.id); err != nil {
		return err
	}
	s.mu.Lock()
	marked := s.marked
	s.mu.Unlock()
	if marked {
		return nil
	}
	return s.user.Unmark(ctx, s.id)
}
