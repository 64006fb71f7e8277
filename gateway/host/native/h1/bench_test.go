package h1

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"testing"
)

// echo answers every head that it reads with a small answer, and allocates nothing.
func echo(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = c.Close() }()
				b, answer := make([]byte, 4<<10), []byte("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
				for {
					n, err := c.Read(b)
					if err != nil || !bytes.HasSuffix(b[:n], []byte("\r\n\r\n")) {
						return
					}
					if _, err := c.Write(answer); err != nil {
						return
					}
				}
			}()
		}
	}()
	return "http://" + l.Addr().String()
}

// exchange is one request and its whole answer.
func exchange(t testing.TB, rt http.RoundTripper, r *http.Request, b []byte) {
	resp, err := rt.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = resp.Body.Read(b)
	}
	_ = resp.Body.Close()
	if err != io.EOF { //nolint:errorlint // what a reader says at its end
		t.Fatal(err)
	}
}

func BenchmarkExchange(b *testing.B) {
	for name, rt := range map[string]http.RoundTripper{"net-http": plain(), "h1": fresh()} {
		b.Run(name, func(b *testing.B) {
			r, buf := newRequest(b.Context(), b, http.MethodGet, echo(b), ""), make([]byte, 1<<10)
			b.ReportAllocs()
			for b.Loop() {
				exchange(b, rt, r, buf)
			}
		})
	}
}

// What every request costs must not grow unnoticed.
func TestAnExchangeAllocatesLittle(t *testing.T) {
	rt, r, buf := fresh(), newRequest(t.Context(), t, http.MethodGet, echo(t), ""), make([]byte, 1<<10)
	exchange(t, rt, r, buf)
	const most = 24
	if n := testing.AllocsPerRun(200, func() { exchange(t, rt, r, buf) }); n > most {
		t.Errorf("%v allocations for a request and its answer, want at most %d", n, most)
	}
}
