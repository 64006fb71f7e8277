package session

import (
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/plain"
)

// maxShownReasoning is how much of an answer's reasoning is shown, with the note
// that it was cut. What goes back to its provider is more.
const (
	maxShownReasoning = 64 << 10
	reasoningCut      = "\n[The reasoning is longer than 64 KiB; the rest is not shown.]"
)

// shownReasoning returns what is shown of reasoning, and whether it was cut. Of one
// that may still grow that is a beginning of what is shown in the end.
func shownReasoning(text string, whole bool) (shown string, cut bool) {
	if whole && len(text) <= maxShownReasoning || len(text) <= maxShownReasoning-len(reasoningCut) {
		return text, false
	}
	shown = plain.Cut(text, maxShownReasoning-len(reasoningCut))
	if len(text) <= maxShownReasoning {
		return shown, false
	}
	return shown + reasoningCut, true
}

// Think adds a piece to the reasoning of the answer that a run gives, and reports
// whether there is something new to show. The id becomes the message's where this
// is the first of it; see Saying. An empty piece takes back what an attempt without
// a text has shown.
func (s *State) Think(runID, piece, messageID string) bool {
	r := s.runs.by[runID]
	if r == nil || s.runs.current != runID {
		return false
	}
	if g := s.answer; piece == "" {
		if g != nil && len(g.text) == 0 {
			s.answer = nil
		}
		return false
	}
	g := s.growing(r, messageID)
	if len(g.reasoning) <= maxShownReasoning { // one byte more says that there is more
		g.reasoning = append(g.reasoning, piece[:min(len(piece), maxShownReasoning+1)]...)
	}
	return true
}

// growing returns the answer that a run gives, a new one where it gives none.
func (s *State) growing(r *run, messageID string) *growing {
	if s.answer == nil {
		// Each stretch of answer comes after a record of its own run, so the
		// last record's number tells attempts apart, over crashes too.
		s.answer = &growing{attempt: s.Seq(), run: r.ID, message: messageID, parent: r.last}
	}
	return s.answer
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

// thoughtOf is the message that an answer's reasoning is shown with.
func (a *answerBody) thoughtOf() string {
	if a.MessageID != "" {
		return a.MessageID
	}
	return a.ThoughtID
}

// Reasoning adds to messages what was thought before each answer.
func (s *State) Reasoning(messages []chat.Message) {
	for i := range messages {
		n := s.tree.nodes[messages[i].ID]
		if n == nil || n.step == 0 {
			continue
		}
		if r := s.runs.by[n.RunID]; r != nil && n.step <= len(r.steps) {
			messages[i].Reasoning, _ = shownReasoning(r.steps[n.step-1].Reasoning, true)
		}
	}
}

// ShownReasoning returns what is shown of the reasoning of a whole answer.
func ShownReasoning(text string) string {
	shown, _ := shownReasoning(text, true)
	return shown
}
