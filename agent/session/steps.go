package session

import (
	"errors"
	"slices"
	"time"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/record"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

// ErrTaken is the error of steps of a run that another process has taken over:
// whoever has it now decides what happened.
var ErrTaken = errors.New("another agent has taken this run over")

// approvalLife is how long a question to the user stays open.
const approvalLife = 24 * time.Hour

// Progress is what a turn did, on its way into the journal.
type Progress struct {
	RunID   string
	Owner   Owner // who carries the run out
	Steps   []loop.Step
	Context *Context  // what the model was told beside the message; it goes with the first step
	End     *Finished // the run's end, behind the steps

	Room  int // how many bytes of records an object takes
	Now   time.Time
	NewID func(kind string) string
}

// Recorded is what of a turn's progress goes into one object.
type Recorded struct {
	Records []record.Record
	Results []*loop.Result // those among the steps
	More    bool           // the rest is for another object
}

// Record returns the records of what of a turn's steps is not in the journal yet.
// They share an object, but for steps that are too large for that: then an object
// holds as many as it can, in their order, and a crash in between is one between
// steps.
func (s *State) Record(p Progress) (Recorded, error) {
	r := s.runs.by[p.RunID]
	if r == nil || s.runs.current != p.RunID || r.Owner != p.Owner {
		return Recorded{}, ErrTaken
	}
	var out Recorded
	to := recording{p, s.id, r, s.answer}
	object := portion{room: p.Room}
	usage := r.Usage
	for i, st := range p.Steps {
		if r.stored(st) {
			continue
		}
		made := to.records(st)
		if st.Handed != nil {
			made = []record.Record{handedRecord(r, st.Handed, usage, p.Now)}
		}
		if p.Context != nil && r.context == nil && len(object.records) == 0 {
			made = append([]record.Record{record.New(recContext, *p.Context)}, made...)
		}
		// A question stays with its call: a call alone may have run.
		ahead := 0
		if i+1 < len(p.Steps) && st.Call != nil && p.Steps[i+1].Ask != nil {
			ahead = sizeOf(to.records(p.Steps[i+1]))
		}
		if !object.add(made, ahead) {
			out.Records, out.More = object.records, true
			return out, nil
		}
		if st.Summary != nil {
			usage = usage.Add(st.Summary.Usage)
		}
		if st.Answer != nil {
			usage = usage.Add(st.Answer.Usage)
		}
		if st.Result != nil {
			out.Results = append(out.Results, st.Result)
		}
	}
	if p.End != nil {
		end := *p.End
		end.RunID, end.Usage = p.RunID, usage
		out.More = !object.add([]record.Record{record.New(recFinished, end)}, 0)
	}
	out.Records = object.records
	return out, nil
}

// portion is what goes into one object.
type portion struct {
	records []record.Record
	size    int
	room    int
}

// add takes records in and reports whether they had room, with what must follow
// them. The first always have: where they are too large by themselves the journal
// says so.
func (p *portion) add(records []record.Record, ahead int) bool {
	size := sizeOf(records)
	if len(p.records) > 0 && p.size+size+ahead > p.room {
		return false
	}
	p.records = append(p.records, records...)
	p.size += size
	return true
}

// perRecord is what a record takes beside its body, at most.
const perRecord = 64

func sizeOf(records []record.Record) int {
	size := 0
	for _, r := range records {
		size += perRecord + len(r.Body)
	}
	return size
}

// stored reports whether a step is in the journal already: the store may have
// failed only in saying so.
func (r *run) stored(st loop.Step) bool {
	known := func(id string, is func(*call) bool) bool {
		c := r.calls[id]
		return c != nil && is(c)
	}
	switch {
	case st.Answer != nil:
		return st.Answer.Round <= r.Rounds
	case st.Summary != nil:
		return r.summarised
	case st.Call != nil:
		return known(st.Call.ID, func(c *call) bool { return c.recorded })
	case st.Ask != nil:
		return known(st.Ask.Call.ID, func(c *call) bool { return c.question != nil })
	case st.Handed != nil:
		return r.handed != nil && slices.Equal(r.handed.Calls, st.Handed.Calls)
	}
	return known(st.Result.Call.ID, func(c *call) bool { return c.done })
}

// recording is a run whose progress becomes records.
type recording struct {
	Progress
	session string
	run     *run
	draft   *growing // the answer as it was shown, or nil
}

// records makes the records of a step.
func (w *recording) records(st loop.Step) []record.Record {
	r := w.run
	switch {
	case st.Answer != nil:
		return []record.Record{record.New(recAnswer, w.answer(*st.Answer))}
	case st.Summary != nil:
		return []record.Record{summaryRecord(r.ID, *st.Summary)}
	case st.Call != nil:
		return []record.Record{record.New(recCall, bodyOf(r, *st.Call))}
	case st.Ask != nil:
		b := askBody{
			callBody: bodyOf(r, st.Ask.Call), ApprovalID: ApprovalID(w.NewID("apr"), w.session), Scope: st.Ask.Scope, Sources: st.Ask.Sources, ExpiresAt: chat.At(w.Now.Add(approvalLife)),
		}
		if len(b.Sources) > 0 {
			b.Reason = chat.ReasonForeignText
		}
		return []record.Record{record.New(recAsk, b)}
	case st.Result != nil:
		result := record.New(recResult, resultBody{r.ID, st.Result.Call.ID, st.Result.Call.Name, st.Result.Status, KeptResult(st.Result.Output)})
		return append([]record.Record{result}, todoRecords(r.ID, st.Result)...)
	}
	return nil
}

func summaryRecord(runID string, st loop.SummaryStep) record.Record {
	b := summaryBody{RunID: runID, ID: st.ID, Text: st.Text, Usage: st.Usage, Model: st.Model}
	if st.Text != "" {
		b.UpTo, b.Tools, b.Notes = st.UpTo, st.Tools, st.Notes
	}
	return record.New(recSummary, b)
}

func handedRecord(r *run, st *loop.HandedStep, usage *chat.Usage, now time.Time) record.Record {
	return record.NewFor(needsClientCalls, recHanded, handedBody{RunID: r.ID, Calls: st.Calls, ExpiresAt: chat.At(now.Add(handedLife)), Usage: usage})
}

// answer makes the record of an answer.
func (w *recording) answer(a loop.AnswerStep) answerBody {
	b := answerBody{RunID: w.run.ID, Content: a.Text, Calls: a.Calls, Finish: a.Finish, Reasoning: a.Reasoning, Native: a.Native, Usage: a.Usage, Model: a.Model, Incomplete: a.Incomplete}
	for i := range b.Calls {
		if !loop.IsObject(b.Calls[i].Arguments) {
			b.Calls[i].Arguments = object(b.Calls[i].Arguments)
		}
	}
	switch g := w.draft; {
	case g != nil && len(g.text) > 0:
		// What was shown is what was said, whatever the model's library says.
		b.MessageID, b.ParentID, b.Attempt, b.Content = g.message, g.parent, g.attempt, string(g.text)
	case a.Text != "" || len(a.Calls) == 0 || slices.ContainsFunc(a.Calls, func(c loop.Call) bool { return c.Client }):
		// What a client is given is a message, so that its conversation can go on there.
		b.MessageID, b.ParentID = w.NewID("msg"), w.run.last
		if g != nil { // its reasoning was shown with this id
			b.MessageID, b.ParentID, b.Attempt = g.message, g.parent, g.attempt
		}
	case g != nil:
		b.ThoughtID = g.message
	}
	return b
}
