package transfer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/agent/users"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// Config says what is copied where.
type Config struct {
	From, To bucket.Bucket
	// Live copies although an agent is at work on the source. The copy is of no one
	// moment then, and is to be followed by another when the agent has stopped.
	Live bool
	Now  func() time.Time // time.Now when nil
}

// Report says what a copy did.
type Report struct {
	Objects int      // that the source has, and the target has now
	Copied  int      // that were missing or different
	Removed int      // that the source no longer has
	Only    int      // that the target alone has, and that were left alone
	Unread  []string // keys of the source that could not be read, and why
	Passes  int
}

// passes bounds how often both stores are compared. A source at rest needs two: the
// second finds no difference, which is the proof.
const passes = 5

// Copy makes the target hold what the source holds. It may be interrupted and begun
// again at any moment.
func Copy(ctx context.Context, c Config) (Report, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	t := &copying{Config: c}
	if !c.Live {
		if err := atRest(ctx, c.From, c.Now()); err != nil {
			return Report{}, err
		}
	}
	if err := t.claim(ctx); err != nil {
		return Report{}, err
	}
	for t.report.Passes = 1; ; t.report.Passes++ {
		changed, err := t.pass(ctx)
		if err != nil {
			return t.report, err
		}
		if !changed {
			break
		}
		if t.report.Passes == passes {
			if c.Live {
				break
			}
			return t.report, fault.New(fault.CodeConflict, "the source goes on changing", "stop the agents that use it and copy again; or copy with -live first, and once more when they have stopped")
		}
	}
	if !c.Live {
		// One that has begun in the meantime may have written after it was looked at.
		if err := atRest(ctx, c.From, c.Now()); err != nil {
			return t.report, err
		}
	}
	return t.report, t.finish(ctx)
}

// atRest refuses a source that an agent is at work on.
func atRest(ctx context.Context, b bucket.Bucket, now time.Time) error {
	names, err := users.Names(ctx, b)
	if err != nil {
		return failed("list the source", err)
	}
	for _, name := range names {
		living, ok, err := users.AtWork(ctx, b, name, now)
		if err != nil {
			return failed("read the heartbeats of the source", err)
		}
		if ok {
			return fault.New(fault.CodeConflict, fmt.Sprintf("the agent %q is at work on the source (heartbeat %s ago, for the user %q)", living.Instance, living.Age, name),
				"stop it and copy again; -live copies all the same, to be followed by a copy when it has stopped")
		}
	}
	return nil
}

func failed(what string, err error) error {
	return fault.Wrap(fmt.Errorf("%s: %w", what, err), fault.CodeStoreFailed, "a store did not answer", "run it again; what it has copied stays")
}

// copying is one copy.
type copying struct {
	Config
	owned bool // all that the target has came from a copy that has not ended

	mu      sync.Mutex
	report  Report
	changed bool
}

// claim decides what the target is. An empty one, and one that holds a copy that was
// not finished, is this copy's own. In any other nothing is replaced that may have
// been written there, and that is looked at before the first write.
func (t *copying) claim(ctx context.Context) error {
	s, err := readNote(ctx, t.To)
	if err != nil {
		return failed("read the target", err)
	}
	if t.owned = s != unknown; !t.owned {
		page, _, err := t.To.List(ctx, "", "", 1)
		if err != nil {
			return failed("list the target", err)
		}
		t.owned = len(page) == 0
	}
	if !t.owned {
		return t.look(ctx)
	}
	if err := writeNote(ctx, t.To, underWay); err != nil {
		return failed("write to the target", err)
	}
	return nil
}

// look refuses a target that has gone on by itself.
func (t *copying) look(ctx context.Context) error {
	var other []string
	err := t.each(ctx, func(ctx context.Context, p pair) error {
		goneOn := p.inGoal && !p.inSource && users.IsJournal(p.key) && t.lives(ctx, p.key)
		if p.inGoal && p.inSource && !isCache(p.key) {
			same, err := t.same(ctx, p)
			if err != nil {
				return err
			}
			goneOn = !same && (users.IsJournal(p.key) || !p.from.Modified.After(p.to.Modified))
		}
		if goneOn {
			t.mu.Lock()
			defer t.mu.Unlock()
			other = append(other, p.key)
		}
		return nil
	})
	if err != nil || len(other) == 0 {
		return err
	}
	slices.Sort(other)
	return fault.New(fault.CodeConflict, fmt.Sprintf("the target has been written to by somebody else: %d objects are others than the source's, such as %s; nothing was copied", len(other), other[0]),
		"copy into an empty store")
}

// lives reports whether the source has the first object of the journal that a key is
// of. Where it has not, the session was deleted there.
func (t *copying) lives(ctx context.Context, key string) bool {
	dir := key[:strings.LastIndexByte(key, '/')+1]
	page, _, err := t.From.List(ctx, dir, "", 1)
	return err != nil || len(page) > 0 || strings.Count(dir, "/") == 3 // a user's own journal is never deleted
}

// isCache reports whether a key is that of a snapshot of a journal, which any agent
// makes anew.
func isCache(key string) bool {
	seg := strings.Split(key, "/")
	return len(seg) > 3 && seg[0] == "u" && (seg[2] == "snap" || (len(seg) > 6 && seg[2] == "s" && seg[5] == "snap"))
}

// pass compares both stores once and mends the target. The pending markers come
// last: a message's marker is durable before the message is acknowledged, so that
// none is missed whose message was copied.
func (t *copying) pass(ctx context.Context) (changed bool, err error) {
	t.changed = false
	t.report.Objects, t.report.Only, t.report.Unread = 0, 0, nil
	if err := t.each(ctx, t.mend); err != nil {
		return false, err
	}
	slices.Sort(t.report.Unread)
	return t.changed, nil
}

