package archive

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/agent/users"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// Snapshot is one user at one moment: the keys that were there then. Journals
// never change, so what they name is read when it is needed; a file that is
// replaced in the meantime is read as it is then.
type Snapshot struct {
	*source
	User  string
	left  []Left
	moved atomic.Bool // an object of a journal is gone
}

// looks is how often Take looks for a moment in which the user's journal stands
// still. It grows only when a session comes to rest or something is remembered,
// and a look takes a few requests.
const looks = 10

// Take looks at a user. It takes no lock and may run beside a live agent.
//
// The order matters. The user's journal is listed before the sessions, so that
// no anchor names an object that the listing of its session has missed. The
// marks come after the sessions: a message's mark is durable before the message
// is acknowledged. And a session that came to rest in between, whose mark is
// gone and whose anchor was not listed, shows by a user's journal that has
// grown: then Take looks again.
func Take(ctx context.Context, b bucket.Bucket, user string) (*Snapshot, error) {
	if err := checkUser(user); err != nil {
		return nil, err
	}
	prefix := users.Prefix(user)
	for range looks {
		entries, err := list(ctx, b, prefix, "")
		if err != nil {
			return nil, err
		}
		entries = slices.DeleteFunc(entries, func(e bucket.Entry) bool {
			return passing(prefix, e.Key) || strings.HasPrefix(e.Key, prefix+"open/")
		})
		marks, err := list(ctx, b, prefix+"open/", "")
		if err != nil {
			return nil, err
		}
		grown, err := list(ctx, b, prefix+"log/", lastBelow(entries, prefix+"log/"))
		if err != nil {
			return nil, err
		}
		if len(grown) > 0 {
			continue
		}
		if entries = append(entries, marks...); len(entries) == 0 {
			return nil, fault.New(fault.CodeNotFound, "the store holds nothing of the user "+quote(user), "look at -user and STORE")
		}
		return snapshot(b, user, entries), nil
	}
	return nil, fault.New(fault.CodeConflict, "the user's sessions never stood still long enough to be listed", "export again when less is going on")
}

func snapshot(b bucket.Bucket, user string, entries []bucket.Entry) *Snapshot {
	prefix := users.Prefix(user)
	s := &Snapshot{User: user, left: tooLargeOf(user, entries)}
	s.source = newShelf(entries, func(ctx context.Context, e bucket.Entry) ([]byte, error) {
		o, err := b.Get(ctx, e.Key)
		if errors.Is(err, bucket.ErrNotFound) && isJournal(prefix, e.Key) {
			s.moved.Store(true)
		}
		return o.Body, err
	})
	return s
}

func checkUser(user string) error {
	if user == "" || bucket.CheckKey(users.Prefix(user)+"log") != nil {
		return fault.New(fault.CodeInvalidRequest, "the user "+quote(user)+" can have no objects", "give -user the name that the user's token has")
	}
	return nil
}

// passing reports whether an object is no part of what a user takes along:
// heartbeats speak of processes, a journal's snapshots are a cache that comes and
// goes, and secrets stay where they are, since an archive goes from hand to hand.
func passing(prefix, key string) bool {
	seg := strings.SplitN(strings.TrimPrefix(key, prefix), "/", 5)
	return seg[0] == "agents" || seg[0] == "snap" || seg[0] == "secrets" || (seg[0] == "s" && len(seg) == 5 && seg[3] == "snap")
}

func isJournal(prefix, key string) bool {
	return strings.HasPrefix(key, prefix+"log/") || strings.HasPrefix(key, prefix+"s/")
}

func lastBelow(entries []bucket.Entry, prefix string) string {
	for _, e := range slices.Backward(entries) {
		if strings.HasPrefix(e.Key, prefix) {
			return e.Key
		}
	}
	return ""
}
