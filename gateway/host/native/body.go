package native

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/loongclaw/loongclaw/gateway/edge"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

const (
	// bodyRate is the slowest body that is waited for, in bytes a second, once
	// Wait.Body is over.
	bodyRate = 64 << 10
	// maxHeld is the longest body that is held here, where its length was said. A
	// longer one goes on to the agent as it comes.
	maxHeld = 1 << 20
	// leftover is how long the rest of a body is waited for when the agent has
	// answered without reading it.
	leftover = 500 * time.Millisecond
)

// body is a request's body on its way to an agent: held here, so that it can be sent
// again, or passed on as it comes, which can be done once.
type body struct {
	data   []byte
	length int64
	share  *share

	from     io.Reader // nil when data is all
	deadline func(time.Time) error
	progress func() // some of it came

	mu    sync.Mutex
	begun bool  // some of it was passed on
	ended bool  // all of it came
	over  bool  // its request has its answer: the connection is the server's again
	err   error // why it broke off
}

// takeBody takes a request's body for an agent. Its length is counted among what its
// user has on the way; end must be called.
func (h *Host) takeBody(w http.ResponseWriter, r *http.Request, d edge.Decision) (*body, error) {
	most, length := d.Forward.MaxBody, r.ContentLength
	switch {
	case length == 0 || r.Body == nil || r.Body == http.NoBody:
		return &body{}, nil
	case length > most:
		return nil, edge.ErrBodyTooLarge
	case length < 0:
		length = most // as long as it may be, until it is known
	}
	share, err := h.open.body(r.Context(), d.User, length)
	if err != nil {
		return nil, err
	}
	b := &body{share: share, deadline: http.NewResponseController(w).SetReadDeadline}
	if r.ContentLength > maxHeld {
		_ = b.deadline(h.Now().Add(h.bodyTime(r.ContentLength)))
		b.from, b.length = r.Body, r.ContentLength
		return b, nil
	}
	if b.data, err = h.readBody(w, r, most); err != nil {
		b.end()
		return nil, err
	}
	b.length = int64(len(b.data))
	share.shrinkTo(b.length)
	return b, nil
}

// end gives its share back. Whoever still reads from the client stops.
func (b *body) end() {
	b.share.shrinkTo(0)
	if b.from == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.over = true
	if !b.ended {
		_ = b.deadline(time.Now())
	}
}

// answered bounds the wait for what the agent did not read before it answered.
func (b *body) answered() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.from != nil && !b.ended {
		_ = b.deadline(time.Now().Add(leftover))
	}
}

// gone reports whether some of it was passed on and cannot be sent again.
func (b *body) gone() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.begun
}

// broken is why the client's side broke off; nil while it has not.
func (b *body) broken() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.err
}

// Read passes on what comes. The transport calls it, in a goroutine of its own.
func (b *body) Read(p []byte) (int, error) {
	b.mu.Lock()
	b.begun = true
	b.mu.Unlock()
	n, err := b.from.Read(p)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.over {
		return n, err
	}
	b.progress()
	switch {
	case errors.Is(err, io.EOF):
		b.ended = true
		_ = b.deadline(time.Time{}) // nothing more is waited for
	case err != nil:
		b.err = err
	}
	return n, err
}

// Close leaves the client's connection to the server, which must not be made to wait
// here for a read that is under way.
func (*body) Close() error { return nil }

// onto sets the body of a request to an agent. What is held the transport may send
// again on a fresh connection when a kept one turns out to be dead; what is passed on
// waits until the agent wants it, so that one who refuses has taken nothing.
func (b *body) onto(req *http.Request) {
	req.Body = http.NoBody
	if b.length == 0 {
		return
	}
	req.ContentLength = b.length
	if b.from != nil {
		req.Body = b
		req.Header.Set("Expect", "100-continue")
		return
	}
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.data)), nil }
	req.Body, _ = req.GetBody() // cannot fail
}

// bodyTime is how long a body of a length may take.
func (h *Host) bodyTime(length int64) time.Duration {
	if length < bodyRate {
		return h.Timeouts.Body
	}
	return h.Timeouts.Body + time.Duration(length)*time.Second/bodyRate
}

// readBody reads all of a request's body.
func (h *Host) readBody(w http.ResponseWriter, r *http.Request, most int64) ([]byte, error) {
	if r.ContentLength == 0 || r.Body == nil || r.Body == http.NoBody {
		return nil, nil
	}
	if r.ContentLength > most {
		return nil, edge.ErrBodyTooLarge
	}
	rc := http.NewResponseController(w)
	expect := r.ContentLength
	if expect < 0 {
		expect = most
	}
	_ = rc.SetReadDeadline(h.Now().Add(h.bodyTime(expect)))
	b, err := readAll(http.MaxBytesReader(w, r.Body, most), r.ContentLength)
	if err != nil {
		// The deadline stays: the server must not wait for the rest, either.
		return nil, bodyFault(w, err)
	}
	_ = rc.SetReadDeadline(time.Time{})
	return b, nil
}

func bodyFault(w http.ResponseWriter, err error) error {
	var big *http.MaxBytesError
	w.Header().Set("Connection", "close")
	switch {
	case errors.As(err, &big):
		return edge.ErrBodyTooLarge
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fault.New(fault.CodeTimeout, "the body did not come in time", "send it again, faster or in parts")
	case errors.Is(err, context.Canceled):
		return err
	}
	return edge.ErrBodyBroke.Because(err)
}

// readAll reads a body in one piece when its length is said and modest. A large
// claim alone gets no memory.
func readAll(r io.Reader, length int64) ([]byte, error) {
	if length < 0 || length > maxHeld {
		return io.ReadAll(r)
	}
	b := make([]byte, length)
	_, err := io.ReadFull(r, b)
	return b, err
}

var _ io.ReadCloser = (*body)(nil)
