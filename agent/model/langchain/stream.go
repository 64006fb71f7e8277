package langchain

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"time"

	"github.com/loongclaw/loongclaw/agent/model/refusal"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

const (
	// maxEvent is the longest event that we take: far above any honest one, far
	// below what would hurt.
	maxEvent = 16 << 20
	// afterEnd is how long we wait for the usage and the end of the stream once
	// the answer is complete.
	afterEnd = 3 * time.Second
	// onlyNoise is how many timeouts a provider may fill with comments alone.
	onlyNoise = 10
)

// stream reads the provider's answer. What it says goes to the exchange, typed;
// the library gets a stream that it cannot misread: a tick for each event, and
// an end only where there is one, else a failed read.
type stream struct {
	x       *exchange
	body    io.ReadCloser
	in      *bufio.Reader
	whole   bool // the body is one JSON answer, no stream
	pending []byte
	out     bytes.Buffer
	done    bool
	err     error
	noise   *time.Timer
}

func newStream(x *exchange, resp *http.Response) *stream {
	kind, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	s := &stream{x: x, body: resp.Body, in: bufio.NewReaderSize(resp.Body, 8<<10)}
	s.whole = err == nil && kind == "application/json"
	s.noise = x.watch(onlyNoise * x.m.timeout)
	return s
}

// Read gives the next of our stream.
func (s *stream) Read(p []byte) (int, error) {
	for s.out.Len() == 0 {
		if s.err != nil {
			return 0, s.err
		}
		if s.done {
			return 0, io.EOF
		}
		s.next()
	}
	return s.out.Read(p)
}

// Close ends the request. A stream that has come to its end is first read to
// the last byte, so that the connection can be used again.
func (s *stream) Close() error {
	s.noise.Stop()
	if s.done {
		t := s.x.watch(50 * time.Millisecond)
		_, _ = io.CopyN(io.Discard, s.in, 4<<10)
		t.Stop()
	}
	return s.body.Close()
}

// next takes one line, or the whole body, from the provider.
func (s *stream) next() {
	if s.whole && s.looksWhole() {
		s.nextWhole()
		return
	}
	s.whole = false
	line, err := s.line()
	if err == nil || (errors.Is(err, io.EOF) && len(line) > 0) {
		s.take(line)
	}
	if err != nil && !s.done && s.err == nil {
		s.take(nil) // what was not closed by an empty line
		s.ended(err)
	}
}

// looksWhole is false for a stream whose server calls it JSON.
func (s *stream) looksWhole() bool {
	t := s.x.watch(s.x.m.timeout)
	defer t.Stop()
	first, err := s.in.Peek(1)
	return err != nil || bytes.ContainsAny(first, "{ \t\r\n")
}

func (s *stream) nextWhole() {
	t := s.x.watch(s.x.m.timeout)
	body, err := io.ReadAll(io.LimitReader(s.in, maxEvent))
	t.Stop()
	if err != nil {
		s.ended(err)
		return
	}
	s.event(body)
	if s.err == nil {
		s.ended(io.EOF)
	}
}

// line reads up to a newline, whatever the length; a carriage return ends a
// line as well.
func (s *stream) line() ([]byte, error) {
	var line []byte
	for {
		t := s.x.watch(s.patience())
		part, err := s.in.ReadSlice('\n')
		t.Stop()
		line = append(line, part...)
		if len(line)+len(s.pending) > maxEvent {
			return nil, errors.New("an event of the stream is larger than 16 MiB")
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		return bytes.Trim(line, "\r\n"), err
	}
}

// patience is how long the provider may be silent now.
func (s *stream) patience() time.Duration {
	if s.finish() != "" && afterEnd < s.x.m.timeout {
		return afterEnd
	}
	return s.x.m.timeout
}

func (s *stream) finish() string {
	s.x.mu.Lock()
	defer s.x.mu.Unlock()
	return s.x.parts.finish
}

// take reads one line of the event stream. Some providers leave out the empty
// line between events, so data that is whole is an event at once.
func (s *stream) take(line []byte) {
	if len(bytes.TrimSpace(line)) == 0 {
		if len(s.pending) > 0 {
			s.x.m.log.Debug("a provider's event is no JSON", "model", s.x.m.Name(), "bytes", len(s.pending))
		}
		s.pending = nil
		return
	}
	data, ok := bytes.CutPrefix(line, []byte("data:"))
	if !ok {
		// An error may come as bare JSON in the middle of a stream.
		if t := bytes.TrimSpace(line); t[0] != '{' || !json.Valid(t) {
			return
		}
		data = line
	}
	data = bytes.TrimSpace(data)
	if len(s.pending) > 0 && s.pending[0] != '{' {
		s.pending = nil // no beginning of an event, whatever it was
	}
	if bytes.Equal(data, []byte("[DONE]")) {
		s.complete()
		return
	}
	if len(s.pending) > 0 {
		data = append(append(s.pending, '\n'), data...)
	}
	if !json.Valid(data) {
		s.pending = append([]byte(nil), data...)
		return
	}
	s.pending = nil
	s.event(data)
}

// event takes what the provider said and passes it on.
func (s *stream) event(data []byte) {
	var c chunk
	if err := json.Unmarshal(data, &c); err != nil {
		s.fail(s.x.m.broken("an event of the stream cannot be read"), true)
		return
	}
	if w, refused := refusal.InAnswer(data); refused {
		s.fail(w.Fault(s.x.m.who()))
		return
	}
	s.noise.Reset(onlyNoise * s.x.m.timeout)
	s.x.heard(&c)
	// A tick: the library calls back, and the text is delivered.
	s.out.WriteString("data: {\"choices\":[{\"index\":0,\"delta\":{}}]}\n\n")
}

// ended takes the end of the body: a good one only if the answer had come to
// its own end before.
func (s *stream) ended(err error) {
	if s.finish() != "" {
		s.complete()
		return
	}
	if errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		s.fail(s.x.m.broken("the stream ended before the answer did"), true)
		return
	}
	f := s.x.m.unreachable(err)
	s.fail(f, f.Code == fault.CodeProviderFailed)
}

func (s *stream) fail(f *fault.Error, retry bool) {
	s.err = f
	s.x.failRetry(f, retry)
}

// complete closes the answer.
func (s *stream) complete() {
	finish := s.x.finished()
	if f := s.x.m.badFinish(finish); f != nil {
		s.fail(f, false)
		return
	}
	// The library reads fields that are not there when it hears of calls; what the
	// provider said is in the exchange, and it need only learn that this is the end.
	s.out.WriteString("data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n")
	s.done = true
}
