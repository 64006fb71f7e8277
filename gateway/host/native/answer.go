package native

import (
	"errors"
	"io"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/loongclaw/loongclaw/gateway/edge"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// respond writes an answer that is complete.
func respond(w http.ResponseWriter, r *http.Request, header http.Header, status int, body []byte) int {
	setAll(w.Header(), header)
	if body != nil {
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	}
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // a client that went away needs no answer
	}
	return status
}

// refuse answers with an error that the host found.
func (h *Host) refuse(w http.ResponseWriter, r *http.Request, d edge.Decision, err error) int {
	e := fault.From(err).With(d.RequestID)
	if e.Status() >= 500 {
		h.Log.Warn("request failed", "path", r.URL.Path, "requestId", d.RequestID, "error", err)
	}
	body := e.JSON(d.Dialect)
	setAll(w.Header(), d.Header)
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	if s := e.RetrySeconds(); s > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(s))
	}
	return respond(w, r, nil, e.Status(), body)
}

func setAll(dst, src http.Header) {
	for k, v := range src {
		dst[k] = v
	}
}

// bodyRate is the slowest body that is waited for, in bytes a second, once
// Wait.Body is over.
const bodyRate = 64 << 10

// readBody reads all of a request's body before anything is sent on: a proxy
// that streams a body while the answer comes loses ends of answers
// (golang/go#40747).
func (h *Host) readBody(w http.ResponseWriter, r *http.Request, most int64) ([]byte, error) {
	if r.ContentLength == 0 || r.Body == nil || r.Body == http.NoBody {
		return nil, nil
	}
	if r.ContentLength > most {
		return nil, errTooLarge
	}
	rc := http.NewResponseController(w)
	expect := max(r.ContentLength, 0)
	if r.ContentLength < 0 {
		expect = most
	}
	limit := h.Wait.Body + time.Duration(expect)*time.Second/bodyRate
	if expect < bodyRate {
		limit = h.Wait.Body
	}
	_ = rc.SetReadDeadline(h.Now().Add(limit))
	body, err := readAll(http.MaxBytesReader(w, r.Body, most), r.ContentLength)
	if err != nil {
		// The deadline stays: the server must not wait for the rest, either.
		return nil, bodyFault(w, err)
	}
	_ = rc.SetReadDeadline(time.Time{})
	return body, nil
}

var errTooLarge = fault.New(fault.CodeTooLarge, "the body is too large for this path", "send it in parts, or as a file")

func bodyFault(w http.ResponseWriter, err error) error {
	var big *http.MaxBytesError
	w.Header().Set("Connection", "close")
	switch {
	case errors.As(err, &big):
		return errTooLarge
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fault.New(fault.CodeTimeout, "the body did not come in time", "send it again, faster or in parts")
	}
	return fault.Wrap(err, fault.CodeInvalidRequest, "the body broke off", "send it again")
}

// readAll reads a body in one piece when its length is said and modest. A large
// claim alone gets no memory.
func readAll(r io.Reader, length int64) ([]byte, error) {
	if length < 0 || length > 1<<20 {
		return io.ReadAll(r)
	}
	b := make([]byte, length)
	_, err := io.ReadFull(r, b)
	return b, err
}
