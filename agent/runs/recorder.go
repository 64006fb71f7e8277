package runs

import (
	"context"
	"time"

	"github.com/loongclaw/loongclaw/agent/journal"
	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

// approvalLife is how long a question to the user stays open.
const approvalLife = 24 * time.Hour

// recorder writes a turn's steps into its session's journal.
type recorder struct {
	m *Manager
	s *session
	r *run

	context *contextBody // goes with the first step: a write of its own would cost each turn one
}

// Record makes steps durable.
func (w *recorder) Record(ctx context.Context, steps ...loop.Step) error {
	return w.write(ctx, steps, nil)
}

// Show shows a piece of the answer that is being given.
func (w *recorder) Show(piece string) { w.s.show(w.r.id, piece, newID) }

// write makes steps durable, and with them the run's end where there is one.
func (w *recorder) write(ctx context.Context, steps []loop.Step, end *finishedBody) error {
	var results []*loop.Result
	err := w.s.log.Transact(ctx, func() ([]journal.Record, error) {
		w.s.mu.Lock()
		defer w.s.mu.Unlock()
		results = nil
		if w.s.current != w.r.id || w.r.owner != w.m.owner() {
			return nil, errTaken // whoever has it now decides what happened
		}
		var records []journal.Record
		usage := w.r.usage
		for _, st := range steps {
			if w.stored(st) {
				continue
			}
			if w.context != nil && w.r.context == nil && len(records) == 0 {
				records = append(records, record(recContext, *w.context))
			}
			records = append(records, w.records(st)...)
			if st.Answer != nil {
				usage = usage.Add(st.Answer.Usage)
			}
			if st.Result != nil {
				results = append(results, st.Result)
			}
		}
		if end != nil {
			end.Usage = usage
			records = append(records, record(recFinished, *end))
		}
		return records, nil
	})
	if err == nil {
		for _, r := range results {
			w.m.Seen.Called(w.m.toolName(r.Call.Name), r.Status)
		}
	}
	return err
}

// stored says whether a step is in the journal already: the store may have
// failed only in saying so. The session's lock is held.
func (w *recorder) stored(st loop.Step) bool {
	known := func(id string, is func(*call) bool) bool {
		c := w.r.calls[id]
		return c != nil && is(c)
	}
	switch {
	case st.Answer != nil:
		return st.Answer.Round <= w.r.rounds
	case st.Call != nil:
		return known(st.Call.ID, func(c *call) bool { return c.recorded })
	case st.Ask != nil:
		return known(st.Ask.Call.ID, func(c *call) bool { return c.approval != nil })
	}
	return known(st.Result.Call.ID, func(c *call) bool { return c.done })
}

// records makes the records of a step. The session's lock is held.
func (w *recorder) records(st loop.Step) []journal.Record {
	switch {
	case st.Answer != nil:
		return []journal.Record{record(recAnswer, w.answer(*st.Answer))}
	case st.Call != nil:
		return []journal.Record{record(recCall, w.call(*st.Call))}
	case st.Ask != nil:
		return []journal.Record{record(recAsk, askBody{
			callBody: w.call(st.Ask.Call), ApprovalID: approvalID(w.s.id), Scope: st.Ask.Scope, ExpiresAt: chat.At(w.m.Now().Add(approvalLife)),
		})}
	case st.Result != nil:
		return []journal.Record{record(recResult, resultBody{w.r.id, st.Result.Call.ID, st.Result.Call.Name, st.Result.Status, st.Result.Output})}
	}
	return nil
}

func (w *recorder) call(c loop.Call) callBody {
	return callBody{w.r.id, c.ID, c.Name, object(c.Arguments)}
}

func (w *recorder) answer(a loop.AnswerStep) answerBody {
	b := answerBody{RunID: w.r.id, Content: a.Text, Calls: a.Calls, Finish: a.Finish, Reasoning: a.Reasoning, Native: a.Native, Usage: a.Usage, Model: a.Model, Incomplete: a.Incomplete}
	for i := range b.Calls {
		if !loop.IsObject(b.Calls[i].Arguments) {
			b.Calls[i].Arguments = object(b.Calls[i].Arguments)
		}
	}
	switch l := w.s.live; {
	case l != nil:
		// What was shown is what was said, whatever the model's library says.
		b.MessageID, b.ParentID, b.Attempt, b.Content = l.message, l.parent, l.attempt, string(l.text)
	case a.Text != "" || len(a.Calls) == 0:
		b.MessageID, b.ParentID = newID("msg"), w.r.last
	}
	return b
}

var _ loop.Recorder = (*recorder)(nil)
