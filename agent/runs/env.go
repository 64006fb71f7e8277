package runs

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/loongclaw/loongclaw/agent/attach"
	"github.com/loongclaw/loongclaw/agent/lease"
	"github.com/loongclaw/loongclaw/agent/session"
	"github.com/loongclaw/loongclaw/agent/users"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// env is what all sessions of this process share.
type env struct {
	Config
	*tasks
	users  *users.Users
	feeds  feeds // what has changed in users' lists
	self   session.Owner
	leases *lease.Leases

	// root ends when what runs must stop where it is. Not with a request: a run
	// outlives the one that started it.
	root context.Context
	cut  context.CancelCauseFunc

	snapshots *semaphore.Weighted // places for those who write snapshots

	mu       sync.Mutex
	draining bool
	running  sync.WaitGroup // workers, and questions beside conversations
	slots    map[string]*semaphore.Weighted
}

// snapshotsAtOnce is how many are written at the same time.
const snapshotsAtOnce = 2

// Why a run's context ends.
var (
	errCancelled = errors.New("cancelled by the user")
	errDraining  = errors.New("this agent is stopping")
)

func newEnv(c Config) *env {
	if c.CheckpointAfter == 0 {
		c.CheckpointAfter = 10 * time.Second
	}
	if c.EvictAfter == 0 {
		c.EvictAfter = 5 * time.Minute
	}
	if c.Reader == nil {
		c.Reader = attach.NewReader(nil)
	}
	if c.Observer == nil {
		c.Observer = unseen{}
	}
	if c.Trace == nil {
		c.Trace = untraced{}
	}
	e := &env{
		Config: c, tasks: &tasks{log: c.Log, seen: c.Observer},
		users: users.New(c.Bucket, c.Now), self: session.Owner{Instance: c.Instance, Process: rand.Text()},
		snapshots: semaphore.NewWeighted(snapshotsAtOnce), slots: map[string]*semaphore.Weighted{},
	}
	e.root, e.cut = context.WithCancelCause(context.Background())
	e.leases = lease.New(e.root, lease.Holder(e.self), e.tasks, c.Now, c.Log)
	return e
}

// newID returns a new random id of a kind.
func newID(kind string) string { return kind + "_" + strings.ToLower(rand.Text()[:20]) }

// begin counts something that a drain waits for, and reports whether it may begin.
// done ends it.
func (e *env) begin() (done func(), ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.draining {
		return nil, false
	}
	e.running.Add(1)
	return e.running.Done, true
}

// isDraining reports whether this agent has begun to stop.
func (e *env) isDraining() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.draining
}

func (e *env) drain() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.draining = true
}

// drainingFault is what a request is told that comes while this agent stops.
func drainingFault() error {
	return fault.New(fault.CodeDraining, "this agent is about to stop", "send it again").After(2 * time.Second)
}

// pause waits, or returns why this agent stops.
func (e *env) pause(d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-e.root.Done():
		return context.Cause(e.root)
	}
}

// unwritable reports whether no later try can write to a journal either.
func unwritable(err error) bool {
	code := fault.CodeOf(err)
	return code == fault.CodeDamaged || code == fault.CodeNewerVersion
}
