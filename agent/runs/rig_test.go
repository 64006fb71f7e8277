package runs_test

import (
	"context"
	"log/slog"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/agent/bucket/disk"
	"github.com/loongclaw/loongclaw/agent/model"
	"github.com/loongclaw/loongclaw/agent/model/modeltest"
	"github.com/loongclaw/loongclaw/agent/runs"
	"github.com/loongclaw/loongclaw/agent/tools"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

// rig is a store and a provider, and agents on them that come and go.
type rig struct {
	t        testing.TB
	provider *modeltest.Server
	url      string
	store    bucket.Bucket
}

func newRig(t *testing.T) *rig {
	t.Helper()
	provider := modeltest.New()
	server := httptest.NewServer(provider)
	t.Cleanup(server.Close)
	store, err := disk.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return &rig{t, provider, server.URL, store}
}

// agent starts an agent; the same instance name is the same agent, restarted.
func (r *rig) agent(instance string, extra ...tools.Tool) *runs.Manager {
	return r.sized(instance, 4, extra...)
}

// narrow starts one with a single place for active runs.
func (r *rig) narrow(instance string) *runs.Manager { return r.sized(instance, 1) }

func (r *rig) sized(instance string, places int, extra ...tools.Tool) *runs.Manager {
	return r.start(func(c *runs.Config) {
		c.Instance, c.MaxRuns = instance, places
		c.Tools = tools.New(tools.Config{WorkspaceDir: r.t.TempDir(), Worker: ownWorker(r.t)}, extra...)
	})
}

// start starts an agent that differs from the usual one in what change says.
func (r *rig) start(change func(c *runs.Config)) *runs.Manager {
	m, _ := model.New(model.Config{Settings: map[string]model.Provider{"openai": {Key: "key", URL: r.url, Model: "m"}}}, nil, nil)
	c := runs.Config{
		Bucket: r.store, Model: m, Tools: tools.New(tools.Config{WorkspaceDir: r.t.TempDir(), Worker: ownWorker(r.t)}),
		Persona:  func(context.Context, string) string { return "persona" },
		Instance: "a", MaxRuns: 4, Log: slog.New(slog.DiscardHandler), Now: time.Now,
		CheckpointAfter: 20 * time.Millisecond, EvictAfter: time.Hour,
	}
	change(&c)
	return runs.New(c)
}

// recoverAll is what an agent does at its start.
func recoverAll(t *testing.T, m *runs.Manager) {
	t.Helper()
	names, err := m.Users().Names(t.Context())
	if err != nil {
		t.Error(err)
	}
	m.Recover(t.Context(), names...)
}

// stop ends an agent as SIGTERM does.
func stop(t *testing.T, m *runs.Manager, wait time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), wait)
	defer cancel()
	m.Drain(ctx)
}

func start(t *testing.T, m *runs.Manager, session, message string) chat.Run {
	t.Helper()
	run, err := m.Start(t.Context(), "alice", session, runs.Request{Message: message, Interactive: true})
	if err != nil {
		t.Fatal(err)
	}
	return run
}

// read follows a session until last says so, and gives all events.
func read(t *testing.T, m *runs.Manager, session, after string, last func(chat.Event) bool) []chat.Event {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	f, err := m.Follow(ctx, "alice", session, after)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var all []chat.Event
	for {
		events, err := f.Next(ctx)
		if err != nil {
			t.Fatalf("after %s: %v", types(all), err)
		}
		for _, e := range events {
			all = append(all, e)
			if last(e) {
				return all
			}
		}
	}
}

func finished(run chat.Run) func(chat.Event) bool {
	return func(e chat.Event) bool { return e.Type == chat.TypeRunFinished && e.RunID == run.RunID }
}

func ofType(kind string) func(chat.Event) bool {
	return func(e chat.Event) bool { return e.Type == kind }
}

// types gives the types of events, a stretch of chunks as one.
func types(events []chat.Event) []string {
	var out []string
	for _, e := range events {
		out = append(out, e.Type)
	}
	return slices.Compact(out)
}

func find(t *testing.T, events []chat.Event, kind string) chat.Event {
	t.Helper()
	for _, e := range events {
		if e.Type == kind {
			return e
		}
	}
	t.Fatalf("no %s among %v", kind, types(events))
	return chat.Event{}
}
