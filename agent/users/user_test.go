package users_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/agent/users"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

func ids(rows []users.SessionSummary) []string {
	out := []string{}
	for _, r := range rows {
		out = append(out, r.ID)
	}
	return out
}

func TestAnchorsAreThereAfterARestart(t *testing.T) {
	b, c := newStore(t), &clock{noon}
	u := open(t, b, "alice", c)
	must(t, u.Anchor(t.Context(), row("工作 1", 1)))
	later := row("工作 1", 1)
	later.Title, later.Tail.Number = "renamed", 9
	must(t, u.Anchor(t.Context(), later))
	must(t, u.Anchor(t.Context(), row("b", 1)))
	for name, u := range map[string]*users.User{"at once": u, "after a restart": open(t, b, "alice", c)} {
		if got, _ := u.Session("工作 1"); !cmp.Equal(got, later) {
			t.Errorf("%s: %s", name, cmp.Diff(later, got))
		}
		if got := ids(u.Sessions()); !slices.Equal(got, []string{"b", "工作 1"}) {
			t.Errorf("%s: got %v", name, got)
		}
	}
	if _, ok := open(t, b, "bob", c).Session("b"); ok {
		t.Error("bob sees alice's session")
	}
}

// A session that was begun and whose agent died is known by its mark alone.
func TestAMarkMakesASessionKnown(t *testing.T) {
	b, c := newStore(t), &clock{noon}
	u := open(t, b, "alice", c)
	m := users.Marker{Session: session("../x", "new"), Epoch: 1}
	must(t, u.PutMarker(t.Context(), m))
	for name, u := range map[string]*users.User{"at once": u, "after a crash": open(t, b, "alice", c)} {
		got, ok := u.Session("../x")
		if want := (users.SessionSummary{Session: m.Session, Epoch: 1, Alive: true}); !ok || !cmp.Equal(got, want) {
			t.Errorf("%s: %s", name, cmp.Diff(want, got))
		}
		if marks, err := u.Markers(t.Context()); err != nil || !cmp.Equal(marks, []users.Marker{m}) {
			t.Errorf("%s: got %v, %v", name, marks, err)
		}
	}
	for _, key := range keys(t, b, "u/") {
		if strings.Contains(key, "..") {
			t.Errorf("the session's id is a path: %s", key)
		}
	}
	must(t, u.RemoveMarker(t.Context(), "../x"))
	must(t, u.RemoveMarker(t.Context(), "../x"))
	if marks, err := u.Markers(t.Context()); err != nil || len(marks) != 0 {
		t.Errorf("got %v, %v", marks, err)
	}
}

func TestAMarkDoesNotHideWhatTheJournalKnows(t *testing.T) {
	b, c := newStore(t), &clock{noon}
	u := open(t, b, "alice", c)
	must(t, u.Anchor(t.Context(), row("s", 2)))
	must(t, u.PutMarker(t.Context(), users.Marker{Session: session("s", "of the mark"), Epoch: 2}))
	must(t, u.PutMarker(t.Context(), users.Marker{Session: session("s", "of an old mark"), Epoch: 1}))
	for name, u := range map[string]*users.User{"at once": u, "after a restart": open(t, b, "alice", c)} {
		if got, _ := u.Session("s"); !cmp.Equal(got, row("s", 2)) {
			t.Errorf("%s: %s", name, cmp.Diff(row("s", 2), got))
		}
	}
}

func TestADamagedMarkIsPassedOver(t *testing.T) {
	b, c := newStore(t), &clock{noon}
	u := open(t, b, "alice", c)
	must(t, u.PutMarker(t.Context(), users.Marker{Session: session("ok", ""), Epoch: 1}))
	for name, body := range map[string]string{"empty": "", "text": "x", "other": "{}"} {
		if _, err := b.Put(t.Context(), users.Prefix("alice")+"open/"+name, []byte(body)); err != nil {
			t.Fatal(err)
		}
	}
	marks, err := open(t, b, "alice", c).Markers(t.Context())
	if err != nil || len(marks) != 1 || marks[0].Session.ID != "ok" {
		t.Errorf("got %v, %v", marks, err)
	}
}