// each goes over all keys but those that are of no store's content.
func (t *copying) each(ctx context.Context, do func(context.Context, pair) error) error {
	var marks []pair
	all := newPool(ctx, do)
	err := merge(all.ctx, t.From, t.To, "", func(p pair) error {
		switch {
		case users.IsBeat(p.key), p.key == noteKey, strings.HasPrefix(p.key, "config/check-"):
		case users.IsMark(p.key):
			marks = append(marks, p)
		default:
			return all.add(p)
		}
		return nil
	})
	// What has failed first is why the rest was given up.
	if failed := all.Wait(); failed != nil {
		return failed
	}
	if err != nil {
		return listFailed(err)
	}
	// The markers are listed anew, since sessions went on while the rest was copied.
	if t.Live {
		if marks, err = t.marks(ctx, marks); err != nil {
			return err
		}
	}
	last := newPool(ctx, do)
	for _, p := range marks {
		if last.add(p) != nil {
			break // Wait says why
		}
	}
	return last.Wait()
}

func listFailed(err error) error { return failed("list the stores", err) }

// marks lists the pending markers of all users anew.
func (t *copying) marks(ctx context.Context, known []pair) ([]pair, error) {
	names, err := users.Names(ctx, t.From)
	if err != nil {
		return nil, failed("list the source", err)
	}
	var all []pair
	listed := map[string]bool{}
	for _, name := range names {
		prefix := users.Prefix(name) + "open/"
		listed[prefix] = true
		err := merge(ctx, t.From, t.To, prefix, func(p pair) error { all = append(all, p); return nil })
		if err != nil {
			return nil, listFailed(err)
		}
	}
	for _, p := range known { // of users that only the target has
		if !listed[p.key[:strings.LastIndexByte(p.key, '/')+1]] {
			all = append(all, p)
		}
	}
	return all, nil
}

// mend makes one key of the target what it is in the source.
func (t *copying) mend(ctx context.Context, p pair) error {
	if !p.inSource {
		return t.extra(ctx, p)
	}
	body, err := t.source(ctx, p.key)
	switch {
	case errors.Is(err, bucket.ErrNotFound): // deleted since it was listed
		t.note(func() { t.changed = t.changed || !t.Live })
		return nil
	case errors.Is(err, bucket.ErrTooLarge), errors.Is(err, bucket.ErrDamaged):
		t.note(func() { t.report.Unread = append(t.report.Unread, p.key+": "+err.Error()) })
		return nil
	case err != nil:
		return failed("read the source", err)
	}
	t.note(func() { t.report.Objects++ })
	if !p.inGoal {
		_, err = t.To.Create(ctx, p.key, body)
		if errors.Is(err, bucket.ErrExists) {
			err = nil // an answer that was lost; the next pass compares it
		}
		return t.wrote(err)
	}
	there, err := t.To.Get(ctx, p.key)
	switch {
	case err == nil && bytes.Equal(there.Body, body):
		return nil
	case err == nil && users.IsJournal(p.key):
		return fault.New(fault.CodeConflict, "the target holds another object under "+p.key+", which is of a journal and never changes", "copy into an empty store")
	case err == nil && !t.owned && isCache(p.key) && !p.from.Modified.After(p.to.Modified):
		return nil
	case err == nil:
		_, err = t.To.Replace(ctx, p.key, body, there.ETag)
	case errors.Is(err, bucket.ErrNotFound):
		_, err = t.To.Create(ctx, p.key, body)
	}
	return t.wrote(err)
}

// extra is a key that the target alone has.
func (t *copying) extra(ctx context.Context, p pair) error {
	if !t.owned {
		t.note(func() { t.report.Only++ })
		return nil
	}
	if err := t.To.Delete(ctx, p.key); err != nil {
		return failed("delete in the target", err)
	}
	t.note(func() { t.report.Removed++; t.changed = true })
	return nil
}

// source reads an object of the source. One that is damaged may be in the middle of
// a change only in a store that has no whole objects, which none of ours is.
func (t *copying) source(ctx context.Context, key string) ([]byte, error) {
	o, err := t.From.Get(ctx, key)
	return o.Body, err
}

func (t *copying) wrote(err error) error {
	if err != nil {
		return failed("write to the target", err)
	}
	t.note(func() { t.report.Copied++; t.changed = true })
	return nil
}

func (t *copying) note(do func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	do()
}

// same compares one key of both stores.
func (t *copying) same(ctx context.Context, p pair) (bool, error) {
	if p.from.Size != p.to.Size {
		return false, nil
	}
	a, err := t.source(ctx, p.key)
	if errors.Is(err, bucket.ErrTooLarge) || errors.Is(err, bucket.ErrDamaged) || errors.Is(err, bucket.ErrNotFound) {
		return true, nil // told when it is to be copied
	}
	if err != nil {
		return false, failed("read the source", err)
	}
	b, err := t.To.Get(ctx, p.key)
	if err != nil {
		return false, failed("read the target", err)
	}
	return bytes.Equal(a, b.Body), nil
}

// finish takes the note away, so that the target is what the source is; or says that
// another copy is to follow.
func (t *copying) finish(ctx context.Context) error {
	if !t.owned {
		return nil
	}
	last := unknown
	if t.Live {
		last = live
	}
	if err := writeNote(ctx, t.To, last); err != nil {
		return failed("write to the target", err)
	}
	return nil
}
