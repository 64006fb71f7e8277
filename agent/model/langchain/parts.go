package langchain

import (
	"slices"
	"strings"
	"time"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

// How much one answer may hold. Honest answers stay far below; what a provider
// could send without an end must not fill the memory.
const (
	maxText      = 4 << 20
	maxReasoning = 16 << 20 // that may come
	keptThoughts = 1 << 20  // that is kept of it
	maxArguments = 12 << 20 // of all calls
	maxCalls     = 256
)

// parts are the parts of an answer as they come together.
type parts struct {
	tools   declared
	now     func() time.Time
	inside  bool    // the model's last answer began inside a thought
	choice  *number // the one whose answer this is: we never ask for a second
	text    joiner
	think   joiner
	inText  thinker
	written written
	calls   calls
	keep    keeper

	raw       strings.Builder // the content as it came, to know it again
	pieces    bool            // some of it came in deltas
	reasoning strings.Builder
	thought   int  // how much reasoning came
	said      bool // text that is no blank
	refused   bool

	end       ending
	finish    string // in the provider's word
	full      bool   // there is more text than is taken
	usage     *chat.Usage
	lastCalls []loop.Call // that were written as text
	heard     bool
}

func newParts(tools declared, inside bool) parts {
	p := parts{tools: tools, inside: inside, now: time.Now}
	p.inText.inside = inside
	p.written.tools, p.calls.tools = tools, tools
	return p
}

// limit is what an answer has too much of.
type limit int

const (
	inBounds limit = iota
	tooMuchText
	tooManyCalls
)

// add takes a chunk and gives the text that is ready. whole says that the chunk is
// no piece of a stream.
func (p *parts) add(c *chunk, whole bool) (string, limit) {
	p.count(c.usage)
	text := ""
	for i := range c.choices {
		ch := &c.choices[i]
		if ch.Index == nil {
			ch.Index = new(number)
		}
		if p.choice == nil {
			first := *ch.Index
			p.choice = &first
		}
		if *ch.Index != *p.choice {
			continue
		}
		p.count(ch.Usage.get())
		d, m := ch.Delta.get(), ch.Message.get()
		switch {
		case d != nil && !d.empty():
			p.pieces = true
			text += p.piece(d)
		case m != nil:
			if d != nil {
				p.keep.add(d)
			}
			text += p.message(m)
		case d != nil:
			text += p.piece(d) // it may hold what is kept
		}
		p.ended(ch, d != nil && !d.empty())
		if whole && m != nil && p.end == endNone {
			p.end = endStop // there is no more of it
		}
	}
	return text, p.over()
}

// ended takes the finish reason. The first one counts, unless more of the answer
// came after it: some servers say one in each event.
func (p *parts) ended(ch *choice, more bool) {
	end := refine(string(ch.Finish), string(ch.Native))
	if end == endNone {
		if more {
			p.end = endNone
		}
		return
	}
	if p.end == endNone || more {
		p.end, p.finish = end, string(ch.Finish)
	}
}

// piece takes a delta.
func (p *parts) piece(d *delta) string {
	if !d.empty() {
		p.heard = true
	}
	p.keep.add(d)
	p.reason(p.think.add(string(d.reasoning)))
	out := p.show(p.text.add(p.bounded(d.content.rawText)))
	if d.refusal != "" || d.refused {
		p.refused = true
		out += p.show(p.text.add(p.bounded(d.refusal)))
	}
	for k := range d.calls {
		p.calls.add(&d.calls[k], &p.keep)
	}
	return out
}

// bounded is what of the content there is room for.
func (p *parts) bounded(s rawText) string {
	if room := maxText - p.raw.Len(); len(s) > room {
		s, p.full = s[:room], true
	}
	p.raw.WriteString(string(s))
	return string(s)
}

// message takes a message that is the whole answer: of an answer that is not
// streamed, or everything once more at the end of one that is. Some servers call
// each of their pieces so.
func (p *parts) message(m *delta) string {
	own := *m
	if raw := string(m.content.rawText); p.raw.Len() > 0 {
		rest, again := strings.CutPrefix(raw, p.raw.String())
		switch {
		case again:
			own.content.rawText = rawText(rest)
		case p.pieces:
			own.content.rawText = "" // what was streamed counts
		}
	}
	if p.thought > 0 && p.pieces {
		own.reasoning = ""
	}
	if p.refused {
		own.refusal = ""
	}
	if len(p.calls.all) > 0 {
		own.calls = nil
	}
	if len(p.keep.details) > 0 {
		own.details = nil
	}
	return p.piece(&own)
}

// show gives what of the content is text and ready.
func (p *parts) show(content string) string {
	if content == "" {
		return ""
	}
	thought, said := p.inText.add(content, p.now())
	p.reason(thought)
	return p.spoken(p.written.add(said))
}

func (p *parts) spoken(text string) string {
	p.said = p.said || strings.TrimSpace(text) != ""
	return text
}

func (p *parts) reason(s string) {
	p.thought += len(s)
	if p.reasoning.Len()+len(s) <= keptThoughts {
		p.reasoning.WriteString(s)
	}
}

// over reports what the answer has too much of.
func (p *parts) over() limit {
	switch {
	case p.calls.size > maxArguments || len(p.calls.all) > maxCalls:
		return tooManyCalls
	case p.full || p.thought > maxReasoning:
		return tooMuchText
	}
	return inBounds
}

// rest closes the text and the reasoning, and gives what of the text was held back
// until now. whole says that the answer has come to its end; calls in one that
// broke off are of no use, and no text either.
func (p *parts) rest(whole bool) string {
	p.reason(p.think.rest())
	var tail string
	if whole {
		tail = p.text.rest()
	}
	thought, said := p.inText.add(tail, p.now())
	p.reason(thought)
	more, held := p.inText.rest()
	p.reason(more)
	out := p.written.add(said + held)
	text, block, calls := p.written.rest(!whole || p.end.cut())
	switch {
	case !block:
		out += text
	case !whole: // neither text nor a call
	case len(calls) == 0:
		out += text
	case len(p.calls.all) == 0:
		p.lastCalls = calls
	case !sameCalls(calls, p.calls.all):
		out += text
	}
	return p.spoken(out)
}

// sameCalls reports whether calls that were written as text are those that their
// server has read.
func sameCalls(text []loop.Call, read []*call) bool {
	return len(text) == len(read) && !slices.ContainsFunc(text, func(c loop.Call) bool {
		return !slices.ContainsFunc(read, func(r *call) bool { return r.name == c.Name && sameJSON(string(c.Arguments), string(r.args)) })
	})
}

// list gives the calls of the answer, and what its provider added to each.
func (p *parts) list() ([]loop.Call, []fields) {
	if len(p.calls.all) > 0 {
		return p.calls.list(p.end.cut())
	}
	return p.lastCalls, nil
}

// made is what the answer consists of.
func (p *parts) made(calls []loop.Call) made {
	return made{text: p.said, calls: len(calls) > 0, refused: p.refused}
}

// count keeps the newest usage; some servers count in each event what has come so
// far, and some say less at the end than before.
func (p *parts) count(u *usage) {
	if t := u.tokens(); t != nil && (p.usage == nil || t.TotalTokens >= p.usage.TotalTokens) {
		p.usage = t
	}
}
