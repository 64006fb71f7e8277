package fault

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Error is an error that people and programs can act on.
type Error struct {
	Code       Code          // what kind of error, for programs
	Message    string        // what happened, for people
	Hint       string        // what to do next
	RequestID  string        // which request, for the log
	Param      string        // the field of the request that it is about, for OpenAI's clients; empty where it is not about one
	RetryAfter time.Duration // when to try again; 0 means not said
	cause      error
}

// New makes an error of a kind.
func New(code Code, message, hint string) *Error {
	return &Error{Code: code, Message: message, Hint: hint}
}

// Wrap makes an error of a kind with a cause that stays on this side of the wire.
func Wrap(cause error, code Code, message, hint string) *Error {
	return &Error{Code: code, Message: message, Hint: hint, cause: cause}
}

// Internal wraps a cause that nobody outside can do anything about.
func Internal(cause error) *Error {
	return Wrap(cause, CodeInternal, "internal error", "try again; if it stays, look for the request id in the log")
}

// Error returns the text for a log: code, message and cause.
func (e *Error) Error() string {
	if e.cause != nil {
		return fmt.Sprintf("%s: %s: %v", e.Code, e.Message, e.cause)
	}
	return fmt.Sprintf("%s: %s", e.Code, e.Message)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.cause }

// Status is the HTTP status of the error's code.
func (e *Error) Status() int { return e.Code.Status() }

// With returns a copy that names the request.
func (e *Error) With(requestID string) *Error {
	c := *e
	c.RequestID = requestID
	return &c
}

// Because returns a copy with a cause that stays on this side of the wire.
func (e *Error) Because(cause error) *Error {
	c := *e
	c.cause = cause
	return &c
}

// About returns a copy that names the field of the request that it is about.
func (e *Error) About(param string) *Error {
	c := *e
	c.Param = param
	return &c
}

// After returns a copy that says when to try again.
func (e *Error) After(d time.Duration) *Error {
	c := *e
	c.RetryAfter = d
	return &c
}

// RetrySeconds is RetryAfter for the Retry-After header: whole seconds, rounded
// up, at least 1 for the statuses that promise the header, else 0.
func (e *Error) RetrySeconds() int {
	s := e.RetryAfterSeconds()
	if st := e.Status(); s < 1 && (st == 429 || st == 503 || e.Code == CodeSessionBusy) {
		return 1
	}
	return s
}

// RetryAfterSeconds is RetryAfter as JSON says it: whole seconds, rounded up, 0
// where it was not said.
func (e *Error) RetryAfterSeconds() int {
	return int(max(0, (e.RetryAfter+time.Second-1)/time.Second))
}

// From finds the Error in err's chain; anything else becomes an internal one.
// From(nil) is nil.
func From(err error) *Error {
	if err == nil {
		return nil
	}
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return Internal(err)
}

// CodeOf is the code of err, on whichever side of the wire it was made.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	return From(err).Code
}

type wire struct {
	Error      string `json:"error"`
	Code       Code   `json:"code"`
	Hint       string `json:"hint,omitempty"`
	RequestID  string `json:"requestId,omitempty"`
	RetryAfter int    `json:"retryAfter,omitempty"`
}

// MarshalJSON returns the form that clients see; the cause is not in it. Its
// receiver is a value, so that an Error by value has that form, too.
func (e Error) MarshalJSON() ([]byte, error) {
	return json.Marshal(wire{e.Message, e.Code, e.Hint, e.RequestID, e.RetryAfterSeconds()})
}

// UnmarshalJSON reads what an Error wrote in either dialect, on the other side of
// the wire.
func (e *Error) UnmarshalJSON(b []byte) error {
	if e.unmarshalOpenAI(b) {
		return nil
	}
	var w wire
	if err := json.Unmarshal(b, &w); err != nil {
		return err
	}
	*e = Error{Code: w.Code, Message: w.Error, Hint: w.Hint, RequestID: w.RequestID, RetryAfter: time.Duration(w.RetryAfter) * time.Second}
	return nil
}

// FromResponse reads the error out of a response's status and body. A body that
// is not ours still gives an error with the status's own code.
func FromResponse(status int, body []byte) *Error {
	var e Error
	if json.Unmarshal(body, &e) == nil && e.Code != "" {
		return &e
	}
	return New(CodeForStatus(status), fmt.Sprintf("the agent answered with status %d", status), "look for the request id in the agent's log")
}

var (
	_ error          = (*Error)(nil)
	_ json.Marshaler = (*Error)(nil)
)
