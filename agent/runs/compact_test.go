package runs_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/memory"
	"github.com/loongclaw/loongclaw/agent/runs"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// reader is a model with a window. Asked for a summary it keeps the lines that say
// what to remember.
type reader struct {
	mu        sync.Mutex
	window    int // in bytes; 0 is any number
	asked     []loop.Question
	summaries int
	fails     bool          // at summaries
	hold      chan struct{} // closed when a summary has been asked for, which then waits for its end
	calls     loop.Call     // made first, by a message that says "look"
}

const keepWord = "remember:"

// isSummary reports whether a summary is asked for.
func isSummary(q loop.Question) bool {
	return strings.Contains(q.Messages[len(q.Messages)-1].Context, "Write a summary")
}

func (m *reader) Answer(ctx context.Context, q loop.Question, onText func(string)) (loop.Answer, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	q.Messages = append([]loop.Message(nil), q.Messages...)
	m.asked = append(m.asked, q)
	a := loop.Answer{Finish: chat.FinishStop, Model: "test/1", Usage: &chat.Usage{PromptTokens: 10, CompletionTokens: 1, TotalTokens: 11}}
	if m.window > 0 && loop.Size(q.Messages) > m.window {
		return loop.Answer{}, fault.Wrap(loop.ErrTooLong, fault.CodeProviderFailed, "too long", "")
	}
	last := q.Messages[len(q.Messages)-1]
	switch {
	case isSummary(q):
		m.summaries++
		if m.hold != nil {
			close(m.hold)
			<-ctx.Done()
			return loop.Answer{}, ctx.Err()
		}
		if m.fails {
			return a, errors.New("no summary today")
		}
		var kept []string
		for _, msg := range q.Messages {
			for line := range strings.Lines(msg.Context + "\n" + msg.Text) {
				if strings.Contains(line, keepWord) {
					kept = append(kept, strings.TrimSpace(line))
				}
			}
		}
		a.Text = strings.Join(append(kept, "They talked."), "\n")
		return a, nil
	case m.calls.Name != "" && strings.HasPrefix(last.Text, "look"):
		a.Calls, a.Finish = []loop.Call{m.calls}, chat.FinishToolCalls
		return a, nil
	}
	a.Text = "Fine."
	onText(a.Text)
	return a, nil
}

func (m *reader) taken() []loop.Question {
	m.mu.Lock()
	defer m.mu.Unlock()
	asked := m.asked
	m.asked = nil
	return asked
}

// reads starts an agent over a model with a window of so many tokens.
func (r *rig) reads(m loop.Model, window int) *runs.Manager {
	return r.start(func(c *runs.Config) { c.Model, c.Window, c.CheckpointAfter = m, window, time.Hour })
}

// shows reports whether a question's messages hold a text.
func shows(q loop.Question, text string) bool {
	for _, m := range q.Messages {
		if strings.Contains(m.Context+m.Text, text) {
			return true
		}
	}
	return false
}

// follows counts the places where a request does not begin as the one before it.
func follows(t *testing.T, before, now loop.Question) bool {
	t.Helper()
	if len(now.Messages) < len(before.Messages) {
		return false
	}
	return reflect.DeepEqual(before.Messages, now.Messages[:len(before.Messages)])
}

