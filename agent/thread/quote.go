package thread

import (
	"regexp"
	"strings"

	"github.com/loongclaw/loongclaw/agent/openai"
)

// Bounds of the search for quotations: each text that is tried is hashed.
const (
	maxQuoting = 32 << 10
	maxMarks   = 64
	maxTries   = 128
	maxNear    = 12
)

var (
	// anySpeaker begins a line that says who speaks, whatever they are called.
	anySpeaker = regexp.MustCompile(`(?m)^[ \t]*[*_\[<#>-]{0,3}[ \t]*([\p{L}\p{N}][\p{L}\p{M}\p{N} ._-]{0,23}?)[*_\]>]{0,3}[ \t]*[:：][*_]{0,2}`)
	// block is a text between marks that nobody puts around a message of a chat.
	block = regexp.MustCompile("(?s)\"\"\"(.+?)\"\"\"|```\\w*\\n?(.+?)```|<([a-z][a-z_-]*)>(.+?)</[a-z][a-z_-]*>")
)

// quotesKnown reports whether a message quotes what was said here and asks nothing
// that continues it: two sides by whatever names and in whatever language, or, of a
// client that has its instruction apart, one text of a conversation between marks.
func quotesKnown(q openai.Request, knows func(text string) bool) bool {
	if len(q.Message) > maxQuoting {
		return false
	}
	tries := 0
	known := func(text string) bool {
		if text = unquoted(text); text == "" || tries >= maxTries {
			return false
		}
		tries++
		return knows(text)
	}
	return q.Instructions != "" && quotesBlock(q.Message, known) || quotesSpeeches(q.Message, known)
}

// quotesBlock reports whether all that a message says, but for a few words before
// it, is one text that is known.
func quotesBlock(message string, known func(string) bool) bool {
	at := block.FindStringSubmatchIndex(message)
	if at == nil || at[0] > maxLead || strings.TrimSpace(message[at[1]:]) != "" {
		return false
	}
	for _, group := range []int{2, 4, 8} {
		if at[group] >= 0 {
			return known(message[at[group]:at[group+1]])
		}
	}
	return false
}

// maxLead is how long the words before a quoted text are.
const maxLead = 60

// quotesSpeeches reports whether speeches of two sides are known, and neither of
// them says anything behind these. What a bot keeps in one message ends with
// something new.
func quotesSpeeches(message string, known func(string) bool) bool {
	marks := anySpeaker.FindAllStringSubmatchIndex(message, maxMarks)
	found, end := map[string]bool{}, 0
	for i, m := range marks {
		if m[0] < end {
			continue
		}
		for _, e := range endsOf(message, marks, i) {
			if known(message[m[1]:e]) {
				found[strings.ToLower(message[m[2]:m[3]])], end = true, e
				break
			}
		}
	}
	for _, m := range marks {
		if m[0] >= end && found[strings.ToLower(message[m[2]:m[3]])] && strings.TrimSpace(message[m[1]:]) != "" {
			return false
		}
	}
	return len(found) == 2
}

// endsOf are the places where a speech may end: before a later one, at an empty line
// and at the end of the message.
func endsOf(message string, marks [][]int, i int) []int {
	var ends []int
	for _, m := range marks[i+1 : min(len(marks), i+1+maxNear)] {
		ends = append(ends, m[0])
	}
	for at, n := marks[i][1], 0; n < maxNear; n++ {
		next := strings.Index(message[at:], "\n\n")
		if next < 0 {
			break
		}
		ends, at = append(ends, at+next), at+next+2
	}
	return append(ends, len(message))
}
