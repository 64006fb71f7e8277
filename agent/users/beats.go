package users

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/loongclaw/loongclaw/agent/bucket"
)

// beatLife is how long a heartbeat counts for whoever would touch a user's objects:
// as long as other agents leave its owner's runs alone.
const beatLife = 30 * time.Second

// Living is an agent that is at work for a user.
type Living struct {
	Instance string
	Age      time.Duration // of its heartbeat
}

// AtWork looks for an agent that is at work for a user, by the heartbeats alone: a
// journal that cannot be read does not stand in the way. ok reports whether there is
// one.
func AtWork(ctx context.Context, b bucket.Bucket, user string, now time.Time) (found Living, ok bool, err error) {
	prefix := beatsPrefix(user)
	err = each(ctx, b, prefix, func(key string) error {
		instance, err := bucket.ParseSegment(strings.TrimPrefix(key, prefix))
		if err != nil || ok {
			return nil //nolint:nilerr // no agent writes such a key
		}
		o, err := b.Get(ctx, key)
		if errors.Is(err, bucket.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		var at beat
		if json.Unmarshal(o.Body, &at) != nil || at.Left {
			return nil // not readable is not alive
		}
		if age := now.Sub(at.At.Time); age < beatLife {
			found, ok = Living{Instance: instance, Age: max(age, 0).Round(time.Second)}, true
		}
		return nil
	})
	return found, ok, err
}

// beatsPrefix is where the agents of a user have their heartbeats.
func beatsPrefix(user string) string { return Prefix(user) + "agents/" }

// IsBeat reports whether a key is that of a heartbeat: it speaks of a process, not of
// what a user has.
func IsBeat(key string) bool {
	seg := strings.SplitN(key, "/", 4)
	return len(seg) == 4 && seg[0] == "u" && seg[2] == "agents"
}

// IsMark reports whether a key is that of a pending marker.
func IsMark(key string) bool {
	seg := strings.SplitN(key, "/", 4)
	return len(seg) == 4 && seg[0] == "u" && seg[2] == "open"
}

// IsJournal reports whether a key is that of an object of a journal, which is written
// once and never changed.
func IsJournal(key string) bool {
	seg := strings.Split(key, "/")
	if len(seg) < 4 || seg[0] != "u" {
		return false
	}
	return (len(seg) == 4 && seg[2] == "log") || (len(seg) == 7 && seg[2] == "s" && seg[5] == "log")
}
