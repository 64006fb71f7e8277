package runs_test

import (
	"slices"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/agent/model/modeltest"
	"github.com/loongclaw/loongclaw/agent/runs"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

// written is a history on one line for each message; what waits has a star.
func written(t *testing.T, m *runs.Manager, limit int, tree bool) []string {
	t.Helper()
	h, err := m.History(t.Context(), "alice", "s", runs.View{Limit: limit, Tree: tree})
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, msg := range h.Messages {
		line := msg.Role + ": " + msg.Content
		if msg.Queued {
			line += " *"
		}
		out = append(out, line)
	}
	return out
}

// A history is complete: what was taken and waits for its turn is in it, last.
func TestMessagesThatWaitAreInTheHistory(t *testing.T) {
	r := newRig(t)
	m := r.agent("a")
	defer func() { stop(t, m, time.Second) }()
	r.provider.Fallback(func(*modeltest.Request) modeltest.Reply { return modeltest.Reply{Text: "an answer"} })
	before := start(t, m, "s", "one")
	read(t, m, "s", before.Cursor, finished(before))
	r.provider.Script(modeltest.Reply{Text: "second answer", Fault: modeltest.FaultStall, After: 1})
	current := start(t, m, "s", "two")
	read(t, m, "s", current.Cursor, ofType(chat.TypeMessageChunk))
	end := start(t, m, "s", "three")
	branch, err := m.Start(t.Context(), "alice", "s", runs.Request{Message: "four", ParentID: &before.MessageID})
	if err != nil {
		t.Fatal(err)
	}

	want := []string{"user: one", "assistant: an answer", "user: two", "user: three *", "user: four *"}
	for _, tree := range []bool{false, true} {
		if got := written(t, m, 0, tree); !slices.Equal(got, want) {
			t.Errorf("tree %v: got %q, want %q", tree, got, want)
		}
		if got := written(t, m, 2, tree); !slices.Equal(got, want[3:]) {
			t.Errorf("tree %v, the last two: got %q", tree, got)
		}
	}
	if h, _ := m.History(t.Context(), "alice", "s", runs.View{}); h.Head != current.MessageID {
		t.Errorf("the head is %q, want the message that is being answered", h.Head)
	}
	// Cancelled while it waits, it waits no more, and is not lost.
	if _, err := m.Cancel(t.Context(), "alice", "s", branch.RunID); err != nil {
		t.Fatal(err)
	}
	if got := written(t, m, 0, false); !slices.Equal(got, []string{"user: one", "assistant: an answer", "user: two", "user: three *", "user: four"}) {
		t.Errorf("after a cancel: got %q", got)
	}

	// Another agent reads the same from the store.
	other := r.agent("b")
	defer stop(t, other, time.Second)
	if got := written(t, other, 0, false); !slices.Equal(got, written(t, m, 0, false)) {
		t.Errorf("another agent reads %q", got)
	}

	if _, err := m.Cancel(t.Context(), "alice", "s", current.RunID); err != nil {
		t.Fatal(err)
	}
	read(t, m, "s", current.Cursor, finished(end))
	for _, line := range written(t, m, 0, true) {
		if line[len(line)-1] == '*' {
			t.Errorf("nothing waits any more, and %q does", line)
		}
	}
}
