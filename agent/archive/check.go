package archive

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/agent/journal"
	"github.com/loongclaw/loongclaw/agent/users"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// Check reads every object of the archive and every journal in it. The errors
// name what cannot be right.
func (a *Archive) Check(ctx context.Context) ([]error, error) {
	if err := a.readAll(ctx); err != nil {
		return nil, err
	}
	return chains(ctx, a.source, a.Manifest.User, a.Manifest.Left)
}

// readAll holds every object against the manifest.
func (a *Archive) readAll(ctx context.Context) error {
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(4)
	for _, e := range a.entries {
		if gctx.Err() != nil {
			break
		}
		g.Go(func() error {
			_, err := a.get(gctx, e)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return ctx.Err()
}

// chains checks the journals of a user, and that each session's journal is as
// long as the user's own says, but of what was left out; and that what stands with
// messages is what its name says. found are the faults.
func chains(ctx context.Context, b *source, user string, left []Left) (found []error, err error) {
	prefixes, err := users.Journals(ctx, b, user)
	if err != nil {
		return nil, storeFailed(err)
	}
	for _, p := range prefixes {
		if covers(left, p) {
			continue
		}
		if _, err := journal.Verify(ctx, b, p); err != nil {
			if fault.CodeOf(err) != fault.CodeDamaged {
				return found, err
			}
			found = append(found, err)
		}
	}
	for _, e := range b.entries {
		hash, ok := users.IsAttached(e.Key)
		if !ok || covers(left, e.Key) {
			continue
		}
		body, err := b.get(ctx, e)
		if err != nil {
			return found, err
		}
		if users.HashOf(body) != hash {
			found = append(found, fault.New(fault.CodeDamaged, "the object "+e.Key+" is not what its name says", "restore it from a backup, or delete the session"))
		}
	}
	u, err := users.New(b, time.Now).Get(ctx, user)
	if fault.CodeOf(err) == fault.CodeDamaged {
		return found, nil // its own journal is among the faults
	}
	if err != nil {
		return found, err
	}
	for _, row := range u.Sessions() {
		if leftLife(left, user, row.ID, row.Epoch) {
			continue
		}
		if err := anchored(ctx, b, user, row); err != nil {
			found = append(found, err)
		}
	}
	return found, nil
}

// anchored checks that a session's journal has the object that was its last one
// when it came to rest.
func anchored(ctx context.Context, b bucket.Bucket, user string, row users.SessionSummary) error {
	if row.Tail.Number == 0 {
		return nil
	}
	key := fmt.Sprintf("%s%012d", users.SessionPrefix(user, row.ID, row.Epoch), row.Tail.Number)
	o, err := b.Get(ctx, key)
	if err == nil && sumOf(key, o.Body).SHA256 == row.Tail.Hash {
		return nil
	}
	return fault.New(fault.CodeDamaged, "the object "+key+" is missing or is not the one that the user's journal names", "restore it from a backup, or delete the session")
}
