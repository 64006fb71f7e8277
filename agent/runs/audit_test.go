package runs_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loongclaw/loongclaw/agent/auditlog"
	"github.com/loongclaw/loongclaw/agent/audittrail"
	"github.com/loongclaw/loongclaw/agent/model/modeltest"
	"github.com/loongclaw/loongclaw/agent/runs"
	"github.com/loongclaw/loongclaw/agent/users"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

// short is a line in a word or two.
func short(lines []auditlog.Entry) []string {
	out := []string{}
	for _, l := range lines {
		parts := []string{string(l.What), l.Session, l.Tool, l.Status, l.Decision, l.Via, l.Code}
		out = append(out, strings.Join(strings.Fields(strings.Join(parts, " ")), " "))
	}
	return out
}

// wants holds a user's ledger to lines, as the agent shows it.
func wants(t *testing.T, m *runs.Manager, want ...string) {
	t.Helper()
	lines, err := m.Audit().Entries(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, short(lines)); diff != "" {
		t.Errorf("ledger (-want +got):\n%s", diff)
	}
}

// written gives what stands in the store.
func (r *rig) written(t *testing.T) []auditlog.Entry {
	t.Helper()
	lines, err := users.ReadAuditLog(t.Context(), r.store, "alice")
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

// busy makes a session with a call that ran, one that the user allowed, one that
// they denied and one that the policy denied.
func busy(t *testing.T, r *rig, m *runs.Manager, session string) {
	t.Helper()
	for _, decision := range []string{chat.DecideOnce, chat.DecideDeny} {
		run, asked := ask(t, r, m, session)
		if err := m.Approve(t.Context(), "alice", asked.ApprovalID, decision); err != nil {
			t.Fatal(err)
		}
		read(t, m, session, run.Cursor, finished(run))
	}
	r.provider.Script(modeltest.Reply{Calls: []modeltest.Call{
		{Name: "get_current_time"}, {Name: "exec_shell", Arguments: json.RawMessage(`{"command":"rm -rf /"}`)},
	}}, modeltest.Reply{Text: "no"})
	run := start(t, m, session, "and more")
	read(t, m, session, run.Cursor, finished(run))
}

var busyLines = []string{
	"approval s write_file once", "tool_call s write_file ok", "approval s write_file deny", "tool_call s write_file denied",
	"tool_call s get_current_time ok", "tool_call s exec_shell denied",
}

func TestTheLedgerHasCallsAndDecisionsAtOnceAndOutlivesTheSession(t *testing.T) {
	r := newRig(t)
	m := r.resting("a", time.Hour) // nothing is anchored by itself
	busy(t, r, m, "s")
	wants(t, m, busyLines...)
	if got := r.written(t); len(got) != 0 {
		t.Errorf("%v stands in the store before the session rests", short(got))
	}
	if err := m.Delete(t.Context(), "alice", "s"); err != nil {
		t.Fatal(err)
	}
	wants(t, m, busyLines...)
	lines := r.written(t)
	if diff := cmp.Diff(busyLines, short(lines)); diff != "" {
		t.Errorf("in the store (-want +got):\n%s", diff)
	}
	for _, l := range lines {
		if l.What == auditlog.Decided && l.Scope != "write_file a.txt" || l.RunID == "" || l.CallID == "" || l.At.IsZero() {
			t.Errorf("line %+v, want run, call, time and the exact scope", l)
		}
	}
	left, _, err := r.store.List(t.Context(), "u/alice/s/", "", 0)
	if err != nil || len(left) != 0 {
		t.Errorf("of the session itself %v is left, %v", left, err)
	}
	stop(t, m, time.Second)
	m = r.agent("a")
	defer stop(t, m, time.Second)
	wants(t, m, busyLines...)
}

func TestAClearedSessionLeavesItsLinesAndTheNextLifeAddsItsOwn(t *testing.T) {
	r := newRig(t)
	m := r.resting("a", time.Hour)
	busy(t, r, m, "s")
	if err := m.Clear(t.Context(), "alice", "s"); err != nil {
		t.Fatal(err)
	}
	r.provider.Script(modeltest.Reply{Calls: []modeltest.Call{{Name: "get_current_time"}}}, modeltest.Reply{Text: "late"})
	run := start(t, m, "s", "again")
	read(t, m, "s", run.Cursor, finished(run))
	stop(t, m, time.Second) // rests
	if diff := cmp.Diff(append(busyLines[:len(busyLines):len(busyLines)], "tool_call s get_current_time ok"), short(r.written(t))); diff != "" {
		t.Errorf("in the store (-want +got):\n%s", diff)
	}
}

// A crash before a session rests takes no line: its own journal has them.
func TestACrashLosesNoLineAndTwoAgentsWriteNoneTwice(t *testing.T) {
	r := newRig(t)
	m := r.resting("a", time.Hour)
	busy(t, r, m, "s")
	// m is left as it stands: nothing of it is written any more.
	next := r.agent("a")
	defer stop(t, next, time.Second)
	recoverAll(t, next)
	eventually(t, func() bool { return len(r.written(t)) == len(busyLines) }, "the lines are not written after the restart")
	wants(t, next, busyLines...)
	stop(t, m, time.Second) // the old process comes to rest after all
	wants(t, next, busyLines...)
	if diff := cmp.Diff(busyLines, short(r.written(t))); diff != "" {
		t.Errorf("in the store (-want +got):\n%s", diff)
	}
}

func TestSignInsAndRefusalsAreWrittenTogetherAndOnce(t *testing.T) {
	r := newRig(t)
	m := r.resting("a", 5*time.Millisecond)
	for range 50 {
		m.Audit().Note(audittrail.Caller{User: "alice", Via: "token:1"})
		m.Audit().Note(audittrail.Caller{User: "alice", Via: "session:2", Refused: map[string]int{"rate_limited": 2}})
	}
	eventually(t, func() bool { return len(r.written(t)) > 0 }, "nothing is written")
	want := []string{"sign_in session:2", "sign_in token:1", "refused rate_limited"}
	got := r.written(t)
	if diff := cmp.Diff(want, short(got)); diff != "" && len(got) == 3 {
		want[0], want[1] = want[1], want[0] // both in one millisecond or not
		if diff = cmp.Diff(want, short(got)); diff != "" {
			t.Errorf("in the store (-want +got):\n%s", diff)
		}
	}
	if n := got[len(got)-1].Count; n < 2 {
		t.Errorf("%d refusals counted", n)
	}
	// Known now, also to the next process, for a day.
	m.Audit().Note(audittrail.Caller{User: "alice", Via: "token:1"})
	stop(t, m, time.Second)
	m = r.agent("a")
	m.Audit().Note(audittrail.Caller{User: "alice", Via: "token:1"})
	stop(t, m, time.Second)
	signIns := 0
	for _, l := range r.written(t) {
		if l.What == auditlog.SignIn && l.Via == "token:1" {
			signIns++
		}
	}
	if signIns != 1 {
		t.Errorf("%d lines for one credential, want 1", signIns)
	}
}
