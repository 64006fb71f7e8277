package langchain

import (
	"bytes"
	"strings"

	"github.com/loongclaw/loongclaw/agent/loop"
)

// written finds the calls that a model wrote as text, in its own notation, where
// its server did not read them. Such a block counts when it is the whole answer or
// ends it, stands outside of code, and every tool in it was declared. While that
// may still be so the block is not shown; when it is not, it is shown to the
// letter.
type written struct {
	tools declared
	code  codeState
	held  []byte
	at    int   // how far held has been looked at
	form  *form // the block that held begins with, nil in text
	tries int   // how often the end of the block was looked for
	work  int   // bytes that were read for it, in all of the answer
	after int   // where the block ended, 0 while it has not
}

// maxTries is how often blocks may seem to end before they are taken for text, and
// maxWork how many bytes are read to find out. What an answer holds behind that is
// text as well: no model writes so many calls.
const (
	maxTries = 64
	maxWork  = 64 << 20
)

// add gives what of the text can be shown.
func (w *written) add(s string) string {
	if len(w.tools) == 0 || w.tooMuch() && w.form == nil {
		return s
	}
	if w.form == nil && len(w.held) == 0 && !strings.ContainsAny(s, "<[") { // no block begins here
		for i := range len(s) {
			w.code.next(s[i])
		}
		return s
	}
	w.held = append(w.held, s...)
	var show []byte
	for {
		var more bool
		if w.form == nil {
			more = w.text(&show)
		} else {
			more = w.block(&show)
		}
		if !more {
			return string(show)
		}
	}
}

// tooMuch reports whether no more blocks are looked for.
func (w *written) tooMuch() bool {
	if w.tries > maxTries {
		w.work = maxWork + 1
	}
	return w.work > maxWork
}

// release shows the first n bytes of what is held.
func (w *written) release(show *[]byte, n int) {
	*show = append(*show, w.held[:n]...)
	w.held = w.held[n:]
	w.at, w.after, w.tries = 0, 0, 0
}

// text looks for the beginning of a block. It is true when there is one.
func (w *written) text(show *[]byte) bool {
	for w.at < len(w.held) {
		c := w.held[w.at]
		if (c == '<' || c == '[') && !w.tooMuch() && !w.code.inside(c) {
			f, partial := formAt(string(w.held[w.at:min(len(w.held), w.at+maxOpen)]))
			if f != nil && !w.code.mayBegin(f) {
				f, partial = nil, false
			}
			if f != nil || partial {
				w.release(show, w.at)
				w.form = f
				return f != nil
			}
		}
		w.code.next(c)
		w.at++
	}
	w.release(show, w.at)
	return false
}

// block looks for the end of the block, and at what follows it. It is true when
// the block turned out to be text.
func (w *written) block(show *[]byte) bool {
	for {
		if w.after == 0 && !w.ends() {
			if !w.tooMuch() && w.form.plausible(string(w.held[:min(len(w.held), 256)]), w.tools) {
				return false
			}
			w.notABlock(show, len(w.form.opener(string(w.held[:min(len(w.held), maxOpen)]))))
			return true
		}
		behind := bytes.TrimLeft(w.held[w.after:], " \r\n\t")
		rest := string(behind[:min(len(behind), 4*maxOpen)])
		if onlyMarks(rest) || markBegun.MatchString(rest) {
			return false
		}
		f, partial := formAt(rest[:min(len(rest), maxOpen)])
		if f == nil && partial {
			return false
		}
		if f == nil {
			w.notABlock(show, w.after)
			return true
		}
		w.form = f // one more
		w.at, w.after = len(w.held)-len(behind)+len(f.opener(rest)), 0
	}
}

// notABlock shows a block that is none, up to n.
func (w *written) notABlock(show *[]byte, n int) {
	for _, c := range w.held[:n] {
		w.code.next(c)
	}
	w.form = nil
	w.release(show, n)
}

// ends looks for the end of the newest block.
func (w *written) ends() bool {
	if w.form.close == "" {
		return false
	}
	for !w.tooMuch() {
		i := bytes.Index(w.held[w.at:], []byte(w.form.close))
		if i < 0 {
			w.at = max(w.at, len(w.held)-len(w.form.close)+1)
			return false
		}
		w.at += i + len(w.form.close)
		w.tries++
		w.work += w.tries * w.at // each end before this one is tried again
		if _, ok := readWritten(string(w.held[:w.at]), w.tools, false); ok {
			w.after = w.at
			return true
		}
	}
	return false
}

// rest gives what was held, at the end of the answer. It is a block where one had
// begun, and calls where that block is whole; it may lack its end unless the answer
// was cut off.
func (w *written) rest(cut bool) (text string, block bool, calls []loop.Call) {
	text, block = string(w.held), w.form != nil
	w.held, w.form = nil, nil
	if block {
		calls, _ = readWritten(text, w.tools, !cut)
	}
	return text, block, calls
}

// codeState tells where in a Markdown text one is: in a fence, in code within a
// line, in a quotation.
type codeState struct {
	run     int  // marks of code that stand together
	mark    byte // which
	atStart bool // the run stands at the start of its line
	fence   int  // how long the fence is that one is in
	kind    byte
	inline  int  // how many backticks began the code within a line
	line    int  // bytes of the line that are no blanks
	indent  int  // blanks at its start
	quote   bool // the line is one of a quotation
	last    byte
	info    bool // the rest of the line belongs to a fence
}

// inside reports whether a character that comes next stands in code.
func (c *codeState) inside(next byte) bool {
	c.settle(next)
	return c.fence > 0 || c.inline > 0 || c.quote
}

// mayBegin reports whether a block of a form may begin here. What a model never
// writes but as a mark of its own may begin anywhere. What looks like any markup
// begins a line, or follows a sentence without a blank: so it is not one that a
// sentence speaks of.
func (c *codeState) mayBegin(f *form) bool {
	if c.last == '"' || c.last == '\'' || c.last == '(' {
		return false
	}
	if c.line == 0 {
		return c.indent < 4
	}
	return f.special || c.last != ' ' && c.last != '\t'
}

// settle ends a run of marks when another character follows it.
func (c *codeState) settle(next byte) {
	if c.run == 0 || next == c.mark {
		return
	}
	n, mark := c.run, c.mark
	c.run = 0
	switch {
	case c.fence > 0:
		if c.atStart && mark == c.kind && n >= c.fence {
			c.fence, c.info = 0, true
		}
	case c.inline > 0:
		if mark == '`' && n == c.inline {
			c.inline = 0
		}
	case c.atStart && n >= 3:
		c.fence, c.kind, c.info = n, mark, true
	case mark == '`':
		c.inline = n
	}
}

// next takes the next byte of the text.
func (c *codeState) next(b byte) {
	c.settle(b)
	switch {
	case b == '\n':
		if c.line == 0 {
			c.inline = 0 // code within a line ends with its paragraph
		}
		c.line, c.indent, c.quote, c.info = 0, 0, false, false
	case (b == '`' || b == '~') && !c.info:
		if c.run == 0 {
			c.mark, c.atStart = b, c.line == 0
		}
		c.run++
		c.line++
	case b == '>' && c.line == 0:
		c.quote = true
		c.line++
	case b != ' ' && b != '\t' && b != '\r':
		c.line++
	case c.line == 0 && b == '\t':
		c.indent += 4
	case c.line == 0:
		c.indent++
	}
	c.last = b
}
