package runs

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/loongclaw/loongclaw/agent/auditlog"
	"github.com/loongclaw/loongclaw/agent/users"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

// Caller is what the gateway says of whoever makes a request.
type Caller struct {
	User    string
	Via     string         // the way in, and which credential
	Refused map[string]int // what the gateway has refused this user, by code
}

// auditNotes is what waits to be written into audit logs, by user.
type auditNotes struct {
	*env
	mu      sync.Mutex
	waiting map[string]*notes
	writing sync.WaitGroup
}

// notes are entries of a user that wait to be written, together.
type notes struct {
	via     map[string]chat.Time
	refused map[string]int
	timer   *time.Timer
}

// noteAfter is after how many times a session's checkpoint delay notes are written:
// once a minute and user at most.
const noteAfter = 6

func (n *auditNotes) note(c Caller) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.isDraining() {
		return
	}
	w := n.waiting[c.User]
	if w == nil {
		if u := n.users.Open(c.User); len(c.Refused) == 0 && (c.Via == "" || u != nil && u.SignedIn(c.Via)) {
			return
		}
		w = &notes{via: map[string]chat.Time{}, refused: map[string]int{}}
		if n.waiting == nil {
			n.waiting = map[string]*notes{}
		}
		n.waiting[c.User] = w
		w.timer = n.After(noteAfter*n.CheckpointAfter, func() { n.write(context.WithoutCancel(n.root), c.User) })
	}
	if _, known := w.via[c.Via]; c.Via != "" && !known {
		w.via[c.Via] = chat.At(n.Now())
	}
	for code, count := range c.Refused {
		w.refused[code] += count
	}
}

// of returns the entries that wait for a user's audit log.
func (n *auditNotes) of(u *users.User) []auditlog.Entry {
	n.mu.Lock()
	defer n.mu.Unlock()
	if w := n.waiting[u.Name]; w != nil {
		return w.entries(u, chat.At(n.Now()))
	}
	return nil
}

// write writes what was noted for a user. It does not end with the process, which
// waits for it: an entry whose writing was given up and came through all the same
// would be written again by the next one.
func (n *auditNotes) write(ctx context.Context, user string) {
	n.mu.Lock()
	w := n.waiting[user]
	delete(n.waiting, user)
	if w != nil {
		n.writing.Add(1)
	}
	n.mu.Unlock()
	if w == nil {
		return
	}
	defer n.writing.Done()
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	u, err := n.users.Get(ctx, user)
	if err == nil {
		err = u.Note(ctx, w.entries(u, chat.At(n.Now()))...)
	}
	if err != nil {
		n.Log.Warn("sign-ins and refusals not written to the audit log", slog.String("user", user), slog.Any("error", err))
	}
}

// writeAll writes what waits, at the end of the process.
func (n *auditNotes) writeAll() {
	n.mu.Lock()
	names := slices.Collect(maps.Keys(n.waiting))
	for _, name := range names {
		n.waiting[name].timer.Stop()
	}
	n.mu.Unlock()
	for _, name := range names {
		n.write(context.WithoutCancel(n.root), name)
	}
	n.writing.Wait() // for one whose time had come by itself
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
