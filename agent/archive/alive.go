package archive

import (
	"context"
	"time"

	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/agent/users"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// CheckRest refuses a user for whom an agent is at work now: it would go on from
// what it knew before the import. An agent that runs nothing has no heartbeat;
// it finds what was imported when it next writes.
func CheckRest(ctx context.Context, b bucket.Bucket, user string, now time.Time) error {
	if err := checkUser(user); err != nil {
		return err
	}
	living, ok, err := users.AtWork(ctx, b, user, now)
	if err != nil {
		return storeFailed(err)
	}
	if ok {
		return fault.New(fault.CodeConflict, "the agent "+quote(living.Instance)+" is at work for this user (heartbeat "+living.Age.String()+" ago)",
			"stop it or wait for its runs to end, then import again; -force imports all the same")
	}
	return nil
}
