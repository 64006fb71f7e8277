package langchain

import "strings"

// Some models write their reasoning into the text, between these, at its start.
const (
	thinkOpen  = "<think>"
	thinkClose = "</think>"
)

// thinker takes such reasoning out of a text that comes in pieces.
type thinker struct {
	state int
	held  string // what may still be a part of a mark
}

const (
	beforeText = iota
	inThought
	afterThought // the blank between the thought and the text
	inText
)

// add gives what of the piece is reasoning and what is text.
func (t *thinker) add(s string) (reasoning, text string) {
	if t.state == inText {
		return "", s
	}
	s, t.held = t.held+s, ""
	if t.state == beforeText {
		trimmed := strings.TrimLeft(s, " \r\n\t")
		switch {
		case strings.HasPrefix(trimmed, thinkOpen):
			t.state, s = inThought, trimmed[len(thinkOpen):]
		case strings.HasPrefix(thinkOpen, trimmed):
			t.held = s
			return "", ""
		default:
			t.state = inText
			return "", s
		}
	}
	if t.state == inThought {
		thought, rest, closed := strings.Cut(s, thinkClose)
		if !closed {
			n := overlap(s, thinkClose)
			t.held = s[len(s)-n:]
			return s[:len(s)-n], ""
		}
		t.state, reasoning, s = afterThought, thought, rest
	}
	if s = strings.TrimLeft(s, " \r\n\t"); s != "" {
		t.state = inText
	}
	return reasoning, s
}

// rest gives what was held back, at the end.
func (t *thinker) rest() (reasoning, text string) {
	held := t.held
	t.held = ""
	if t.state == inThought {
		return held, ""
	}
	return "", held
}

// overlap is how many bytes at the end of s begin mark.
func overlap(s, mark string) int {
	for n := min(len(mark)-1, len(s)); n > 0; n-- {
		if strings.HasSuffix(s, mark[:n]) {
			return n
		}
	}
	return 0
}
