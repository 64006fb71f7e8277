package langchain

import (
	"bytes"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// thoughtMarks are what models put around reasoning that they write into the text,
// at its start.
var thoughtMarks = []struct{ open, close string }{
	{"<think>", "</think>"},
	{"<thinking>", "</thinking>"},
	{"<thought>", "</thought>"},
	{"<seed:think>", "</seed:think>"},
	{"[THINK]", "[/THINK]"},
	{"◁think▷", "◁/think▷"},
}

// thinkClose is the mark that may come without its beginning: the templates of
// many models put the beginning into the prompt.
const thinkClose = "</think>"

// thinker takes such reasoning out of a text that comes in pieces.
//
// A thought whose beginning is missing can be told from text only by its end, and
// what has been shown cannot be taken back. So a text that begins as thoughts do
// is held for a while, and one of a model whose last answer had such a thought
// until it is over; all others are shown as they come.
type thinker struct {
	state int
	close string // the mark that ends this thought
	held  string // what may still be a part of a mark
	kept  []byte // what may be a thought without its beginning
	seen  int    // how far its end was looked for
	read  int    // how far it was looked at for what makes such an end none
	ticks int    // backticks in it
	since time.Time

	inside  bool // the model's answers begin inside a thought
	closed  bool // this one did
	started bool // a thought with a beginning came
	opened  bool // a beginning stands within what was kept
}

const (
	beforeText = iota
	suspected  // text, or a thought without its beginning
	inThought
	inText
)

const (
	// weakHold is how long a text is held that begins as thoughts may.
	weakHold = time.Second
	// maxHeld is how much is held at most before it is shown, and maxInside how
	// much of a model that is known to think so.
	maxHeld   = 64 << 10
	maxInside = 1 << 20
)

// add gives what of the piece is reasoning and what is text.
func (t *thinker) add(s string, now time.Time) (reasoning, text string) {
	if t.state == inText {
		return "", s
	}
	s, t.held = t.held+s, ""
	var thought strings.Builder
	for s != "" && t.state != inText {
		if t.state == inThought {
			before, rest, closed := strings.Cut(s, t.close)
			if !closed {
				n := overlap(s, t.close)
				t.held = s[len(s)-n:]
				thought.WriteString(s[:len(s)-n])
				return thought.String(), ""
			}
			thought.WriteString(before)
			t.state, s = beforeText, rest // another may follow
			continue
		}
		if t.state == beforeText && !t.begin(&s) {
			return thought.String(), ""
		}
		if t.state == suspected {
			before, rest, closed := t.suspect(s, now)
			if !closed {
				return thought.String(), before
			}
			thought.WriteString(before)
			t.state, s = beforeText, rest
		}
	}
	return thought.String(), s
}

// begin looks at what a text begins with. It is false where more must come first.
func (t *thinker) begin(s *string) bool {
	trimmed := strings.TrimLeft(*s, " \r\n\t")
	for _, m := range thoughtMarks {
		switch {
		case strings.HasPrefix(trimmed, m.open):
			t.state, t.close, t.started = inThought, m.close, true
			*s = trimmed[len(m.open):]
			return true
		case strings.HasPrefix(m.open, trimmed):
			t.held = *s
			return false
		}
	}
	if t.started || t.closed {
		t.state, *s = inText, trimmed // the blank between a thought and the text
		return true
	}
	t.state = suspected
	return true
}

// suspect holds a text that may be a thought, or lets it go. closed says that the
// thought's end has come; before is the thought then, else the text to show.
func (t *thinker) suspect(s string, now time.Time) (before, rest string, closed bool) {
	if t.since.IsZero() {
		t.since = now
	}
	t.kept = append(t.kept, s...)
	for {
		i := bytes.Index(t.kept[t.seen:], []byte(thinkClose))
		if i < 0 {
			break
		}
		at := t.seen + i
		t.ticks += bytes.Count(t.kept[t.read:at], []byte("`"))
		t.opened = t.opened || bytes.Contains(t.kept[max(0, t.read-len("<think>")):at], []byte("<think>"))
		t.seen, t.read = at+len(thinkClose), at
		if thought := t.kept[:at]; t.ticks%2 == 0 && !t.opened {
			before, rest = string(thought), string(t.kept[t.seen:])
			t.kept, t.seen, t.read, t.ticks, t.closed = nil, 0, 0, 0, true
			return before, rest, true
		}
	}
	t.seen = max(t.seen, len(t.kept)-len(thinkClose)+1)
	limit := maxHeld
	if t.inside {
		limit = maxInside
	}
	like := likeThought(string(t.kept[:min(len(t.kept), 120)]))
	switch {
	case len(t.kept) > limit:
	case t.inside, like == likely, like == undecided, like == possible && now.Sub(t.since) < weakHold:
		return "", "", false
	}
	text := string(t.kept)
	t.kept, t.state = nil, inText
	return text, "", false
}

// rest gives what was held back, at the end of an answer, or where it broke off.
func (t *thinker) rest() (reasoning, text string) {
	held := t.held + string(t.kept)
	t.held, t.kept = "", nil
	switch {
	case t.state == inThought:
		return held, ""
	case t.started || t.closed:
		held = strings.TrimLeft(held, " \r\n\t")
	}
	return "", held
}

// likeness is how much a text looks like a thought that has no beginning.
type likeness int

const (
	unlike likeness = iota
	undecided
	possible
	likely
)

// How thoughts begin: by speaking of the user as of somebody else, or with a word
// of somebody who sets about something. An answer may begin with the latter too.
var (
	aboutUser = []string{"the user", "this user", "user wants", "user asks", "user is", "we need to", "we are asked", "用户", "这个用户"}
	settingTo = []string{"okay", "ok,", "ok.", "alright", "hmm", "let me", "let's", "first,", "so,", "so the", "i need to", "i should", "i have to", "thinking", "好的", "好，", "嗯", "首先", "我需要", "让我", "现在"}
)

// likeThought looks at the first words of a text.
func likeThought(s string) likeness {
	s = strings.ToLower(strings.TrimLeftFunc(s, unicode.IsSpace))
	out := startsWith(s, aboutUser, likely)
	if out == likely {
		return likely
	}
	weak := startsWith(s, settingTo, possible)
	if weak == possible {
		// "Okay, so the user wants": the second word decides as well.
		if n := strings.IndexAny(s, ",，"); n > 0 && n < 40 {
			_, size := utf8.DecodeRuneInString(s[n:])
			after := strings.TrimLeft(strings.TrimPrefix(strings.TrimSpace(s[n+size:]), "so "), " ")
			if startsWith(after, aboutUser, likely) == likely {
				return likely
			}
		}
		return possible
	}
	return max(out, weak)
}

func startsWith(s string, words []string, found likeness) likeness {
	out := unlike
	for _, w := range words {
		switch {
		case strings.HasPrefix(s, w):
			return found
		case strings.HasPrefix(w, s):
			out = undecided
		}
	}
	return out
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
