package sessionlist

import (
	"cmp"
	"context"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/loongclaw/loongclaw/agent/session"
	"github.com/loongclaw/loongclaw/agent/users"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

// lookPatience is how long a list waits, for a user who has just come into memory,
// until it is known what was left unfinished.
const lookPatience = 2 * time.Second

// Live is what this process has in use, which the users' journals do not say.
type Live interface {
	// Look shows the state of a session that is in use, and reports whether it is.
	Look(user, session string, show func(*session.State)) bool
	// Recovering reports whether it is still being looked for what of a user was left
	// unfinished.
	Recovering(user string) bool
	// Recovered waits until that is done, and reports whether it is.
	Recovered(ctx context.Context, user string) bool
	// ActiveOf returns in how many sessions of a user something runs.
	ActiveOf(user string) int
}

// Lists are those of all users. Make them with New.
type Lists struct {
	users    *users.Users
	feeds    *Feeds
	live     Live
	stopping <-chan struct{}
	now      func() time.Time
}

// New makes lists of users' journals and of what is in use. What changes there must be
// noted in the feeds; watchers end when stopping is closed.
func New(all *users.Users, feeds *Feeds, live Live, stopping <-chan struct{}, now func() time.Time) *Lists {
	return &Lists{users: all, feeds: feeds, live: live, stopping: stopping, now: now}
}

// List is a user's sessions, and where changes to them go on.
type List struct {
	Sessions []chat.Session
	Cursor   string
}

// Sessions lists a user's sessions, the last used first; q searches titles and
// the messages of sessions that are in use.
func (l *Lists) Sessions(ctx context.Context, user, q string) ([]chat.Session, error) {
	all, err := l.List(ctx, user, q)
	return all.Sessions, err
}

// List is Sessions, and the cursor after which Watch tells what changes.
func (l *Lists) List(ctx context.Context, user, q string) (List, error) {
	u, err := l.refreshed(ctx, user)
	if err != nil {
		return List{}, err
	}
	soon, cancel := context.WithTimeout(ctx, lookPatience)
	l.live.Recovered(soon, user) // else a watcher is told later
	cancel()
	at := l.cursor(u) // before the rows: what changes meanwhile is told again
	out := []chat.Session{}
	q = strings.ToLower(strings.TrimSpace(q))
	for _, r := range u.Sessions() {
		r = l.present(user, r)
		if q == "" || strings.Contains(strings.ToLower(r.Title+"\n"+r.ID), q) || l.mentions(user, r.ID, q) {
			out = append(out, r.Session)
		}
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].UpdatedAt.After(out[j].UpdatedAt.Time) })
	return List{out, at.Encode(user)}, nil
}

// cursor is the end of what has changed so far.
func (l *Lists) cursor(u *users.User) chat.ListCursor {
	seq := u.Seq() // before the count: what is in the journal by now has been counted
	at := l.feeds.Of(u.Name).since(chat.ListCursor{}).at
	at.Seq = seq
	return at
}

// refreshed returns a user, with what other agents have written.
func (l *Lists) refreshed(ctx context.Context, user string) (*users.User, error) {
	u, err := l.users.Get(ctx, user)
	if err != nil {
		return nil, err
	}
	return u, u.Refresh(ctx)
}

// present returns a row as it is now: a session that is in use tells its own itself.
func (l *Lists) present(user string, r users.SessionSummary) users.SessionSummary {
	r.Session = r.AtRest()
	l.live.Look(user, r.ID, func(s *session.State) {
		if s.Seq() > 0 { // else its marker is there, and its first message is on the way
			r.Session, r.Usage = s.Summary(), s.Usage()
		}
	})
	return r
}

func (l *Lists) mentions(user, id, q string) (found bool) {
	l.live.Look(user, id, func(s *session.State) { found = s.Mentions(q) })
	return found
}

// Usage sums the tokens of a user's sessions.
func (l *Lists) Usage(ctx context.Context, user string) (sum chat.Usage, err error) {
	u, err := l.refreshed(ctx, user)
	if err != nil {
		return sum, err
	}
	for _, r := range u.Sessions() {
		r = l.present(user, r)
		sum = *sum.Add(&r.Usage)
	}
	return sum, nil
}

// Approvals gives what waits for the user's decision, what expires first at first.
func (l *Lists) Approvals(ctx context.Context, user string) ([]chat.Approval, error) {
	u, err := l.users.Get(ctx, user)
	if err != nil {
		return nil, err
	}
	if !l.live.Recovered(ctx, user) { // who has just come into memory may have left questions open
		return nil, ctx.Err()
	}
	out := []chat.Approval{}
	for _, row := range u.Sessions() {
		l.live.Look(user, row.ID, func(s *session.State) {
			if q, open := s.OpenQuestion(); open && l.now().Before(q.ExpiresAt.Time) {
				out = append(out, q)
			}
		})
	}
	slices.SortFunc(out, func(a, b chat.Approval) int {
		return cmp.Or(a.ExpiresAt.Compare(b.ExpiresAt.Time), cmp.Compare(a.ApprovalID, b.ApprovalID))
	})
	return out, nil
}
