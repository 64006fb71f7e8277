package runs_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loongclaw/loongclaw/agent/model/modeltest"
	"github.com/loongclaw/loongclaw/agent/runs"
	"github.com/loongclaw/loongclaw/agent/session"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

func TestARunIsMessageStartChunksCompleteFinish(t *testing.T) {
	r := newRig(t)
	m := r.agent("a")
	defer stop(t, m, time.Second)
	r.provider.Script(modeltest.Reply{Text: "你好，森林。", Chunks: 3})
	run := start(t, m, "s", "hello")
	events := read(t, m, "s", run.Cursor, finished(run))
	want := []string{"message", "run_started", "message_chunk", "message_complete", "run_finished"}
	if diff := cmp.Diff(want, types(events)); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	if got := find(t, events, chat.TypeMessageComplete); got.Text() != "你好，森林。" || got.ParentID != run.MessageID {
		t.Errorf("answer = %q to %s, want it to answer %s", got.Text(), got.ParentID, run.MessageID)
	}
}

// law joins chunks by attempt and holds them against each complete answer.
func law(t *testing.T, events []chat.Event) {
	t.Helper()
	text := map[string]string{}
	for _, e := range events {
		switch e.Type {
		case chat.TypeRunStarted:
			if e.Restarted {
				clear(text)
			}
		case chat.TypeMessageChunk:
			text[e.MessageID] += e.Text()
		case chat.TypeMessageComplete:
			if text[e.MessageID] != e.Text() {
				t.Errorf("chunks of %s join to %q, its content is %q", e.MessageID, text[e.MessageID], e.Text())
			}
		}
	}
}

func TestAReaderThatIsCutOffAtEveryEventEndsWithExactlyTheContent(t *testing.T) {
	r := newRig(t)
	m := r.agent("a")
	defer stop(t, m, time.Second)
	for cut := 1; cut < 24; cut++ {
		t.Run(fmt.Sprint(cut), func(t *testing.T) {
			r.provider.Script(
				modeltest.Reply{Text: "我看看时间。", Chunks: 6, Delay: 1, Calls: []modeltest.Call{{Name: "get_current_time"}}},
				modeltest.Reply{Text: "现在是晚上 🌙 了。", Chunks: 8, Delay: 1})
			session := fmt.Sprint("cut", cut)
			run := start(t, m, session, "几点了？")
			var all []chat.Event
			after := run.Cursor
			for len(all) == 0 || !finished(run)(all[len(all)-1]) {
				n := 0
				// A different distance each time, down to one event.
				limit := 1 + (cut+len(all)*7)%(cut+1)
				part := read(t, m, session, after, func(e chat.Event) bool { n++; return n >= limit || finished(run)(e) })
				all = append(all, part...)
				after = all[len(all)-1].Cursor
			}
			law(t, all)
			if n := count(all, chat.TypeRunFinished); n != 1 {
				t.Errorf("%d run_finished, want 1", n)
			}
			if n := count(all, chat.TypeMessageComplete); n != 2 {
				t.Errorf("%d message_complete, want 2", n)
			}
		})
	}
}

func count(events []chat.Event, kind string) (n int) {
	for _, e := range events {
		if e.Type == kind {
			n++
		}
	}
	return n
}

func TestAnInterruptedRunIsStartedAgainOnce(t *testing.T) {
	r := newRig(t)
	m := r.agent("a")
	r.provider.Script(modeltest.Reply{Text: "one two three four", Chunks: 4, Fault: modeltest.FaultStall, After: 2})
	run := start(t, m, "s", "count")
	before := read(t, m, "s", run.Cursor, ofType(chat.TypeMessageChunk))
	stop(t, m, time.Millisecond)

	r.provider.Script(modeltest.Reply{Text: "five six seven", Chunks: 3})
	m = r.agent("a")
	defer stop(t, m, time.Second)
	recoverAll(t, m)
	after := read(t, m, "s", before[len(before)-1].Cursor, finished(run))
	want := []string{"run_started", "message_chunk", "message_complete", "run_finished"}
	if diff := cmp.Diff(want, types(after)); diff != "" {
		t.Errorf("events after the restart (-want +got):\n%s", diff)
	}
	if !after[0].Restarted {
		t.Error("run_started does not say that it is a restart")
	}
	law(t, append(before, after...))
}

