package runs_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loongclaw/loongclaw/agent/audit"
	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/agent/journal"
	"github.com/loongclaw/loongclaw/agent/record"
	"github.com/loongclaw/loongclaw/agent/runs"
	"github.com/loongclaw/loongclaw/agent/session"
	"github.com/loongclaw/loongclaw/agent/users"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// nothing is the state of a journal that is only written to.
type nothing struct{}

func (nothing) Apply(journal.Entry) error { return nil }

// appendTo writes records to a journal as a later version would.
func appendTo(t *testing.T, b bucket.Bucket, prefix string, records ...journal.Record) {
	t.Helper()
	log, err := journal.Open(t.Context(), b, prefix, nothing{}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if err := log.Append(t.Context(), records...); err != nil {
		t.Fatal(err)
	}
}

func body(t *testing.T, v any) json.RawMessage {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A rollback must not make unreadable what the later version wrote.
func TestRecordsOfALaterVersionArePassedOver(t *testing.T) {
	r := newRig(t)
	r.store = filled(t, lived(t))
	before := r.agent("a")
	want, err := before.History(t.Context(), "alice", "hurt", runs.View{})
	if err != nil {
		t.Fatal(err)
	}
	stop(t, before, time.Second)
	appendTo(t, r.store, hurt, journal.Record{Type: "a_later_kind", Body: body(t, map[string]any{"runId": "run_of_later", "list": []int{1}})}, journal.Record{Type: "another"})
	appendTo(t, r.store, users.Prefix("alice")+"log/", journal.Record{Type: "a_later_kind", Body: body(t, "text")})

	m := r.agent("a")
	defer stop(t, m, time.Second)
	got, err := m.History(t.Context(), "alice", "hurt", runs.View{})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("history differs:\n%s", d)
	}
	run := start(t, m, "hurt", "and on")
	events := read(t, m, "hurt", run.Cursor, finished(run))
	if last := events[len(events)-1]; last.Type != chat.TypeRunFinished || last.Status != chat.RunDone {
		t.Errorf("the session does not go on: %+v", last)
	}
	isWhole(t, r.store)
}

// What this version must not pass over makes its session read-only, and nothing
// else: it is neither damaged nor lost, and can be deleted.
func TestARecordForLaterReadersMakesASessionReadOnly(t *testing.T) {
	r := newRig(t)
	r.store = filled(t, lived(t))
	// What follows such a record may refer to it.
	appendTo(t, r.store, hurt, journal.Record{Type: "run_started", Needs: record.Reader + 1, Body: body(t, map[string]any{"runId": "run_x"})},
		journal.Record{Type: "answer", Body: body(t, map[string]any{"runId": "run_x", "content": "later"})})
	m := r.agent("a")
	recoverAll(t, m)
	h, err := m.History(t.Context(), "alice", "hurt", runs.View{})
	if err != nil || len(h.Messages) != 8 {
		t.Errorf("history: %d messages, %v", len(h.Messages), err)
	}
	title := "new"
	for what, try := range map[string]func() error{
		"message": func() error {
			_, err := m.Start(t.Context(), "alice", "hurt", runs.Request{Message: "no"})
			return err
		},
		"rename": func() error {
			_, err := m.Update(t.Context(), "alice", "hurt", session.Edit{Title: &title})
			return err
		},
		"regenerate": func() error { _, err := m.Regenerate(t.Context(), "alice", "hurt", "", "", ""); return err },
	} {
		if err := try(); fault.CodeOf(err) != fault.CodeNewerVersion || fault.From(err).Status() != 409 {
			t.Errorf("%s: %v, want newer_version", what, err)
		}
	}
	if n := m.Activity().Active(); n != 0 {
		t.Errorf("%d sessions are active", n)
	}
	isWhole(t, r.store)
	stop(t, m, time.Second)
	if marks := objects(t, r.store, users.Prefix("alice")+"open/"); len(marks) != 0 {
		t.Errorf("a message that was refused left %v", marks)
	}

	m = r.agent("a")
	defer stop(t, m, time.Second)
	if err := m.Delete(t.Context(), "alice", "hurt"); err != nil {
		t.Errorf("delete: %v", err)
	}
	if left := objects(t, r.store, hurt); len(left) != 0 {
		t.Errorf("%d objects are left of the deleted session", len(left))
	}
}

// A user's journal with such a record serves what can be read, and takes nothing.
func TestARecordForLaterReadersMakesAUsersJournalReadOnly(t *testing.T) {
	r := newRig(t)
	r.store = filled(t, lived(t))
	appendTo(t, r.store, users.Prefix("alice")+"log/", journal.Record{Type: "memory_saved", Needs: record.Reader + 1, Body: body(t, map[string]any{"item": 7})})
	m := r.agent("a")
	defer stop(t, m, time.Second)
	if h, err := m.History(t.Context(), "alice", "well", runs.View{}); err != nil || len(h.Messages) == 0 {
		t.Errorf("history: %d messages, %v", len(h.Messages), err)
	}
	u, err := m.Users().Get(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	if err := u.Approve(t.Context(), "scope", time.Now()); fault.CodeOf(err) != fault.CodeNewerVersion {
		t.Errorf("an approval that stands: %v, want newer_version", err)
	}
}

func isWhole(t *testing.T, b bucket.Bucket) {
	t.Helper()
	report, err := audit.Run(context.WithoutCancel(t.Context()), b)
	if err != nil || len(report.Damaged) != 0 {
		t.Errorf("verify: %+v, %v", report, err)
	}
}
