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

// write makes steps durable, and with them the run's end where there is one. They
// share an object, but for steps that are too large for that: then an object holds
// as many as it can, in their order, and a crash in between is one between steps.
func (w *recorder) write(ctx context.Context, steps []loop.Step, end *finishedBody) error {
	for {
		if more, err := w.writeSome(ctx, steps, end); err != nil || !more {
			return err
		}
	}
}

// writeSome writes what of the steps fits into one object and is not stored yet.
func (w *recorder) writeSome(ctx context.Context, steps []loop.Step, end *finishedBody) (more bool, err error) {
	var results []*loop.Result
	err = w.s.log.Transact(ctx, func() ([]journal.Record, error) {
		w.s.mu.Lock()
		defer w.s.mu.Unlock()
		results, more = nil, false
		if w.s.ended || w.s.current != w.r.id || w.r.owner != w.m.owner() {
			return nil, errTaken // whoever has it now decides what happened
		}
		object := portion{}
		usage := w.r.usage
		for i, st := range steps {
			if w.stored(st) {
				continue
			}
			made := w.records(st)
			if w.context != nil && w.r.context == nil && len(object.records) == 0 {
				made = append([]journal.Record{record(recContext, *w.context)}, made...)
			}
			// A question stays with its call: a call alone may have run.
			ahead := 0
			if i+1 < len(steps) && st.Call != nil && steps[i+1].Ask != nil {
				ahead = portionSize(w.records(steps[i+1]))
			}
			if more = !object.add(made, ahead); more {
				return object.records, nil
			}
			if st.Answer != nil {
				usage = usage.Add(st.Answer.Usage)
			}
			if st.Result != nil {
				results = append(results, st.Result)
			}
		}
		if end != nil {
			end.Usage = usage
			more = !object.add([]journal.Record{record(recFinished, *end)}, 0)
		}
		return object.records, nil
	})
	if err == nil {
		for _, r := range results {
			w.m.Seen.Called(w.m.toolName(r.Call.Name), r.Status)
		}
	}
	return more, err
}

// portion is what goes into one object.
type portion struct {
	records []journal.Record
	size    int
}

// add takes records in and says whether they had room, with what must follow them.
// The first always have: where they are too large by themselves the journal says so.
func (p *portion) add(records []journal.Record, ahead int) bool {
	size := portionSize(records)
	if len(p.records) > 0 && p.size+size+ahead > journal.MaxRecords {
		return false
	}
	p.records = append(p.records, records...)
	p.size += size
	return true
}

// perRecord is what a record takes beside its body, at most.
const perRecord = 64

func portionSize(records []journal.Record) int {
	size := 0
	for _, r := range records {
		size += perRecord + len(r.Body)
	}
	return size
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
		return []journal.Record{record(recResult, resultBody{w.r.id, st.Result.Call.ID, st.Result.Call.Name, st.Result.Status, keptResult(st.Result.Output)})}
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
