package workers

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/loongclaw/loongclaw/gateway/edge"
)

var errShort = errors.New("the message from JavaScript is cut short")

// decodeVars reads name, value, ….
func decodeVars(in string) map[string]string {
	vars := make(map[string]string)
	for in != "" {
		var name, value string
		name, in, _ = strings.Cut(in, sep)
		value, in, _ = strings.Cut(in, sep)
		vars[name] = value
	}
	return vars
}

// decodeDecide reads a request's head and the facts that answer the core's
// questions: method, target, host, "1" for TLS, remote address, length, request
// id; limits, each key, "1" for allowed, remaining, reset and retry in
// milliseconds; spent keys, each key, "1" for "this call did it"; "1" for the keys
// of Cloudflare Access, "1" for refreshed ones and their text; how the user's agent
// is; headers, each name, value; "1" for a body, and the body. A number stands before each list.
func decodeDecide(in string) (edge.Head, edge.Facts, error) {
	r := reader{rest: in, more: true}
	h := edge.Head{
		Method: r.text(), Target: r.text(), Host: r.text(), TLS: r.flag(), RemoteAddr: r.text(),
		Length: r.number(), RequestID: r.text(),
	}
	facts := edge.Facts{Limits: r.limits()}
	r.each(func() {
		key, first := r.text(), r.flag()
		if facts.Spent == nil {
			facts.Spent = make(map[string]bool)
		}
		facts.Spent[key] = first
	})
	if r.flag() {
		facts.AccessKeys = &edge.KeysAnswer{Refreshed: r.flag(), JSON: r.text()}
	}
	facts.Agent = r.text()
	h.Header = make(http.Header)
	r.each(func() {
		name, value := r.text(), r.text()
		h.Header.Add(name, value)
	})
	if r.flag() {
		h.Body = []byte(r.rest)
	}
	return h, facts, r.err
}

// decodeFrame reads a client's frame: the identity that stands beside its socket,
// "1" for a binary one, limits as above, and the frame.
func decodeFrame(in string) (id edge.Identity, binary bool, facts edge.Facts, frame []byte, err error) {
	r := reader{rest: in, more: true}
	id, binary = r.identity(), r.flag()
	facts.Limits = r.limits()
	return id, binary, facts, []byte(r.rest), r.err
}

// identity reads what stands beside a socket.
func (r *reader) identity() edge.Identity {
	var id edge.Identity
	if err := json.Unmarshal([]byte(r.text()), &id); err != nil && r.err == nil {
		r.err = fmt.Errorf("the identity beside a socket: %w", err)
	}
	return id
}

func (r *reader) limits() map[string]edge.LimitAnswer {
	var all map[string]edge.LimitAnswer
	r.each(func() {
		key := r.text()
		answer := edge.LimitAnswer{Allowed: r.flag(), Remaining: int(r.number()), Reset: r.millis(), RetryAfter: r.millis()}
		if all == nil {
			all = make(map[string]edge.LimitAnswer)
		}
		all[key] = answer
	})
	return all
}

// reader takes fields off a message. After an error it gives zeros.
type reader struct {
	rest string
	more bool // a field follows, perhaps an empty one
	err  error
}

func (r *reader) text() string {
	if !r.more {
		if r.err == nil {
			r.err = errShort
		}
		return ""
	}
	var field string
	field, r.rest, r.more = strings.Cut(r.rest, sep)
	return field
}

func (r *reader) flag() bool { return r.text() == "1" }

func (r *reader) number() int64 {
	n, err := strconv.ParseInt(r.text(), 10, 64)
	if err != nil && r.err == nil {
		r.err = fmt.Errorf("the message from JavaScript: %w", err)
	}
	return n
}

func (r *reader) millis() time.Duration { return time.Duration(r.number()) * time.Millisecond }

// each reads a number and calls that often, unless the fields run out first.
func (r *reader) each(read func()) {
	for n := r.number(); n > 0 && r.err == nil; n-- {
		read()
	}
}
