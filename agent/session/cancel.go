package session

import (
	"github.com/loongclaw/loongclaw/agent/record"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// Cancelled is what a cancel comes to.
type Cancelled struct {
	Records []record.Record
	Ended   []string // the runs that the records end
	Active  string   // the run that whoever carries it out must end
}

// Cancel ends a run, or without one the current and all that wait. carried says
// that a process carries the current one out: only that one can end it.
func (s *State) Cancel(runID string, carried bool) Cancelled {
	var c Cancelled
	// Those that wait first, so that none starts when the current one ends.
	for _, q := range s.runs.queue {
		if runID == "" || q == runID {
			c.Records = append(c.Records, record.New(recFinished, Finished{RunID: q, Status: chat.RunCancelled}))
			c.Ended = append(c.Ended, q)
		}
	}
	if s.runs.current != "" && (runID == "" || s.runs.current == runID) {
		if carried {
			c.Active = s.runs.current
		} else {
			c.Ended = append(c.Ended, s.runs.current)
			c.Records = append(c.Records, s.runs.now().close(closing{status: chat.RunCancelled, why: "the user cancelled the turn before it"})...)
		}
	}
	return c
}

// closing is how a run ends that nobody carries out.
type closing struct {
	status string
	err    *fault.Error
	why    string            // its calls have no other result
	given  map[string]string // results that its client gave, by the ids of their calls
}

// close returns the records that end a run which nobody carries out: every call
// gets its result first.
func (r *run) close(how closing) []record.Record {
	var records []record.Record
	for _, c := range r.order {
		if c.done {
			continue
		}
		if !c.recorded {
			records = append(records, record.New(recCall, bodyOf(r, c.Call)))
		}
		if c.question != nil && c.question.decision == "" {
			records = append(records, record.New(recDecided, decidedBody{RunID: r.ID, ApprovalID: c.question.ApprovalID, Decision: chat.DecideDeny}))
		}
		result := resultBody{r.ID, c.ID, c.Name, chat.ToolSkipped, how.why}
		if text, ok := how.given[c.ID]; ok {
			result.Status, result.Output = chat.ToolOK, KeptResult(text)
		}
		records = append(records, record.New(recResult, result))
	}
	return append(records, record.New(recFinished, Finished{RunID: r.ID, Status: how.status, Error: how.err, Usage: r.Usage}))
}
