package runs

import (
	"crypto/rand"
	"errors"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/loongclaw/loongclaw/agent/attach"
	"github.com/loongclaw/loongclaw/agent/lease"
	"github.com/loongclaw/loongclaw/agent/session"
	"github.com/loongclaw/loongclaw/agent/sessionlist"
	"github.com/loongclaw/loongclaw/agent/tasks"
	"github.com/loongclaw/loongclaw/agent/users"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// env is what all sessions of this process share.
type env struct {
	Config
	*tasks.Group
	users  *users.Users
	feeds  *sessionlist.Feeds
	self   session.Owner
	leases *lease.Leases

	snapshots *semaphore.Weighted // places for those who write snapshots

	mu    sync.Mutex
	slots map[string]*semaphore.Weighted
}

// snapshotsAtOnce is how many are written at the same time.
const snapshotsAtOnce = 2

// errCancelled is the cause with which the context of a run ends that its user has ended.
var errCancelled = errors.New("cancelled by the user")

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
		Config: c, Group: tasks.New(c.Log, c.Observer.Panicked),
		users: users.New(c.Bucket, c.Now), feeds: &sessionlist.Feeds{}, self: session.Owner{Instance: c.Instance, Process: rand.Text()},
		snapshots: semaphore.NewWeighted(snapshotsAtOnce), slots: map[string]*semaphore.Weighted{},
	}
	e.leases = lease.New(e.Root(), lease.Holder(e.self), e.Group, c.Now, c.Log)
	return e
}

// newID returns a new random id of a kind.
func newID(kind string) string { return kind + "_" + strings.ToLower(rand.Text()[:20]) }

// slot returns a user's places for active runs.
func (e *env) slot(user string) *semaphore.Weighted {
	e.mu.Lock()
	defer e.mu.Unlock()
	w := e.slots[user]
	if w == nil {
		w = semaphore.NewWeighted(int64(max(e.MaxRuns, 1)))
		e.slots[user] = w
	}
	return w
}

// unknownTool is what every tool is called that there is not: models make some up.
const unknownTool = "unknown"

// toolName returns the name of a user's tool for the observer.
func (e *env) toolName(user, name string) string {
	if e.Tools.For(user).Knows(name) {
		return name
	}
	return unknownTool
}

// unwritable reports whether no later try can write to a journal either.
func unwritable(err error) bool {
	code := fault.CodeOf(err)
	return code == fault.CodeDamaged || code == fault.CodeNewerVersion
}
