package runs_test

import (
	"encoding/json"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loongclaw/loongclaw/agent/model/modeltest"
	"github.com/loongclaw/loongclaw/agent/runs"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

// ear notes what it is told.
type ear struct {
	mu   sync.Mutex
	told []string
}

func (e *ear) note(s string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.told = append(e.told, s)
}

func (e *ear) heard() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.told)
}

func (e *ear) Ended(status string, took time.Duration) {
	if took == 0 {
		status += " without running"
	}
	e.note(status)
}
func (e *ear) Called(tool, status string)       { e.note(tool + " " + status) }
func (e *ear) Ran(tool string, _ time.Duration) { e.note("ran " + tool) }
func (e *ear) Panicked()                        { e.note("panicked") }

func (r *rig) heard() (*runs.Manager, *ear) {
	e := &ear{}
	return r.start(func(c *runs.Config) { c.Observer = e }), e
}

func TestTheObserverHearsOfEveryEnd(t *testing.T) {
	r := newRig(t)
	m, e := r.heard()
	hear := func(want ...string) {
		t.Helper()
		end := time.Now().Add(10 * time.Second)
		for time.Now().Before(end) && len(e.heard()) < len(want) {
			time.Sleep(time.Millisecond)
		}
		if d := cmp.Diff(want, e.heard()); d != "" {
			t.Fatalf("heard (-want +got):\n%s", d)
		}
	}
	r.provider.Script(
		modeltest.Reply{Calls: []modeltest.Call{{ID: "1", Name: "get_current_time", Arguments: json.RawMessage(`{}`)}, {ID: "2", Name: "made_up_by_the_model", Arguments: json.RawMessage(`{}`)}}},
		modeltest.Reply{Text: "done"})
	first := start(t, m, "s", "what time is it?")
	read(t, m, "s", first.Cursor, finished(first))
	want := []string{"ran get_current_time", "get_current_time ok", "unknown denied", chat.RunDone}
	hear(want...)

	r.provider.Script(modeltest.Reply{Status: 401})
	second := start(t, m, "s", "again")
	read(t, m, "s", second.Cursor, finished(second))
	want = append(want, chat.RunFailed)
	hear(want...)

	r.provider.Script(modeltest.Reply{Calls: []modeltest.Call{{Name: "write_file", Arguments: json.RawMessage(`{"path":"a.txt","content":"x"}`)}}})
	third := start(t, m, "s", "write it")
	read(t, m, "s", third.Cursor, ofType(chat.TypeApprovalRequired))
	start(t, m, "s", "this waits")
	if got := m.Activity().Waiting(); got != 1 {
		t.Errorf("%d messages wait, want 1", got)
	}
	if _, err := m.Cancel(t.Context(), "alice", "s", ""); err != nil {
		t.Fatal(err)
	}
	want = append(want, runs.Parked, chat.RunCancelled+" without running", chat.RunCancelled+" without running")
	hear(want...)
	if got := m.Activity().Waiting(); got != 0 {
		t.Errorf("%d messages wait, want none", got)
	}

	r.provider.Script(modeltest.Reply{Text: "one two three", Fault: modeltest.FaultStall, After: 1})
	fourth := start(t, m, "s", "hang")
	read(t, m, "s", fourth.Cursor, ofType(chat.TypeMessageChunk))
	stop(t, m, time.Millisecond)
	hear(append(want, runs.Left)...)
}
