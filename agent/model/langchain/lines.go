package langchain

import (
	"bufio"
	"bytes"
	"errors"
)

// lineReader gives the lines of a body. A line ends in LF, in CR LF or in CR alone, as
// the format of event streams has it.
type lineReader struct {
	in     *bufio.Reader
	skipLF bool   // a CR ended the line before
	line   []byte // room for the next one
}

// errLongEvent ends a stream whose event has no end.
var errLongEvent = errors.New("an event of the stream is larger than 16 MiB")

// next returns the next line without its end, and with an error what came before
// it. Nothing longer than room is kept. The line is valid until the next call.
func (l *lineReader) next(room int) ([]byte, error) {
	line := l.line[:0]
	defer func() { l.line = line }()
	for {
		if _, err := l.in.Peek(1); err != nil { // waits until something has come
			return line, err
		}
		buf, _ := l.in.Peek(l.in.Buffered()) // what is buffered can be looked at
		if l.skipLF {
			l.skipLF = false
			if buf[0] == '\n' {
				_, _ = l.in.Discard(1)
				continue
			}
		}
		n := endOfLine(buf)
		if n < 0 {
			line = append(line, buf...)
			_, _ = l.in.Discard(len(buf))
		} else {
			line = append(line, buf[:n]...)
			l.skipLF = buf[n] == '\r'
			_, _ = l.in.Discard(n + 1)
		}
		if len(line) > room {
			return nil, errLongEvent
		}
		if n >= 0 {
			return line, nil
		}
	}
}

// endOfLine is where the first line of b ends, -1 where it does not.
func endOfLine(b []byte) int {
	lf := bytes.IndexByte(b, '\n')
	if lf >= 0 {
		b = b[:lf]
	}
	if cr := bytes.IndexByte(b, '\r'); cr >= 0 {
		return cr
	}
	return lf
}

// scan finds the end of a JSON object or array whose text comes in pieces. It
// looks at brackets and strings only: what is complete may still be no JSON.
type scan struct {
	depth   int
	deepest int
	begun   bool
	quoted  bool
	escaped bool
}

// feed returns how many bytes of the next piece belong to the value, and whether
// it is complete by then.
func (s *scan) feed(b []byte) (n int, complete bool) {
	for i, c := range b {
		switch {
		case s.quoted && s.escaped:
			s.escaped = false
		case s.quoted && c == '\\':
			s.escaped = true
		case c == '"':
			s.quoted = !s.quoted
		case s.quoted:
		case c == '{' || c == '[':
			s.depth++
			s.deepest = max(s.deepest, s.depth)
			s.begun = true
		case c == '}' || c == ']':
			s.depth--
			if s.depth <= 0 {
				return i + 1, s.begun
			}
		}
	}
	return len(b), false
}

// whole reports whether a value began and came to its end.
func (s *scan) whole() bool { return s.begun && s.depth <= 0 && !s.quoted }
