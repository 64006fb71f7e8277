package runs

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"
	"golang.org/x/sync/singleflight"

	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/agent/guard"
	"github.com/loongclaw/loongclaw/agent/journal"
	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/tools"
	"github.com/loongclaw/loongclaw/agent/users"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// Config is what runs need.
type Config struct {
	Bucket   bucket.Bucket
	Model    loop.Model
	Tools    *tools.Box
	Persona  Persona
	Instance string // AGENT_INSTANCE: stays over restarts
	MaxRuns  int    // MAX_CONCURRENT_RUNS of one user
	Window   int    // of the model, in tokens; 0 is one that takes all that is kept for it
	Log      *slog.Logger
	Now      func() time.Time
	// Rest is how long after its last run a session comes to rest: anchored,
	// its mark removed. Evict is how long after its last use it leaves memory.
	Rest, Evict time.Duration
	Seen        Observer // nobody when nil
	Trace       Tracer   // nobody when nil
}

// Tracer follows a request into the run that it starts. A run outlives its request
// and perhaps its process, so what ties the two is text in the journal.
type Tracer interface {
	Here(ctx context.Context) string // names where ctx is, for Run; empty when nowhere
	Run(ctx context.Context, from, id, requestID string) (context.Context, func(status string))
	Tool(ctx context.Context, name string) (context.Context, func(error))
}

// untraced is the tracer where there is none.
type untraced struct{}

func (untraced) Here(context.Context) string { return "" }

func (untraced) Run(ctx context.Context, _, _, _ string) (context.Context, func(string)) {
	return ctx, func(string) {}
}

func (untraced) Tool(ctx context.Context, _ string) (context.Context, func(error)) {
	return ctx, func(error) {}
}

// Observer is told what becomes of runs. It must not wait.
type Observer interface {
	// Ended: a run ended: a chat.Run… status, or Parked or Left. What never ran in
	// this process took 0.
	Ended(status string, took time.Duration)
	// Called: a tool call has its result, with a chat.Tool… status.
	Called(tool, status string)
	// Ran: a tool ran, whatever came of it.
	Ran(tool string, took time.Duration)
	// Panicked: a run or a task beside it panicked, and was ended.
	Panicked()
}

// How a run can leave this process without an end.
const (
	Parked = "parked" // it waits for the user
	Left   = "left"   // to its next start, or to another agent
)

// unknownTool is what every tool is called that there is not: models make some up.
const unknownTool = "unknown"

// unseen is the observer where there is none.
type unseen struct{}

func (unseen) Ended(string, time.Duration) {}
func (unseen) Called(string, string)       {}
func (unseen) Ran(string, time.Duration)   {}
func (unseen) Panicked()                   {}

// Manager keeps the sessions that are in use and runs their runs.
type Manager struct {
	Config
	users   *users.Users
	process string

	flight singleflight.Group
	mu     sync.Mutex
	open   map[place]*session
	slots  map[string]*semaphore.Weighted
	asides map[string]int // questions beside conversations that are being answered, by user
	beats  map[string]*pulse
	left   map[string]*users.User // of whom this process leaves runs to others
	notes  map[string]*notes      // what waits for the ledger, by user
	noting sync.WaitGroup

	packing *semaphore.Weighted // who writes snapshots

	active sync.WaitGroup
	// recovering are the users of whom what was left is looked through, and how often.
	recovering map[string]int
	draining   chan struct{}
	drained    sync.Once
	root       context.Context
	cut        context.CancelCauseFunc
}

type place struct{ user, session string }

// snapshotsAtOnce is how many are written at the same time.
const snapshotsAtOnce = 2

// Why a run's context ends.
var (
	errCancelled = errors.New("cancelled by the user")
	errDraining  = errors.New("this agent is stopping")
	errTaken     = errors.New("another agent has taken this run over")
)

