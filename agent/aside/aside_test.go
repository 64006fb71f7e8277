package aside_test

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/agent/aside"
	"github.com/loongclaw/loongclaw/agent/bucket/disk"
	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/runs"
	"github.com/loongclaw/loongclaw/agent/tools"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// answering is a model made of a function.
type answering func(ctx context.Context, q loop.Question, onText func(string)) (loop.Answer, error)

func (f answering) Answer(ctx context.Context, q loop.Question, onText func(string)) (loop.Answer, error) {
	return f(ctx, q, onText)
}

// with starts an agent with a model and a single place for active runs.
func with(t *testing.T, m loop.Model) *runs.Manager {
	t.Helper()
	store, err := disk.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return runs.New(runs.Config{
		Bucket: store, Model: m, Tools: tools.New(tools.Config{WorkspaceDir: t.TempDir()}),
		Persona:  func(context.Context, string) string { return "persona" },
		Instance: "a", MaxRuns: 1, Log: slog.New(slog.DiscardHandler), Now: time.Now,
		CheckpointAfter: 20 * time.Millisecond, EvictAfter: time.Hour,
	})
}

// stop ends an agent as SIGTERM does.
func stop(t *testing.T, m *runs.Manager, wait time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), wait)
	defer cancel()
	m.Drain(ctx)
}

// ends waits until a run has ended.
func ends(t *testing.T, m *runs.Manager, run chat.Run) {
	t.Helper()
	f, err := m.Follow(t.Context(), "alice", run.SessionID, run.Cursor)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for {
		events, err := f.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if slices.ContainsFunc(events, func(e chat.Event) bool { return e.Type == chat.TypeRunFinished && e.RunID == run.RunID }) {
			return
		}
	}
}

// said is a question of one message.
func said(message string) aside.Question {
	return aside.Question{Turns: []aside.Turn{{User: message}}}
}

func TestAnAsideIsTheModelAlone(t *testing.T) {
	var got loop.Question
	m := with(t, answering(func(_ context.Context, q loop.Question, onText func(string)) (loop.Answer, error) {
		got = q
		onText("Boats")
		return loop.Answer{Text: "Boats", Finish: chat.FinishStop}, nil
	}))
	defer stop(t, m, time.Second)
	text := ""
	a, err := m.Asides().Ask(t.Context(), "alice", aside.Question{Instructions: "a title", Turns: []aside.Turn{{User: "u", Assistant: "a"}, {User: "记住 it"}}}, func(s string) { text += s })
	if err != nil || a.Text != "Boats" || text != "Boats" || a.Finish != chat.FinishStop {
		t.Errorf("got %+v, %q, %v", a, text, err)
	}
	if got.System != "a title" || len(got.Tools) != 0 || len(got.Messages) != 3 || got.Messages[2].Text != "记住 it" {
		t.Errorf("the model was asked %+v", got)
	}
	rows, err := m.Lists().Sessions(t.Context(), "alice", "")
	if err != nil || len(rows) != 0 {
		t.Errorf("it left %v, %v", rows, err)
	}
	u, err := m.Users().Get(t.Context(), "alice")
	if err != nil || u.Memory.Len() != 0 {
		t.Errorf("it left %d memories, %v", u.Memory.Len(), err)
	}
}

func TestAsidesFail(t *testing.T) {
	for name, tt := range map[string]struct {
		model answering
		want  fault.Code
	}{
		"a panic":   {func(context.Context, loop.Question, func(string)) (loop.Answer, error) { panic("a provider's word") }, fault.CodeInternal},
		"no answer": {func(context.Context, loop.Question, func(string)) (loop.Answer, error) { return loop.Answer{}, nil }, fault.CodeEmptyAnswer},
		"a busy provider": {func(context.Context, loop.Question, func(string)) (loop.Answer, error) {
			return loop.Answer{}, fault.New(fault.CodeProviderBusy, "busy", "wait")
		}, fault.CodeProviderBusy},
	} {
		m := with(t, tt.model)
		if _, err := m.Asides().Ask(t.Context(), "alice", said("x"), func(string) {}); fault.CodeOf(err) != tt.want {
			t.Errorf("%s: got %v, want %s", name, err, tt.want)
		}
		stop(t, m, time.Second)
	}
}

// Asides are bounded for each user, take no place of a run, and end with the agent.
func TestAsidesAreBoundedAndDrained(t *testing.T) {
	var asked sync.WaitGroup
	m := with(t, answering(func(ctx context.Context, q loop.Question, _ func(string)) (loop.Answer, error) {
		if q.System == "persona" {
			return loop.Answer{Text: "here", Finish: chat.FinishStop}, nil
		}
		asked.Done()
		<-ctx.Done()
		return loop.Answer{}, ctx.Err()
	}))
	const most = 8
	asked.Add(most)
	ended := make(chan error, most)
	for range most {
		go func() {
			_, err := m.Asides().Ask(t.Context(), "alice", said("x"), func(string) {})
			ended <- err
		}()
	}
	asked.Wait()
	if _, err := m.Asides().Ask(t.Context(), "alice", said("x"), func(string) {}); fault.CodeOf(err) != fault.CodeTooManyRuns || fault.From(err).RetrySeconds() == 0 {
		t.Errorf("one too many: got %v", err)
	}
	run, err := m.Start(t.Context(), "alice", "s", runs.Request{Message: "a message has its place"})
	if err != nil {
		t.Fatal(err)
	}
	ends(t, m, run)
	stop(t, m, 10*time.Millisecond)
	for range most {
		if err := <-ended; fault.CodeOf(err) != fault.CodeDraining {
			t.Errorf("at the agent's end: got %v, want draining", err)
		}
	}
	if _, err := m.Asides().Ask(t.Context(), "alice", said("x"), func(string) {}); fault.CodeOf(err) != fault.CodeDraining {
		t.Errorf("after the agent's end: got %v, want draining", err)
	}
}
