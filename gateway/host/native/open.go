package native

import (
	"context"
	"sync"
	"time"

	"github.com/loongclaw/loongclaw/gateway/edge"
)

// roomWait is how long a body waits for room among its user's others: who sends many
// files at once has them taken one after the other.
const roomWait = 10 * time.Second

// open counts what each user has open at once on this host.
type open struct {
	most edge.Most
	wait time.Duration // for room
	mu   sync.Mutex
	by   map[string]*held // of users who have something open
}

// held is what one user has open.
type held struct {
	bytes            int64
	streams, sockets int
	room             chan struct{} // closed when bytes are given back; nil while nobody waits
}

func newOpen(most edge.Most) *open {
	return &open{most: most, wait: roomWait, by: make(map[string]*held)}
}

// change applies a change that the user's share allows, and reports whether it did.
func (o *open) change(user string, apply func(*held) bool) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	u := o.by[user]
	if u == nil {
		u = &held{}
		o.by[user] = u
	}
	ok := apply(u)
	if u.bytes == 0 && u.streams == 0 && u.sockets == 0 && u.room == nil {
		delete(o.by, user)
	}
	return ok
}

// stream counts a stream in; what it returns counts it out. ok is false where the
// user has too many.
func (o *open) stream(user string) (out func(), ok bool) {
	ok = o.change(user, func(u *held) bool {
		if u.streams >= o.most.Streams {
			return false
		}
		u.streams++
		return true
	})
	return sync.OnceFunc(func() { o.change(user, func(u *held) bool { u.streams--; return true }) }), ok
}

// socket counts a WebSocket in, as stream does a stream.
func (o *open) socket(user string) (out func(), ok bool) {
	ok = o.change(user, func(u *held) bool {
		if u.sockets >= o.most.Sockets {
			return false
		}
		u.sockets++
		return true
	})
	return sync.OnceFunc(func() { o.change(user, func(u *held) bool { u.sockets--; return true }) }), ok
}

// share is the part of a user's bytes that one body has.
type share struct {
	open *open
	user string
	n    int64
}

// body waits for room for a body of n bytes, for a while.
func (o *open) body(ctx context.Context, user string, n int64) (*share, error) {
	s := &share{o, user, min(n, o.most.BodyBytes)} // one body alone always fits
	late := time.NewTimer(o.wait)
	defer late.Stop()
	for {
		var room chan struct{}
		ok := o.change(user, func(u *held) bool {
			if u.bytes+s.n <= o.most.BodyBytes {
				u.bytes += s.n
				return true
			}
			if u.room == nil {
				u.room = make(chan struct{})
			}
			room = u.room
			return false
		})
		if ok {
			return s, nil
		}
		select {
		case <-room:
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-late.C:
			return nil, edge.TooManyOpen(edge.OpenBodies)
		}
	}
}

// shrinkTo gives back all but n bytes.
func (s *share) shrinkTo(n int64) {
	if s == nil || n >= s.n {
		return
	}
	s.open.change(s.user, func(u *held) bool {
		u.bytes -= s.n - n
		s.n = n
		if u.room != nil {
			close(u.room)
			u.room = nil
		}
		return true
	})
}
