package users

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/loongclaw/loongclaw/agent/auditlog"
	"github.com/loongclaw/loongclaw/agent/bucket"
)

// Users opens users' journals, each once.
type Users struct {
	// Opened is told of each user that comes into memory; nobody when nil.
	Opened func(*User)
	// RowChanged is told when what a user's rows say of a session changes; nobody when
	// nil. It must not wait, and asks nothing of the user.
	RowChanged func(user, session string)

	bucket bucket.Bucket
	now    func() time.Time
	flight singleflight.Group

	mu   sync.Mutex
	open map[string]*User
	used map[string]time.Time
}

// New looks for users in a bucket.
func New(b bucket.Bucket, now func() time.Time) *Users {
	return &Users{bucket: b, now: now, open: map[string]*User{}, used: map[string]time.Time{}}
}

// Get gives a user; one that the bucket does not know yet is an empty one.
func (us *Users) Get(ctx context.Context, name string) (*User, error) {
	us.mu.Lock()
	u := us.open[name]
	us.used[name] = us.now()
	us.mu.Unlock()
	if u != nil {
		return u, nil
	}
	// Reading is shared by all who ask, so it must not end with the first one.
	ch := us.flight.DoChan(name, func() (any, error) {
		us.mu.Lock()
		u := us.open[name] // the flight before this one may have just landed
		us.mu.Unlock()
		if u != nil {
			return u, nil
		}
		u, err := open(context.WithoutCancel(ctx), us.bucket, name, us.now, us.RowChanged)
		if err != nil {
			return nil, err
		}
		us.mu.Lock()
		us.open[name] = u
		us.mu.Unlock()
		if us.Opened != nil {
			us.Opened(u)
		}
		return u, nil
	})
	select {
	case r := <-ch:
		if r.Err != nil {
			return nil, r.Err
		}
		return r.Val.(*User), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Open gives a user who is in memory, or nil.
func (us *Users) Open(name string) *User {
	us.mu.Lock()
	defer us.mu.Unlock()
	return us.open[name]
}

// All gives the users who are in memory.
func (us *Users) All() []*User {
	us.mu.Lock()
	defer us.mu.Unlock()
	return slices.Collect(maps.Values(us.open))
}

// Note writes entries that belong to no session into a user's audit log.
func (us *Users) Note(ctx context.Context, name string, entries ...auditlog.Entry) error {
	u, err := us.Get(ctx, name)
	if err != nil {
		return err
	}
	return u.Note(ctx, entries...)
}

// Names lists the users that the bucket knows.
func (us *Users) Names(ctx context.Context) ([]string, error) { return Names(ctx, us.bucket) }

// Evict lets go of users whom nobody has asked for since a while, but those that
// busy names. Who still holds one may go on: its journal orders all writers.
func (us *Users) Evict(idle time.Duration, busy func(name string) bool) {
	us.mu.Lock()
	defer us.mu.Unlock()
	for name := range us.open {
		if us.now().Sub(us.used[name]) > idle && !busy(name) {
			delete(us.open, name)
			delete(us.used, name)
		}
	}
}
