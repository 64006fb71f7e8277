package archive

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/agent/users"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// Restored says what an import of an archive did.
type Restored struct {
	Written int // objects that were not there
	Same    int // objects that were there, byte for byte
	Ended   int // objects left out: their session was deleted, or came to rest, since
	Gone    int // files left out: the store has gone on from the archive, and has them no more
}

// writers is how many objects are written at once.
const writers = 16

// Restore writes an archive's objects where they are not. Before the first one
// is written everything has been checked: the archive, that nothing in the store
// differs from it, and that every journal is whole as it will be then. Restoring
// again, or going on after a crash, writes only what is missing.
func Restore(ctx context.Context, b bucket.Bucket, user string, a *Archive) (Restored, error) {
	if a.Manifest.User != user {
		return Restored{}, otherUser(a.Manifest.User, user)
	}
	if err := a.readAll(ctx); err != nil {
		return Restored{}, err
	}
	there, err := list(ctx, b, users.Prefix(user), "")
	if err != nil {
		return Restored{}, err
	}
	target := newShelf(there, func(ctx context.Context, e bucket.Entry) ([]byte, error) {
		o, err := b.Get(ctx, e.Key)
		return o.Body, err
	})
	if err := differences(ctx, target, a); err != nil {
		return Restored{}, err
	}
	both := overlay(target, a)
	found, err := chains(ctx, both, user, a.Manifest.Left)
	if err != nil {
		return Restored{}, err
	}
	if len(found) > 0 {
		return Restored{}, damagedAfter(found)
	}
	u, err := users.New(both, time.Now).Get(ctx, user)
	if err != nil {
		return Restored{}, err
	}
	done, todo := plan(target, a, u)
	done.Written, err = write(ctx, b, a, user, todo)
	return done, err
}

func otherUser(from, to string) error {
	return fault.New(fault.CodeInvalidRequest,
		"this is an archive of the user "+quote(from)+", not of "+quote(to)+"; journals are bound to their user and cannot change hands",
		"import it with -user "+from+"; to give memory to another user, export it with -format md and import that tar")
}

func damagedAfter(found []error) error {
	names := make([]string, len(found))
	for i, err := range found {
		names[i] = fault.From(err).Message
	}
	return fault.New(fault.CodeDamaged, "the user's journals would not be whole: "+some(names)+"; nothing was written",
		"delete these sessions where the archive was made and export again, or use an older archive")
}

// differences refuses an archive of which the store holds something else.
func differences(ctx context.Context, target *source, a *Archive) error {
	var mu sync.Mutex
	var other []string
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(readers)
	for _, e := range a.entries {
		old, there := target.find(e.Key)
		if !there {
			continue
		}
		g.Go(func() error {
			body, err := target.get(gctx, old)
			if err != nil {
				return storeFailed(err)
			}
			if sumOf(e.Key, body).SHA256 != e.ETag {
				mu.Lock()
				defer mu.Unlock()
				other = append(other, e.Key)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil || len(other) == 0 {
		return err
	}
	return fault.New(fault.CodeConflict, fmt.Sprintf("the store holds other bytes under %d keys of the archive: %s; nothing was written", len(other), some(other)),
		"import into an empty store; or export what is there, delete these objects, and import again")
}

// overlay is the store as it will be.
func overlay(target *source, a *Archive) *source {
	entries := append([]bucket.Entry{}, target.entries...)
	for _, e := range a.entries {
		if _, there := target.find(e.Key); !there {
			entries = append(entries, e)
		}
	}
	return newShelf(entries, func(ctx context.Context, e bucket.Entry) ([]byte, error) {
		if old, there := target.find(e.Key); there {
			return target.get(ctx, old)
		}
		return a.get(ctx, e)
	})
}

// plan says what is to be written. What was deleted stays deleted, also when an
// older archive still has it; and a session that lives in the store knows itself
// whether it has unfinished work. Files have no journal of their own: where the store
// has all of the archive's journal of the user, it has had the files, too, since they
// are written before it.
func plan(target *source, a *Archive, u *users.User) (Restored, []bucket.Entry) {
	last := lastBelow(a.entries, users.Prefix(u.Name)+"log/")
	_, ahead := target.find(last)
	ahead = ahead && last != "" && !a.Files
	var done Restored
	var todo []bucket.Entry
	for _, e := range a.entries {
		if _, there := target.find(e.Key); there {
			done.Same++
			continue
		}
		if ended(target, u, e.Key) {
			done.Ended++
			continue
		}
		if ahead && strings.HasPrefix(e.Key, users.FilesPrefix(u.Name)) {
			done.Gone++
			continue
		}
		todo = append(todo, e)
	}
	return done, todo
}

func ended(target *source, u *users.User, key string) bool {
	prefix := users.Prefix(u.Name)
	room, rest, _ := strings.Cut(strings.TrimPrefix(key, prefix), "/")
	seg, life, _ := strings.Cut(rest, "/")
	id, err := bucket.ParseSegment(seg)
	if err != nil || (room != "s" && room != "open") {
		return false
	}
	row, known := u.Session(id)
	switch {
	case !known:
		return false
	case !row.Alive:
		return true
	case room == "open":
		// Marks are written before journals, so one that an import has left
		// behind is there.
		return lastBelow(target.entries, prefix+"s/"+seg+"/") != ""
	}
	number, _, _ := strings.Cut(life, "/")
	epoch, err := strconv.ParseUint(number, 10, 64)
	return err == nil && epoch < row.Epoch
}

// write creates objects. Marks and files first, then the user's journal, then
// the sessions': whatever a crash leaves out is missed by something that is
// there, and importing again completes it.
func write(ctx context.Context, b bucket.Bucket, a *Archive, user string, todo []bucket.Entry) (int, error) {
	prefix := users.Prefix(user)
	order := []func(string) bool{
		func(key string) bool { return !isJournal(prefix, key) },
		func(key string) bool { return strings.HasPrefix(key, prefix+"log/") },
		func(key string) bool { return strings.HasPrefix(key, prefix+"s/") },
	}
	written := 0
	for _, now := range order {
		g, gctx := errgroup.WithContext(ctx)
		g.SetLimit(writers)
		for _, e := range todo {
			if !now(e.Key) || gctx.Err() != nil {
				continue
			}
			written++
			g.Go(func() error { return create(gctx, b, a, e) })
		}
		if err := errors.Join(g.Wait(), ctx.Err()); err != nil {
			return written, storeFailed(err)
		}
	}
	return written, nil
}

// create writes one object. Where one has come to stand since, it must be the
// same: a put whose answer was lost, or somebody else's import.
func create(ctx context.Context, b bucket.Bucket, a *Archive, e bucket.Entry) error {
	body, err := a.get(ctx, e)
	if err != nil {
		return err
	}
	_, err = b.Create(ctx, e.Key, body)
	if err == nil {
		return nil
	}
	o, readErr := b.Get(ctx, e.Key)
	switch {
	case readErr == nil && sumOf(e.Key, o.Body).SHA256 == e.ETag:
		return nil
	case readErr == nil:
		return fault.New(fault.CodeConflict, "another writer has written "+e.Key+" during the import", "stop the agent of this user and import again")
	}
	return storeFailed(errors.Join(err, readErr))
}
