package audit_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/agent/audit"
	"github.com/loongclaw/loongclaw/agent/auditlog"
	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/agent/bucket/disk"
	"github.com/loongclaw/loongclaw/agent/journal"
	"github.com/loongclaw/loongclaw/agent/users"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

type nothing struct{}

func (nothing) Apply(journal.Entry) error { return nil }

func store(t *testing.T) *disk.Disk {
	t.Helper()
	d, err := disk.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

func user(t *testing.T, b bucket.Bucket) *users.User {
	t.Helper()
	u, err := users.New(b, time.Now).Get(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// fill writes n objects into a life of a session and anchors the last.
func fill(t *testing.T, b bucket.Bucket, u *users.User, session string, epoch uint64, n int, text string) {
	t.Helper()
	l, err := journal.Open(t.Context(), b, users.SessionPrefix(u.Name, session, epoch), nothing{}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	body, _ := json.Marshal(text)
	for range n {
		if err := l.Append(t.Context(), journal.Record{Type: "x", Body: body}); err != nil {
			t.Fatal(err)
		}
	}
	anchor(t, u, session, epoch, l.Tail())
}

func anchor(t *testing.T, u *users.User, session string, epoch uint64, tail journal.Tail) {
	t.Helper()
	err := u.Anchor(t.Context(), users.SessionSummary{Session: chat.Session{ID: session}, Epoch: epoch, Tail: users.Anchor{Number: tail.Number, Hash: tail.Hash.String()}})
	if err != nil {
		t.Error(err)
	}
}

func run(t *testing.T, b bucket.Bucket) audit.Report {
	t.Helper()
	r, err := audit.Run(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// wants says that exactly one journal is damaged, and which object is named.
func wants(t *testing.T, r audit.Report, object string) {
	t.Helper()
	if len(r.Damaged) != 1 || !strings.Contains(r.Damaged[0].Err.Error(), object) {
		t.Errorf("damaged = %+v, want one journal and %s named", r.Damaged, object)
	}
}

func TestAnAnchorShowsATailThatWasForgedAsAWhole(t *testing.T) {
	b := store(t)
	fill(t, b, user(t, b), "s", 1, 4, "true")
	prefix := users.SessionPrefix("alice", "s", 1)
	// A chain that is right in itself, and as long, in the place of the true one.
	for n := 1; n <= 4; n++ {
		_ = b.Delete(t.Context(), fmt.Sprintf("%s%012d", prefix, n))
	}
	l, err := journal.Open(t.Context(), b, prefix, nothing{}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		_ = l.Append(t.Context(), journal.Record{Type: "x", Body: []byte(`"forged"`)})
	}
	if _, err := journal.Verify(t.Context(), b, prefix); err != nil {
		t.Fatalf("the forged chain is not whole: %v", err)
	}
	wants(t, run(t, b), prefix+"000000000004")
}

func TestAJournalThatIsGoneIsMissed(t *testing.T) {
	b := store(t)
	fill(t, b, user(t, b), "s", 1, 2, "x")
	prefix := users.SessionPrefix("alice", "s", 1)
	_ = b.Delete(t.Context(), prefix+"000000000001")
	_ = b.Delete(t.Context(), prefix+"000000000002")
	wants(t, run(t, b), prefix+"000000000001")
}

func TestTheUsersOwnJournalIsCheckedAndItsAnchorsBeforeTheDamageCount(t *testing.T) {
	b := store(t)
	u := user(t, b)
	fill(t, b, u, "s", 1, 2, "x")
	fill(t, b, u, "other", 1, 2, "x")
	_, _ = b.Put(t.Context(), "u/alice/log/000000000002", []byte("x"))
	_ = b.Delete(t.Context(), users.SessionPrefix("alice", "s", 1)+"000000000002")
	r := run(t, b)
	if len(r.Damaged) != 2 || r.Damaged[0].Prefix != "u/alice/log/" || r.Whole != 1 {
		t.Errorf("report = %+v, want the user's journal and that of s damaged, and the other whole", r)
	}
}

func TestASnapshotShowsThatTheUsersJournalLostItsTail(t *testing.T) {
	b := store(t)
	u := user(t, b)
	for range 70 {
		if err := u.Approve(t.Context(), "scope", time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	if err := u.Snapshot(t.Context()); err != nil {
		t.Fatal(err)
	}
	if r := run(t, b); len(r.Damaged) != 0 || r.Whole != 1 {
		t.Errorf("report = %+v, want one whole journal", r)
	}
	_ = b.Delete(t.Context(), "u/alice/log/000000000070")
	wants(t, run(t, b), "u/alice/log/000000000070")
}

func TestWhatALifeThatEndedLeftIsNoDamage(t *testing.T) {
	b := store(t)
	u := user(t, b)
	fill(t, b, u, "s", 1, 3, "x")
	if err := u.Clear(t.Context(), "s"); err != nil {
		t.Fatal(err)
	}
	fill(t, b, u, "s", 2, 2, "x")
	// A put that was under way when the session was cleared.
	key := users.SessionPrefix("alice", "s", 1) + "000000000004"
	_, _ = b.Put(t.Context(), key, []byte("anything"))
	r := run(t, b)
	if len(r.Damaged) != 0 || len(r.Orphans) != 1 || r.Orphans[0].Objects != 1 || r.Whole != 2 {
		t.Errorf("report = %+v, want one orphan, nothing damaged", r)
	}
}

// TestBesideALiveAgent appends, anchors, clears and deletes without a pause: none
// of it may look like damage.
func TestBesideALiveAgent(t *testing.T) {
	b := store(t)
	u := user(t, b)
	fill(t, b, u, "grows", 1, 1, "x")
	ctx, cancel := context.WithCancel(t.Context())
	var live sync.WaitGroup
	live.Go(func() {
		l, err := journal.Open(ctx, b, users.SessionPrefix("alice", "grows", 1), nothing{}, time.Now)
		for err == nil && ctx.Err() == nil {
			err = l.Append(context.WithoutCancel(ctx), journal.Record{Type: "x", Body: []byte(`1`)})
			anchor(t, u, "grows", 1, l.Tail())
		}
		if err != nil {
			t.Error(err)
		}
	})
	live.Go(func() {
		for epoch := uint64(1); ctx.Err() == nil; epoch++ {
			fill(t, b, u, "comes", epoch, 5, "x")
			if err := u.Clear(context.WithoutCancel(ctx), "comes"); err != nil {
				t.Error(err)
			}
		}
	})
	for range 40 {
		if r := run(t, b); len(r.Damaged) != 0 {
			t.Fatalf("damage beside a live agent: %+v", r.Damaged)
		}
	}
	cancel()
	live.Wait()
}

func TestALineOfTheLedgerCannotBeChangedUnseen(t *testing.T) {
	b := store(t)
	u := user(t, b)
	if err := u.Note(t.Context(), auditlog.Entry{What: auditlog.Call, Tool: "exec_shell", Status: "ok"}, auditlog.Entry{What: auditlog.SignIn, Via: "token:1"}); err != nil {
		t.Fatal(err)
	}
	anchor(t, u, "s", 1, journal.Tail{})
	if r := run(t, b); r.Lines != 2 || len(r.Damaged) != 0 {
		t.Fatalf("report %+v, want 2 lines and no damage", r)
	}
	const key = "u/alice/log/000000000001"
	o, err := b.Get(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	for name, body := range map[string]string{
		"changed": strings.Replace(string(o.Body), "exec_shell", "read_file0", 1),
		"removed": strings.Replace(string(o.Body), `"via":"token:1"`, ``, 1),
	} {
		if _, err := b.Put(t.Context(), key, []byte(body)); err != nil {
			t.Fatal(err)
		}
		if r := run(t, b); len(r.Damaged) != 1 || !strings.Contains(r.Damaged[0].Err.Error(), key) {
			t.Errorf("%s: damaged = %+v, want %s named", name, r.Damaged, key)
		}
	}
	if err := b.Delete(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	wants(t, run(t, b), key)
}

// TestAttachmentsAreChecked: what stands with a message must be there, and be what its
// hash says; the journal is whole all the same.
func TestAttachmentsAreChecked(t *testing.T) {
	b := store(t)
	u := user(t, b)
	l, err := journal.Open(t.Context(), b, users.SessionPrefix("alice", "log", 1), nothing{}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	file, shown := []byte("a file"), []byte("its text")
	body := fmt.Sprintf(`{"messageId":"m","runId":"r","content":"x","attachments":[{"name":"a","sha256":%q,"view":{"sha256":%q}},{"name":"b","sha256":%q}]}`, users.HashOf(file), users.HashOf(shown), users.HashOf(file))
	if err := l.Append(t.Context(), journal.Record{Type: "message", Body: json.RawMessage(body)}); err != nil {
		t.Fatal(err)
	}
	anchor(t, u, "log", 1, l.Tail())
	for _, one := range [][]byte{file, shown} {
		if err := u.Attach(t.Context(), "log", 1, one); err != nil {
			t.Fatal(err)
		}
	}
	if r := run(t, b); r.Attached != 2 || len(r.Lost) != 0 || len(r.Damaged) != 0 || r.Whole != 2 {
		t.Errorf("whole: %+v", r)
	}
	key := users.AttachedKey("alice", "log", 1, users.HashOf(shown))
	for what, harm := range map[string]func() error{
		"another": func() error { _, err := b.Put(t.Context(), key, []byte("other")); return err },
		"gone":    func() error { return b.Delete(t.Context(), key) },
	} {
		if err := harm(); err != nil {
			t.Fatal(err)
		}
		if r := run(t, b); r.Attached != 1 || len(r.Lost) != 1 || !strings.Contains(r.Lost[0].Err.Error(), key) || len(r.Damaged) != 0 || r.Whole != 2 {
			t.Errorf("%s: %+v", what, r)
		}
	}
	// Of a life that has ended nothing is missed.
	if err := u.Delete(t.Context(), "log"); err != nil {
		t.Fatal(err)
	}
	if r := run(t, b); len(r.Lost) != 0 || r.Attached != 0 {
		t.Errorf("deleted: %+v", r)
	}
}
