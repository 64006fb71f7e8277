package audit_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/agent/journal"
	"github.com/loongclaw/loongclaw/agent/users"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// keys gives all keys below a prefix.
func keys(t *testing.T, b bucket.Bucket, prefix string) (all []string) {
	t.Helper()
	page, more, err := b.List(t.Context(), prefix, "", 0)
	if err != nil || more {
		t.Fatal(err, more)
	}
	for _, e := range page {
		all = append(all, e.Key)
	}
	return all
}

func remove(t *testing.T, b bucket.Bucket, keys ...string) {
	t.Helper()
	for _, k := range keys {
		if err := b.Delete(t.Context(), k); err != nil {
			t.Fatal(err)
		}
	}
}

// lived makes a user with two sessions at rest; life is the present life of s, whose
// newest object was written last or, with an anchor behind it, before the end.
func lived(t *testing.T, b bucket.Bucket, life uint64) *users.User {
	t.Helper()
	u := user(t, b)
	fill(t, b, u, "other", 1, 2, "x")
	fill(t, b, u, "s", 1, 2, "x")
	for range life - 1 {
		if err := u.Clear(t.Context(), "s"); err != nil {
			t.Fatal(err)
		}
	}
	l, err := journal.Open(t.Context(), b, users.SessionPrefix("alice", "s", life), nothing{}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if life == 1 {
		l = reopened(t, b, "s", 1)
	}
	l.Beside(u.Tail)
	if err := l.Append(t.Context(), journal.Record{Type: "x", Body: []byte("1")}); err != nil {
		t.Fatal(err)
	}
	anchor(t, u, "s", life, l.Tail())
	if err := u.NoteEnd(t.Context()); err != nil {
		t.Fatal(err)
	}
	return u
}

func reopened(t *testing.T, b bucket.Bucket, session string, life uint64) *journal.Log {
	t.Helper()
	l, err := journal.Open(t.Context(), b, users.SessionPrefix("alice", session, life), nothing{}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// TestTheUsersJournalThatLostItsEndIsNamed takes from a store what a lost or an older
// copy of the user's journal lacks, and the notes that would tell as well.
func TestTheUsersJournalThatLostItsEndIsNamed(t *testing.T) {
	const log = "u/alice/log/"
	for name, c := range map[string]struct {
		life  uint64
		lose  func(t *testing.T, b bucket.Bucket)
		names string
	}{
		"its last object": {1, func(t *testing.T, b bucket.Bucket) {
			all := keys(t, b, log)
			remove(t, b, all[len(all)-1])
		}, log + "000000000003"},
		"all of it": {1, func(t *testing.T, b bucket.Bucket) { remove(t, b, keys(t, b, log)...) }, log + "000000000001"},
		"all of it and the note, which the sessions know": {1, func(t *testing.T, b bucket.Bucket) {
			remove(t, b, append(keys(t, b, log), "u/alice/snap/end")...)
		}, log + "000000000001"},
		"an older one beside newer sessions": {3, func(t *testing.T, b bucket.Bucket) {
			remove(t, b, append(keys(t, b, log)[2:], "u/alice/snap/end")...)
		}, log + "000000000003"},
		"all of it, the note, and what the sessions know": {3, func(t *testing.T, b bucket.Bucket) {
			remove(t, b, append(keys(t, b, log), "u/alice/snap/end")...)
			forgetBeside(t, b)
		}, "life"},
		"its end, and somebody went on": {1, func(t *testing.T, b bucket.Bucket) {
			remove(t, b, append(keys(t, b, log)[1:], "u/alice/snap/end")...)
			if err := user(t, b).Approve(t.Context(), "scope", time.Now()); err != nil {
				t.Fatal(err)
			}
		}, log + "000000000002"},
	} {
		t.Run(name, func(t *testing.T) {
			b := store(t)
			lived(t, b, c.life)
			if r := run(t, b); len(r.Damaged) > 0 {
				t.Fatalf("before: %+v", r.Damaged)
			}
			c.lose(t, b)
			r := run(t, b)
			for _, d := range r.Damaged {
				if d.Prefix == log && strings.Contains(d.Err.Error(), c.names) {
					return
				}
			}
			t.Errorf("damaged = %+v, want the user's journal, with %s", r.Damaged, c.names)
		})
	}
}

// forgetBeside writes the objects of s as an earlier version does: their headers say
// nothing of the user's journal.
func forgetBeside(t *testing.T, b bucket.Bucket) {
	t.Helper()
	prefix := users.SessionPrefix("alice", "s", 3)
	remove(t, b, keys(t, b, prefix)...)
	if err := reopened(t, b, "s", 3).Append(t.Context(), journal.Record{Type: "x", Body: []byte("1")}); err != nil {
		t.Fatal(err)
	}
	o, err := b.Get(t.Context(), prefix+"000000000001")
	if err != nil || bytes.Contains(o.Body, []byte("beside")) {
		t.Fatal(string(o.Body), err)
	}
}

// TestALostEndIsTakenUpOnlyByDecision: the user is refused as long as the note says
// that there was more. Without the note it goes on, and what is written then is the
// newest word about the user's journal.
func TestALostEndIsTakenUpOnlyByDecision(t *testing.T) {
	b := store(t)
	lived(t, b, 1)
	remove(t, b, "u/alice/log/000000000003")
	_, err := users.New(b, time.Now).Get(t.Context(), "alice")
	if fault.CodeOf(err) != fault.CodeDamaged || !strings.Contains(err.Error(), "u/alice/log/000000000003") {
		t.Fatalf("opening: %v, want session_damaged with the object", err)
	}
	remove(t, b, "u/alice/snap/end")
	u := user(t, b)
	if err := u.Approve(t.Context(), "scope", time.Now()); err != nil {
		t.Fatal(err)
	}
	l := reopened(t, b, "s", 1)
	l.Beside(u.Tail)
	if err := l.Append(t.Context(), journal.Record{Type: "x", Body: []byte("1")}); err != nil {
		t.Fatal(err)
	}
	if r := run(t, b); len(r.Damaged) > 0 {
		t.Errorf("after it went on: %+v", r.Damaged)
	}
}

// TestALaterLifeIsNeverBuried: what a session's later life holds is neither shown as
// an empty session nor removed by ending the life that the user's journal knows.
func TestALaterLifeIsNeverBuried(t *testing.T) {
	b := store(t)
	lived(t, b, 3)
	remove(t, b, append(keys(t, b, "u/alice/log/"), "u/alice/snap/end")...)
	u := user(t, b)
	if err := u.CheckGenerations(t.Context(), "s", 1); fault.CodeOf(err) != fault.CodeDamaged {
		t.Errorf("CheckLives = %v, want session_damaged", err)
	}
	if err := u.Clear(t.Context(), "s"); err != nil {
		t.Fatal(err)
	}
	if there := keys(t, b, users.SessionPrefix("alice", "s", 3)); len(there) != 1 {
		t.Errorf("after clearing another life: %v, want the object of life 3", there)
	}
	if err := u.Reach(t.Context(), "s"); err != nil {
		t.Fatal(err)
	}
	if err := u.Delete(t.Context(), "s"); err != nil {
		t.Fatal(err)
	}
	if there := keys(t, b, "u/alice/s/s/"); len(there) != 0 {
		t.Errorf("after deleting all of it: %v", there)
	}
	if row, _ := u.Session("s"); row.Alive || row.Epoch != 3 {
		t.Errorf("row = %+v, want the end of life 3", row)
	}
}
