package sse

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
)

// Event is one event of a stream. Data has no carriage returns; its newlines
// become several data lines and are joined again by the reader.
type Event struct {
	ID   string
	Type string
	Data []byte
}

// Append adds the event's lines and the empty line after them to b.
func Append(b []byte, e Event) []byte {
	if e.ID != "" {
		b = field(b, "id", e.ID)
	}
	if e.Type != "" {
		b = field(b, "event", e.Type)
	}
	rest := e.Data
	for {
		line, tail, more := bytes.Cut(rest, []byte{'\n'})
		b = append(b, "data: "...)
		b = append(b, line...)
		b = append(b, '\n')
		if !more {
			break
		}
		rest = tail
	}
	return append(b, '\n')
}

// AppendPlace adds an id alone: no event, but where a reader that has none yet would
// go on.
func AppendPlace(b []byte, id string) []byte {
	return append(field(b, "id", id), '\n')
}

func field(b []byte, name, value string) []byte {
	b = append(b, name...)
	b = append(b, ": "...)
	if !strings.ContainsAny(value, "\n\r\x00") {
		return append(append(b, value...), '\n')
	}
	for _, c := range []byte(value) {
		if c != '\n' && c != '\r' && c != 0 { // they would forge the next line
			b = append(b, c)
		}
	}
	return append(b, '\n')
}

// Idle is the comment that ends a stream which was asked for with ?until=idle:
// everything is sent, and nothing runs.
var Idle = []byte(": idle\n\n")

// Comment is a line that keeps a stream alive and that readers ignore.
var Comment = []byte(": \n\n")

// ErrTooLong says that an event is larger than the reader takes.
var ErrTooLong = errors.New("sse: event is too long")

// Reader reads events from a stream.
type Reader struct {
	r       *bufio.Reader
	max     int
	started bool
	sawCR   bool
	lastID  string
	place   string
}

// NewReader reads from r events of at most maxEvent bytes each.
func NewReader(r io.Reader, maxEvent int) *Reader {
	return &Reader{r: bufio.NewReaderSize(r, 4<<10), max: maxEvent}
}

// Next returns the next event that has data. At the end of the stream it is
// io.EOF, or io.ErrUnexpectedEOF when the stream ends inside an event: what
// stood there is dropped, as the standard says.
func (r *Reader) Next() (Event, error) {
	var e Event
	var size int
	var data []byte
	hasData, open := false, false
	for {
		line, err := r.line()
		if err != nil {
			if errors.Is(err, io.EOF) && (open || len(line) > 0) {
				return Event{}, io.ErrUnexpectedEOF
			}
			return Event{}, err
		}
		if size += len(line); size > r.max {
			return Event{}, ErrTooLong
		}
		if len(line) == 0 {
			r.place = r.lastID
			if !hasData {
				e, open, size = Event{}, false, 0
				continue
			}
			e.ID, e.Data = r.lastID, data
			return e, nil
		}
		if line[0] == ':' {
			continue
		}
		open = true
		name, value, _ := bytes.Cut(line, []byte{':'})
		value = bytes.TrimPrefix(value, []byte{' '})
		switch string(name) {
		case "data":
			if hasData {
				data = append(data, '\n')
			}
			data = append(data, value...)
			hasData = true
		case "event":
			e.Type = string(value)
		case "id":
			if bytes.IndexByte(value, 0) < 0 {
				r.lastID = string(value)
			}
		}
	}
}

// Place is the last id that came whole, with an event or alone: where the reader
// stands.
func (r *Reader) Place() string { return r.place }

// line reads one line that ends in LF, CR or CRLF. The line is valid until the
// next call.
func (r *Reader) line() ([]byte, error) {
	var line []byte
	for {
		c, err := r.r.ReadByte()
		if err != nil {
			return line, err
		}
		if r.sawCR && c == '\n' {
			r.sawCR = false
			continue
		}
		r.sawCR = c == '\r'
		if c == '\n' || c == '\r' {
			break
		}
		if line = append(line, c); len(line) > r.max {
			return nil, ErrTooLong
		}
	}
	if !r.started {
		r.started = true
		line = bytes.TrimPrefix(line, []byte("\xef\xbb\xbf"))
	}
	return line, nil
}
