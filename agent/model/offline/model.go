package offline

import (
	"context"
	"slices"
	"time"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// Name is the model's, under its provider of the same name.
const Name = "offline"

const (
	defaultDelay = 6 * time.Millisecond
	pieceRunes   = 3
	maxPieces    = 250 // a long answer comes in larger pieces, not later
)

// Config says how it streams; the zero value is right.
type Config struct {
	Delay time.Duration    // between two pieces; 0 is a few milliseconds, less than 0 none
	Now   func() time.Time // nil is time.Now
}

// Model answers without a provider.
type Model struct {
	delay time.Duration
	now   func() time.Time
}

// New makes one.
func New(c Config) *Model {
	m := &Model{delay: c.Delay, now: c.Now}
	if m.delay == 0 {
		m.delay = defaultDelay
	}
	if m.now == nil {
		m.now = time.Now
	}
	return m
}

// Answer asks for a tool where one helps, and else says what it knows.
func (m *Model) Answer(ctx context.Context, q loop.Question, onText func(string)) (loop.Answer, error) {
	a := loop.Answer{Model: Name + "/" + Name}
	if err := ctx.Err(); err != nil {
		return a, cancelled(err)
	}
	t := turnOf(q, m.now)
	text, calls := t.next()
	if q.Format != nil {
		text, calls = object(q), nil
	}
	said, err := m.stream(ctx, text, onText)
	a.Text = said
	if err != nil {
		return a, cancelled(err)
	}
	a.Calls = calls
	return a, nil
}

// stream says the text in small pieces, as a model would, and gives what it
// could say before ctx ended.
func (m *Model) stream(ctx context.Context, text string, onText func(string)) (string, error) {
	runes := []rune(text)
	size := max(pieceRunes, (len(runes)+maxPieces-1)/maxPieces)
	said := ""
	for piece := range slices.Chunk(runes, size) {
		if said != "" {
			if err := m.pause(ctx); err != nil {
				return said, err
			}
		}
		onText(string(piece))
		said += string(piece)
	}
	return said, ctx.Err()
}

func (m *Model) pause(ctx context.Context) error {
	if m.delay < 0 {
		return ctx.Err()
	}
	t := time.NewTimer(m.delay)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func cancelled(err error) *fault.Error {
	return fault.Wrap(err, fault.CodeCancelled, "the answer was cancelled", "ask again if that was not meant")
}

// turn is where the conversation stands.
type turn struct {
	q       loop.Question
	said    string         // the user's last message
	before  []string       // the user's earlier ones, newest first
	results []loop.Message // of the tools called since
	w       *words
	now     func() time.Time
}

func turnOf(q loop.Question, now func() time.Time) *turn {
	t := &turn{q: q, now: now}
	at := -1
	for i, m := range slices.Backward(q.Messages) {
		if m.Role != chat.RoleUser {
			continue
		}
		if at < 0 {
			at, t.said = i, m.Text
		} else {
			t.before = append(t.before, m.Text)
		}
	}
	for _, m := range q.Messages[at+1:] {
		if m.Role == loop.RoleTool {
			t.results = append(t.results, m)
		}
	}
	t.w = wordsFor(t.said)
	return t
}

// next is the answer: text, or a call whose result the answer needs.
func (t *turn) next() (string, []loop.Call) {
	if len(t.results) > 0 {
		return t.report(), nil
	}
	i := understand(t.said)
	if i.tool != "" && t.has(i.tool) {
		return "", []loop.Call{call(i)}
	}
	return t.reply(i), nil
}

func (t *turn) has(tool string) bool {
	return slices.ContainsFunc(t.q.Tools, func(s loop.Spec) bool { return s.Name == tool })
}

var _ loop.Model = (*Model)(nil)
