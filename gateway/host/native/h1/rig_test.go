package h1

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// script is a server that answers each request on a connection with what it is told.
type script struct {
	url   string
	conns atomic.Int64
	asked atomic.Int64 // requests that were read

	mu   sync.Mutex
	open map[net.Conn]struct{}
}

// serve starts a server. answer gets the n-th request of the server and its connection,
// counted from 1, and reports whether the connection goes on.
func serve(t testing.TB, answer func(n, conn int64, c net.Conn, r *http.Request) bool) *script {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &script{url: "http://" + l.Addr().String(), open: map[net.Conn]struct{}{}}
	t.Cleanup(func() {
		_ = l.Close()
		s.mu.Lock()
		defer s.mu.Unlock()
		for c := range s.open {
			_ = c.Close()
		}
	})
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			s.open[c] = struct{}{}
			s.mu.Unlock()
			go s.talk(c, s.conns.Add(1), answer)
		}
	}()
	return s
}

func (s *script) talk(c net.Conn, conn int64, answer func(n, conn int64, c net.Conn, r *http.Request) bool) {
	defer func() { _ = c.Close() }()
	in := bufio.NewReader(c)
	for {
		r, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		if _, err := io.Copy(io.Discard, r.Body); err != nil || !answer(s.asked.Add(1), conn, c, r) {
			return
		}
	}
}

// says is a server whose answer is always the same.
func says(t testing.TB, text string) *script {
	t.Helper()
	return serve(t, func(_, _ int64, c net.Conn, _ *http.Request) bool {
		_, err := io.WriteString(c, text)
		return err == nil
	})
}

// plain is a transport without this package, and fresh one with it.
func plain() *http.Transport {
	return &http.Transport{
		DialContext: (&net.Dialer{Timeout: time.Second}).DialContext, MaxIdleConnsPerHost: 8, IdleConnTimeout: time.Minute,
		DisableCompression: true,
	}
}

func fresh() *http.Transport {
	t := plain()
	Register(t)
	return t
}

func newRequest(ctx context.Context, t testing.TB, method, url, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// outcome is what a caller sees of an answer.
type outcome struct {
	status        int
	body, trailer string
	failed, cut   bool
}

func do(rt http.RoundTripper, r *http.Request) outcome {
	resp, err := rt.RoundTrip(r)
	if err != nil {
		return outcome{failed: true}
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	return outcome{status: resp.StatusCode, body: string(b), trailer: resp.Trailer.Get("X-Sum"), cut: err != nil}
}

func ask(t testing.TB, rt http.RoundTripper, url string) outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	return do(rt, newRequest(ctx, t, http.MethodGet, url, ""))
}

// until waits for what comes soon.
func until(t testing.TB, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: it never was", what)
		}
	}
}

var errGone = errors.New("its client is gone")
