package session

import (
	"time"

	"github.com/loongclaw/loongclaw/agent/record"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// maxStarts is how often a run is started before it is given up: one that takes
// the process down each time must not do so for ever.
const maxStarts = 5

// Action is what is to be done next in a session.
type Action int

// What can be to do.
const (
	Nothing    Action = iota // no run is due
	RunNow                   // the run is to be carried out, once the records are written
	GiveUp                   // the records end the run; then ask again
	WaitUser                 // until the user decides, at most until the question expires
	WaitClient               // until the client sends results, at most until Expires
	WaitTurn                 // a run waits, and would start if this process were not stopping
	Foreign                  // another process has the run, which may be alive
)

// Step is what is to be done next, and with which run.
type Step struct {
	Action  Action
	RunID   string
	Records []record.Record
	Expires time.Time // of WaitUser and WaitClient
}

// Carrier is the process that asks what to do next.
type Carrier struct {
	Owner
	Executed uint64 // number of the run_started that it has carried out last
	Claimed  uint64 // number of the run_started of another process that it may take over
	Draining bool   // it begins nothing that waits
}

// Next decides what a process that runs this session's runs does next.
func (s *State) Next(c Carrier, now time.Time) Step {
	r := s.runs.now()
	switch {
	case r == nil && len(s.runs.queue) == 0:
		return Step{Action: Nothing}
	case r == nil && c.Draining:
		return Step{Action: WaitTurn}
	case r == nil:
		r = s.runs.by[s.runs.queue[0]]
		return run1(r, startedBody{RunID: r.ID, ParentID: s.parentOf(r), Owner: c.Owner})
	case r.atClient() != nil:
		return afterHanded(s, r, now)
	case r.Owner.Process == c.Process && r.Started > c.Executed:
		return Step{Action: RunNow, RunID: r.ID} // its start is in the journal already
	}
	return s.resume(r, c, now)
}

// afterHanded decides how a run goes on that waits for its client: it ends when that
// has not come in time, or when something waits behind it.
func afterHanded(s *State, r *run, now time.Time) Step {
	switch {
	case len(s.runs.queue) > 0:
		return Step{Action: GiveUp, RunID: r.ID, Records: interrupt(s, wentOn, nil)}
	case now.After(r.handed.ExpiresAt.Time):
		return Step{Action: GiveUp, RunID: r.ID, Records: interrupt(s, expired, nil)}
	}
	return Step{Action: WaitClient, RunID: r.ID, Expires: r.handed.ExpiresAt.Time}
}

// resume decides how to go on with a run that was parked or cut short.
func (s *State) resume(r *run, c Carrier, now time.Time) Step {
	q := r.waitsFor()
	switch {
	case q != nil && q.decision == "" && now.After(q.ExpiresAt.Time):
		st := run1(r, startedBody{RunID: r.ID, Owner: c.Owner, Resumed: true})
		expired := decidedBody{RunID: r.ID, ApprovalID: q.ApprovalID, Decision: chat.DecideDeny, Expired: true}
		st.Records = append([]record.Record{record.New(recDecided, expired)}, st.Records...)
		return st
	case q != nil && q.decision == "":
		return Step{Action: WaitUser, RunID: r.ID, Expires: q.ExpiresAt.Time}
	case q != nil && q.decided > r.Started:
		return run1(r, startedBody{RunID: r.ID, Owner: c.Owner, Resumed: true})
	case r.handed != nil && r.handed.returned > r.Started:
		return run1(r, startedBody{RunID: r.ID, Owner: c.Owner, Resumed: true})
	case r.Owner.Instance != c.Instance && c.Claimed != r.Started:
		return Step{Action: Foreign, RunID: r.ID}
	case r.Starts >= maxStarts:
		return Step{Action: GiveUp, RunID: r.ID, Records: []record.Record{record.New(recFinished, Finished{RunID: r.ID, Status: chat.RunInterrupted, Usage: r.Usage, Error: fault.New(fault.CodeInternal,
			"the agent was interrupted several times during this run", "send the message again")})}}
	}
	return run1(r, startedBody{RunID: r.ID, Owner: c.Owner, Restarted: true})
}

func run1(r *run, b startedBody) Step {
	return Step{Action: RunNow, RunID: r.ID, Records: []record.Record{record.New(recStarted, b)}}
}

// parentOf is what a waiting run's message answers, now that its turn has come.
func (s *State) parentOf(r *run) string {
	n := s.tree.nodes[r.MessageID]
	switch {
	case n == nil:
		return ""
	case n.settled || n.ParentID != "":
		return n.ParentID
	case r.rooted:
		return ""
	}
	return s.tree.head
}
