package h1

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// dialed has a transport count what it has open, and hand its connections on by wrap.
func dialed(open *atomic.Int64, wrap func(*net.TCPConn) net.Conn) *http.Transport {
	rt := plain()
	rt.IdleConnTimeout, rt.MaxIdleConnsPerHost = 40*time.Millisecond, 2
	dial := rt.DialContext
	rt.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		open.Add(1)
		return wrap(c.(*net.TCPConn)), nil
	}
	Register(rt)
	return rt
}

// counted is a connection whose first Close counts.
type counted struct {
	*net.TCPConn
	open   *atomic.Int64
	closed atomic.Bool
}

func (c *counted) Close() error {
	if c.closed.CompareAndSwap(false, true) {
		c.open.Add(-1)
	}
	return c.TCPConn.Close()
}

// However an exchange ends, its connection does not stay open for ever.
func TestNoConnectionIsForgottenOpen(t *testing.T) {
	for name, answer := range map[string]string{"an answer": hello, "no HTTP": "SSH-2.0-server\r\n\r\n", "more than was asked for": hello + hello} {
		t.Run(name, func(t *testing.T) {
			s := says(t, answer)
			var open atomic.Int64
			rt := dialed(&open, func(c *net.TCPConn) net.Conn { return &counted{TCPConn: c, open: &open} })
			for range 3 {
				ask(t, rt, s.url)
			}
			until(t, "all are closed", func() bool { return open.Load() == 0 })
		})
	}
	t.Run("closed by the other side", func(t *testing.T) {
		closed := make(chan struct{}, 8)
		s := serve(t, func(_, _ int64, c net.Conn, _ *http.Request) bool {
			_, _ = io.WriteString(c, hello)
			_ = c.Close()
			closed <- struct{}{}
			return false
		})
		var open atomic.Int64
		rt := dialed(&open, func(c *net.TCPConn) net.Conn { return &counted{TCPConn: c, open: &open} })
		for range 3 {
			ask(t, rt, s.url)
			<-closed
			if n := open.Load(); n > 1 {
				t.Errorf("%d connections are open after requests one by one", n)
			}
		}
	})
}

// What was used since the sweep before the last one stays.
func TestASweepLeavesWhatWasUsed(t *testing.T) {
	k := &kept{most: 2, wait: time.Hour}
	ended := 0
	put := func() { k.put(&conn{addr: "a", kept: k, look: new(look), end: func() { ended++ }}) }
	put()
	k.sweep()
	if c := k.pop("a"); c == nil {
		t.Fatal("it was forgotten at once")
	} else {
		k.put(c)
	}
	k.sweep()
	put() // younger
	k.sweep()
	if ended != 1 || len(k.by["a"]) != 1 {
		t.Errorf("%d ended and %d are kept, want one each", ended, len(k.by["a"]))
	}
}

// A connection of which nobody can see whether it rests serves once.
func TestAConnectionThatCannotBeLookedAtIsNotKept(t *testing.T) {
	s := says(t, hello)
	var open atomic.Int64
	rt := dialed(&open, func(c *net.TCPConn) net.Conn { return struct{ net.Conn }{c} })
	for range 3 {
		if got := ask(t, rt, s.url); got.body != "hello" {
			t.Fatalf("got %+v", got)
		}
	}
	if n := s.conns.Load(); n != 3 {
		t.Errorf("%d connections for 3 requests, want 3", n)
	}
}

// broken is a connection that takes the first request only.
type broken struct {
	*net.TCPConn
	used bool
}

func (b *broken) Write(p []byte) (int, error) {
	if b.used {
		return 0, errGone
	}
	b.used = true
	return b.TCPConn.Write(p)
}

// Of a request that could not be written nothing was done, whatever it is.
func TestWhatDidNotLeaveIsSentAgain(t *testing.T) {
	s := says(t, hello)
	var open atomic.Int64
	rt := dialed(&open, func(c *net.TCPConn) net.Conn { return &broken{TCPConn: c} })
	rt.IdleConnTimeout = time.Minute
	for range 2 {
		if got := do(rt, newRequest(t.Context(), t, http.MethodPost, s.url, "body")); got.body != "hello" {
			t.Errorf("got %+v", got)
		}
	}
	if n := s.asked.Load(); n != 2 || open.Load() != 2 {
		t.Errorf("%d requests over %d connections, want 2 over 2", n, open.Load())
	}
}

// A request that never begins is over for who made its body, too.
func TestABodyThatIsNotSentIsClosed(t *testing.T) {
	for name, ctx := range map[string]func() context.Context{
		"its context has ended": func() context.Context {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			return ctx
		},
		"nobody listens": t.Context,
	} {
		t.Run(name, func(t *testing.T) {
			rt := plain()
			rt.DialContext = func(context.Context, string, string) (net.Conn, error) { return nil, errGone }
			Register(rt)
			r, body := newRequest(ctx(), t, http.MethodPost, "http://127.0.0.1:1/", "body"), &closing{Reader: strings.NewReader("body")}
			r.Body = body
			if _, err := rt.RoundTrip(r); err == nil || !body.closed {
				t.Errorf("got %v, closed: %v", err, body.closed)
			} else if name == "nobody listens" && !errors.Is(err, errGone) {
				t.Errorf("got %v", err)
			}
		})
	}
}

type closing struct {
	io.Reader
	closed bool
}

func (c *closing) Close() error {
	c.closed = true
	return nil
}

// A context that is about to close the connection would close it under the next request.
func TestAConnectionWhoseContextHasEndedIsNotKept(t *testing.T) {
	k, ended := &kept{most: 1}, false
	c := &conn{kept: k, look: new(look), in: bufio.NewReader(strings.NewReader("")), end: func() { ended = true }}
	b := &body{conn: c, stop: func() bool { return false }, keep: true}
	b.finish(true)
	if len(k.by) != 0 || !ended {
		t.Errorf("kept: %v, ended: %v", k.by, ended)
	}
}
