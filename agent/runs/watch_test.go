package runs_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/agent/model/modeltest"
	"github.com/loongclaw/loongclaw/agent/runs"
	"github.com/loongclaw/loongclaw/agent/session"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// watch follows alice's list after a cursor until last says so.
func watch(t *testing.T, m *runs.Manager, after string, last func(chat.ListEvent) bool) (all []chat.ListEvent, cursor string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	w, err := m.Lists().Watch(ctx, "alice", after)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	cursor = w.Cursor()
	for {
		events, err := w.Next(ctx)
		if err != nil {
			t.Fatalf("after %s: %v", told(all), err)
		}
		for i, e := range events {
			if (e.Cursor != cursor) != (i == len(events)-1) {
				t.Errorf("event %d of %d has the cursor %q after %q: only the last may move it", i+1, len(events), e.Cursor, cursor)
			}
		}
		for _, e := range events {
			all = append(all, e)
			cursor = e.Cursor
		}
		for _, e := range events {
			if last(e) {
				return all, cursor
			}
		}
	}
}

// listUntilIdle gives all that has changed after a cursor until nothing runs.
func listUntilIdle(t *testing.T, m *runs.Manager, after string) (all []chat.ListEvent, cursor string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	w, err := m.Lists().Watch(ctx, "alice", after)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	w.UntilIdle = true
	for {
		events, err := w.Next(ctx)
		if errors.Is(err, runs.ErrIdle) {
			return all, w.Cursor()
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, events...)
	}
}

// told says in words what events tell.
func told(events []chat.ListEvent) string {
	var out []string
	for _, e := range events {
		switch {
		case e.Session != nil:
			out = append(out, e.SessionID+"="+string(e.Session.State))
		case e.Approval != nil:
			out = append(out, e.SessionID+"?"+e.Approval.Decision)
		default:
			out = append(out, e.SessionID+" "+e.Type)
		}
	}
	return strings.Join(out, ", ")
}

func cursorNow(t *testing.T, m *runs.Manager) string {
	t.Helper()
	l, err := m.Lists().List(t.Context(), "alice", "")
	if err != nil {
		t.Fatal(err)
	}
	return l.Cursor
}

func stateOf(t *testing.T, m *runs.Manager, session string) chat.State {
	t.Helper()
	l, err := m.Lists().List(t.Context(), "alice", "")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range l.Sessions {
		if s.ID == session {
			return s.State
		}
	}
	return ""
}

func TestAListSaysWhatEachSessionIsAt(t *testing.T) {
	r := newRig(t)
	m := r.agent("a")
	defer func() { stop(t, m, time.Second) }()
	begin := cursorNow(t, m)
	run, asked := ask(t, r, m, "s")
	events, _ := watch(t, m, begin, func(e chat.ListEvent) bool { return e.Approval != nil })
	if got := told(events); !strings.HasSuffix(got, "s=waiting, s?") {
		t.Errorf("a question is told as %q", got)
	}
	open := events[len(events)-1].Approval
	if open.ApprovalID != asked.ApprovalID || open.RunID != run.RunID || open.Scope != asked.Scope || open.Name != "write_file" || !slices.Equal(open.Decisions, asked.Decisions) || string(open.Arguments) == "" {
		t.Errorf("the question is shown as %+v", open)
	}
	list, err := m.Lists().Approvals(t.Context(), "alice")
	if err != nil || len(list) != 1 || list[0].ApprovalID != asked.ApprovalID {
		t.Errorf("open are %+v, %v", list, err)
	}
	if other, err := m.Lists().Approvals(t.Context(), "bob"); err != nil || len(other) != 0 {
		t.Errorf("another user sees %+v, %v", other, err)
	}
	// It keeps nothing awake.
	if _, cursor := listUntilIdle(t, m, begin); cursor == begin {
		t.Error("the cursor has not moved")
	}
	before := cursorNow(t, m)
	if err := m.Approve(t.Context(), "alice", asked.ApprovalID, chat.DecideDeny); err != nil {
		t.Fatal(err)
	}
	read(t, m, "s", run.Cursor, finished(run))
	events, _ = listUntilIdle(t, m, before)
	if got := told(events); !strings.Contains(got, "s?deny") || !strings.Contains(got, "s=idle") {
		t.Errorf("a decision is told as %q", got)
	}
	if list, err := m.Lists().Approvals(t.Context(), "alice"); err != nil || len(list) != 0 {
		t.Errorf("open are %+v, %v, want none", list, err)
	}
	r.provider.Script(modeltest.Reply{Status: 401})
	failed := start(t, m, "s", "again")
	read(t, m, "s", failed.Cursor, finished(failed))
	if got := stateOf(t, m, "s"); got != chat.StateFailed {
		t.Errorf("after a run that failed: %s", got)
	}
	waitRested(t, m, "s")
	stop(t, m, time.Second)
	m = r.agent("a")
	if got := stateOf(t, m, "s"); got != chat.StateFailed {
		t.Errorf("after a restart: %s, want failed", got)
	}
	say(t, m, "s", "well", nil)
	if got := stateOf(t, m, "s"); got != chat.StateIdle {
		t.Errorf("after a run that went well: %s", got)
	}
}

