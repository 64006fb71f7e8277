package session

import (
	"fmt"
	"slices"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/record"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

// Apply takes a record in: its number, 1 for the first, and when it was written.
// This is the only way in which a session changes, so what a restart reads is what
// ran before. Every record keeps its number, also one that means nothing to this
// version: cursors count them. An error says that the journal is damaged.
func (s *State) Apply(seq uint64, at chat.Time, rec record.Record) error {
	e := placed{rec, seq, at}
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
	s.entries = append(s.entries, entry{seq, at, body})
	// Lists stand in this order: a new name, another branch or another model is no news.
	if e.Type != recUpdated {
		s.updated = at
	}
	return nil
}

func (s *State) apply(e placed) (any, error) {
	switch e.Type {
	case recMessage:
		return with(e, s.applyMessage)
	case recRegenerate:
		return with(e, s.applyRegenerate)
	case recUpdated:
		return with(e, s.applyUpdated)
	case recDecided:
		return with(e, func(e placed, b decidedBody) error { s.approvals.decide(b, e.seq, s.runs.by[b.RunID]); return nil })
	}
	return s.applyRun(e)
}

// with applies a record by its body.
func with[B any](e placed, apply func(e placed, b B) error) (any, error) {
	b, err := parse[B](e.Record)
	if err == nil {
		err = apply(e, b)
	}
	return b, err
}

func (s *State) applyMessage(e placed, b messageBody) error {
	m := chat.Message{ID: b.MessageID, RunID: b.RunID, Role: chat.RoleUser, Content: b.Content, Timestamp: e.at, ParentID: deref(b.ParentID), Attachments: attachments(b.Attached)}
	r := newRun(Run{ID: b.RunID, MessageID: b.MessageID, Interactive: b.Interactive, RequestID: b.RequestID, Trace: b.Trace, Instructions: b.Instructions})
	r.entered, r.rooted = e.seq, b.ParentID != nil && *b.ParentID == ""
	r.client = s.clients.of(b.Client)
	if err := s.runs.enqueue(r); err != nil {
		return err
	}
	if err := s.tree.add(m, false); err != nil {
		return err
	}
	s.tree.nodes[b.MessageID].seq, s.tree.nodes[b.MessageID].attached = e.seq, b.Attached
	s.keys.add(b.Key, b.Hash, e.at, s.receipt(b.RunID, b.MessageID, e.seq))
	if s.title == "" {
		s.title = TitleOf(b.Content)
	}
	if b.Model != nil {
		s.model = *b.Model
	}
	if s.created.IsZero() {
		s.created = e.at
	}
	return nil
}

func (s *State) applyRegenerate(e placed, b regenerateBody) error {
	r := newRun(Run{ID: b.RunID, MessageID: b.MessageID, Interactive: true, RequestID: b.RequestID, Trace: b.Trace})
	r.entered, r.fresh = e.seq, true
	if err := s.runs.enqueue(r); err != nil {
		return err
	}
	s.keys.add(b.Key, b.Hash, e.at, s.receipt(b.RunID, b.MessageID, e.seq))
	return nil
}

func (s *State) applyUpdated(_ placed, b updatedBody) error {
	s.title, s.model = b.Title, b.Model
	if b.Head == "" {
		return nil
	}
	n := s.tree.nodes[b.Head]
	if n == nil {
		return fmt.Errorf("it shows the message %q, which does not exist", b.Head)
	}
	// Versions up to 0.2 could show a message that waits. It gets its place when its
	// run starts, behind what is shown by then: that cannot be itself.
	if n.settled {
		s.tree.head = b.Head
	}
	return nil
}

// applyRun takes in the records of a run under way.
func (s *State) applyRun(e placed) (any, error) {
	switch e.Type {
	case recStarted:
		return toRun(s, e, func(b startedBody, r *run) error { return s.applyStarted(e, b, r) })
	case recAnswer:
		return toRun(s, e, func(b answerBody, r *run) error { return s.applyAnswer(e, b, r) })
	case recContext:
		return toRun(s, e, func(b Context, r *run) error { r.context = &b; return nil })
	case recCall:
		return toRun(s, e, func(b callBody, r *run) error { r.call(b).recorded = true; return nil })
	case recAsk:
		return toRun(s, e, func(b askBody, r *run) error { s.approvals.ask(b, r.call(b.callBody)); return nil })
	case recResult:
		return toRun(s, e, func(b resultBody, r *run) error {
			c := r.call(callBody{CallID: b.CallID, Name: b.Name})
			c.done = true
			if r.adopted > 0 && r.adopted == r.Rounds && c.Client {
				r.begun = e.seq
			}
			r.steps = append(r.steps, loop.ResultMessage(c.Call, b.Status, b.Output))
			return nil
		})
	case recHanded:
		return toRun(s, e, func(b handedBody, r *run) error {
			return s.clients.hand(b, r, func(id string) string { return ClientCallID(s.id, s.epoch, r.ID, id) })
		})
	case recReturned:
		return toRun(s, e, func(b returnedBody, r *run) error {
			r.goOn(e.seq, b, s.clients.of(b.Client))
			s.keys.add(b.Key, b.Hash, e.at, s.receipt(r.ID, r.MessageID, e.seq))
			return nil
		})
	case recSummary:
		return toRun(s, e, func(b summaryBody, r *run) error { return s.applySummary(e, b, r) })
	case recTodo:
		return toRun(s, e, func(b todoBody, r *run) error { r.todo = &b; return nil })
	case recFinished:
		return toRun(s, e, func(b Finished, r *run) error { return s.applyFinished(b, r) })
	}
	return nil, nil // a later version's, which may be passed over
}

// toRun applies a record to the run that it belongs to.
func toRun[B ofRun](s *State, e placed, apply func(b B, r *run) error) (any, error) {
	return with(e, func(_ placed, b B) error {
		r := s.runs.by[b.of()]
		if r == nil {
			return fmt.Errorf("it belongs to run %q, which does not exist", b.of())
		}
		return apply(b, r)
	})
}

func (s *State) applyStarted(e placed, b startedBody, r *run) error {
	s.runs.begin(r, e, b.Owner)
	s.answer = nil
	if n := s.tree.nodes[r.MessageID]; n != nil && !n.settled {
		return s.tree.settle(r.MessageID, b.ParentID)
	}
	if r.fresh && r.Starts == 1 && s.tree.nodes[r.MessageID] != nil {
		s.tree.head = r.MessageID
	}
	return nil
}

func (s *State) applyAnswer(e placed, b answerBody, r *run) error {
	r.steps = append(r.steps, loop.Message{Role: chat.RoleAssistant, Text: b.Content, Calls: b.Calls, Model: b.Model, Reasoning: b.Reasoning, Native: b.Native})
	r.Rounds++
	if b.Adopted {
		r.adopted, r.answered = r.Rounds, r.Rounds
	}
	r.Usage = r.Usage.Add(b.Usage)
	if b.Usage != nil {
		s.usage = *(&s.usage).Add(b.Usage)
	}
	for _, c := range b.Calls {
		r.call(callBody{CallID: c.ID, Name: c.Name, Arguments: c.Arguments, Client: c.Client})
	}
	s.answer = nil
	if b.MessageID == "" {
		return nil
	}
	m := chat.Message{ID: b.MessageID, ParentID: b.ParentID, RunID: b.RunID, Role: chat.RoleAssistant, Content: b.Content, Timestamp: e.at, Incomplete: b.Incomplete, Finish: b.Finish}
	if err := s.tree.add(m, true); err != nil {
		return err
	}
	s.tree.nodes[b.MessageID].step = len(r.steps)
	r.last = b.MessageID
	return nil
}

func (s *State) applyFinished(b Finished, r *run) error {
	if s.runs.current == r.ID {
		s.answer = nil
	}
	s.runs.end(r, b.Status)
	if s.runs.current != "" {
		return nil
	}
	// Cancelled before their turn came: they stand behind the answer that they
	// waited for, which may have come after them.
	for _, id := range slices.Clone(s.tree.loose) {
		if w := s.runs.by[s.tree.nodes[id].RunID]; w != nil && w.Status != "" {
			if err := s.tree.settle(id, s.tree.head); err != nil {
				return err
			}
		}
	}
	return nil
}

// applySummary takes in that a run has tried to summarise.
func (s *State) applySummary(e placed, b summaryBody, r *run) error {
	r.summarised = true
	r.Usage = r.Usage.Add(b.Usage)
	if b.Usage != nil {
		s.usage = *(&s.usage).Add(b.Usage)
	}
	if b.Text == "" {
		return nil
	}
	if n := s.tree.nodes[b.UpTo]; n == nil || !n.settled {
		return fmt.Errorf("it summarises up to the message %q, which is on no branch", b.UpTo)
	}
	s.summaries[b.UpTo] = append(s.summaries[b.UpTo], &summary{b, e.at})
	return nil
}

func newRun(r Run) *run { return &run{Run: r, calls: map[string]*call{}, last: r.MessageID} }
