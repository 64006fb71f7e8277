package native

import (
	"bufio"
	"net"
	"net/http"
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

var (
	_ http.ResponseWriter = (*answerWriter)(nil)
	_ http.Hijacker       = (*answerWriter)(nil)
)
