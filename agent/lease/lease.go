package lease

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

const (
	// Interval is between two heartbeats, and how long one may take to be stored.
	Interval = 10 * time.Second
	// lifetime is how long a heartbeat counts.
	lifetime = 3 * Interval
)

// Holder is who carries something out.
type Holder struct {
	Instance string // stays over restarts
	Process  string // does not
}

// Store keeps the heartbeats of one user's runs. An instance has one.
type Store interface {
	// Beat writes that a process of an instance is alive now.
	Beat(ctx context.Context, instance, process string) error
	// Unbeat removes an instance's heartbeat.
	Unbeat(ctx context.Context, instance string) error
	// Leave writes that a process of an instance has released what it had.
	Leave(ctx context.Context, instance, process string) error
	// LastBeat returns when an instance was last heard of, the zero time for
	// never, and the process that has released what it had, if one has.
	LastBeat(ctx context.Context, instance string) (at time.Time, released string, err error)
}

// Tasks runs what a lease does beside its caller.
type Tasks interface {
	Go(do func())
	After(d time.Duration, do func()) *time.Timer
}

// Leases are those of one agent on the runs of all users. Make them with New.
type Leases struct {
	self  Holder
	now   func() time.Time
	tasks Tasks
	log   *slog.Logger
	ctx   context.Context // ends when the agent's work ends

	mu       sync.Mutex
	held     map[string]*held // by user
	leftover map[string]Store // users of whom this agent leaves runs to others
}

// held is this agent's lease on the runs of one user. Heartbeats are written while
// there is an active run; a run's own start is the first one, so that a short run
// costs none.
type held struct {
	store   Store
	active  int
	written bool // there is a heartbeat to remove
	timer   *time.Timer
}

// New returns the leases of an agent; none is held yet. No heartbeat is written
// after ctx has ended.
func New(ctx context.Context, self Holder, tasks Tasks, now func() time.Time, log *slog.Logger) *Leases {
	return &Leases{self: self, now: now, tasks: tasks, log: log, ctx: ctx, held: map[string]*held{}, leftover: map[string]Store{}}
}

// Acquire counts an active run of a user, until Release.
func (l *Leases) Acquire(user string, store Store) {
	l.mu.Lock()
	defer l.mu.Unlock()
	h := l.held[user]
	if h == nil {
		h = &held{store: store}
		l.held[user] = h
	}
	if h.active++; h.active == 1 {
		h.timer = l.tasks.After(Interval, func() { l.beat(user, h) })
	}
}

// Release ends what one Acquire began. The heartbeat goes with the last one.
func (l *Leases) Release(user string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	h := l.held[user]
	if h.active--; h.active > 0 {
		return
	}
	h.timer.Stop()
	delete(l.held, user)
	if l.ctx.Err() != nil || !h.written {
		return // at the agent's end Hand says what was left
	}
	l.tasks.Go(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(l.ctx), Interval)
		defer cancel()
		if err := h.store.Unbeat(ctx, l.self.Instance); err != nil {
			l.log.Warn("heartbeat not removed", slog.String("user", user), slog.Any("error", err))
		}
	})
}

// beat writes a heartbeat, and the next one an interval later. The store is never
// waited for with the lock held.
func (l *Leases) beat(user string, h *held) {
	if !l.isActive(h) {
		return
	}
	ctx, cancel := context.WithTimeout(l.ctx, Interval)
	defer cancel()
	if err := h.store.Beat(ctx, l.self.Instance, l.self.Process); err != nil {
		l.log.Warn("heartbeat not stored", slog.String("user", user), slog.Any("error", err))
	}
	l.mu.Lock()
	again := h.active > 0
	h.written = true
	if again {
		h.timer = l.tasks.After(Interval, func() { l.beat(user, h) })
	}
	l.mu.Unlock()
	if again || l.ctx.Err() != nil {
		return
	}
	// The last run ended while this was being written.
	ctx, cancel = context.WithTimeout(context.WithoutCancel(l.ctx), Interval)
	defer cancel()
	if err := h.store.Unbeat(ctx, l.self.Instance); err != nil {
		l.log.Warn("heartbeat not removed", slog.String("user", user), slog.Any("error", err))
	}
}

func (l *Leases) isActive(h *held) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return h.active > 0
}

// Leave notes that this agent leaves a run of a user to others; Hand says so.
func (l *Leases) Leave(user string, store Store) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.leftover[user] = store
}

// Hand writes that this process has ended and has left runs of some users, so that
// other agents claim them at once.
func (l *Leases) Hand(ctx context.Context) {
	l.mu.Lock()
	all := make(map[string]Store, len(l.leftover))
	for user, store := range l.leftover {
		all[user] = store
	}
	l.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, Interval)
	defer cancel()
	var done sync.WaitGroup
	for user, store := range all {
		done.Go(func() {
			if err := store.Leave(ctx, l.self.Instance, l.self.Process); err != nil {
				l.log.Warn("other agents are not told that this one has left; they wait until its heartbeat is old", slog.String("user", user), slog.Any("error", err))
			}
		})
	}
	done.Wait()
}

// Claimable reports whether this agent may carry out what another holder has begun
// at a time and not finished.
func (l *Leases) Claimable(ctx context.Context, store Store, h Holder, began time.Time) bool {
	if h.Instance == l.self.Instance || h.Instance == "" {
		return true // an earlier process of this instance, which has ended
	}
	last, released, err := store.LastBeat(ctx, h.Instance)
	if err != nil {
		l.log.Warn("heartbeat not read", slog.String("instance", h.Instance), slog.Any("error", err))
		return false
	}
	return Ended(h, began, last, released, l.now())
}

// Ended reports whether the lease of a holder has ended that was last heard of at
// a time: its process has released what it had, or its heartbeat is too old.
func Ended(h Holder, began, last time.Time, released string, now time.Time) bool {
	if released != "" && released == h.Process {
		return true
	}
	if began.After(last) {
		last = began
	}
	return now.Sub(last) > lifetime
}