func TestClearBeginsANewLife(t *testing.T) {
	b, c := newStore(t), &clock{noon}
	u := open(t, b, "alice", c)
	must(t, u.Anchor(t.Context(), row("s", 1)))
	must(t, u.PutMarker(t.Context(), users.Marker{Session: session("s", ""), Epoch: 1}))
	fill(t, b, "alice", "s", 1, "0000000001", "0000000002")
	fill(t, b, "alice", "s2", 1, "0000000001")
	c.at = noon.Add(time.Hour)
	must(t, u.Clear(t.Context(), "s"))
	want := users.SessionSummary{Session: session("s", "title of s"), Epoch: 2, Alive: true}
	want.Messages, want.Head, want.UpdatedAt = 0, "", chat.At(c.at)
	for name, u := range map[string]*users.User{"at once": u, "after a restart": open(t, b, "alice", c)} {
		if got, _ := u.Session("s"); !cmp.Equal(got, want) {
			t.Errorf("%s: %s", name, cmp.Diff(want, got))
		}
	}
	if got := keys(t, b, users.Prefix("alice")+"s/"); !slices.Equal(got, []string{"s2/000001/log/0000000001"}) {
		t.Errorf("left in the store: %v", got)
	}
	if got := keys(t, b, users.Prefix("alice")+"open/"); len(got) != 0 {
		t.Errorf("left marks: %v", got)
	}
	// An agent that did not hear of it rests its session now.
	must(t, u.Anchor(t.Context(), row("s", 1)))
	if got, _ := u.Session("s"); got.Epoch != 2 || got.Messages != 0 {
		t.Errorf("the old life is back: %+v", got)
	}
}

func TestDeleteLeavesOnlyTheEpoch(t *testing.T) {
	b, c := newStore(t), &clock{noon}
	u := open(t, b, "alice", c)
	must(t, u.Anchor(t.Context(), row("s", 3)))
	fill(t, b, "alice", "s", 3, "0000000001")
	must(t, u.Delete(t.Context(), "s"))
	for name, u := range map[string]*users.User{"at once": u, "after a restart": open(t, b, "alice", c)} {
		got, ok := u.Session("s")
		if want := (users.SessionSummary{Session: chat.Session{ID: "s"}, Epoch: 3}); !ok || !cmp.Equal(got, want) {
			t.Errorf("%s: the next life would not get a new epoch: %s", name, cmp.Diff(want, got))
		}
		if len(u.Sessions()) != 0 {
			t.Errorf("%s: it is still listed", name)
		}
	}
	// The same life's late anchor does not bring it back; the next life does.
	must(t, u.Anchor(t.Context(), row("s", 3)))
	if len(u.Sessions()) != 0 {
		t.Error("a late anchor brought the deleted session back")
	}
	must(t, u.Anchor(t.Context(), row("s", 4)))
	if got, _ := u.Session("s"); got.Epoch != 4 || !got.Alive {
		t.Errorf("the next life: %+v", got)
	}
}

// The tombstone is durable before the first object goes. Wherever the process
// dies after it, the session is gone, and Sweep takes away what is left.
func TestACrashWhileRemoving(t *testing.T) {
	ends := map[string]struct {
		do    func(*users.User, context.Context) error
		alive bool
		epoch uint64
	}{
		"clear":  {func(u *users.User, ctx context.Context) error { return u.Clear(ctx, "s") }, true, 2},
		"delete": {func(u *users.User, ctx context.Context) error { return u.Delete(ctx, "s") }, false, 1},
	}
	for name, end := range ends {
		for survived := range 4 { // three objects and the mark
			t.Run(fmt.Sprintf("%s after %d", name, survived), func(t *testing.T) {
				b, c := newStore(t), &clock{noon}
				u := open(t, b, "alice", c)
				must(t, u.Anchor(t.Context(), row("s", 1)))
				must(t, u.PutMarker(t.Context(), users.Marker{Session: session("s", ""), Epoch: 1}))
				fill(t, b, "alice", "s", 1, "0000000001", "0000000002", "0000000003")
				b.deletes = survived
				if err := end.do(u, t.Context()); !errors.Is(err, errCrash) {
					t.Fatalf("got %v, want the crash", err)
				}
				left := keys(t, b, users.SessionPrefix("alice", "s", 1))
				if len(left) != 3-survived || (len(left) > 0 && left[0] != "0000000001") {
					t.Errorf("left: %v; the last must go first, or the rest looks like a whole session", left)
				}
				b.deletes = -1
				u = open(t, b, "alice", c)
				if got, _ := u.Session("s"); got.Alive != end.alive || got.Epoch != end.epoch || got.Messages != 0 {
					t.Errorf("after the crash: %+v", got)
				}
				must(t, u.Sweep(t.Context(), "s"))
				must(t, u.Sweep(t.Context(), "s"))
				// The mark stays: a message that came since may have made it its own.
				if got := keys(t, b, users.Prefix("alice")+"s/"); len(got) != 0 {
					t.Errorf("left after the sweep: %v", got)
				}
			})
		}
	}
}

