package httpapi

import (
	"errors"
	"io"
	"net/http"
	"time"
)

const (
	// strangerTime is how long a body is waited for that nobody has begun to read:
	// handlers read after the pass was looked at, so until then the sender may be
	// anybody.
	strangerTime = 10 * time.Second
	// bodyTime is how long the body of a request that was let in may take. The
	// gateway passes on what its client sends, and bounds that by itself.
	bodyTime = 10 * time.Minute
	// restTime and maxRest bound what is read and thrown away of a body that its
	// handler did not want to the end.
	restTime = 10 * time.Second
	maxRest  = 32 << 20
)

// serveWhole has a handler answer a request, and cuts the connection where it gives
// no answer: net/http would write 200 then, which the gateway's client takes for
// "done". It bounds how long the request's body is waited for, too.
func serveWhole(next http.HandlerFunc, w http.ResponseWriter, r *http.Request, stranger time.Duration) {
	a := &answerWriter{ResponseWriter: w}
	if r.ContentLength != 0 {
		rc := http.NewResponseController(w)
		_ = rc.SetReadDeadline(time.Now().Add(stranger)) // a recorder of a test has none
		a.body = &timedBody{ReadCloser: r.Body, deadline: rc.SetReadDeadline}
		r.Body = a.body
	}
	next(a, r)
	if !a.begun {
		panic(http.ErrAbortHandler)
	}
}

// answerWriter notes whether a handler has begun an answer.
type answerWriter struct {
	http.ResponseWriter
	body  *timedBody // nil where there is none
	begun bool
}

// WriteHeader begins the answer. A refusal does not wait for the rest of a body that
// nobody has begun to read, as net/http would, since its sender may be anybody and
// may never send it. Where a handler has begun, the rest is read first: whoever
// still sends when the connection is closed never sees the answer.
func (a *answerWriter) WriteHeader(status int) {
	if a.body != nil && !a.begun && status >= http.StatusOK {
		a.body.finish()
	}
	a.begun = a.begun || status >= http.StatusOK
	if a.body != nil && !a.body.ended && status >= http.StatusBadRequest {
		a.Header().Set("Connection", "close")
	}
	a.ResponseWriter.WriteHeader(status)
}

// Write begins the answer, if need be.
func (a *answerWriter) Write(b []byte) (int, error) {
	if !a.begun {
		a.WriteHeader(http.StatusOK)
	}
	return a.ResponseWriter.Write(b)
}

// Unwrap gives http.ResponseController the writer below.
func (a *answerWriter) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// timedBody moves the deadline for a body when somebody begins to read it, and
// lifts it at the end: it must not reach into what the handler does afterwards.
type timedBody struct {
	io.ReadCloser
	deadline    func(time.Time) error
	read, ended bool
}

func (b *timedBody) Read(p []byte) (int, error) {
	if !b.read {
		b.read = true
		_ = b.deadline(time.Now().Add(bodyTime))
	}
	n, err := b.ReadCloser.Read(p)
	if errors.Is(err, io.EOF) && !b.ended {
		b.ended = true
		_ = b.deadline(time.Time{})
	}
	return n, err
}

// finish reads what is left, where somebody has begun to.
func (b *timedBody) finish() {
	if !b.read || b.ended {
		return
	}
	_ = b.deadline(time.Now().Add(restTime))
	_, _ = io.CopyN(io.Discard, b, maxRest) // what is still not read then is cut off
}

var (
	_ http.ResponseWriter = (*answerWriter)(nil)
	_ io.ReadCloser       = (*timedBody)(nil)
)
