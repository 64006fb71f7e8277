package h1

import (
	"bufio"
	"errors"
	"net"
	"syscall"
)

// conn is a connection to an upstream. One request has it at a time.
type conn struct {
	net.Conn
	addr string
	kept *kept // where it goes afterwards
	in   *bufio.Reader
	out  *bufio.Writer
	look *look  // nil where it cannot be looked at
	end  func() // closes it

	room  int64  // how many bytes more may be read
	wrote int64  // of the request under way
	got   int64  // of its answer
	sweep uint64 // the last one before it was kept
}

func newConn(nc net.Conn, addr string, k *kept) *conn {
	c := &conn{Conn: nc, addr: addr, kept: k, look: newLook(nc), end: func() { _ = nc.Close() }}
	c.in, c.out = bufio.NewReader(c), bufio.NewWriter(c)
	return c
}

// Read reads what may be read.
func (c *conn) Read(p []byte) (int, error) {
	if c.room <= 0 {
		return 0, errTooLong
	}
	n, err := c.Conn.Read(p[:min(int64(len(p)), c.room)])
	c.room -= int64(n)
	c.got += int64(n)
	return n, err
}

// Write counts what left.
func (c *conn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.wrote += int64(n)
	return n, err
}

var errTooLong = errors.New("the head of the answer is too long")

// look sees whether a connection on which nothing is expected is as it should be,
// without waiting. A byte that nobody asked for would be read as the beginning of the
// next answer, which may be another user's.
type look struct {
	raw   syscall.RawConn
	see   func(fd uintptr) bool
	quiet bool
}

func newLook(nc net.Conn) *look {
	sc, ok := nc.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return nil
	}
	l := &look{raw: raw}
	l.see = func(fd uintptr) bool {
		l.quiet = nothingToRead(fd)
		return true
	}
	return l
}

// isQuiet reports whether the other side has neither closed the connection nor sent.
func (l *look) isQuiet() bool {
	return l.raw.Read(l.see) == nil && l.quiet
}