func TestAnApprovalParksTheRunAndSurvivesARestart(t *testing.T) {
	for _, c := range []struct{ decision, status string }{{chat.DecideOnce, chat.ToolOK}, {chat.DecideDeny, chat.ToolDenied}} {
		t.Run(c.decision, func(t *testing.T) {
			r := newRig(t)
			m := r.agent("a")
			r.provider.Script(
				modeltest.Reply{Calls: []modeltest.Call{{Name: "write_file", Arguments: json.RawMessage(`{"path":"a.txt","content":"x","approval":"once"}`)}}},
				modeltest.Reply{Text: "done"})
			run := start(t, m, "s", "write a file")
			asked := find(t, read(t, m, "s", run.Cursor, ofType(chat.TypeApprovalRequired)), chat.TypeApprovalRequired)
			if asked.Scope == "" || asked.ExpiresAt == nil {
				t.Errorf("approval_required = %+v, want its scope and expiry", asked)
			}
			stop(t, m, time.Second)

			m = r.agent("a")
			defer stop(t, m, time.Second)
			recoverAll(t, m)
			if err := m.Approve(t.Context(), "alice", asked.ApprovalID, c.decision); err != nil {
				t.Fatal(err)
			}
			if err := m.Approve(t.Context(), "alice", asked.ApprovalID, chat.DecideSession); fault.CodeOf(err) != fault.CodeConflict {
				t.Errorf("second decision = %v, want conflict", err)
			}
			events := read(t, m, "s", asked.Cursor, finished(run))
			if got := find(t, events, chat.TypeToolResult).Status; got != c.status {
				t.Errorf("result = %s, want %s", got, c.status)
			}
			if count(events, chat.TypeRunStarted) != 0 {
				t.Errorf("a run that only waited says that it was restarted: %v", types(events))
			}
		})
	}
}

func TestNobodyApprovesForSomeoneElse(t *testing.T) {
	r := newRig(t)
	m := r.agent("a")
	defer stop(t, m, time.Second)
	r.provider.Script(modeltest.Reply{Calls: []modeltest.Call{{Name: "write_file", Arguments: json.RawMessage(`{"path":"a.txt","content":"x"}`)}}})
	run := start(t, m, "s", "write a file")
	asked := find(t, read(t, m, "s", run.Cursor, ofType(chat.TypeApprovalRequired)), chat.TypeApprovalRequired)
	if err := m.Approve(t.Context(), "mallory", asked.ApprovalID, chat.DecideOnce); fault.CodeOf(err) != fault.CodeNotFound {
		t.Errorf("another user's decision = %v, want not_found", err)
	}
	if _, err := m.Cancel(t.Context(), "alice", "s", ""); err != nil {
		t.Fatal(err)
	}
	events := read(t, m, "s", asked.Cursor, finished(run))
	if got := find(t, events, chat.TypeToolResult).Status; got != chat.ToolSkipped {
		t.Errorf("result of a cancelled call = %s, want skipped", got)
	}
}

func TestMessagesToABusySessionWaitInOrder(t *testing.T) {
	r := newRig(t)
	m := r.agent("a")
	defer stop(t, m, time.Second)
	r.provider.Fallback(func(q *modeltest.Request) modeltest.Reply {
		return modeltest.Reply{Text: "re: " + q.Messages[len(q.Messages)-1].Content, Delay: 5}
	})
	r.provider.Script(modeltest.Reply{Text: "first answer", Fault: modeltest.FaultStall, After: 1})
	first := start(t, m, "s", "first")
	read(t, m, "s", first.Cursor, ofType(chat.TypeMessageChunk))
	var waiting []chat.Run
	for i := range chat.MaxWaiting {
		waiting = append(waiting, start(t, m, "s", fmt.Sprint("waiting ", i)))
	}
	_, err := m.Start(t.Context(), "alice", "s", runs.Request{Message: "one too many"})
	if f := fault.From(err); f.Code != fault.CodeSessionBusy || f.RetrySeconds() < 1 {
		t.Errorf("the ninth that waits: %v, want session_busy with Retry-After", err)
	}
	if _, err := m.Cancel(t.Context(), "alice", "s", first.RunID); err != nil {
		t.Fatal(err)
	}
	last := waiting[len(waiting)-1]
	events := read(t, m, "s", "", finished(last))
	law(t, events)
	var order []string
	for _, e := range events {
		if e.Type == chat.TypeMessageComplete {
			order = append(order, e.Text())
		}
	}
	if len(order) != 1+chat.MaxWaiting || !strings.HasSuffix(order[1], "waiting 0") || !strings.HasSuffix(order[8], "waiting 7") {
		t.Errorf("answers = %q", order)
	}
	h, _ := m.History(t.Context(), "alice", "s", runs.View{})
	for i := 1; i < len(h.Messages); i++ {
		if h.Messages[i].ParentID != h.Messages[i-1].ID {
			t.Errorf("message %d answers %s, want %s", i, h.Messages[i].ParentID, h.Messages[i-1].ID)
		}
	}
}

