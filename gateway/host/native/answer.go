package native

import (
	"net/http"
	"strconv"

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
	setAll(w.Header(), d.Header)
	header, answer := edge.Refusal(e, d.Dialect)
	return respond(w, r, header, answer.Status, answer.Body)
}
