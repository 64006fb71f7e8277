package session

import (
	"github.com/loongclaw/loongclaw/agent/record"
	"github.com/loongclaw/loongclaw/pkg/chat"
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
