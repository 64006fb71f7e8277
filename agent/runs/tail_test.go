package runs_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
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

// say has a message answered.
func say(t *testing.T, m *runs.Manager, session, message string, parent *string) chat.Run {
	t.Helper()
	run, err := m.Start(t.Context(), "alice", session, runs.Request{Message: message, ParentID: parent, Interactive: true})
	if err != nil {
		t.Fatal(err)
	}
	read(t, m, session, run.Cursor, finished(run))
	return run
}

// page gives a page of turns.
func page(t *testing.T, m *runs.Manager, before string, n, most int) runs.Page {
	t.Helper()
	p, err := m.Turns(t.Context(), "alice", "s", before, n, most)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// now gives what a follower with a tail is told at once.
func now(t *testing.T, m *runs.Manager, after string, n int) []chat.Event {
	t.Helper()
	f, err := m.Follow(t.Context(), "alice", "s", after)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	f.Tail(n)
	events, err := f.Poll()
	if err != nil {
		t.Fatal(err)
	}
	return events
}

// said gives the messages of users among events.
func said(events []chat.Event) string {
	var out []string
	for _, e := range events {
		if e.Type == chat.TypeMessage {
			out = append(out, e.Text())
		}
	}
	return strings.Join(out, " ")
}

// whole reports whether no chunk, call or end is there of a run that did not begin,
// and each complete answer is what its chunks say.
func whole(t *testing.T, events []chat.Event) {
	t.Helper()
	begun, text := map[string]bool{}, map[string]string{}
	for _, e := range events {
		switch e.Type {
		case chat.TypeMessage, chat.TypeRunStarted:
			begun[e.RunID] = true
		case chat.TypeMessageChunk:
			text[e.MessageID] += e.Text()
		case chat.TypeMessageComplete:
			if text[e.MessageID] != e.Text() {
				t.Errorf("the chunks say %q, the answer %q", text[e.MessageID], e.Text())
			}
		}
		if e.RunID != "" && !begun[e.RunID] {
			t.Errorf("%s of a run whose beginning is missing", e.Type)
		}
	}
}

func TestATailIsTheLastTurnsEachFromItsFirstEvent(t *testing.T) {
	r := newRig(t)
	m := r.agent("a")
	defer stop(t, m, time.Second)
	for i := range 5 {
		say(t, m, "s", fmt.Sprintf("m%d", i), nil)
	}
	for n, want := range map[int]string{0: "", 1: "m4", 2: "m3 m4", 5: "m0 m1 m2 m3 m4", 6: "m0 m1 m2 m3 m4", math.MaxInt: "m0 m1 m2 m3 m4"} {
		events := now(t, m, "", n)
		if got := said(events); got != want {
			t.Errorf("tail %d tells %q, want %q", n, got, want)
		}
		whole(t, events)
		p := page(t, m, "", n, 1000)
		if got := said(p.Events); got != want {
			t.Errorf("page of %d tells %q, want %q", n, got, want)
		}
		if (p.Before == "") != (n >= 5) {
			t.Errorf("tail %d: before %q", n, p.Before)
		}
	}
	end := lastCursor(t, m)
	all := read(t, m, "s", "", func(e chat.Event) bool { return e.Cursor == end })
	for _, n := range []int{1, 2, 3, 7} {
		p := page(t, m, "", n, 1000)
		joined := p.Events
		for p.Before != "" {
			p = page(t, m, p.Before, n, 1000)
			joined = append(slices.Clone(p.Events), joined...)
		}
		if got, want := encode(t, joined), encode(t, all); got != want {
			t.Errorf("pages of %d joined are\n%s\nwant\n%s", n, got, want)
		}
	}
	// A page holds whole turns, however few events were asked for.
	if got := said(page(t, m, "", 5, 1).Events); got != "m4" {
		t.Errorf("a page of at most one event has %q, want one turn", got)
	}
	if got := said(page(t, m, "", 5, 10).Events); got != "m3 m4" {
		t.Errorf("a page of at most ten events has %q, want two turns of five each", got)
	}
}

func lastCursor(t *testing.T, m *runs.Manager) string {
	t.Helper()
	f, err := m.Follow(t.Context(), "alice", "s", "")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Poll(); err != nil {
		t.Fatal(err)
	}
	return f.Cursor()
}

func encode(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Edits and answers given again stand beside what is shown; a tail has none of that,
// and says that it is there.
func TestATailIsOfTheShownBranch(t *testing.T) {
	r := newRig(t)
	m := r.agent("a")
	defer stop(t, m, time.Second)
	first := say(t, m, "s", "a", nil)
	b := say(t, m, "s", "b", nil)
	say(t, m, "s", "c", nil)
	root := ""
	edited := say(t, m, "s", "A", &root)
	if got := said(now(t, m, "", 3)); got != "A" {
		t.Errorf("after an edit of the first message a tail of 3 tells %q, want A alone", got)
	}
	e := find(t, now(t, m, "", 3), chat.TypeMessage)
	if want := []string{first.MessageID, edited.MessageID}; !slices.Equal(e.Siblings, want) {
		t.Errorf("siblings %v, want %v", e.Siblings, want)
	}
	if _, err := m.Update(t.Context(), "alice", "s", session.Edit{Head: &b.MessageID}); err != nil {
		t.Fatal(err)
	}
	for n, want := range map[int]string{1: "c", 2: "b c", 9: "a b c"} {
		events := now(t, m, "", n)
		if got := said(events); got != want {
			t.Errorf("back on the first branch a tail of %d tells %q, want %q", n, got, want)
		}
		whole(t, events)
		if last := events[len(events)-1]; last.Type != chat.TypeSessionUpdated || last.Head == "" {
			t.Errorf("it ends in %+v, want the head of the branch", last)
		}
	}
	if p := page(t, m, page(t, m, "", 1, 1000).Before, 1, 1000); said(p.Events) != "b" {
		t.Errorf("the turn before is %q, want b", said(p.Events))
	}
	again, err := m.Regenerate(t.Context(), "alice", "s", b.MessageID, "", "")
	if err != nil {
		t.Fatal(err)
	}
	read(t, m, "s", again.Cursor, finished(again))
	events := now(t, m, "", 1)
	if got := said(events); got != "b" {
		t.Errorf("an answer given again is the turn of %q, want b", got)
	}
	if done := find(t, events, chat.TypeMessageComplete); done.RunID != again.RunID || len(done.Siblings) != 2 {
		t.Errorf("the answer is of run %s with siblings %v, want the new one of two", done.RunID, done.Siblings)
	}
	for _, e := range now(t, m, "", 9) {
		if e.Type == chat.TypeSessionUpdated && e.Head != "" {
			t.Errorf("it tells of the head %s, which is on no branch that it tells", e.Head)
		}
	}
	for _, e := range events {
		if e.RunID == b.RunID && e.Type != chat.TypeMessage {
			t.Errorf("%s of the answer that is not shown", e.Type)
		}
	}
}

// A turn without an answer is one as well.
func TestATailHoldsARunThatFailedBeforeAWord(t *testing.T) {
	r := newRig(t)
	m := r.agent("a")
	defer stop(t, m, time.Second)
	say(t, m, "s", "a", nil)
	r.provider.Script(modeltest.Reply{Status: 401})
	failed := start(t, m, "s", "b")
	read(t, m, "s", failed.Cursor, finished(failed))
	events := now(t, m, "", 1)
	if got := said(events); got != "b" {
		t.Errorf("it tells %q, want b", got)
	}
	if end := find(t, events, chat.TypeRunFinished); end.Status != chat.RunFailed || end.RunID != failed.RunID {
		t.Errorf("it ends with %+v, want that the run failed", end)
	}
}

// What comes live continues an open run, so a tail holds that run from its start,
// whatever its number, and what waits behind it.
func TestATailHoldsWhatGoesOn(t *testing.T) {
	r := newRig(t)
	m := r.agent("a")
	defer stop(t, m, time.Second)
	say(t, m, "s", "before", nil)
	run, asked := ask(t, r, m, "s")
	start(t, m, "s", "waits")
	for _, n := range []int{0, 1} {
		events := now(t, m, "", n)
		if got := said(events); !strings.HasSuffix(got, " waits") || strings.Contains(got, "before") {
			t.Errorf("tail %d tells %q, want the run that is open and what waits", n, got)
		}
		if find(t, events, chat.TypeApprovalRequired).ApprovalID != asked.ApprovalID {
			t.Errorf("tail %d has not the question", n)
		}
		whole(t, events)
		p := page(t, m, page(t, m, "", n, 1000).Before, 9, 1000)
		if got := said(p.Events); got != "before" {
			t.Errorf("before it stands %q, want what was said before", got)
		}
	}
	f, err := m.Follow(t.Context(), "alice", "s", "")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	f.Tail(0)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	r.provider.Script(modeltest.Reply{Text: "done with it"}, modeltest.Reply{Text: "and this"})
	if err := m.Approve(ctx, "alice", asked.ApprovalID, chat.DecideDeny); err != nil {
		t.Fatal(err)
	}
	var all []chat.Event
	for ends := 0; ends < 2; {
		events, err := f.Next(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			all = append(all, e)
			if e.Type == chat.TypeRunFinished {
				ends++
			}
		}
	}
	whole(t, all)
	if find(t, all, chat.TypeRunFinished).RunID != run.RunID {
		t.Error("the open run did not end first")
	}
}

// A cursor wins over a tail, so that a reader that comes back to the same address
// misses nothing.
func TestACursorWinsOverATail(t *testing.T) {
	r := newRig(t)
	m := r.agent("a")
	defer stop(t, m, time.Second)
	say(t, m, "s", "a", nil)
	at := lastCursor(t, m)
	for _, text := range []string{"b", "c", "d"} {
		say(t, m, "s", text, nil)
	}
	if got := said(now(t, m, at, 1)); got != "b c d" {
		t.Errorf("after a cursor it tells %q, want all that was missed", got)
	}
	if err := m.Clear(t.Context(), "alice", "s"); err != nil {
		t.Fatal(err)
	}
	say(t, m, "s", "e", nil)
	say(t, m, "s", "f", nil)
	events := now(t, m, at, 1)
	if events[0].Type != chat.TypeHistoryCleared || said(events) != "f" {
		t.Errorf("a cursor of an earlier life: %v %q, want that it has ended and the last turn", types(events), said(events))
	}
	p := page(t, m, at, 1, 1000)
	if p.Events[0].Type != chat.TypeHistoryCleared || said(p.Events) != "f" || p.Before == "" {
		t.Errorf("turns before one: %v %q %q", types(p.Events), said(p.Events), p.Before)
	}
}

func TestATailOfWhatIsNotThere(t *testing.T) {
	r := newRig(t)
	m := r.agent("a")
	defer stop(t, m, time.Second)
	if _, err := m.Turns(t.Context(), "alice", "s", "", 3, 10); fault.CodeOf(err) != fault.CodeNotFound {
		t.Errorf("of no session: %v", err)
	}
	say(t, m, "s", "a", nil)
	say(t, m, "other", "a", nil)
	say(t, m, "other", "b", nil)
	for _, bad := range []string{"x", "AAAA", chat.Cursor{Epoch: 1, Seq: 1}.Encode("other"), chat.Cursor{Epoch: 1, Seq: 1 << 40}.Encode("s")} {
		if _, err := m.Turns(t.Context(), "alice", "s", bad, 3, 10); fault.CodeOf(err) != fault.CodeInvalidCursor {
			t.Errorf("before %q: %v, want invalid_cursor", bad, err)
		}
	}
	if p := page(t, m, chat.Cursor{Epoch: 1, Seq: 1}.Encode("s"), 3, 10); len(p.Events) != 0 || p.Before != "" {
		t.Errorf("before the first event: %+v", p)
	}
	if err := m.Clear(t.Context(), "alice", "s"); err != nil {
		t.Fatal(err)
	}
	if p := page(t, m, "", 3, 10); len(p.Events) != 0 || p.Before != "" || p.Next == "" {
		t.Errorf("of an empty session: %+v", p)
	}
	f, err := m.Follow(t.Context(), "alice", "s", "")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	f.Tail(3)
	f.UntilIdle = true
	if events, err := f.Begin(t.Context()); len(events) != 0 || err != nil || f.Cursor() == (chat.Cursor{}).Encode("s") {
		t.Errorf("it begins with %v, %v at %s", types(events), err, f.Cursor())
	}
	if _, err := f.Next(t.Context()); !errors.Is(err, runs.ErrIdle) {
		t.Errorf("it goes on with %v, want that nothing runs", err)
	}
}
