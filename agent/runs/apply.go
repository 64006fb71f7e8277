package runs

import (
	"fmt"
	"slices"

	"github.com/loongclaw/loongclaw/agent/journal"
	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

// Apply takes a record in. This is the only way in which a session changes,
// so what a restart reads is what ran before. Every record keeps its number,
// also one that means nothing to this version: cursors count them.
func (s *session) Apply(e journal.Entry) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var body any
	s.readOnly = s.readOnly || e.Newer()
	if !e.Newer() {
		known, err := s.apply(e)
		// Behind a record that was not applied, others may lack what they refer to.
		if err != nil && !s.readOnly {
			return err
		}
		if err == nil {
			body = known
		}
	}
	s.entries = append(s.entries, entry{e.Seq, e.At, body})
	s.updated = e.At
	s.wake()
	return nil
}

func (s *session) apply(e journal.Entry) (any, error) {
	switch e.Type {
	case recMessage:
		b, err := parse[messageBody](e)
		if err == nil {
			s.applyMessage(e, b)
		}
		return b, err
	case recRegenerate:
		b, err := parse[regenerateBody](e)
		if err == nil {
			s.remember(b.Key, b.Hash, b.RunID, b.MessageID, e)
			s.runs[b.RunID] = &run{id: b.RunID, message: b.MessageID, interactive: true, requestID: b.RequestID, trace: b.Trace, calls: map[string]*call{}, last: b.MessageID, fresh: true}
			s.queue = append(s.queue, b.RunID)
		}
		return b, err
	case recUpdated:
		b, err := parse[updatedBody](e)
		if err == nil {
			s.title = b.Title
			if b.Head != "" {
				s.tree.head = b.Head
			}
		}
		return b, err
	case recDecided:
		b, err := parse[decidedBody](e)
		if a := s.asked[b.ApprovalID]; err == nil && a != nil && a.decision == "" {
			a.decision, a.expired, a.decided = b.Decision, b.Expired, e.Seq
			if b.Decision == chat.DecideSession {
				s.scopes[a.Scope] = true
			}
		}
		return b, err
	}
	return s.applyRun(e)
}

func (s *session) applyMessage(e journal.Entry, b messageBody) {
	m := chat.Message{ID: b.MessageID, RunID: b.RunID, Role: chat.RoleUser, Content: b.Content, Timestamp: e.At}
	if b.ParentID != nil {
		m.ParentID = *b.ParentID
	}
	s.tree.add(m, false)
	s.runs[b.RunID] = &run{id: b.RunID, message: b.MessageID, interactive: b.Interactive, requestID: b.RequestID, trace: b.Trace, instruct: b.Instructions, calls: map[string]*call{}, last: b.MessageID, rooted: b.ParentID != nil && *b.ParentID == ""}
	s.queue = append(s.queue, b.RunID)
	s.remember(b.Key, b.Hash, b.RunID, b.MessageID, e)
	if s.title == "" {
		s.title = titleOf(b.Content)
	}
	if s.created.IsZero() {
		s.created = e.At
	}
}

func (s *session) remember(key, hash, runID, messageID string, e journal.Entry) {
	if key == "" {
		return
	}
	s.keys[key] = keyed{hash: hash, at: e.At.Time, run: s.runAnswer(runID, messageID, e.Seq)}
}

// runAnswer is the 202 answer: reading on from its cursor gives the record seq
// and everything after it.
func (s *session) runAnswer(runID, messageID string, seq uint64) chat.Run {
	return chat.Run{RunID: runID, MessageID: messageID, SessionID: s.id, Cursor: chat.Cursor{Epoch: s.epoch, Seq: seq - 1}.Encode(s.id)}
}

