package langchain

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/loongclaw/loongclaw/agent/model/wire"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

const (
	// maxEvent is the longest event that we take: far above any honest one, far
	// below what would hurt.
	maxEvent = 16 << 20
	// afterEnd is how long we wait for the usage and the end of the stream once
	// the answer is complete.
	afterEnd = 3 * time.Second
	// maxNested is how deep an event may be nested. What reads it looks at a part once
	// for each level above it.
	maxNested = 64
	// onlyNoise is how many timeouts a provider may fill with comments alone.
	onlyNoise = 10
)

// over is all that the library is ever shown of an answer. It reads the stream on a
// goroutine of its own, where a panic could be recovered by nobody, and it reads
// a nil pointer at one of the finish reasons: so no byte of a provider's reaches
// it, and its only finish reason is one that it does nothing about.
const over = "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n"

// stream reads the provider's answer. What it says goes to the exchange, typed, and
// from there to whoever asked; the library gets an end where there is one, else a
// failed read. It is called for nothing in between: each call would cost it a
// goroutine's wake and an event of JSON to read.
//
// The body is an event stream, or JSON without one: a whole answer, or a value on
// each line. Both are read by lines, and an event is whatever is a JSON value, so
// that a wrong content type, missing empty lines and JSON in the middle of a
// stream need no cases of their own.
type stream struct {
	x     *exchange
	body  io.ReadCloser
	in    *bufio.Reader
	lines lineReader

	name    string // of the event that is being read
	pending []byte // a value that is not complete
	value   scan   // how far it is
	bare    bool   // it is not in data fields
	plain   plainChunk

	out    bytes.Buffer
	done   atomic.Bool
	err    error
	said   time.Time // when the last event came
	pace   wire.Pace
	events int
	markup bool // the body begins as a web page does
}

func newStream(x *exchange, resp *http.Response) *stream {
	s := &stream{x: x, body: resp.Body, said: time.Now()}
	s.in = bufio.NewReaderSize(source{s}, 8<<10)
	s.lines.in = s.in
	return s
}

// source is the body as its lines are read from it.
type source struct{ s *stream }

// Read waits for more of the body. What has come by then is given on before.
func (r source) Read(p []byte) (int, error) {
	s := r.s
	if s.x.deliver() {
		s.pace.Gave()
	}
	if !s.x.hasFinish() {
		s.pace.Wait()
	}
	s.x.silence.Wait(s.patience())
	n, err := s.body.Read(p)
	s.x.silence.Heard()
	s.pace.Read(n)
	return n, err
}

// Read gives the next of our stream. It runs on the library's goroutine, so
// whatever goes wrong in here must end as an error.
func (s *stream) Read(p []byte) (n int, err error) {
	defer func() {
		if v := recover(); v != nil {
			f := s.x.m.panicked(v)
			s.err = f
			s.x.fail(f)
			n, err = 0, f
		}
	}()
	for s.out.Len() == 0 {
		if s.err != nil {
			return 0, s.err
		}
		if s.done.Load() {
			return 0, io.EOF
		}
		s.next()
	}
	return s.out.Read(p)
}

// Close ends the request. A stream that has come to its end is first read to
// the last byte, so that the connection can be used again.
func (s *stream) Close() error {
	defer s.x.silence.Stop()
	if s.done.Load() {
		_, _ = s.in.Discard(s.in.Buffered())
		s.x.silence.Wait(50 * time.Millisecond)
		_, _ = io.CopyN(io.Discard, s.body, 4<<10)
	}
	return s.body.Close()
}

// next takes one line from the provider.
func (s *stream) next() {
	line, err := s.lines.next(maxEvent - len(s.pending))
	if err == nil || (errors.Is(err, io.EOF) && len(line) > 0) {
		s.take(line)
	}
	if err != nil && s.open() {
		s.dispatch() // what was not closed by an empty line
		if s.open() {
			s.ended(err)
		}
	}
}

// open reports whether the answer may still go on.
func (s *stream) open() bool { return s.err == nil && !s.done.Load() }

// patience is how long the provider may be silent now.
func (s *stream) patience() time.Duration {
	most := min(s.x.m.timeout, onlyNoise*s.x.m.timeout-time.Since(s.said))
	if s.x.hasFinish() {
		most = min(most, afterEnd)
	}
	return max(most, 0)
}

var byteOrderMark = []byte("\uFEFF")

// take reads one line.
func (s *stream) take(line []byte) {
	line = bytes.TrimPrefix(line, byteOrderMark)
	if len(bytes.TrimSpace(line)) == 0 {
		if !s.bare { // an empty line ends an event, but not a value that is no event
			s.dispatch()
		}
		return
	}
	field, value := fieldOf(line)
	switch {
	case field == "data":
		if s.bare {
			s.drop()
		}
		s.data(value)
	case field == "event":
		s.name = string(bytes.TrimSpace(value))
	case field != "":
	case len(s.pending) > 0:
		s.more(line) // the rest of a value, whose lines lack the name of their field
	default:
		if s.events == 0 && bytes.HasPrefix(bytes.TrimSpace(line), []byte("<")) {
			s.markup = true
		}
		s.bare = true
		s.data(line)
	}
}

