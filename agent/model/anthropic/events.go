package anthropic

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
)

// maxEvent is the longest event that we take: far above any honest one, far below
// what would hurt.
const maxEvent = 16 << 20

var errLong = errors.New("an event of the stream is larger than 16 MiB")

// events cuts a body into the data of its events.
type events struct {
	in     *bufio.Reader
	begun  bool // the first bytes were looked at
	whole  bool // the body is one JSON answer, not a stream
	skipLF bool // the last line ended with a carriage return
	line   []byte
}

func newEvents(body io.Reader) *events {
	return &events{in: bufio.NewReaderSize(body, 8<<10)}
}

// next gives the name and the data of the next event. With io.EOF what stood before
// the end without an empty line behind it has been given.
func (e *events) next() (name string, data []byte, err error) {
	if !e.begun {
		if err := e.begin(); err != nil {
			return "", nil, err
		}
	}
	if e.whole {
		return e.all()
	}
	for size := 0; ; {
		line, err := e.readLine(maxEvent - size)
		size += len(line)
		if field, value, ok := splitField(line); ok {
			switch field {
			case "event":
				name = string(value)
			case "data":
				if data == nil {
					data = []byte{}
				} else {
					data = append(data, '\n')
				}
				data = append(data, value...)
			}
		} else if len(line) == 0 && data != nil {
			return name, data, nil
		} else if len(line) == 0 {
			name, size = "", 0 // an event without data is none
		} else if line[0] == '{' && json.Valid(line) {
			return name, bytes.Clone(line), nil // an error may come bare
		}
		if err != nil {
			if data != nil && errors.Is(err, io.EOF) {
				return name, data, nil
			}
			return "", nil, err
		}
	}
}

// begin skips a byte order mark and looks whether this is a stream at all: some
// servers call either by the other's type.
func (e *events) begin() error {
	e.begun = true
	if b, err := e.in.Peek(1); err == nil && b[0] == 0xEF {
		if b, err := e.in.Peek(3); err == nil && bytes.Equal(b, []byte("\xEF\xBB\xBF")) {
			_, _ = e.in.Discard(3)
		}
	}
	for n := 0; n < 64; n++ {
		b, err := e.in.Peek(1)
		if err != nil {
			return err
		}
		switch b[0] {
		case ' ', '\t', '\r', '\n':
			_, _ = e.in.Discard(1)
			continue
		}
		e.whole = b[0] == '{' || b[0] == '['
		return nil
	}
	return nil
}

// all reads a body that is one answer.
func (e *events) all() (string, []byte, error) {
	body, err := io.ReadAll(io.LimitReader(e.in, maxEvent+1))
	switch {
	case err != nil:
		return "", nil, err
	case len(body) > maxEvent:
		return "", nil, errLong
	case len(bytes.TrimSpace(body)) == 0:
		return "", nil, io.EOF
	}
	return "", bytes.TrimSpace(body), nil
}

// readLine reads up to the end of a line: LF, CR or both.
func (e *events) readLine(most int) ([]byte, error) {
	e.line = e.line[:0]
	for {
		b, err := e.in.ReadByte()
		switch {
		case err != nil:
			return e.line, err
		case b == '\n' && e.skipLF:
			e.skipLF = false
			continue
		}
		e.skipLF = b == '\r'
		if b == '\n' || b == '\r' {
			return e.line, nil
		}
		if len(e.line) >= most {
			return nil, errLong
		}
		e.line = append(e.line, b)
	}
}

// splitField takes a line of an event stream apart; a comment is no field.
func splitField(line []byte) (field string, value []byte, ok bool) {
	name, value, ok := bytes.Cut(line, []byte(":"))
	if !ok || (string(name) != "event" && string(name) != "data") {
		return "", nil, false
	}
	return string(name), bytes.TrimPrefix(value, []byte(" ")), true
}
