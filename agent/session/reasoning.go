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