// New makes a manager. Stop it with Drain.
func New(c Config) *Manager {
	if c.Rest == 0 {
		c.Rest = 10 * time.Second
	}
	if c.Evict == 0 {
		c.Evict = 5 * time.Minute
	}
	if c.Seen == nil {
		c.Seen = unseen{}
	}
	if c.Trace == nil {
		c.Trace = untraced{}
	}
	// The root ends when the process does, not when a request does.
	root, cut := context.WithCancelCause(context.Background())
	m := &Manager{
		Config: c, users: users.New(c.Bucket, c.Now), process: rand.Text(),
		open: map[place]*session{}, slots: map[string]*semaphore.Weighted{}, beats: map[string]*pulse{}, left: map[string]*users.User{}, recovering: map[string]int{}, notes: map[string]*notes{},
		packing: semaphore.NewWeighted(snapshotsAtOnce), draining: make(chan struct{}), root: root, cut: cut,
	}
	m.users.Opened = m.meet
	m.after(c.Evict, m.evictUsers)
	return m
}

// Users gives access to users' journals.
func (m *Manager) Users() *users.Users { return m.users }

func newID(kind string) string { return kind + "_" + strings.ToLower(rand.Text()[:20]) }

// lookup gives a session that lives, or not_found.
func (m *Manager) lookup(ctx context.Context, user, id string) (*session, error) {
	u, err := m.users.Get(ctx, user)
	if err != nil {
		return nil, err
	}
	if row, _ := u.Row(id); !row.Alive {
		// Another agent may have made it.
		if err := u.Find(ctx, id); err != nil {
			return nil, storeFault(err)
		}
	}
	if row, _ := u.Row(id); !row.Alive {
		if err := u.CheckLives(ctx, id, row.Epoch+1); err != nil {
			return nil, storeFault(err)
		}
		return nil, fault.New(fault.CodeNotFound, "there is no session "+id, "GET /api/sessions lists them; a message creates one")
	}
	s, err := m.load(ctx, u, id)
	if err != nil {
		return nil, err
	}
	if err := s.refresh(ctx, m.Now()); err != nil {
		return nil, err
	}
	if row, _ := u.Row(id); row.Epoch != s.epoch || !row.Alive {
		m.drop(s) // another agent has ended this life
		return m.lookup(ctx, user, id)
	}
	m.mind(s)
	return s, nil
}

