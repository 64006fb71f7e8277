package mcp

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
)

const (
	// maxRead is how much is read of a server for one request, and between two.
	maxRead = 16 << 20
	// maxNoise is how much a program may print that is no message.
	maxNoise = 1 << 20
)

// errRead is the end of a connection whose server has sent too much.
var errRead = errors.New("it sent more than 16 MiB for one request")

// messages is what a program prints, line by line: what is no message is left out.
type messages struct {
	r     *bufio.Reader
	c     io.Closer
	room  atomic.Int64 // bytes that may still be read before the next request
	noise int
	rest  []byte

	mu  sync.Mutex
	why error
}

func newMessages(r io.ReadCloser) *messages {
	m := &messages{r: bufio.NewReaderSize(r, 64<<10), c: r}
	m.asked()
	return m
}

// asked notes that a request goes out, whose answer may be read.
func (m *messages) asked() { m.room.Store(maxRead) }

// Read reads of the next message.
func (m *messages) Read(p []byte) (int, error) {
	for len(m.rest) == 0 {
		line, err := m.line()
		if err != nil {
			m.mu.Lock()
			m.why = err
			m.mu.Unlock()
			return 0, err
		}
		if t := bytes.TrimSpace(line); len(t) > 0 && t[0] == '{' && json.Valid(t) {
			m.rest = line
			break
		}
		if m.noise += len(line); m.noise > maxNoise {
			err := fmt.Errorf("its program printed more than %d bytes that are no message", maxNoise)
			m.mu.Lock()
			m.why = err
			m.mu.Unlock()
			return 0, err
		}
	}
	n := copy(p, m.rest)
	m.rest = m.rest[n:]
	return n, nil
}

// line reads one line, whatever is in it, within the room there is.
func (m *messages) line() ([]byte, error) {
	var line []byte
	for {
		part, err := m.r.ReadSlice('\n')
		if m.room.Add(-int64(len(part))) < 0 {
			return nil, errRead
		}
		line = append(line, part...)
		if err == nil || !errors.Is(err, bufio.ErrBufferFull) {
			return line, err
		}
	}
}

// reason says why there is no more, where that was too much.
func (m *messages) reason() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.why == nil || errors.Is(m.why, io.EOF) || errors.Is(m.why, io.ErrClosedPipe) || errors.As(m.why, new(interface{ Timeout() bool })) {
		return ""
	}
	return m.why.Error()
}

// Close ends the reading.
func (m *messages) Close() error { return m.c.Close() }