// A conversation of 400 turns goes on over a window that it outgrows many times: what
// matters of its beginning stays in sight, and what is sent begins as it did before,
// but for where a summary was made.
func TestALongConversationGoesOn(t *testing.T) {
	const turns, window = 400, 32768
	r, model := newRig(t), &reader{}
	m := r.reads(model, window)
	var before loop.Question
	var middle string
	breaks, seen := 0, 0
	for n := 1; n <= turns; n++ {
		text := fmt.Sprintf("%d %s", n, strings.Repeat("word ", 300))
		if n == 3 {
			text = keepWord + " the boat is called Wilhelmina"
		}
		if n == turns/2 { // a restart reads the same conversation
			stop(t, m, time.Second)
			m = r.reads(model, window)
		}
		events := sayTo(t, m, "s", text)
		end := events[len(events)-1]
		asked := model.taken()
		if end.Status != chat.RunDone || len(asked) > 2 || end.Usage.TotalTokens != 11*len(asked) {
			t.Fatalf("turn %d: %+v, %d questions, used %+v", n, end, len(asked), end.Usage)
		}
		if n == turns/2+40 {
			middle = find(t, events, chat.TypeMessageComplete).MessageID
		}
		for _, q := range asked {
			size := loop.Size(q.Messages)
			seen = max(seen, size)
			if n > 3 && !shows(q, "Wilhelmina") {
				t.Fatalf("turn %d: the fact of turn 3 is out of sight", n)
			}
			switch {
			case isSummary(q):
				// What is summarised is the beginning of what was sent before.
				if k := len(q.Messages) - 1; !reflect.DeepEqual(q.Messages[:k], before.Messages[:k]) {
					t.Fatalf("turn %d: a summary is asked for of something else", n)
				}
				continue
			case n > 1 && !follows(t, before, q):
				breaks++
			}
			before = q
		}
	}
	most := 3 * (window - 8192)
	if breaks != model.summaries || breaks < 5 || breaks > turns/20 {
		t.Errorf("the beginning changed %d times, with %d summaries", breaks, model.summaries)
	}
	if seen > most+8192 || seen < most/2 {
		t.Errorf("at most %d bytes were sent, where there is room for %d", seen, most)
	}

	// After another restart, and on a branch that leaves from the middle.
	stop(t, m, time.Second)
	m = r.reads(model, window)
	defer stop(t, m, time.Second)
	sayTo(t, m, "s", "again")
	if asked := model.taken(); !shows(asked[0], "Wilhelmina") || !follows(t, before, asked[0]) {
		t.Error("a restart sends another conversation")
	}
	made := model.summaries
	run, err := m.Start(t.Context(), "alice", "s", runs.Request{Message: "from here", ParentID: &middle, Interactive: true})
	if err != nil {
		t.Fatal(err)
	}
	read(t, m, "s", run.Cursor, finished(run))
	if asked := model.taken(); !shows(asked[0], "Wilhelmina") || model.summaries != made || shows(asked[0], fmt.Sprint(turns)+" word") {
		t.Errorf("another branch: %d messages, %d summaries more", len(asked[0].Messages), model.summaries-made)
	}

	tree, err := m.History(t.Context(), "alice", "s", runs.View{Tree: true, Summaries: true})
	if err != nil {
		t.Fatal(err)
	}
	summaries := 0
	for i, msg := range tree.Messages {
		if msg.Summary {
			summaries++
			if msg.Role != chat.RoleSystem || msg.ParentID != tree.Messages[i-1].ID || !strings.Contains(msg.Content, "Wilhelmina") || msg.ID == "" {
				t.Errorf("a summary in the history: %+v", msg)
			}
		}
	}
	plain, err := m.History(t.Context(), "alice", "s", runs.View{Tree: true})
	if err != nil || summaries != made || len(plain.Messages) != len(tree.Messages)-summaries {
		t.Errorf("%d summaries in the history, %d were made: %v", summaries, made, err)
	}
}

// talk fills a session until it is just about to outgrow its window.
func talk(t *testing.T, m *runs.Manager, model *reader, first string) {
	t.Helper()
	sayTo(t, m, "s", first)
	for n := range 8 {
		sayTo(t, m, "s", fmt.Sprint(n, strings.Repeat(" word", 250)))
	}
	model.taken()
}

// big does not fit beside what talk said.
var big = "more" + strings.Repeat(" word", 600)

func TestASummaryThatFailsLeavesTheOldestOut(t *testing.T) {
	r, model := newRig(t), &reader{fails: true}
	m := r.reads(model, 8192)
	defer stop(t, m, time.Second)
	talk(t, m, model, keepWord+" a boat")
	var before loop.Question
	for n, text := range []string{big, "and now?", "and then?"} {
		events := sayTo(t, m, "s", text)
		asked := model.taken()
		if end := events[len(events)-1]; end.Status != chat.RunDone || len(asked) != 2 || !isSummary(asked[0]) {
			t.Fatalf("%+v after %d questions", end, len(asked))
		}
		if n > 0 && !follows(t, before, asked[1]) || shows(asked[1], "a boat") {
			t.Errorf("turn %d: what is sent begins otherwise, or with all of it", n)
		}
		before = asked[1]
	}
	if tree, _ := m.History(t.Context(), "alice", "s", runs.View{Tree: true, Summaries: true}); len(tree.Messages) != 24 {
		t.Errorf("%d messages in the history", len(tree.Messages))
	}
}

