package audittrail

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/loongclaw/loongclaw/agent/auditlog"
	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/agent/tasks"
	"github.com/loongclaw/loongclaw/agent/users"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

// Caller is what the gateway says of whoever makes a request.
type Caller struct {
	User    string
	Via     string         // the way in, and which credential
	Refused map[string]int // what the gateway has refused this user, by code
}

// Trail is what was done in users' names: what is written of it, and what still will be.
// Make it with New.
type Trail struct {
	c       Config
	mu      sync.Mutex
	waiting map[string]*notes // by user
	writing sync.WaitGroup
}

// Config is what a trail needs.
type Config struct {
	Users *users.Users
	// InUse returns the entries of a user's sessions in memory that are not written yet.
	InUse func(user string) []auditlog.Entry
	Tasks *tasks.Group
	Every time.Duration // at most so often notes are written for a user
	Log   *slog.Logger
	Now   func() time.Time
}

// New makes a trail. Flush it at the end.
func New(c Config) *Trail { return &Trail{c: c, waiting: map[string]*notes{}} }

// Entries returns a user's newest entries, the oldest of them first: those that
// are written, and those that will be: of the sessions that are in use, and of what
// was noted.
func (t *Trail) Entries(ctx context.Context, user string) ([]auditlog.Entry, error) {
	u, err := t.c.Users.Get(ctx, user)
	if err != nil {
		return nil, err
	}
	if err := u.Refresh(ctx); err != nil {
		return nil, bucket.Unavailable(err)
	}
	entries := slices.Concat(u.AuditLog(), t.of(u), t.c.InUse(user))
	auditlog.Sort(entries)
	return entries, nil
}

// notes are entries of a user that wait to be written, together.
type notes struct {
	via     map[string]chat.Time
	refused map[string]int
	timer   *time.Timer
}

// Note keeps for the audit log how a caller came in, and what was refused to them
// before. It costs the request nothing: entries are written a while later, many at
// once. What a crash loses of a sign-in is written at the credential's next use.
func (t *Trail) Note(c Caller) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.c.Tasks.IsDraining() {
		return
	}
	w := t.waiting[c.User]
	if w == nil {
		if u := t.c.Users.Open(c.User); len(c.Refused) == 0 && (c.Via == "" || u != nil && u.SignedIn(c.Via)) {
			return
		}
		w = &notes{via: map[string]chat.Time{}, refused: map[string]int{}}
		t.waiting[c.User] = w
		w.timer = t.c.Tasks.After(t.c.Every, func() { t.write(context.WithoutCancel(t.c.Tasks.Root()), c.User) })
	}
	if _, known := w.via[c.Via]; c.Via != "" && !known {
		w.via[c.Via] = chat.At(t.c.Now())
	}
	for code, count := range c.Refused {
		w.refused[code] += count
	}
}

// of returns the entries that wait for a user's audit log.
func (t *Trail) of(u *users.User) []auditlog.Entry {
	t.mu.Lock()
	defer t.mu.Unlock()
	if w := t.waiting[u.Name]; w != nil {
		return w.entries(u, chat.At(t.c.Now()))
	}
	return nil
}

// write writes what was noted for a user. It does not end with the process, which
// waits for it: an entry whose writing was given up and came through all the same
// would be written again by the next one.
func (t *Trail) write(ctx context.Context, user string) {
	t.mu.Lock()
	w := t.waiting[user]
	delete(t.waiting, user)
	if w != nil {
		t.writing.Add(1)
	}
	t.mu.Unlock()
	if w == nil {
		return
	}
	defer t.writing.Done()
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	u, err := t.c.Users.Get(ctx, user)
	if err == nil {
		err = u.Note(ctx, w.entries(u, chat.At(t.c.Now()))...)
	}
	if err != nil {
		t.c.Log.Warn("sign-ins and refusals not written to the audit log", slog.String("user", user), slog.Any("error", err))
	}
}

// Flush writes what waits, at the end of the process.
func (t *Trail) Flush() {
	t.mu.Lock()
	names := slices.Collect(maps.Keys(t.waiting))
	for _, name := range names {
		t.waiting[name].timer.Stop()
	}
	t.mu.Unlock()
	for _, name := range names {
		t.write(context.WithoutCancel(t.c.Tasks.Root()), name)
	}
	t.writing.Wait() // for one whose time had come by itself
}

func (w *notes) entries(u *users.User, now chat.Time) []auditlog.Entry {
	var out []auditlog.Entry
	for _, via := range slices.Sorted(maps.Keys(w.via)) {
		if !u.SignedIn(via) {
			out = append(out, auditlog.Entry{What: auditlog.SignIn, At: w.via[via], Via: via})
		}
	}
	for _, code := range slices.Sorted(maps.Keys(w.refused)) {
		out = append(out, auditlog.Entry{What: auditlog.Refused, At: now, Code: code, Count: w.refused[code]})
	}
	return out
}