// fieldOf is the name of a line's field, "" where it has none that an event
// stream knows; a comment's is ":".
func fieldOf(line []byte) (name string, value []byte) {
	before, value, ok := bytes.Cut(line, []byte(":"))
	switch {
	case !ok:
		return "", nil
	case len(before) == 0:
		return ":", nil
	}
	switch string(before) { // no string is made for it
	case "data":
		return "data", value
	case "event":
		return "event", value
	case "id":
		return "id", value
	case "retry":
		return "retry", value
	}
	return "", nil
}

// data begins a value, or goes on with one that is not complete.
func (s *stream) data(b []byte) {
	if len(s.pending) > 0 {
		s.more(b)
		return
	}
	s.begin(b)
}

func (s *stream) more(b []byte) {
	at := len(s.pending) + 1
	s.pending = append(append(s.pending, '\n'), b...)
	n, complete := s.value.feed(s.pending[at:])
	if !complete {
		return
	}
	all := s.pending
	s.pending = nil
	s.event(all[:at+n])
	s.begin(all[at+n:])
}

// begin reads the values in b: there may be several on one line. The last one may
// go on in the next line.
func (s *stream) begin(b []byte) {
	for s.open() {
		b = bytes.TrimLeft(bytes.TrimPrefix(bytes.TrimSpace(b), byteOrderMark), ", \t")
		b = bytes.TrimSpace(bytes.TrimPrefix(b, []byte("data:")))
		if strings.EqualFold(strings.Trim(string(b[:min(len(b), 8)]), `"`), "[DONE]") {
			s.complete()
			return
		}
		if len(b) == 0 || b[0] != '{' && b[0] != '[' {
			s.bare = false
			return // noise
		}
		if p, n, ok := readPlain(b); ok {
			s.hear(s.plain.of(p))
			b = b[n:]
			continue
		}
		s.value = scan{}
		n, complete := s.value.feed(b)
		if !complete {
			s.pending = append([]byte(nil), b...)
			return
		}
		s.event(b[:n])
		b = b[n:]
	}
}

// drop leaves out what cannot be a value any more.
func (s *stream) drop() {
	if len(s.pending) > 0 {
		s.x.m.log.Debug("a provider's event is no JSON", "model", s.x.m.Name(), "bytes", len(s.pending))
	}
	s.pending, s.bare = nil, false
}

// dispatch ends an event. One that began as an object and is none had a part of
// the answer in it: without that part there is no answer.
func (s *stream) dispatch() {
	if len(s.pending) > 0 && s.pending[0] == '{' && !s.bare {
		s.unreadable()
	}
	s.drop()
	s.name = ""
}

func (s *stream) unreadable() {
	s.fail(s.x.m.broken("an event of the stream cannot be read"), true)
}

// event takes what the provider said and passes it on.
func (s *stream) event(data []byte) {
	if s.value.deepest > maxNested {
		s.unreadable()
		return
	}
	if !json.Valid(data) {
		mended, ok := relax(data)
		switch {
		case ok:
			data = mended
		case data[0] == '{' && !s.bare:
			s.unreadable()
			return
		default:
			return
		}
	}
	if data[0] == '[' {
		for _, one := range elements(data, maxElements) {
			if one[0] == '{' && s.open() {
				s.event(one)
			}
		}
		return
	}
	c := readChunk(data, s.name == "error")
	if c.failure != nil {
		s.events++
		s.fail(s.x.m.inStream(c.failure))
		return
	}
	s.hear(c)
}

// hear takes what an event says.
func (s *stream) hear(c *chunk) {
	s.events++
	s.said = time.Now()
	full, f := s.x.heard(c, s.bare)
	switch {
	case f != nil:
		s.fail(f, false)
	case full:
		s.complete()
	}
}

// ended takes the end of the body: a good one only if the answer had come to
// its own end before.
func (s *stream) ended(err error) {
	switch {
	case s.x.hasFinish():
		s.complete()
	case s.markup && s.events == 0:
		s.fail(s.x.m.webPage(), false)
	case errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
		s.fail(s.x.m.broken("the stream ended before the answer did"), true)
	case errors.Is(err, errLongEvent):
		s.fail(s.x.m.tooMuch(err.Error()), false)
	default:
		f := s.x.m.unreachable(err)
		s.fail(f, f.Code == fault.CodeProviderFailed)
	}
}

func (s *stream) fail(f *fault.Error, retry bool) {
	s.err = f
	s.x.failRetry(f, retry)
}

// complete closes the answer.
func (s *stream) complete() {
	if len(s.pending) > 0 {
		if s.dispatch(); !s.open() {
			return
		}
	}
	if f, retry := s.x.finished(); f != nil {
		s.fail(f, retry)
		return
	}
	s.out.WriteString(over)
	s.done.Store(true)
}
