package runs_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/model/modeltest"
	"github.com/loongclaw/loongclaw/agent/runs"
	"github.com/loongclaw/loongclaw/agent/tools"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

// deaf is a tool that does not hear that it should end.
type deaf struct {
	spec    loop.Spec
	entered chan struct{}
	release <-chan struct{}
}

func (d deaf) Spec() loop.Spec { return d.spec }
func (deaf) ReadOnly() bool    { return false }
func (deaf) Foreign() bool     { return false }
func (deaf) Judge(json.RawMessage, tools.Env) tools.Verdict {
	return tools.Verdict{Kind: tools.VerdictRun}
}

func (d deaf) Run(context.Context, json.RawMessage, tools.Env) (string, error) {
	close(d.entered)
	<-d.release
	return "", nil
}

// stuckIn starts an agent all of whose tools are deaf, and a run of a session that
// calls one of them.
func stuckIn(t *testing.T, name string) (*runs.Manager, chat.Run) {
	t.Helper()
	r := newRig(t)
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	config := tools.Config{WorkspaceDir: t.TempDir(), Worker: ownWorker(t), Patience: 100 * time.Millisecond}
	var extra []tools.Tool
	entered := make(chan struct{})
	for _, spec := range tools.New(config).For("").Specs() {
		extra = append(extra, deaf{spec, entered, release})
	}
	manager := r.start(func(c *runs.Config) { c.Tools = tools.New(config, extra...) })
	r.provider.Script(modeltest.Reply{Calls: []modeltest.Call{{Name: name, Arguments: json.RawMessage(`{}`)}}}, modeltest.Reply{Text: "done"})
	run := start(t, manager, "s", "call "+name)
	select {
	case <-entered:
	case <-time.After(20 * time.Second):
		t.Fatalf("%s was not called", name)
	}
	return manager, run
}

// soon fails when do takes long, whatever holds it.
func soon(t *testing.T, what string, do func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); do() }()
	select {
	case <-done:
	case <-time.After(9 * time.Second):
		t.Fatalf("%s waits for a tool that does not end", what)
	}
}

func TestNoToolHoldsWhatEndsIt(t *testing.T) {
	var names []string
	for _, spec := range tools.New(tools.Config{WorkspaceDir: t.TempDir()}).For("").Specs() {
		names = append(names, spec.Name)
	}
	if len(names) < 9 {
		t.Fatalf("only %d tools", len(names))
	}
	for _, name := range names {
		for what, end := range map[string]func(*testing.T, *runs.Manager){
			"cancel": func(t *testing.T, m *runs.Manager) {
				if ended, err := m.Cancel(t.Context(), "alice", "s", ""); err != nil || len(ended) != 1 {
					t.Errorf("Cancel = %v, %v", ended, err)
				}
			},
			"delete": func(t *testing.T, m *runs.Manager) {
				if err := m.Delete(t.Context(), "alice", "s"); err != nil {
					t.Error(err)
				}
			},
			"clear": func(t *testing.T, m *runs.Manager) {
				if err := m.Clear(t.Context(), "alice", "s"); err != nil {
					t.Error(err)
				}
			},
			"the agent's end": func(t *testing.T, m *runs.Manager) { stop(t, m, 100*time.Millisecond) },
		} {
			t.Run(name+", "+what, func(t *testing.T) {
				t.Parallel()
				m, run := stuckIn(t, name)
				soon(t, what, func() { end(t, m) })
				if what == "cancel" {
					result := find(t, read(t, m, "s", run.Cursor, finished(run)), chat.TypeToolResult)
					if text := fmt.Sprint(result.Output); result.Status != chat.ToolError || result.Output == nil || !strings.HasPrefix(*result.Output, "it did not end") {
						t.Errorf("the call's result is %s %s, want an error that says that it did not end", result.Status, text)
					}
				}
				soon(t, "the agent's end", func() { stop(t, m, 100*time.Millisecond) })
			})
		}
	}
}
