package native

import (
	"context"
	"net"
	"sync"
	"time"
)

// earlyWait is how long a write that failed waits for who reads the same connection.
const earlyWait = 200 * time.Millisecond

type dialer func(ctx context.Context, network, address string) (net.Conn, error)

// hearing dials connections on which an answer is heard that came before the end. An
// agent may answer before it has read a body, and close: net/http's server does so at
// once where it was asked with Expect. http.Transport takes the failed write of the
// body for the end of the request, though the answer is there to be read.
func hearing(to dialer) dialer {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := to(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &heardConn{Conn: c, closed: make(chan struct{})}, nil
	}
}

// heardConn is a connection whose failed writes are told when its reader has come to
// the end, too, and has therefore closed it.
type heardConn struct {
	net.Conn
	once   sync.Once
	closed chan struct{}
}

func (c *heardConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	if err != nil {
		select {
		case <-c.closed:
		case <-time.After(earlyWait):
		}
	}
	return n, err
}

func (c *heardConn) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.Conn.Close()
}
