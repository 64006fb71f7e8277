package users

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

// Marker says that a session has, or may have, unfinished work. It is durable
// before a message is acknowledged, and holds enough to list a new session of
// which the user's journal does not know yet.
type Marker struct {
	Session chat.Session `json:"session"`
	Epoch   uint64       `json:"epoch"`
}

// PutMarker writes the mark of a session.
func (u *User) PutMarker(ctx context.Context, m Marker) error {
	b, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("users: %w", err)
	}
	if _, err = u.bucket.Put(ctx, markerKey(u.Name, m.Session.ID), b); err != nil {
		return err
	}
	u.begin(m)
	return nil
}

// RemoveMarker removes the mark of a session at rest.
func (u *User) RemoveMarker(ctx context.Context, session string) error {
	return u.bucket.Delete(ctx, markerKey(u.Name, session))
}

// Markers lists the marks.
func (u *User) Markers(ctx context.Context) ([]Marker, error) {
	var marks []Marker
	err := each(ctx, u.bucket, Prefix(u.Name)+"open/", func(key string) error {
		o, err := u.bucket.Get(ctx, key)
		if errors.Is(err, bucket.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		var m Marker
		if json.Unmarshal(o.Body, &m) == nil && m.Session.ID != "" {
			marks = append(marks, m)
		}
		return nil
	})
	return marks, err
}

// Find looks for a session that another agent may have made: in the journal, and
// among the marks of those that have not come to rest.
func (u *User) Find(ctx context.Context, session string) error {
	if err := u.Refresh(ctx); err != nil {
		return err
	}
	if row, _ := u.Session(session); row.Alive {
		return nil
	}
	o, err := u.bucket.Get(ctx, markerKey(u.Name, session))
	if errors.Is(err, bucket.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	var m Marker
	if json.Unmarshal(o.Body, &m) == nil && m.Session.ID == session {
		u.begin(m)
	}
	return nil
}

// Beat writes that an agent is alive and runs something of this user.
func (u *User) Beat(ctx context.Context, instance, process string) error {
	return u.beat(ctx, instance, beat{Process: process, At: chat.At(u.now())})
}

// Leave writes that an agent's process has ended and has left something of this
// user unfinished: whoever finds it may go on with it at once.
func (u *User) Leave(ctx context.Context, instance, process string) error {
	return u.beat(ctx, instance, beat{Process: process, At: chat.At(u.now()), Left: true})
}

func (u *User) beat(ctx context.Context, instance string, b beat) error {
	text, err := json.Marshal(b)
	if err != nil {
		return fmt.Errorf("users: %w", err)
	}
	_, err = u.bucket.Put(ctx, beatKey(u.Name, instance), text)
	return err
}

// Unbeat removes an agent's heartbeat when it runs nothing of this user.
func (u *User) Unbeat(ctx context.Context, instance string) error {
	return u.bucket.Delete(ctx, beatKey(u.Name, instance))
}

// LastBeat is when an agent last said that it is alive; the zero time if never, or
// if it has left since. left is then the process that did.
func (u *User) LastBeat(ctx context.Context, instance string) (at time.Time, left string, err error) {
	o, err := u.bucket.Get(ctx, beatKey(u.Name, instance))
	if errors.Is(err, bucket.ErrNotFound) {
		return time.Time{}, "", nil
	}
	if err != nil {
		return time.Time{}, "", err
	}
	var b beat
	switch err := json.Unmarshal(o.Body, &b); {
	case err != nil:
		return time.Time{}, "", nil // not readable is not alive
	case b.Left:
		return time.Time{}, b.Process, nil
	}
	return b.At.Time, "", nil
}

type beat struct {
	Process string    `json:"process"`
	At      chat.Time `json:"at"`
	Left    bool      `json:"left,omitempty"`
}

// removeAll deletes the objects below a prefix that are to go, the last ones first.
// It looks again until nothing is left: a put that was under way may arrive after
// the first look.
func removeAll(ctx context.Context, b bucket.Bucket, prefix string, goes func(key string) bool) error {
	for {
		var keys []string
		if err := each(ctx, b, prefix, func(key string) error {
			if goes(key) {
				keys = append(keys, key)
			}
			return nil
		}); err != nil || len(keys) == 0 {
			return err
		}
		for i := len(keys) - 1; i >= 0; i-- {
			if err := b.Delete(ctx, keys[i]); err != nil {
				return err
			}
		}
	}
}

func each(ctx context.Context, b bucket.Bucket, prefix string, do func(key string) error) error {
	after := ""
	for {
		page, more, err := b.List(ctx, prefix, after, 0)
		if err != nil {
			return err
		}
		for _, e := range page {
			if err := do(e.Key); err != nil {
				return err
			}
			after = e.Key
		}
		if !more {
			return nil
		}
	}
}
