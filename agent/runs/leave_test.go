package runs_test

import (
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/agent/model/modeltest"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

// An agent that is told to stop leaves what it cannot finish, and another one goes
// on with it: at once, not when the heartbeat is old.
func TestWhatAnAgentLeavesAnotherTakesUpAtOnce(t *testing.T) {
	r := newRig(t)
	a, b := r.agent("a"), r.agent("b")
	defer stop(t, b, time.Second)
	r.provider.Script(modeltest.Reply{Text: "one two three four", Chunks: 4, Fault: modeltest.FaultStall, After: 2})
	first := start(t, a, "s", "count")
	read(t, a, "s", first.Cursor, ofType(chat.TypeMessageChunk))
	// The user is sent to the other one, which lets the message wait its turn.
	second := start(t, b, "s", "and now?")
	begun := time.Now()
	stop(t, a, time.Millisecond)
	events := read(t, b, "s", first.Cursor, finished(second))
	if took := time.Since(begun); took > 15*time.Second {
		t.Errorf("taken up after %v", took)
	}
	var ends []string
	restarted := false
	for _, e := range events {
		if e.Type == chat.TypeRunFinished {
			ends = append(ends, e.RunID+" "+e.Status)
		}
		restarted = restarted || e.Type == chat.TypeRunStarted && e.RunID == first.RunID && e.Restarted
	}
	if len(ends) != 2 || ends[0] != first.RunID+" done" || ends[1] != second.RunID+" done" || !restarted {
		t.Errorf("ends %v, restarted %v", ends, restarted)
	}
}

// While it drains, an agent begins nothing that waited: whoever is there to stay does.
func TestWhatWaitsBeginsWhereThereIsTime(t *testing.T) {
	r := newRig(t)
	a, b := r.agent("a"), r.agent("b")
	defer stop(t, b, time.Second)
	r.provider.Script(modeltest.Reply{Text: "slowly", FirstDelay: 1500}, modeltest.Reply{Text: "more slowly", FirstDelay: 6000})
	first := start(t, a, "s", "one")
	start(t, a, "s", "two")
	drained := make(chan time.Duration, 1)
	go func() {
		begun := time.Now()
		stop(t, a, 20*time.Second)
		drained <- time.Since(begun)
	}()
	time.Sleep(50 * time.Millisecond)
	third := start(t, b, "s", "three")
	read(t, b, "s", first.Cursor, finished(third))
	if took := <-drained; took > 5*time.Second {
		t.Errorf("it drained for %v: it began what waited", took)
	}
	if n := len(r.provider.Requests()); n != 3 {
		t.Errorf("the model was asked %d times, want 3: nothing twice", n)
	}
}

// A run that nobody could take up when its agent left goes on as soon as its user is
// seen again, whatever of theirs is asked for.
func TestWhatWasLeftGoesOnWhenItsUserComes(t *testing.T) {
	r := newRig(t)
	a, b := r.agent("a"), r.agent("b")
	defer stop(t, b, time.Second)
	r.provider.Script(modeltest.Reply{Text: "one two three four", Chunks: 4, Fault: modeltest.FaultStall, After: 2})
	run := start(t, a, "s", "count")
	read(t, a, "s", run.Cursor, ofType(chat.TypeMessageChunk))
	stop(t, a, time.Millisecond)
	if _, err := b.Lists().Sessions(t.Context(), "alice", ""); err != nil {
		t.Fatal(err)
	}
	// Nobody opens the session meanwhile: the model is asked once more.
	eventually(t, func() bool { return len(r.provider.Requests()) == 2 && b.Activity().Active() == 0 }, "the run that was left does not go on")
}

// A mark that an agent finds may be that of another one, which lives: it is taken away
// only when nothing has come into the session for a while.
func TestAMarkThatWasFoundIsNotTakenAwayAtOnce(t *testing.T) {
	r := newRig(t)
	b := r.resting("b", time.Hour)
	defer stop(t, b, time.Second)
	r.provider.Script(modeltest.Reply{Text: "done"})
	run := start(t, b, "s", "hello")
	read(t, b, "s", run.Cursor, finished(run))
	done := time.Now()
	marked := func() bool {
		_, err := r.store.Get(t.Context(), "u/alice/open/s")
		return err == nil
	}
	const rest = 300 * time.Millisecond
	a := r.resting("a", rest)
	defer stop(t, a, time.Second)
	if _, err := a.Lists().Sessions(t.Context(), "alice", ""); err != nil {
		t.Fatal(err)
	}
	time.Sleep(2*rest - time.Since(done))
	if there := marked(); !there && time.Since(done) < 3*rest {
		t.Error("the mark of an agent that lives was taken away")
	}
	eventually(t, func() bool { return !marked() }, "a mark that nobody takes away stays")
}
