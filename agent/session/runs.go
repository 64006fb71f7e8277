package session

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// Runs are the runs of a session: the one that is under way, those that wait for their
// turn, in order, and those that have ended.
type Runs struct {
	by      map[string]*run
	queue   []string // those that wait
	current string   // the one that is started and not finished
	failed  bool     // the last one that ended failed or was interrupted
}

// Get returns what the journal says of a run.
func (rs *Runs) Get(id string) (Run, bool) {
	if r := rs.by[id]; r != nil {
		return r.Run, true
	}
	return Run{}, false
}

// Current returns the run that is started and not finished.
func (rs *Runs) Current() (Run, bool) { return rs.Get(rs.current) }

// Waiting returns how many runs wait for the run before them.
func (rs *Runs) Waiting() int { return len(rs.queue) }

// Unfinished reports whether a run has been asked for and has not ended.
func (rs *Runs) Unfinished() bool { return rs.current != "" || len(rs.queue) > 0 }

// Busy reports whether a new message has to wait. A run that waits for its client
// keeps nobody waiting: what comes next ends it.
func (rs *Runs) Busy() bool {
	return rs.current != "" && rs.now().atClient() == nil || len(rs.queue) > 0
}

// HeldBy returns who has the current run, seen from a process.
func (rs *Runs) HeldBy(process string) Holder {
	switch r := rs.now(); {
	case r == nil:
		return Nobody
	case r.Owner.Process == process:
		return Self
	}
	return Another
}

// Called reports whether a run has called a tool of ours.
func (rs *Runs) Called(id, tool string) bool {
	r := rs.by[id]
	return r != nil && slices.ContainsFunc(r.order, func(c *call) bool { return c.Name == tool && !c.Client })
}

// Approved reports whether the user has approved a scope until a run ends.
func (rs *Runs) Approved(id, scope string) bool {
	r := rs.by[id]
	return r != nil && slices.Contains(r.scopes, scope)
}

// now returns the run that is under way, or nil.
func (rs *Runs) now() *run { return rs.by[rs.current] }

// full returns the error of a message that finds too many others waiting.
func (rs *Runs) full() error {
	if len(rs.queue) < chat.MaxWaiting {
		return nil
	}
	return fault.New(fault.CodeSessionBusy, fmt.Sprintf("%d messages wait in this session already", chat.MaxWaiting), "wait for an answer, or cancel").After(5 * time.Second)
}

// enqueue lets a new run wait for its turn.
func (rs *Runs) enqueue(r *run) error {
	if r.ID == "" {
		return errors.New("its run has no id")
	}
	if rs.by[r.ID] != nil {
		return fmt.Errorf("the run %q exists already", r.ID)
	}
	rs.by[r.ID] = r
	rs.queue = append(rs.queue, r.ID)
	return nil
}

// begin makes a run the one that is under way.
func (rs *Runs) begin(r *run, e placed, owner Owner) {
	rs.dequeue(r.ID)
	rs.current = r.ID
	r.Owner, r.before, r.Started, r.StartedAt = owner, r.Started, e.seq, e.at
	r.Starts++
}

// end takes in how a run has ended.
func (rs *Runs) end(r *run, status string) {
	rs.dequeue(r.ID)
	r.Status = status
	rs.failed = status == chat.RunFailed || status == chat.RunInterrupted
	if rs.current == r.ID {
		rs.current = ""
	}
}

func (rs *Runs) dequeue(id string) {
	if i := slices.Index(rs.queue, id); i >= 0 {
		rs.queue = append(rs.queue[:i:i], rs.queue[i+1:]...)
	}
}

// latest returns the run that was last to answer each of the messages that are asked for.
func (rs *Runs) latest(asked func(message string) bool) map[string]*run {
	latest := map[string]*run{}
	for _, r := range rs.by {
		if asked(r.MessageID) && (latest[r.MessageID] == nil || r.entered > latest[r.MessageID].entered) {
			latest[r.MessageID] = r
		}
	}
	return latest
}
