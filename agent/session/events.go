package session

import (
	"github.com/loongclaw/loongclaw/pkg/chat"
)

// Events returns what a client that stands at a cursor has not seen yet, and where
// it stands then. Law: the message_chunks of one attempt at an answer join to its
// message_complete, over any sequence of readers that each start at the last cursor
// of another. Reasoning is outside of that law: who comes back in the middle of an
// answer is told its reasoning from the beginning. now is the time of what is shown of an answer that is being given.
func (s *State) Events(from chat.Cursor, now chat.Time) ([]chat.Event, chat.Cursor) {
	r := reader{s, from}
	return r.read(now), r.cur
}

// reader turns a session's entries into events, from a cursor on.
type reader struct {
	s   *State
	cur chat.Cursor
}

// read returns all events that are there now.
func (r *reader) read(now chat.Time) []chat.Event {
	var out []chat.Event
	for i := int(min(r.cur.Seq, uint64(len(r.s.entries)))); i < len(r.s.entries); i++ { //nolint:gosec // bounded by the slice's length
		e := r.s.entries[i]
		if a, ok := e.body.(answerBody); ok {
			out = append(out, r.answer(e, a)...)
			continue
		}
		r.cur.Seq = e.seq
		if ev, ok := r.event(e); ok {
			out = append(out, r.stamp(ev, e.at))
		}
	}
	return r.growing(out, now)
}

// growing adds what is lacking of the answer that is being given.
func (r *reader) growing(out []chat.Event, now chat.Time) []chat.Event {
	if l := r.s.answer; l != nil {
		if r.cur.Answer != l.attempt {
			r.cur.Answer, r.cur.Offset = l.attempt, 0
		}
		out = append(out, r.reasoning(l.run, l.message, string(l.reasoning), false, now)...)
		if r.cur.Offset < uint64(len(l.text)) {
			piece := string(l.text[r.cur.Offset:])
			r.cur.Offset = uint64(len(l.text))
			out = append(out, r.stamp(chat.Event{Type: chat.TypeMessageChunk, RunID: l.run, MessageID: l.message, ParentID: l.parent, Content: &piece}, now))
		}
	}
	return out
}

// answer returns what is lacking of a finished stretch of answer, and its end.
func (r *reader) answer(e entry, a answerBody) []chat.Event {
	var out []chat.Event
	var have uint64
	if a.Attempt != 0 && r.cur.Answer == a.Attempt {
		have = min(r.cur.Offset, uint64(len(a.Content)))
	}
	out = append(out, r.reasoning(a.RunID, a.thoughtOf(), a.Reasoning, true, e.at)...)
	if a.MessageID != "" && have < uint64(len(a.Content)) {
		r.cur.Answer, r.cur.Offset = a.Attempt, uint64(len(a.Content))
		out = append(out, r.stamp(chat.Event{Type: chat.TypeMessageChunk, RunID: a.RunID, MessageID: a.MessageID, ParentID: a.ParentID, Content: chat.Text(a.Content[have:])}, e.at))
	}
	r.cur = chat.Cursor{Epoch: r.cur.Epoch, Seq: e.seq}
	if a.MessageID != "" {
		out = append(out, r.stamp(chat.Event{
			Type: chat.TypeMessageComplete, RunID: a.RunID, MessageID: a.MessageID, ParentID: a.ParentID,
			Role: chat.RoleAssistant, Content: chat.Text(a.Content), Usage: a.Usage, Incomplete: a.Incomplete, Finish: a.Finish,
		}, e.at))
	}
	return out
}

// reasoning returns what is lacking of an answer's reasoning, as an event.
func (r *reader) reasoning(run, message, text string, whole bool, at chat.Time) []chat.Event {
	shown, cut := shownReasoning(text, whole)
	if r.cur.Thinking != message {
		r.cur.Thinking, r.cur.Thought = message, 0
	}
	if message == "" || r.cur.Thought >= uint64(len(shown)) {
		return nil
	}
	piece, from := shown[r.cur.Thought:], r.cur.Thought
	r.cur.Thought = uint64(len(shown))
	return []chat.Event{r.stamp(chat.Event{
		Type: chat.TypeReasoningChunk, RunID: run, MessageID: message, Content: &piece, Offset: from, Truncated: cut,
	}, at)}
}

// event is what clients see of a record that is no answer.
func (r *reader) event(e entry) (chat.Event, bool) {
	switch b := e.body.(type) {
	case messageBody:
		ev := chat.Event{Type: chat.TypeMessage, RunID: b.RunID, MessageID: b.MessageID, Role: chat.RoleUser, Content: &b.Content, Queued: b.Queued, Attachments: attachments(b.Attached)}
		if b.ParentID != nil {
			ev.ParentID = *b.ParentID
		}
		return ev, true
	case startedBody:
		if b.Resumed {
			return chat.Event{}, false
		}
		ev := chat.Event{Type: chat.TypeRunStarted, RunID: b.RunID, Restarted: b.Restarted}
		if run := r.s.runs.by[b.RunID]; run != nil {
			ev.MessageID = run.MessageID // a regenerated run has no message of its own
		}
		return ev, true
	case askBody:
		return chat.Event{
			Type: chat.TypeApprovalRequired, RunID: b.RunID, ApprovalID: b.ApprovalID, CallID: b.CallID,
			Name: b.Name, Arguments: b.Arguments, Scope: b.Scope, ExpiresAt: &b.ExpiresAt,
			Decisions: chat.Decisions(b.Reason), Reason: b.Reason, Sources: b.Sources,
		}, true
	case callBody:
		return chat.Event{Type: chat.TypeToolCall, RunID: b.RunID, CallID: b.CallID, Name: b.Name, Arguments: b.Arguments}, true
	case decidedBody:
		return chat.Event{Type: chat.TypeApprovalResolved, RunID: b.RunID, ApprovalID: b.ApprovalID, Decision: b.Decision}, true
	case resultBody:
		return chat.Event{Type: chat.TypeToolResult, RunID: b.RunID, CallID: b.CallID, Name: b.Name, Status: b.Status, Output: &b.Output}, true
	case handedBody:
		return chat.Event{Type: chat.TypeClientCalls, RunID: b.RunID, Calls: r.clientCalls(b), ExpiresAt: &b.ExpiresAt, Usage: b.Usage}, true
	case Finished:
		return chat.Event{Type: chat.TypeRunFinished, RunID: b.RunID, Status: b.Status, Error: b.Error, Usage: b.Usage}, true
	case todoBody:
		return chat.Event{Type: chat.TypeTodo, RunID: b.RunID, Items: b.Items}, true
	case updatedBody:
		return chat.Event{Type: chat.TypeSessionUpdated, Title: b.Title, Head: b.Head, Model: b.Model}, true
	}
	return chat.Event{}, false
}

// clientCalls are calls as the client that is to run them knows them.
func (r *reader) clientCalls(b handedBody) []chat.ClientCall {
	s := r.s
	var out []chat.ClientCall
	for _, id := range b.Calls {
		c := s.runs.by[b.RunID].calls[id]
		out = append(out, chat.ClientCall{ID: ClientCallID(s.id, s.epoch, b.RunID, id), CallID: id, Name: c.Name, Arguments: object(c.Arguments)})
	}
	return out
}

func (r *reader) stamp(e chat.Event, at chat.Time) chat.Event {
	e.SessionID, e.Timestamp, e.Cursor = r.s.id, at, r.cur.Encode(r.s.id)
	return e
}
