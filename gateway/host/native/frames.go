package native

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/loongclaw/loongclaw/gateway/edge"
)

// meter counts the frames on a WebSocket's connection, those too that carry nothing
// and that nobody above ever sees: pings, pongs and pieces of messages. When there
// are too many it says so once and reads no more.
type meter struct {
	net.Conn
	from    io.Reader // what the server had read already, and then the connection
	now     func() time.Time
	flooded func()          // there were too many
	end     <-chan struct{} // the socket's end
	once    sync.Once

	header [14]byte
	have   int    // of header
	left   uint64 // of the frame's payload
	bucket float64
	last   time.Time
}

var errFlood = errors.New("too many frames")

// Read passes on what comes, and counts.
func (m *meter) Read(p []byte) (int, error) {
	n, err := m.from.Read(p)
	if frames := m.count(p[:n]); frames > 0 && !m.take(frames) {
		m.once.Do(m.flooded)
		<-m.end // the goodbye is written meanwhile
		return 0, errFlood
	}
	return n, err
}

// take takes frames out of a bucket that is filled as time goes by.
func (m *meter) take(frames int) bool {
	now := m.now()
	if m.last.IsZero() {
		m.bucket = edge.FramesPerMinute
	} else {
		m.bucket = min(edge.FramesPerMinute, m.bucket+now.Sub(m.last).Minutes()*edge.FramesPerMinute)
	}
	m.last = now
	m.bucket -= float64(frames)
	return m.bucket >= 0
}

// count returns how many frames begin in b.
func (m *meter) count(b []byte) (frames int) {
	for len(b) > 0 {
		if m.left > 0 {
			n := min(m.left, uint64(len(b)))
			m.left -= n
			b = b[n:]
			continue
		}
		m.header[m.have] = b[0]
		m.have++
		b = b[1:]
		if m.have < m.headerLength() {
			continue
		}
		frames++
		m.left, m.have = m.payloadLength(), 0
	}
	return frames
}

// headerLength is the length of the header that has begun (RFC 6455, 5.2).
func (m *meter) headerLength() int {
	if m.have < 2 {
		return 2
	}
	n := 2
	switch m.header[1] & 0x7f {
	case 126:
		n += 2
	case 127:
		n += 8
	}
	if m.header[1]&0x80 != 0 {
		n += 4
	}
	return n
}

func (m *meter) payloadLength() uint64 {
	switch n := m.header[1] & 0x7f; n {
	case 126:
		return uint64(binary.BigEndian.Uint16(m.header[2:]))
	case 127:
		return binary.BigEndian.Uint64(m.header[2:])
	default:
		return uint64(n)
	}
}

// meteredWriter hands a connection over with a meter on it.
type meteredWriter struct {
	http.ResponseWriter
	meter *meter
}

// Hijack takes the connection. What the server has read of it goes through the meter,
// too.
func (w meteredWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	read, _ := rw.Reader.Peek(rw.Reader.Buffered()) // no more than is there
	w.meter.Conn, w.meter.from = conn, io.MultiReader(bytes.NewReader(bytes.Clone(read)), conn)
	return w.meter, bufio.NewReadWriter(bufio.NewReader(w.meter), rw.Writer), nil
}

var (
	_ net.Conn      = (*meter)(nil)
	_ http.Hijacker = meteredWriter{}
)