func TestAnIdempotencyKeyGivesTheSameRunAlsoAfterARestart(t *testing.T) {
	r := newRig(t)
	m := r.agent("a")
	q := runs.Request{Message: "hello", Key: "k1"}
	var wg sync.WaitGroup
	var ids sync.Map
	for range 8 {
		wg.Go(func() {
			run, err := m.Start(t.Context(), "alice", "s", q)
			if err != nil {
				t.Error(err)
			}
			ids.Store(run, true)
		})
	}
	wg.Wait()
	stop(t, m, time.Second)
	m = r.agent("a")
	defer stop(t, m, time.Second)
	run, err := m.Start(t.Context(), "alice", "s", q)
	if err != nil {
		t.Fatal(err)
	}
	ids.Store(run, true)
	n := 0
	ids.Range(func(_, _ any) bool { n++; return true })
	if n != 1 {
		t.Errorf("%d different answers under one key", n)
	}
	q.Message = "something else"
	if _, err := m.Start(t.Context(), "alice", "s", q); fault.CodeOf(err) != fault.CodeIdempotency {
		t.Errorf("another body under the key = %v", err)
	}
}

func TestClearingTellsOldCursorsAndTheNextLifeIsEmpty(t *testing.T) {
	r := newRig(t)
	m := r.agent("a")
	defer stop(t, m, time.Second)
	run := start(t, m, "s", "remember me")
	old := read(t, m, "s", run.Cursor, finished(run))
	if err := m.Clear(t.Context(), "alice", "s"); err != nil {
		t.Fatal(err)
	}
	if h, err := m.History(t.Context(), "alice", "s", runs.View{Tree: true}); err != nil || len(h.Messages) != 0 {
		t.Errorf("history after clearing = %v, %v", h, err)
	}
	next := start(t, m, "s", "again")
	events := read(t, m, "s", old[len(old)-1].Cursor, finished(next))
	if events[0].Type != chat.TypeHistoryCleared || events[0].Cursor != "" || events[1].MessageID != next.MessageID {
		t.Errorf("an old cursor gives %v", types(events))
	}
	if err := m.Delete(t.Context(), "alice", "s"); err != nil {
		t.Fatal(err)
	}
	left, _, _ := r.store.List(t.Context(), "u/alice/s/", "", 0)
	if len(left) != 0 {
		t.Errorf("objects of a deleted session: %v", left)
	}
	if _, err := m.Follow(t.Context(), "alice", "s", ""); fault.CodeOf(err) != fault.CodeNotFound {
		t.Errorf("following a deleted session = %v", err)
	}
}

func TestRegenerateAndEditAreBranches(t *testing.T) {
	r := newRig(t)
	m := r.agent("a")
	defer stop(t, m, time.Second)
	r.provider.Script(modeltest.Reply{Text: "A1"}, modeltest.Reply{Text: "A2"}, modeltest.Reply{Text: "B1"})
	first := start(t, m, "s", "question A")
	read(t, m, "s", first.Cursor, finished(first))
	again, err := m.Regenerate(t.Context(), "alice", "s", "", "", "")
	if err != nil {
		t.Fatal(err)
	}
	events := read(t, m, "s", again.Cursor, finished(again))
	if count(events, chat.TypeMessage) != 0 || again.MessageID != first.MessageID {
		t.Errorf("regenerated: %v for message %s", types(events), again.MessageID)
	}
	root := ""
	edited, err := m.Start(t.Context(), "alice", "s", runs.Request{Message: "question B", ParentID: &root})
	if err != nil {
		t.Fatal(err)
	}
	read(t, m, "s", edited.Cursor, finished(edited))
	if got := texts(t, m, "s", false); got != "question B|B1" {
		t.Errorf("branch shown = %s", got)
	}
	if got := texts(t, m, "s", true); got != "question A|A1|A2|question B|B1" {
		t.Errorf("tree = %s", got)
	}
	if _, err := m.Update(t.Context(), "alice", "s", session.Edit{Head: &first.MessageID}); err != nil {
		t.Fatal(err)
	}
	if got := texts(t, m, "s", false); got != "question A|A2" {
		t.Errorf("branch after the switch = %s", got)
	}
}

