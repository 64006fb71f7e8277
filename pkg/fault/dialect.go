package fault

import (
	"encoding/json"
	"strings"
)

// Dialect is a form in which a client expects an error. The path of a request
// decides it, so that whoever refuses the request finds the same one.
type Dialect int

// The dialects.
const (
	// Own is {"error":"…","code":"…","hint":"…","requestId":"…"}.
	Own Dialect = iota
	// OpenAI is {"error":{"message":"…","type":"…","param":…,"code":"…",…}}. Its
	// clients read nothing else.
	OpenAI
)

// openAIRoot is where the OpenAI-compatible paths begin.
const openAIRoot = "/v1"

// DialectOf returns the dialect of a request's path or target, whether there is
// such a path or not: a client that mistyped one reads the refusal, too.
func DialectOf(target string) Dialect {
	rest, ok := strings.CutPrefix(target, openAIRoot)
	if ok && (rest == "" || strings.ContainsRune("/?#", rune(rest[0]))) {
		return OpenAI
	}
	return Own
}

// JSON returns e as a client of the dialect expects it. The cause is not in it.
func (e *Error) JSON(d Dialect) []byte {
	var v any = e
	if d == OpenAI {
		v = openAIForm{openAIError{
			Message: e.Message, Type: e.openAIType(), Param: textOrNull(e.Param), Code: e.Code,
			Hint: e.Hint, RequestID: e.RequestID,
		}}
	}
	b, _ := json.Marshal(v) // strings and a number: cannot fail
	return b
}

// openAIForm is an error in OpenAI's form. Code is ours, as everywhere; when to try
// again stands in the header Retry-After, where these clients look for it.
type openAIForm struct {
	Error openAIError `json:"error"`
}

type openAIError struct {
	Message   string  `json:"message"`
	Type      string  `json:"type"`
	Param     *string `json:"param"` // always there: clients read null as "not about one field"
	Code      Code    `json:"code"`
	Hint      string  `json:"hint,omitempty"`
	RequestID string  `json:"requestId,omitempty"`
}

// openAIType is what OpenAI's clients tell errors apart by, beside the status.
func (e *Error) openAIType() string {
	switch e.Status() {
	case 400, 404, 405, 413, 422:
		return "invalid_request_error"
	case 401:
		return "authentication_error"
	case 403:
		return "permission_error"
	case 429:
		return "rate_limit_error"
	}
	return "server_error"
}

func textOrNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// unmarshalOpenAI reads what JSON wrote for an OpenAI client, and reports whether
// that is what it was.
func (e *Error) unmarshalOpenAI(b []byte) bool {
	var w openAIForm
	if json.Unmarshal(b, &w) != nil || w.Error.Code == "" {
		return false
	}
	*e = Error{Code: w.Error.Code, Message: w.Error.Message, Hint: w.Error.Hint, RequestID: w.Error.RequestID}
	if w.Error.Param != nil {
		e.Param = *w.Error.Param
	}
	return true
}
