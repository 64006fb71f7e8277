package anthropic

import (
	"encoding/json"
	"errors"
	"strconv"

	"github.com/loongclaw/loongclaw/agent/loop"
)

// thinking is how a model is told to think. Empty says nothing of it: then a model
// does what it does by itself.
type thinking struct {
	kind   string // adaptive, disabled, or enabled with a budget
	budget int
}

// The least that Anthropic takes for a budget, and the room for the answer beside it
// where the limit leaves none.
const (
	minBudget  = 1024
	answerRoom = 4096
)

// readThinking reads the configuration: nothing, adaptive, disabled, or a budget in
// tokens.
func readThinking(s string) (thinking, error) {
	switch s {
	case "":
		return thinking{}, nil
	case "adaptive", "disabled":
		return thinking{kind: s}, nil
	}
	if n, err := strconv.Atoi(s); err == nil && n >= minBudget && n < 1<<20 {
		return thinking{kind: "enabled", budget: n}, nil
	}
	return thinking{}, errors.New("it is neither adaptive, disabled nor a number of tokens from 1024 up")
}

type thinkingParam struct {
	Type    string `json:"type"`
	Budget  int    `json:"budget_tokens,omitempty"`
	Display string `json:"display,omitempty"`
}

func (t thinking) param() *thinkingParam {
	switch t.kind {
	case "":
		return nil
	case "adaptive":
		// The newer models keep their thinking to themselves unless they are asked.
		return &thinkingParam{Type: t.kind, Display: "summarized"}
	}
	return &thinkingParam{Type: t.kind, Budget: t.budget}
}

// body is a request. What changes from one request of a conversation to the next
// stands at its end.
type body struct {
	Model       string            `json:"model"`
	MaxTokens   int               `json:"max_tokens"`
	Stream      bool              `json:"stream"`
	Temperature *float64          `json:"temperature,omitempty"`
	Thinking    *thinkingParam    `json:"thinking,omitempty"`
	Tools       []json.RawMessage `json:"tools,omitempty"`
	System      []json.RawMessage `json:"system,omitempty"`
	Messages    []message         `json:"messages"`
	ToolChoice  *toolChoice       `json:"tool_choice,omitempty"`
}

type toolChoice struct {
	Type   string `json:"type"`
	Name   string `json:"name,omitempty"`
	Single bool   `json:"disable_parallel_tool_use,omitempty"`
}

// toolChoice is what the conversation's next answer must call, nil where nothing is
// said of it.
func (c *conversation) toolChoice(noCalls bool) *toolChoice {
	switch {
	case len(c.tools) == 0:
		return nil
	case noCalls || c.stubs:
		return &toolChoice{Type: "none"}
	case c.choice.Kind == loop.ChooseOne:
		return &toolChoice{Type: "tool", Name: c.names.of(c.choice.Name), Single: c.single}
	case c.choice.Kind == loop.ChooseAny:
		return &toolChoice{Type: "any", Single: c.single}
	case c.single:
		return &toolChoice{Type: "auto", Single: true}
	}
	return nil
}

// forces reports whether a call must be made: a model may not think before it.
func (t *toolChoice) forces() bool { return t != nil && (t.Type == "tool" || t.Type == "any") }

// request writes a request. so is what came of the answer already, where it is to be
// continued.
func (m *Model) request(c *conversation, noCalls bool, so []json.RawMessage) []byte {
	b := body{Model: m.name, MaxTokens: m.maxTokens, Stream: true, Messages: c.messages, Tools: c.tools, System: c.system}
	b.ToolChoice = c.toolChoice(noCalls)
	if t := m.thinking; b.ToolChoice.forces() {
		b.Thinking = nil
	} else if t.kind != "enabled" || (c.thoughts && c.thinks()) {
		b.Thinking = t.param()
		b.MaxTokens = max(b.MaxTokens, t.budget+min(answerRoom, t.budget))
	}
	if m.temperature != nil && (b.Thinking == nil || b.Thinking.Type == "disabled") {
		b.Temperature = m.temperature
	}
	if len(so) > 0 {
		b.Messages = append(append([]message{}, c.messages...), message{roleAssistant, so})
	}
	b.mark()
	return encode(b)
}

// mark puts the four cache marks that a request may have: behind the tools, the
// system text and the last two messages of the user's side. The first of those two
// is where the request before this one ended, so that the provider finds what it
// kept then, however many blocks have come since.
func (b *body) mark() {
	b.Tools, b.System = markLast(b.Tools), markLast(b.System)
	b.Messages = append([]message{}, b.Messages...)
	for i, left := len(b.Messages)-1, 2; i >= 0 && left > 0; i-- {
		if m := &b.Messages[i]; m.Role == roleUser {
			m.Content = markLast(m.Content)
			left--
		}
	}
}

func markLast(blocks []json.RawMessage) []json.RawMessage {
	if len(blocks) == 0 {
		return blocks
	}
	out := append([]json.RawMessage{}, blocks...)
	out[len(out)-1] = marked(out[len(out)-1])
	return out
}