func texts(t *testing.T, m *runs.Manager, session string, tree bool) string {
	t.Helper()
	h, err := m.History(t.Context(), "alice", session, runs.View{Tree: tree})
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, msg := range h.Messages {
		out = append(out, msg.Content)
	}
	return strings.Join(out, "|")
}

func TestTwoAgentsOnOneStoreNeverAnswerAMessageTwice(t *testing.T) {
	r := newRig(t)
	a, b := r.agent("a"), r.agent("b")
	defer stop(t, a, time.Second)
	defer stop(t, b, time.Second)
	var asked atomic.Int64
	r.provider.Fallback(func(*modeltest.Request) modeltest.Reply {
		asked.Add(1)
		return modeltest.Reply{Text: "a whole answer", Delay: 2}
	})
	run := start(t, a, "s", "hello")
	// The other agent follows, and takes nothing over from one that is alive.
	events := read(t, b, "s", run.Cursor, finished(run))
	law(t, events)
	if asked.Load() != 1 || count(events, chat.TypeMessageComplete) != 1 {
		t.Errorf("the provider was asked %d times; events %v", asked.Load(), types(events))
	}
}

func TestAParkedRunIsCancelledRightAfterARestart(t *testing.T) {
	for i := range 20 {
		r := newRig(t)
		m := r.agent("a")
		r.provider.Script(modeltest.Reply{Calls: []modeltest.Call{{Name: "write_file", Arguments: json.RawMessage(`{"path":"a.txt","content":"x"}`)}}})
		run := start(t, m, "s", "write a file")
		asked := find(t, read(t, m, "s", run.Cursor, ofType(chat.TypeApprovalRequired)), chat.TypeApprovalRequired)
		stop(t, m, time.Second)
		m = r.agent("a")
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		if ended, err := m.Cancel(ctx, "alice", "s", ""); err != nil || len(ended) != 1 || ended[0] != run.RunID {
			t.Errorf("round %d: cancelled %v, %v; want %s", i, ended, err, run.RunID)
		}
		cancel()
		events := read(t, m, "s", asked.Cursor, finished(run))
		if got := find(t, events, chat.TypeRunFinished).Status; got != chat.RunCancelled {
			t.Errorf("status = %s", got)
		}
		stop(t, m, time.Second)
	}
}

func TestASessionIsClearedRightAfterARestart(t *testing.T) {
	for i := range 12 {
		r := newRig(t)
		m := r.agent("a")
		r.provider.Fallback(func(*modeltest.Request) modeltest.Reply {
			return modeltest.Reply{Text: "one two three", Chunks: 3, Fault: modeltest.FaultStall, After: 1}
		})
		run := start(t, m, "s", "hello")
		start(t, m, "s", "and this waits")
		read(t, m, "s", run.Cursor, ofType(chat.TypeMessageChunk))
		stop(t, m, time.Millisecond)
		m = r.agent("a")
		var recovered sync.WaitGroup
		recovered.Go(func() { recoverAll(t, m) })
		time.Sleep(time.Duration(i) * time.Millisecond) // another moment of the start each round
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		if err := m.Clear(ctx, "alice", "s"); err != nil {
			t.Fatalf("round %d: %v", i, err)
		}
		cancel()
		recovered.Wait()
		if h, err := m.History(t.Context(), "alice", "s", runs.View{Tree: true}); err != nil || len(h.Messages) != 0 {
			t.Errorf("round %d: history after clearing = %v, %v", i, h.Messages, err)
		}
		stop(t, m, time.Second)
	}
}