func TestSweepKeepsThePresentLife(t *testing.T) {
	b, c := newStore(t), &clock{noon}
	u := open(t, b, "alice", c)
	must(t, u.Anchor(t.Context(), row("s", 1)))
	fill(t, b, "alice", "s", 1, "0000000001")
	b.deletes = 0
	if err := u.Clear(t.Context(), "s"); !errors.Is(err, errCrash) {
		t.Fatal(err)
	}
	b.deletes = -1
	fill(t, b, "alice", "s", 1, "../snap/0000000001")
	fill(t, b, "alice", "s", 2, "0000000001", "../snap/0000000001")
	must(t, u.Sweep(t.Context(), "s"))
	if got := keys(t, b, users.Prefix("alice")+"s/s/"); !slices.Equal(got, []string{"000002/log/0000000001", "000002/snap/0000000001"}) {
		t.Errorf("left: %v", got)
	}
}

func TestStandingApprovalsExpire(t *testing.T) {
	b, c := newStore(t), &clock{noon}
	u := open(t, b, "alice", c)
	week := noon.Add(7 * 24 * time.Hour)
	must(t, u.Approve(t.Context(), "exec_shell git status", week))
	for _, s := range []struct {
		at    time.Time
		scope string
		want  bool
	}{
		{noon, "exec_shell git status", true},
		{week.Add(-time.Millisecond), "exec_shell git status", true},
		{week, "exec_shell git status", false},
		{week.Add(time.Hour), "exec_shell git status", false},
		{noon, "exec_shell git", false},
		{noon, "exec_shell git status ", false},
		{noon, "", false},
	} {
		c.at = s.at
		for name, u := range map[string]*users.User{"at once": u, "after a restart": open(t, b, "alice", c)} {
			if got := u.IsApproved(s.scope); got != s.want {
				t.Errorf("%s, %q at %v: got %v, want %v", name, s.scope, s.at, got, s.want)
			}
		}
	}
	c.at = noon
	if open(t, b, "bob", c).IsApproved("exec_shell git status") {
		t.Error("alice's approval counts for bob")
	}
	must(t, u.Approve(t.Context(), "exec_shell git status", noon)) // taken back
	if u.IsApproved("exec_shell git status") {
		t.Error("the newest word does not count")
	}
}

func TestHeartbeats(t *testing.T) {
	b, c := newStore(t), &clock{noon}
	u := open(t, b, "alice", c)
	if at, _, err := u.LastBeat(t.Context(), "host:8788"); err != nil || !at.IsZero() {
		t.Errorf("never: got %v, %v", at, err)
	}
	must(t, u.Beat(t.Context(), "host:8788", "p1"))
	c.at = noon.Add(20 * time.Second)
	must(t, u.Beat(t.Context(), "host:8788", "p1"))
	must(t, u.Beat(t.Context(), "other", "p2"))
	if at, _, err := open(t, b, "alice", c).LastBeat(t.Context(), "host:8788"); err != nil || !at.Equal(c.at) {
		t.Errorf("got %v, %v, want %v", at, err, c.at)
	}
	if _, err := b.Put(t.Context(), users.Prefix("alice")+"agents/other", []byte("{")); err != nil {
		t.Fatal(err)
	}
	if at, _, err := u.LastBeat(t.Context(), "other"); err != nil || !at.IsZero() {
		t.Errorf("what cannot be read is not alive: got %v, %v", at, err)
	}
	must(t, u.Unbeat(t.Context(), "host:8788"))
	if at, _, err := u.LastBeat(t.Context(), "host:8788"); err != nil || !at.IsZero() {
		t.Errorf("after its end: got %v, %v", at, err)
	}
}

