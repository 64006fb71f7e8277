package archive

import (
	"context"
	"strings"
	"time"

	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/agent/users"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// beatLife is how long a heartbeat counts: as long as other agents leave its
// owner's runs alone.
const beatLife = 30 * time.Second

// CheckRest refuses a user for whom an agent is at work now: it would go on from
// what it knew before the import. An agent that runs nothing has no heartbeat;
// it finds what was imported when it next writes.
func CheckRest(ctx context.Context, b bucket.Bucket, user string, now time.Time) error {
	if err := checkUser(user); err != nil {
		return err
	}
	prefix := users.Prefix(user) + "agents/"
	beats, err := list(ctx, b, prefix, "")
	if err != nil {
		return err
	}
	// The user as seen by somebody who sees heartbeats only, so that a journal
	// that is about to be repaired does not stand in the way.
	u, err := users.New(newShelf(beats, func(ctx context.Context, e bucket.Entry) ([]byte, error) {
		o, err := b.Get(ctx, e.Key)
		return o.Body, err
	}), time.Now).Get(ctx, user)
	if err != nil {
		return err
	}
	for _, e := range beats {
		instance, err := bucket.ParseSegment(strings.TrimPrefix(e.Key, prefix))
		if err != nil {
			continue // no agent writes such a key
		}
		at, _, err := u.LastBeat(ctx, instance)
		if err != nil {
			return storeFailed(err)
		}
		if age := now.Sub(at); age < beatLife {
			return fault.New(fault.CodeConflict, "the agent "+quote(instance)+" is at work for this user (heartbeat "+max(age, 0).Round(time.Second).String()+" ago)",
				"stop it or wait for its runs to end, then import again; -force imports all the same")
		}
	}
	return nil
}
