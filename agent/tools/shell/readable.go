package shell

import (
	"fmt"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	plaintext "github.com/loongclaw/loongclaw/pkg/plain"
)

// How much white space a command may have in a row that people are asked about. A
// renderer may fold it, and much of it moves what follows out of sight.
const (
	maxBlanks      = 4  // between words
	maxQuotedSpace = 80 // within quotes and here-documents
	maxQuotedLines = 8  // empty ones, there
)

// unreadable refuses what no person could read: it is not even shown.
func unreadable(command string) string {
	if len(command) > maxCommand {
		return fmt.Sprintf("the command is longer than %d bytes; write a file and work on that", maxCommand)
	}
	// Tabs and line ends have a place in commands, whose form ambiguous judges.
	if r, at := plaintext.Hidden(strings.NewReplacer("\n", " ", "\t", " ").Replace(command)); at >= 0 {
		return fmt.Sprintf("the command has the invisible character %U; leave it out", r)
	}
	return ""
}

// ambiguous refuses a command that people are asked about and could take for
// another one, when its lines are folded or its letters have twins.
func ambiguous(command string, file *syntax.File) string {
	quoted, here := quotedBytes(command, file)
	comment := false
	syntax.Walk(file, func(n syntax.Node) bool {
		if c, is := n.(*syntax.Comment); is && strings.TrimSpace(c.Text) != "" {
			comment = true // an empty one says nothing
		}
		return !comment
	})
	if comment {
		return "the command has a comment, which the user could take for what it does; leave it out"
	}
	if reason := spaced(command, quoted); reason != "" {
		return reason
	}
	words := []byte(command)
	for i := range words {
		if here[i] {
			words[i] = ' '
		}
	}
	if w, mixed := plaintext.Mixed(string(words)); mixed {
		return fmt.Sprintf("the word %+q mixes alphabets whose letters look alike; write it in one", w)
	}
	return ""
}

// spaced refuses line ends between commands, and more white space than needed.
func spaced(command string, quoted []bool) string {
	run, lines := 0, 0
	for i := range len(command) {
		c := command[i]
		switch {
		case c == '\n' && !quoted[i]:
			return "the command has several lines; write one line, with && or ; between commands, or make a call for each"
		case c != ' ' && c != '\t' && c != '\n':
			run, lines = 0, 0
			continue
		}
		if run++; c == '\n' {
			lines++
		}
		if !quoted[i] && run > maxBlanks || run > maxQuotedSpace || lines > maxQuotedLines {
			return "the command has so much white space that a part of it could be overlooked; leave it out"
		}
	}
	return ""
}

// quotedBytes marks the bytes that are within quotes or here-documents, and those
// that are within here-documents: there a line end ends no command.
func quotedBytes(command string, file *syntax.File) (quoted, here []bool) {
	quoted, here = make([]bool, len(command)), make([]bool, len(command))
	mark := func(flags []bool, n syntax.Node) {
		for i := n.Pos().Offset(); i < min(n.End().Offset(), uint(len(flags))); i++ {
			flags[i] = true
		}
	}
	syntax.Walk(file, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.SglQuoted:
			mark(quoted, n)
		case *syntax.DblQuoted:
			for _, p := range n.Parts { // what is substituted in it is a command again
				if lit, is := p.(*syntax.Lit); is {
					mark(quoted, lit)
				}
			}
		case *syntax.Redirect:
			if n.Op != syntax.Hdoc && n.Op != syntax.DashHdoc {
				break
			}
			// The end of the line that announces the here-document.
			if i := strings.IndexByte(command[min(int(n.Word.End().Offset()), len(command)):], '\n'); i >= 0 { //nolint:gosec // within the command
				quoted[int(n.Word.End().Offset())+i] = true //nolint:gosec // within the command
			}
			if n.Hdoc == nil {
				break
			}
			if at := n.Hdoc.Pos().Offset(); at > 0 && at <= uint(len(command)) {
				quoted[at-1] = true // the end of the line before it
			}
			for _, p := range n.Hdoc.Parts {
				if lit, is := p.(*syntax.Lit); is {
					mark(quoted, lit)
					mark(here, lit)
				}
			}
		}
		return true
	})
	return quoted, here
}