// applyRun takes in the records of a run under way.
func (s *session) applyRun(e journal.Entry) (any, error) {
	switch e.Type {
	case recStarted:
		b, err := parse[startedBody](e)
		if err != nil {
			return b, err
		}
		return b, s.withRun(b.RunID, func(r *run) { s.applyStarted(e, b, r) })
	case recAnswer:
		b, err := parse[answerBody](e)
		if err != nil {
			return b, err
		}
		return b, s.withRun(b.RunID, func(r *run) { s.applyAnswer(e, b, r) })
	case recContext:
		b, err := parse[contextBody](e)
		if err != nil {
			return b, err
		}
		return b, s.withRun(b.RunID, func(r *run) { r.context = &b })
	case recCall:
		b, err := parse[callBody](e)
		if err != nil {
			return b, err
		}
		return b, s.withRun(b.RunID, func(r *run) { r.call(b).recorded = true })
	case recAsk:
		b, err := parse[askBody](e)
		if err != nil {
			return b, err
		}
		return b, s.withRun(b.RunID, func(r *run) {
			a := &approval{askBody: b}
			s.asked[b.ApprovalID] = a
			r.call(b.callBody).approval = a
		})
	case recResult:
		b, err := parse[resultBody](e)
		if err != nil {
			return b, err
		}
		return b, s.withRun(b.RunID, func(r *run) {
			c := r.call(callBody{CallID: b.CallID, Name: b.Name})
			c.done = true
			r.steps = append(r.steps, loop.ResultMessage(c.Call, b.Status, b.Output))
		})
	case recFinished:
		b, err := parse[finishedBody](e)
		if err != nil {
			return b, err
		}
		return b, s.withRun(b.RunID, func(r *run) { s.applyFinished(b, r) })
	}
	return nil, nil // a later version's, which may be passed over
}

func (s *session) withRun(id string, do func(*run)) error {
	r := s.runs[id]
	if r == nil {
		return fmt.Errorf("it belongs to run %q, which does not exist", id)
	}
	do(r)
	return nil
}

func (s *session) applyStarted(e journal.Entry, b startedBody, r *run) {
	s.dequeue(r.id)
	s.current = r.id
	r.owner, r.before, r.started = b.Owner, r.started, e.Seq
	r.starts++
	s.live = nil
	if n := s.tree.nodes[r.message]; n != nil && !n.settled {
		s.tree.settle(r.message, b.ParentID)
	} else if r.fresh && r.starts == 1 {
		s.tree.head = r.message
	}
}

func (s *session) applyAnswer(e journal.Entry, b answerBody, r *run) {
	r.steps = append(r.steps, loop.Message{Role: chat.RoleAssistant, Text: b.Content, Calls: b.Calls, Model: b.Model, Reasoning: b.Reasoning, Native: b.Native})
	r.rounds++
	r.usage = r.usage.Add(b.Usage)
	if b.Usage != nil {
		s.usage = *(&s.usage).Add(b.Usage)
	}
	for _, c := range b.Calls {
		r.call(callBody{CallID: c.ID, Name: c.Name, Arguments: c.Arguments})
	}
	if b.MessageID != "" {
		s.tree.add(chat.Message{ID: b.MessageID, ParentID: b.ParentID, RunID: b.RunID, Role: chat.RoleAssistant, Content: b.Content, Timestamp: e.At, Incomplete: b.Incomplete, Finish: b.Finish}, true)
		s.tree.nodes[b.MessageID].step = len(r.steps)
		r.last = b.MessageID
	}
	s.live = nil
}

func (s *session) applyFinished(b finishedBody, r *run) {
	s.dequeue(r.id)
	r.status = b.Status
	if s.current == r.id {
		s.current, s.live = "", nil
	}
	if s.current != "" {
		return
	}
	// Cancelled before their turn came: they stand behind the answer that they
	// waited for, which may have come after them.
	for _, id := range slices.Clone(s.tree.loose) {
		if w := s.runs[s.tree.nodes[id].RunID]; w != nil && w.status != "" {
			s.tree.settle(id, s.tree.head)
		}
	}
}

func (s *session) dequeue(id string) {
	for i, q := range s.queue {
		if q == id {
			s.queue = append(s.queue[:i:i], s.queue[i+1:]...)
			return
		}
	}
}

// call finds a call of the run, or adds it.
func (r *run) call(b callBody) *call {
	if c := r.calls[b.CallID]; c != nil {
		return c
	}
	c := &call{Call: loop.Call{ID: b.CallID, Name: b.Name, Arguments: b.Arguments}}
	r.calls[b.CallID] = c
	r.order = append(r.order, c)
	return c
}

var _ journal.State = (*session)(nil)