func TestNamesHopsFromUserToUser(t *testing.T) {
	b, c := newStore(t), &clock{noon}
	want := []string{"A", "a", "a-b", "a.b", "alice", "alice0", "alice@example.org", "bob", "u/log", "z", "熊大", "..", " "}
	for _, name := range want {
		must(t, open(t, b, name, c).Anchor(t.Context(), row("s", 1)))
		for i := range 5 {
			fill(t, b, name, "s", 1, fmt.Sprintf("%010d", i))
		}
	}
	if _, err := b.Put(t.Context(), "config/SOUL.md", []byte("x")); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Put(t.Context(), "u/Not.A.Segment/x", []byte("x")); err != nil {
		t.Fatal(err)
	}
	b.lists, b.listed = 0, 0
	got, err := users.New(b, c.now).Names(t.Context())
	slices.Sort(got)
	slices.Sort(want)
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
	if calls := len(want) + 2; b.lists != calls || b.listed != calls-1 { // each user, the one that is none, the end
		t.Errorf("%d calls gave %d entries for %d users, want %d and one less", b.lists, b.listed, len(want), calls)
	}
}

func TestJournalsListsEachLife(t *testing.T) {
	b, c := newStore(t), &clock{noon}
	u := open(t, b, "alice", c)
	must(t, u.Anchor(t.Context(), row("chat", 1)))
	must(t, u.PutMarker(t.Context(), users.Marker{Session: session("chat", ""), Epoch: 1}))
	must(t, u.Beat(t.Context(), "host", "p"))
	fill(t, b, "alice", "chat", 1, "0000000001", "0000000002")
	fill(t, b, "alice", "log", 1, "0000000001")
	fill(t, b, "alice", "chat", 2, "0000000001")
	fill(t, b, "alice", "熊", 1, "0000000001")
	if _, err := b.Put(t.Context(), users.FilesPrefix("alice")+"log/notes", []byte("x")); err != nil {
		t.Fatal(err)
	}
	want := []string{
		users.Prefix("alice") + "log/", users.SessionPrefix("alice", "chat", 1),
		users.SessionPrefix("alice", "chat", 2), users.SessionPrefix("alice", "熊", 1), users.SessionPrefix("alice", "log", 1),
	}
	got, err := users.Journals(t.Context(), b, "alice")
	slices.Sort(got)
	slices.Sort(want)
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
}

func TestAUserIsOpenedOnce(t *testing.T) {
	b, c := newStore(t), &clock{noon}
	us := users.New(b, c.now)
	var all [8]*users.User
	var wg sync.WaitGroup
	for i := range all {
		wg.Go(func() { all[i], _ = us.Get(t.Context(), "alice") })
	}
	wg.Wait()
	for _, u := range all {
		if u == nil || u != all[0] {
			t.Fatalf("got %p and %p", u, all[0])
		}
	}
	us.Evict(0, func(string) bool { return true })
	if again, err := us.Get(t.Context(), "alice"); err != nil || again != all[0] {
		t.Errorf("a busy user was let go: %v", err)
	}
	us.Evict(-1, func(string) bool { return false })
	if again, err := us.Get(t.Context(), "alice"); err != nil || again == all[0] {
		t.Errorf("after Evict: the same, %v", err)
	}
}

// failing is a bucket that is away.
type failing struct{ bucket.Bucket }

func (failing) List(context.Context, string, string, int) ([]bucket.Entry, bool, error) {
	return nil, false, errCrash
}

func TestAStoreThatIsAwayIsNoEmptyUser(t *testing.T) {
	b, c := newStore(t), &clock{noon}
	must(t, open(t, b, "alice", c).Anchor(t.Context(), row("s", 1)))
	us := users.New(failing{b}, c.now)
	if u, err := us.Get(t.Context(), "alice"); !errors.Is(err, errCrash) || u != nil {
		t.Errorf("got %v, %v", u, err)
	}
	if names, err := us.Names(t.Context()); !errors.Is(err, errCrash) || names != nil {
		t.Errorf("got %v, %v", names, err)
	}
}