// waitRested waits until sessions' rows are in their user's journal.
func waitRested(t *testing.T, m *runs.Manager, sessions ...string) {
	t.Helper()
	u, err := m.Users().Get(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range sessions {
		now, err := m.Session(t.Context(), "alice", id)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; ; i++ {
			if row, _ := u.Session(id); row.Tail.Number > 0 && row.UpdatedAt == now.UpdatedAt {
				break
			}
			if i > 400 {
				t.Fatal("the session does not come to rest")
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
}

func TestAListThatIsWatchedMissesNothing(t *testing.T) {
	r := newRig(t)
	m := r.agent("a")
	defer func() { stop(t, m, time.Second) }()
	say(t, m, "old", "x", nil)
	for _, id := range []string{"renamed", "cleared", "deleted"} {
		say(t, m, id, "x", nil)
	}
	waitRested(t, m, "old", "renamed", "cleared", "deleted")
	_, cursor := listUntilIdle(t, m, "")
	title := "another title"
	if _, err := m.Update(t.Context(), "alice", "renamed", session.Edit{Title: &title}); err != nil {
		t.Fatal(err)
	}
	if err := m.Clear(t.Context(), "alice", "cleared"); err != nil {
		t.Fatal(err)
	}
	if err := m.Delete(t.Context(), "alice", "deleted"); err != nil {
		t.Fatal(err)
	}
	say(t, m, "new", "x", nil)
	want := map[string]string{"renamed": "session_changed", "cleared": "session_changed", "deleted": "session_removed", "new": "session_changed"}
	check := func(name string, events []chat.ListEvent, exact bool) {
		t.Helper()
		got := map[string]string{}
		for _, e := range events {
			got[e.SessionID] = e.Type
			if e.SessionID == "renamed" && e.Session.Title != title {
				t.Errorf("%s: the title is %q", name, e.Session.Title)
			}
		}
		for id, kind := range want {
			if got[id] != kind {
				t.Errorf("%s: of %s it tells %q, want %s", name, id, got[id], kind)
			}
		}
		if exact && len(got) != len(want) {
			t.Errorf("%s: it tells %v, and no more than %v has changed", name, got, want)
		}
	}
	events, end := listUntilIdle(t, m, cursor)
	check("the same process", events, true)
	if again, _ := listUntilIdle(t, m, end); len(again) != 0 {
		t.Errorf("after the end of it: %s", told(again))
	}
	// The process that gave the cursor has ended.
	stop(t, m, time.Second)
	m = r.agent("a")
	events, _ = listUntilIdle(t, m, cursor)
	check("the next process", events, true)
	if events, _ := listUntilIdle(t, m, end); len(events) > 2 {
		t.Errorf("the next process tells %s, of which the reader knew all", told(events))
	}
}

// A crash leaves runs and questions that the user's journal does not know yet.
func TestAListThatIsWatchedOverACrash(t *testing.T) {
	r := newRig(t)
	m := r.agent("a")
	cursor := cursorNow(t, m)
	_, asked := ask(t, r, m, "s")
	_, known := watch(t, m, cursor, func(e chat.ListEvent) bool { return e.Approval != nil })
	// Nobody stops it: the next one finds what a crash leaves.
	next := r.agent("a")
	defer stop(t, next, time.Second)
	defer stop(t, m, time.Second)
	for name, after := range map[string]string{"before the question": cursor, "after it": known} {
		events, _ := watch(t, next, after, func(e chat.ListEvent) bool { return e.Approval != nil })
		if strings.Contains(told(events), "s=idle") {
			t.Errorf("%s: before the question was found it says that nothing is open: %s", name, told(events))
		}
		if e := events[len(events)-1]; e.Approval.ApprovalID != asked.ApprovalID || e.Approval.Decision != "" {
			t.Errorf("%s: %s", name, told(events))
		}
	}
	list, err := r.agent("a").Lists().List(t.Context(), "alice", "")
	if err != nil || len(list.Sessions) != 1 || list.Sessions[0].State != chat.StateWaiting {
		t.Errorf("an agent that has just come lists %+v, %v, want the session that waits", list.Sessions, err)
	}
	open, err := r.agent("a").Lists().Approvals(t.Context(), "alice")
	if err != nil || len(open) != 1 {
		t.Errorf("an agent that has just come says that %+v, %v is open, want the question", open, err)
	}
}

func TestWatchersAreToldWhatOtherAgentsDo(t *testing.T) {
	r := newRig(t)
	m, other := r.agent("a"), r.agent("b")
	defer stop(t, m, time.Second)
	defer stop(t, other, time.Second)
	cursor := cursorNow(t, m)
	say(t, other, "theirs", "x", nil)
	waitRested(t, other, "theirs")
	events, _ := listUntilIdle(t, m, cursor)
	if got := told(events); got != "theirs=idle" {
		t.Errorf("it tells %q", got)
	}
}

func TestCursorsOfOtherListsAreRefused(t *testing.T) {
	r := newRig(t)
	m := r.agent("a")
	defer stop(t, m, time.Second)
	for _, bad := range []string{"x", "AAAA", chat.ListCursor{}.Encode("bob"), chat.ListCursor{Seq: 1 << 40}.Encode("alice"), chat.Cursor{Epoch: 1, Seq: 1}.Encode("s"), cursorNow(t, m) + "A"} {
		if _, err := m.Lists().Watch(t.Context(), "alice", bad); fault.CodeOf(err) != fault.CodeInvalidCursor {
			t.Errorf("%q: %v, want invalid_cursor", bad, err)
		}
	}
	want := chat.ListCursor{Seq: 300, Feed: 1 << 63, N: 1 << 40}
	if got, err := chat.ParseListCursor("alice", want.Encode("alice")); err != nil || got != want {
		t.Errorf("%+v comes back as %+v, %v", want, got, err)
	}
}

// A change that comes while one is told is told as well.
func TestChangesInAnyMomentAreTold(t *testing.T) {
	r := newRig(t)
	m := r.agent("a")
	defer stop(t, m, time.Second)
	const n = 12
	cursor := cursorNow(t, m)
	go func() {
		for i := range n {
			_, _ = m.Start(context.WithoutCancel(t.Context()), "alice", string(rune('a'+i)), runs.Request{Message: "x"})
			time.Sleep(time.Duration(i) * 3 * time.Millisecond)
		}
	}()
	rows := map[string]chat.State{}
	for i := 0; i < 1000 && len(rows) < n; i++ { // each time from the last cursor, as one whose connection breaks
		var events []chat.ListEvent
		events, cursor = watch(t, m, cursor, func(chat.ListEvent) bool { return true })
		for _, e := range events {
			rows[e.SessionID] = e.Session.State
		}
	}
	for len(rows) == n {
		done := true
		for _, state := range rows {
			done = done && state == chat.StateIdle
		}
		if done {
			break
		}
		var events []chat.ListEvent
		events, cursor = watch(t, m, cursor, func(chat.ListEvent) bool { return true })
		for _, e := range events {
			rows[e.SessionID] = e.Session.State
		}
	}
	if len(rows) != n {
		b, _ := json.Marshal(rows)
		t.Errorf("told of %s, want %d sessions", b, n)
	}
}

// A checkpoint says again what the row has said: nobody is told twice.
func TestARowIsToldOnce(t *testing.T) {
	r := newRig(t)
	m := r.agent("a")
	defer stop(t, m, time.Second)
	w, err := m.Lists().Watch(t.Context(), "alice", cursorNow(t, m))
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	w.UntilIdle = true
	say(t, m, "s", "x", nil)
	rows := map[chat.Session]int{}
	for round := range 2 {
		for {
			events, err := w.Next(t.Context())
			if errors.Is(err, runs.ErrIdle) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range events {
				if rows[*e.Session]++; rows[*e.Session] > 1 {
					t.Errorf("in round %d it tells again %+v", round, *e.Session)
				}
			}
		}
		waitRested(t, m, "s")
	}
	if len(rows) == 0 {
		t.Error("it tells nothing")
	}
}
