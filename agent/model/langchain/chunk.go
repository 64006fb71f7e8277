package langchain

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/loongclaw/loongclaw/pkg/chat"
)

// chunk is one event of a provider's stream, or a whole answer in one piece.
type chunk struct {
	Choices []choice `json:"choices"`
	Usage   *usage   `json:"usage"`
}

type choice struct {
	Index   number  `json:"index"`
	Delta   *delta  `json:"delta"`
	Message *delta  `json:"message"` // of an answer that is not streamed
	Finish  rawText `json:"finish_reason"`
	Usage   *usage  `json:"usage"` // where Kimi puts it
}

type delta struct {
	Content   content     `json:"content"`
	Reasoning rawText     `json:"reasoning_content"`
	Thinking  rawText     `json:"reasoning"` // Ollama's and some gateways' name for it
	Calls     []callDelta `json:"tool_calls"`
}

type callDelta struct {
	Index    *number `json:"index"`
	ID       rawText `json:"id"`
	Function struct {
		Name      rawText   `json:"name"`
		Arguments arguments `json:"arguments"`
	} `json:"function"`
}

type usage struct {
	Prompt     number `json:"prompt_tokens"`
	Completion number `json:"completion_tokens"`
	Total      number `json:"total_tokens"`
}

// number is a whole number, however it is written; what is none is 0.
type number int

// UnmarshalJSON reads 3, 3.0 and "3".
func (n *number) UnmarshalJSON(b []byte) error {
	f, err := strconv.ParseFloat(strings.Trim(string(b), `"`), 64)
	*n = 0
	if err == nil && f > 0 && f < 1<<40 {
		*n = number(f)
	}
	return nil
}

// content is a text, or a list of parts that have one.
type content struct{ rawText }

// UnmarshalJSON reads both.
func (c *content) UnmarshalJSON(b []byte) error {
	var parts []struct {
		Text rawText `json:"text"`
	}
	if len(b) > 0 && b[0] == '[' && json.Unmarshal(b, &parts) == nil {
		for _, p := range parts {
			c.rawText += p.Text
		}
		return nil
	}
	return c.rawText.UnmarshalJSON(b)
}

// arguments are JSON in a string, or, from some providers, the object itself.
type arguments struct{ rawText }

// UnmarshalJSON reads both.
func (a *arguments) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && (b[0] == '{' || b[0] == '[') {
		a.rawText = rawText(b)
		return nil
	}
	return a.rawText.UnmarshalJSON(b)
}

// parts are the parts of an answer as they come together.
type parts struct {
	text      joiner
	think     joiner
	inText    thinker
	reasoning strings.Builder
	calls     calls
	usage     *chat.Usage
	finish    string
	heardText bool
}

// add takes a chunk and gives the text that is ready.
func (p *parts) add(c *chunk) string {
	p.count(c.Usage)
	var text strings.Builder
	for i := range c.Choices {
		ch := &c.Choices[i]
		if ch.Index != 0 {
			continue // we never ask for a second choice
		}
		p.count(ch.Usage)
		d := ch.Delta
		if d == nil {
			d = ch.Message
		}
		if d != nil {
			if d.Reasoning == "" {
				d.Reasoning = d.Thinking
			}
			p.reasoning.WriteString(p.think.add(string(d.Reasoning)))
			thought, said := p.inText.add(p.text.add(string(d.Content.rawText)))
			p.reasoning.WriteString(thought)
			text.WriteString(said)
			for k := range d.Calls {
				p.calls.add(&d.Calls[k])
			}
		}
		// The first one counts: some providers send an empty one after it.
		if p.finish == "" {
			p.finish = string(ch.Finish)
		}
	}
	if text.Len() > 0 {
		p.heardText = true
	}
	return text.String()
}

// rest closes the text and the reasoning and gives what of the text was held
// back until now.
func (p *parts) rest() string {
	thought, text := p.inText.add(p.text.rest())
	lastThought, lastText := p.inText.rest()
	p.reasoning.WriteString(p.think.rest() + thought + lastThought)
	return text + lastText
}

// size grows with everything that belongs to an answer.
func (p *parts) size() int {
	n := p.reasoning.Len() + p.text.Held() + p.think.Held() + len(p.inText.held)
	if p.heardText {
		n++
	}
	for _, c := range p.calls.all {
		n += 1 + len(c.id) + len(c.name) + len(c.args)
	}
	return n
}

// count keeps the last usage that says anything.
func (p *parts) count(u *usage) {
	if u == nil || u.Prompt+u.Completion+u.Total == 0 {
		return
	}
	if u.Total == 0 {
		u.Total = u.Prompt + u.Completion
	}
	p.usage = &chat.Usage{PromptTokens: int(u.Prompt), CompletionTokens: int(u.Completion), TotalTokens: int(u.Total)}
}
