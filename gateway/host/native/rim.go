package native

import (
	"bufio"
	"net"
	"net/http"
	"time"
)

// answering wraps the handler of a server so that nobody gets an answer that
// nobody gave: net/http writes 200 for a handler that returns without one, which a
// client takes for "done". Such a handler's connection is cut instead.
func answering(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a := &answerWriter{ResponseWriter: w}
		next.ServeHTTP(a, r)
		if !a.begun {
			panic(http.ErrAbortHandler)
		}
	})
}

// answerWriter notes whether a handler has begun an answer.
type answerWriter struct {
	http.ResponseWriter
	begun bool
}

// WriteHeader begins the answer, unless the status is only one on the way to it.
func (a *answerWriter) WriteHeader(status int) {
	a.begun = a.begun || status >= http.StatusOK || status == http.StatusSwitchingProtocols
	a.ResponseWriter.WriteHeader(status)
}

// Write begins the answer, if need be.
func (a *answerWriter) Write(b []byte) (int, error) {
	a.begun = true
	return a.ResponseWriter.Write(b)
}

// Hijack hands the connection over: what is answered there is its taker's.
func (a *answerWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(a.ResponseWriter).Hijack()
	a.begun = a.begun || err == nil
	return conn, rw, err
}

// Unwrap gives http.ResponseController the writer below. A flush that comes before
// the head is no answer that anybody decided on, and is not counted as one.
func (a *answerWriter) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// clientWriter writes an answer to a client, which is cut off where it takes none of it
// for a time.
type clientWriter struct {
	http.ResponseWriter
	rc    *http.ResponseController
	wait  time.Duration
	since time.Time // when it got its time last
}

func newClientWriter(w http.ResponseWriter, wait time.Duration) *clientWriter {
	return &clientWriter{ResponseWriter: w, rc: http.NewResponseController(w), wait: wait}
}

// renewDeadline gives the client its time anew. Most answers are written at once, so that
// a deadline that has lost less than an eighth of it stays.
func (c *clientWriter) renewDeadline(now time.Time) {
	if now.Sub(c.since) < c.wait/8 {
		return
	}
	c.since = now
	_ = c.rc.SetWriteDeadline(now.Add(c.wait))
}

var (
	_ http.ResponseWriter = (*answerWriter)(nil)
	_ http.Hijacker       = (*answerWriter)(nil)
)
