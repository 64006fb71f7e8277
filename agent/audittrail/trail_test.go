package audittrail_test

import (
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/agent/auditlog"
	"github.com/loongclaw/loongclaw/agent/audittrail"
	"github.com/loongclaw/loongclaw/agent/bucket/disk"
	"github.com/loongclaw/loongclaw/agent/tasks"
	"github.com/loongclaw/loongclaw/agent/users"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

// What is noted is shown at once with what sessions in use have to tell, and is written
// once, together with what else was noted.
func TestWhatIsNotedIsShownAtOnceAndWrittenOnce(t *testing.T) {
	store, err := disk.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	group := tasks.New(slog.New(slog.DiscardHandler), func() {})
	trail := audittrail.New(audittrail.Config{
		Users: users.New(store, time.Now), Tasks: group, Every: time.Hour, Log: slog.New(slog.DiscardHandler), Now: time.Now,
		InUse: func(user string) []auditlog.Entry {
			if user != "alice" {
				return nil
			}
			return []auditlog.Entry{{What: auditlog.Call, At: chat.At(time.Now().Add(-time.Minute)), Tool: "write_file"}}
		},
	})
	kinds := func(entries []auditlog.Entry) (out []string) {
		for _, e := range entries {
			out = append(out, string(e.What)+" "+e.Via+e.Code+e.Tool)
		}
		return out
	}
	written := func() []string {
		entries, err := users.ReadAuditLog(t.Context(), store, "alice")
		if err != nil {
			t.Fatal(err)
		}
		return kinds(entries)
	}
	for range 3 {
		trail.Note(audittrail.Caller{User: "alice", Via: "token:1", Refused: map[string]int{"rate_limited": 2}})
	}
	trail.Note(audittrail.Caller{User: "bob", Via: "token:2"})
	noted := []string{"sign_in token:1", "refused rate_limited"}
	entries, err := trail.Entries(t.Context(), "alice")
	if got, want := kinds(entries), append([]string{"tool_call write_file"}, noted...); err != nil || !slices.Equal(got, want) {
		t.Errorf("it shows %q, %v, want %q", got, err, want)
	}
	if n := entries[len(entries)-1].Count; n != 6 {
		t.Errorf("%d refusals are counted, want 6", n)
	}
	if got := written(); len(got) > 0 {
		t.Errorf("%q is written before its time", got)
	}
	group.Drain(t.Context())
	trail.Note(audittrail.Caller{User: "alice", Via: "token:3"}) // nobody would write it
	for range 2 {
		trail.Flush()
	}
	if got := written(); !slices.Equal(got, noted) {
		t.Errorf("%q is written, want %q", got, noted)
	}
}
