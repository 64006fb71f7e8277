package runs_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/runs"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// answering is a model made of a function.
type answering func(ctx context.Context, q loop.Question, onText func(string)) (loop.Answer, error)

func (f answering) Answer(ctx context.Context, q loop.Question, onText func(string)) (loop.Answer, error) {
	return f(ctx, q, onText)
}

func (r *rig) with(m loop.Model) *runs.Manager {
	return r.start(func(c *runs.Config) { c.Model, c.MaxRuns = m, 1 })
}

func TestAnAsideIsTheModelAlone(t *testing.T) {
	r := newRig(t)
	var got loop.Question
	m := r.with(answering(func(_ context.Context, q loop.Question, onText func(string)) (loop.Answer, error) {
		got = q
		onText("Boats")
		return loop.Answer{Text: "Boats", Finish: chat.FinishStop}, nil
	}))
	defer stop(t, m, time.Second)
	text := ""
	a, err := m.Aside(t.Context(), "alice", runs.Aside{Instructions: "a title", Earlier: []runs.Exchange{{User: "u", Assistant: "a"}}, Message: "记住 it"}, func(s string) { text += s })
	if err != nil || a.Text != "Boats" || text != "Boats" || a.Finish != chat.FinishStop {
		t.Errorf("got %+v, %q, %v", a, text, err)
	}
	if got.System != "a title" || len(got.Tools) != 0 || len(got.Messages) != 3 || got.Messages[2].Text != "记住 it" {
		t.Errorf("the model was asked %+v", got)
	}
	rows, err := m.Sessions(t.Context(), "alice", "")
	if err != nil || len(rows) != 0 {
		t.Errorf("it left %v, %v", rows, err)
	}
	u, err := m.Users().Get(t.Context(), "alice")
	if err != nil || u.Memory.Len() != 0 {
		t.Errorf("it left %d memories, %v", u.Memory.Len(), err)
	}
}

func TestAsidesFail(t *testing.T) {
	r := newRig(t)
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
		m := r.with(tt.model)
		if _, err := m.Aside(t.Context(), "alice", runs.Aside{Message: "x"}, func(string) {}); fault.CodeOf(err) != tt.want {
			t.Errorf("%s: got %v, want %s", name, err, tt.want)
		}
		stop(t, m, time.Second)
	}
}

// Asides are bounded for each user, take no place of a run, and end with the agent.
func TestAsidesAreBoundedAndDrained(t *testing.T) {
	r := newRig(t)
	var asked sync.WaitGroup
	m := r.with(answering(func(ctx context.Context, q loop.Question, _ func(string)) (loop.Answer, error) {
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
			_, err := m.Aside(t.Context(), "alice", runs.Aside{Message: "x"}, func(string) {})
			ended <- err
		}()
	}
	asked.Wait()
	if _, err := m.Aside(t.Context(), "alice", runs.Aside{Message: "x"}, func(string) {}); fault.CodeOf(err) != fault.CodeTooManyRuns || fault.From(err).RetrySeconds() == 0 {
		t.Errorf("one too many: got %v", err)
	}
	run := start(t, m, "s", "a message has its place")
	read(t, m, "s", run.Cursor, finished(run))
	stop(t, m, 10*time.Millisecond)
	for range most {
		if err := <-ended; fault.CodeOf(err) != fault.CodeDraining {
			t.Errorf("at the agent's end: got %v, want draining", err)
		}
	}
	if _, err := m.Aside(t.Context(), "alice", runs.Aside{Message: "x"}, func(string) {}); fault.CodeOf(err) != fault.CodeDraining {
		t.Errorf("after the agent's end: got %v, want draining", err)
	}
}