// A window that is smaller than anybody knew: one summary, and one more try.
func TestATooLongRefusalLeadsToASummary(t *testing.T) {
	r, model := newRig(t), &reader{}
	m := r.reads(model, 0)
	defer stop(t, m, time.Second)
	talk(t, m, model, keepWord+" a boat")
	model.window = 9000
	events := sayTo(t, m, "s", "go on")
	asked := model.taken()
	if end := events[len(events)-1]; end.Status != chat.RunDone || len(asked) != 3 || !isSummary(asked[1]) || !shows(asked[2], "a boat") {
		t.Fatalf("%+v after %d questions", end, len(asked))
	}
	sayTo(t, m, "s", "go on")
	if again := model.taken(); len(again) != 1 || !follows(t, asked[2], again[0]) {
		t.Errorf("the turn after it was asked %d times", len(again))
	}
}

func TestACancelInTheMiddleOfASummary(t *testing.T) {
	r, model := newRig(t), &reader{hold: make(chan struct{})}
	m := r.reads(model, 8192)
	talk(t, m, model, keepWord+" a boat")
	run := start(t, m, "s", big)
	<-model.hold
	if ended, err := m.Cancel(t.Context(), "alice", "s", run.RunID); err != nil || len(ended) != 1 {
		t.Fatalf("%v, %v", ended, err)
	}
	events := read(t, m, "s", run.Cursor, finished(run))
	if end := events[len(events)-1]; end.Status != chat.RunCancelled {
		t.Errorf("the run ended as %+v", end)
	}
	model.mu.Lock()
	model.hold = nil
	model.mu.Unlock()
	stop(t, m, time.Second)
	m = r.reads(model, 8192)
	defer stop(t, m, time.Second)
	model.taken()
	sayTo(t, m, "s", "go on")
	if asked := model.taken(); len(asked) != 2 || !isSummary(asked[0]) || !shows(asked[1], "a boat") {
		t.Errorf("the next run was asked %d times", len(asked))
	}
	isWhole(t, r.store)
}

// What the user forgets is in no summary from then on.
func TestASummaryForgetsWithTheMemory(t *testing.T) {
	r, model := newRig(t), &reader{}
	m := r.reads(model, 8192)
	defer stop(t, m, time.Second)
	u, err := m.Users().Get(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	saved, err := u.Memory.Save(t.Context(), memory.Item{Type: "fact", Importance: "high", Content: keepWord + " my cat is called Mimi", Source: "old"})
	if err != nil {
		t.Fatal(err)
	}
	talk(t, m, model, "what is my cat called?")
	sayTo(t, m, "s", big)
	if asked := model.taken(); len(asked) != 2 || !shows(asked[1], "Mimi") || !asked[1].Messages[0].Summary {
		t.Fatalf("asked %d times", len(asked))
	}
	if err := u.Memory.Forget(t.Context(), saved.ID); err != nil {
		t.Fatal(err)
	}
	sayTo(t, m, "s", "go on")
	for _, q := range model.taken() {
		if shows(q, "Mimi") {
			t.Errorf("what was forgotten is still sent: %+v", q.Messages[0])
		}
	}
	tree, err := m.History(t.Context(), "alice", "s", runs.View{Tree: true, Summaries: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, msg := range tree.Messages {
		if msg.Summary && strings.Contains(msg.Content, "Mimi") {
			t.Errorf("the history still tells it: %+v", msg)
		}
	}
}

// A summary is as foreign as what it was made from, in every later process.
func TestASummaryOfForeignTextIsForeign(t *testing.T) {
	for _, tool := range []string{"read_file", "get_current_time"} {
		r, model := newRig(t), &reader{}
		m := r.reads(model, 8192)
		model.calls = loop.Call{ID: "c1", Name: tool, Arguments: []byte(`{"path":"notes.md"}`)}
		talk(t, m, model, "look")
		sayTo(t, m, "s", big)
		if asked := model.taken(); len(asked) != 2 || !isSummary(asked[0]) {
			t.Fatalf("%d questions", len(asked))
		}
		stop(t, m, time.Second)
		m = r.reads(model, 8192)
		model.calls = loop.Call{ID: "c2", Name: "memory_save", Arguments: []byte(`{"content":"the boat is blue","type":"fact"}`)}
		run := start(t, m, "s", "look, I have a boat")
		events := read(t, m, "s", run.Cursor, func(e chat.Event) bool {
			return e.Type == chat.TypeApprovalRequired || e.Type == chat.TypeRunFinished
		})
		if q := model.taken()[0]; len(q.Messages) == 0 || !q.Messages[0].Summary || shows(q, "error:") {
			t.Fatalf("%s: the tool's result is still there itself", tool)
		}
		asks := events[len(events)-1].Type == chat.TypeApprovalRequired
		if want := tool == "read_file"; asks != want {
			t.Errorf("after a summary of what %s returned, saving asks: %v, want %v", tool, asks, want)
		}
		stop(t, m, time.Second)
	}
}