// load opens the present life of a session, or its first.
func (m *Manager) load(ctx context.Context, u *users.User, id string) (*session, error) {
	at := place{u.Name, id}
	m.mu.Lock()
	s := m.open[at]
	m.mu.Unlock()
	if s != nil {
		s.touch(m.Now())
		return s, nil
	}
	ch := m.flight.DoChan(u.Name+"\x00"+id, func() (opened any, err error) {
		m.mu.Lock()
		s := m.open[at]
		m.mu.Unlock()
		if s != nil {
			return s, nil
		}
		err = guard.Run(func() (err error) {
			opened, err = m.read(context.WithoutCancel(ctx), u, id)
			return err
		})
		return opened, err
	})
	select {
	case r := <-ch:
		if r.Err != nil {
			return nil, r.Err
		}
		return r.Val.(*session), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// read reads a session's journal and takes up what was left in it.
func (m *Manager) read(ctx context.Context, u *users.User, id string) (*session, error) {
	row, _ := u.Row(id)
	epoch := row.Epoch
	if !row.Alive {
		epoch++ // the next life
	}
	s := newSession(u, id, epoch, row)
	s.touched = m.Now()
	s.seen = s.touched
	// The user's journal knows where this one ended when it last came to rest: a
	// lost or a forged tail does not get past that.
	var anchors []journal.Tail
	if h, err := journal.ParseHash(row.Tail.Hash); row.Alive && row.Tail.Number > 0 && err == nil {
		anchors = append(anchors, journal.Tail{Number: row.Tail.Number, Hash: h})
	}
	log, err := m.openLog(ctx, s, anchors)
	if err != nil {
		return nil, err
	}
	if now, _ := u.Row(id); now.Epoch != row.Epoch || now.Alive != row.Alive {
		return m.read(ctx, u, id) // another agent has ended this life since
	}
	log.Beside(u.Tail)
	s.log = log
	m.mu.Lock()
	m.open[place{u.Name, id}] = s
	m.mu.Unlock()
	// Whoever had to read a long journal spares the next start of it: an agent
	// that is ended again and again never comes to rest.
	m.background(func() { m.snapshot(m.root, s) })
	if epoch > 1 {
		m.background(func() { m.sweep(m.root, s) })
	}
	if s.unfinished() {
		m.adopt(s)
	} else {
		m.settle(s)
	}
	return s, nil
}

// openLog reads a session's journal. Of one that was never anchored the user's
// journal says least, so the store is asked for all of its lives: a later one than
// that journal knows of means that it has lost its end. That look takes the place of
// the one at a journal that has no object yet.
func (m *Manager) openLog(ctx context.Context, s *session, anchors []journal.Tail) (*journal.Log, error) {
	prefix := users.SessionPrefix(s.user.Name, s.id, s.epoch)
	if len(anchors) == 0 {
		began, err := s.user.Began(ctx, s.id)
		if err != nil {
			return nil, storeFault(err)
		}
		if !began {
			return journal.Fresh(m.Bucket, prefix, s, m.Now), nil
		}
		if err := s.user.CheckLives(ctx, s.id, s.epoch); err != nil {
			return nil, storeFault(err)
		}
	}
	return journal.Open(ctx, m.Bucket, prefix, s, m.Now, anchors...)
}

// sweep removes what earlier lives of a session have left: a crash may have cut
// a deletion short, and the next life's mark stands in the place of its own.
func (m *Manager) sweep(ctx context.Context, s *session) {
	s.starting.Lock()
	defer s.starting.Unlock()
	if err := s.user.Sweep(ctx, s.id); err != nil {
		m.Log.Warn("objects of an ended life not removed; the next start tries again", slog.String("user", s.user.Name), slog.String("session", s.id), slog.Any("err", err))
	}
}

func (s *session) touch(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.touched = now
}

func (s *session) unfinished() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.busy()
}

// slot gives a user's places for active runs.
func (m *Manager) slot(user string) *semaphore.Weighted {
	m.mu.Lock()
	defer m.mu.Unlock()
	w := m.slots[user]
	if w == nil {
		w = semaphore.NewWeighted(int64(max(m.MaxRuns, 1)))
		m.slots[user] = w
	}
	return w
}

// Draining says whether this agent has begun to stop.
func (m *Manager) Draining() bool { return m.isDraining() }

func (m *Manager) isDraining() bool {
	select {
	case <-m.draining:
		return true
	default:
		return false
	}
}

// Drain stops taking messages and waits for active runs until ctx ends; what
// still runs then stops where it is, and goes on at the next start or at another
// agent. What waits its turn does not begin here.
func (m *Manager) Drain(ctx context.Context) {
	m.mu.Lock() // after this no worker begins
	m.drained.Do(func() { close(m.draining) })
	m.mu.Unlock()
	idle := make(chan struct{})
	go func() { m.active.Wait(); close(idle) }()
	select {
	case <-idle:
	case <-ctx.Done():
	}
	m.cut(errDraining)
	if !within(drainPatience, idle) {
		m.Log.Error("a run did not stop when it should have; it is left as a crash would leave it")
	}
	rested := make(chan struct{})
	go func() {
		m.leave()
		m.restAll()
		m.writeAllNotes()
		m.noteEnds()
		close(rested)
	}()
	if !within(restPatience, rested) {
		m.Log.Error("the store did not take the last writes; the next start makes up for them")
	}
}

const (
	// drainPatience is longer than a tool's: a run whose tool is given up still ends.
	drainPatience = 8 * time.Second
	// restPatience bounds the last writes, whatever the store does.
	restPatience = 30 * time.Second
)

// within reports whether done is closed before the time is over.
func within(d time.Duration, done <-chan struct{}) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-done:
		return true
	case <-t.C:
		return false
	}
}
