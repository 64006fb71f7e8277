package runs_test

import (
	"context"
	"encoding/json"
	"sync"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/agent/model/modeltest"
	"github.com/loongclaw/loongclaw/agent/runs"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

var writes = modeltest.Reply{Calls: []modeltest.Call{{Name: "write_file", Arguments: json.RawMessage(`{"path":"a.txt","content":"x"}`)}}}

// ask brings a session to a question and gives its approval_required.
func ask(t *testing.T, r *rig, m *runs.Manager, session string) (chat.Run, chat.Event) {
	t.Helper()
	r.provider.Script(writes)
	run := start(t, m, session, "write a file")
	return run, find(t, read(t, m, session, run.Cursor, ofType(chat.TypeApprovalRequired)), chat.TypeApprovalRequired)
}

func TestADecisionThatCameTooLateApprovesNothing(t *testing.T) {
	r := newRig(t)
	m := r.agent("a")
	defer stop(t, m, time.Second)
	run, asked := ask(t, r, m, "s")
	if err := m.Approve(t.Context(), "alice", asked.ApprovalID, chat.DecideDeny); err != nil {
		t.Fatal(err)
	}
	if err := m.Approve(t.Context(), "alice", asked.ApprovalID, chat.Decide7Days); fault.CodeOf(err) != fault.CodeConflict {
		t.Fatalf("second decision = %v, want conflict", err)
	}
	read(t, m, "s", run.Cursor, finished(run))
	r.provider.Script(writes)
	again := start(t, m, "s", "write it after all")
	read(t, m, "s", again.Cursor, func(e chat.Event) bool {
		if e.Type == chat.TypeToolResult {
			t.Fatalf("a denied call ran unasked: %s", e.Status)
		}
		return e.Type == chat.TypeApprovalRequired
	})
}

func TestSevenDaysHoldInAnotherSession(t *testing.T) {
	r := newRig(t)
	m := r.agent("a")
	defer stop(t, m, time.Second)
	run, asked := ask(t, r, m, "one")
	if err := m.Approve(t.Context(), "alice", asked.ApprovalID, chat.Decide7Days); err != nil {
		t.Fatal(err)
	}
	read(t, m, "one", run.Cursor, finished(run))
	r.provider.Script(writes)
	other := start(t, m, "two", "and here")
	events := read(t, m, "two", other.Cursor, func(e chat.Event) bool { return e.Type == chat.TypeApprovalRequired || finished(other)(e) })
	if got := find(t, events, chat.TypeToolResult).Status; got != chat.ToolOK {
		t.Errorf("result = %s, want ok without a question", got)
	}
}

func TestWhatWaitsBehindACancelledQuestionRuns(t *testing.T) {
	r := newRig(t)
	m := r.agent("a")
	defer stop(t, m, time.Second)
	parked, _ := ask(t, r, m, "s")
	waiting := start(t, m, "s", "meanwhile")
	if _, err := m.Cancel(t.Context(), "alice", "s", parked.RunID); err != nil {
		t.Fatal(err)
	}
	events := read(t, m, "s", waiting.Cursor, finished(waiting))
	if got := events[len(events)-1].Status; got != chat.RunDone {
		t.Errorf("status = %s, want done", got)
	}
}

func TestARunThatWaitsForAPlaceIsCancelledAtOnce(t *testing.T) {
	r := newRig(t)
	stall := func(*modeltest.Request) modeltest.Reply {
		return modeltest.Reply{Text: "one two three", Chunks: 3, Fault: modeltest.FaultStall, After: 1}
	}
	r.provider.Fallback(stall)
	m := r.agent("a")
	for _, s := range []string{"s1", "s2", "s3", "s4"} {
		run := start(t, m, s, "hello")
		read(t, m, s, run.Cursor, ofType(chat.TypeMessageChunk))
	}
	stop(t, m, time.Millisecond)
	m = r.narrow("a") // one place for four unfinished runs
	defer stop(t, m, time.Millisecond)
	recoverAll(t, m)
	for _, s := range []string{"s4", "s3", "s2", "s1"} { // the last in line first
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		if ended, err := m.Cancel(ctx, "alice", s, ""); err != nil || len(ended) != 1 {
			t.Errorf("%s: cancelled %v, %v", s, ended, err)
		}
		cancel()
	}
}

func TestARepeatedMessageLeavesNoMark(t *testing.T) {
	r := newRig(t)
	m := r.agent("a")
	defer stop(t, m, time.Second)
	q := runs.Request{Message: "hello", Key: "k"}
	run, err := m.Start(t.Context(), "alice", "s", q)
	if err != nil {
		t.Fatal(err)
	}
	read(t, m, "s", run.Cursor, finished(run))
	noMark := func() bool {
		left, _, err := r.store.List(t.Context(), "u/alice/open/", "", 0)
		return err == nil && len(left) == 0
	}
	eventually(t, noMark, "the mark is not removed at rest")
	if _, err := m.Start(t.Context(), "alice", "s", q); err != nil {
		t.Fatal(err)
	}
	eventually(t, noMark, "a repeated message leaves a mark")
}

func TestWhatADeletionLeftIsRemovedWhenTheSessionIsOpened(t *testing.T) {
	r := newRig(t)
	m := r.agent("a")
	run := start(t, m, "s", "secret")
	read(t, m, "s", run.Cursor, finished(run))
	if err := m.Clear(t.Context(), "alice", "s"); err != nil {
		t.Fatal(err)
	}
	stop(t, m, time.Second)
	// As after a crash between tombstone and removal, with a mark of the next life.
	if _, err := r.store.Put(t.Context(), "u/alice/s/s/000001/log/000000000001", []byte("secret")); err != nil {
		t.Fatal(err)
	}
	m = r.agent("a")
	defer stop(t, m, time.Second)
	start(t, m, "s", "a new life")
	eventually(t, func() bool {
		left, _, err := r.store.List(t.Context(), "u/alice/s/s/000001/", "", 0)
		return err == nil && len(left) == 0
	}, "objects of an ended life stay")
	if h, err := m.History(t.Context(), "alice", "s", runs.View{Tree: true}); err != nil || len(h.Messages) == 0 {
		t.Errorf("the new life has %v, %v", h.Messages, err)
	}
}

func TestAMessageBesideTheRemovalOfADeletedSessionKeepsItsMark(t *testing.T) {
	for range 20 {
		r := newRig(t)
		m := r.agent("a")
		run := start(t, m, "s", "old")
		read(t, m, "s", run.Cursor, finished(run))
		mark, err := r.store.Get(t.Context(), "u/alice/open/s")
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Delete(t.Context(), "alice", "s"); err != nil {
			t.Fatal(err)
		}
		stop(t, m, time.Second)
		if _, err := r.store.Put(t.Context(), "u/alice/open/s", mark.Body); err != nil { // the removal was cut short
			t.Fatal(err)
		}
		m = r.agent("a")
		var recovered sync.WaitGroup
		recovered.Go(func() { recoverAll(t, m) })
		r.provider.Script(modeltest.Reply{Text: "never ends", Fault: modeltest.FaultStall})
		start(t, m, "s", "new")
		recovered.Wait()
		if _, err := r.store.Get(t.Context(), "u/alice/open/s"); err != nil {
			t.Errorf("an acknowledged message has no mark: %v", err)
		}
		stop(t, m, time.Millisecond)
	}
}

// eventually waits for what happens by itself, in the background.
func eventually(t *testing.T, holds func() bool, what string) {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal(what)
		}
	}
}
