package h1

import (
	"context"
	"errors"
	"io"
	"sync"
)

// body is the body of an answer. Its end gives the connection back.
type body struct {
	conn *conn
	ctx  context.Context
	from io.Reader   // as net/http frames it; its Close would read to the end, however far that is
	stop func() bool // takes back that the context closes the connection
	keep bool        // the connection can serve again after the end

	mu   sync.Mutex
	over error // what Read says from now on
}

// Read reads on.
func (b *body) Read(p []byte) (int, error) {
	b.mu.Lock()
	over := b.over
	b.mu.Unlock()
	if over != nil {
		return 0, over
	}
	n, err := b.from.Read(p)
	if err == nil {
		return n, nil
	}
	whole := errors.Is(err, io.EOF)
	if !whole {
		err = causeOr(b.ctx, err)
	}
	b.settle(err, whole)
	return n, err
}

// Close ends an answer. Where it was not read to its end, the connection ends with it.
func (b *body) Close() error {
	b.settle(errClosed, false)
	return nil
}

var errClosed = errors.New("the body of the answer is closed")

// settle says once how the body ended.
func (b *body) settle(why error, whole bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.over == nil {
		b.over = why
		b.finish(whole)
	}
}

// finish gives the connection back, or ends it where it cannot serve again: the answer
// was not read to its end, or has more behind it, or the request was ended.
func (b *body) finish(whole bool) {
	if stopped := b.stop(); !stopped || !whole || !b.keep || b.conn.in.Buffered() > 0 {
		b.conn.end()
		return
	}
	b.conn.kept.put(b.conn)
}

var _ io.ReadCloser = (*body)(nil)
