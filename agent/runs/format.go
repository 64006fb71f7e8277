package runs

import (
	"context"
	"encoding/json"
	"log/slog"
	"strings"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

// told adds to instructions what form the answer is to have. The word JSON must be
// there also for providers that hold the model to it.
func told(instructions string, f *loop.Format) string {
	if f == nil {
		return instructions
	}
	text := "Answer with one JSON object and nothing else: no words around it and no code fence."
	if len(f.Schema) > 0 {
		text += " It must match this JSON Schema, and its texts are in the language of what you are asked about:\n" + string(f.Schema)
	}
	return strings.TrimPrefix(instructions+"\n\n"+text, "\n\n")
}

// answerFormatted asks the model, and gives an answer in JSON at its end: only then
// is it known what belongs to it. Held to JSON some models say nothing; such a one is
// asked once more, and only told.
func (m *Manager) answerFormatted(ctx context.Context, q loop.Question, onText func(string)) (loop.Answer, error) {
	if q.Format == nil {
		return m.answerAside(ctx, q, onText)
	}
	a, err := m.answerAside(ctx, q, func(string) {})
	if err == nil && a.Text == "" && a.Finish != chat.FinishRefusal && a.Finish != chat.FinishContentFilter {
		m.Log.Debug("asking again without a format", slog.String("requestId", q.RequestID))
		q.Format = nil
		a, err = m.answerAside(ctx, q, func(string) {})
	}
	if err == nil && a.Text != "" {
		a.Text = objectIn(a.Text)
		onText(a.Text)
	}
	return a, err
}

// objectIn is the JSON object of an answer that may have words or a fence around it;
// an answer that holds none, or a broken one, is given as it is.
func objectIn(text string) string {
	if json.Valid([]byte(text)) {
		return strings.TrimSpace(text)
	}
	first, last := strings.IndexByte(text, '{'), strings.LastIndexByte(text, '}')
	if first < 0 || last < first {
		return text
	}
	if inner := text[first : last+1]; json.Valid([]byte(inner)) {
		return inner
	}
	return text
}
