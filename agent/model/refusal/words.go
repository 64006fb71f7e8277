package refusal

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
)

// Words are what a provider said, out of whichever form it used.
type Words struct {
	Status  int // of the answer; 200 for an error inside of one
	Type    string
	Code    string
	Message string
}

// form is the union of the forms that are about.
type form struct {
	Error    json.RawMessage `json:"error"`
	Errors   json.RawMessage `json:"errors"`
	Data     json.RawMessage `json:"data"`
	Detail   json.RawMessage `json:"detail"` // FastAPI's servers
	BaseResp json.RawMessage `json:"base_resp"`

	Message   text `json:"message"`
	Msg       text `json:"msg"`
	ErrorMsg  text `json:"error_msg"`
	StatusMsg text `json:"status_msg"`
	Refusal   text `json:"error_message"`

	Type   text `json:"type"`
	Status text `json:"status"` // Google's word for the type

	Code       text `json:"code"`
	ErrorCode  text `json:"error_code"`
	StatusCode text `json:"status_code"`

	Metadata struct {
		Raw text `json:"raw"` // OpenRouter: what its own provider said
	} `json:"metadata"`
}

// text is a string, or a number as one; anything else is empty.
type text string

// UnmarshalJSON never fails: an error in an unknown form is an error all the same.
func (t *text) UnmarshalJSON(b []byte) error {
	var s string
	switch {
	case json.Unmarshal(b, &s) == nil:
		*t = text(s)
	case len(b) > 0 && (b[0] == '-' || (b[0] >= '0' && b[0] <= '9')):
		*t = text(b)
	}
	return nil
}

// maxDepth bounds how deep an error may be wrapped.
const maxDepth = 4

// Parse reads the body of a refusal, whatever its form: JSON of many kinds, or
// plain text.
func Parse(status int, body []byte) Words {
	w := Words{Status: status}
	w.read(body, 0)
	w.Message = strings.ToValidUTF8(strings.TrimSpace(w.Message), "")
	return w
}

// InAnswer reports whether an answer with status 200 holds an error instead, and
// returns its words. raw is the whole body, or one event of a stream.
func InAnswer(raw []byte) (Words, bool) {
	var f form
	if json.Unmarshal(raw, &f) != nil {
		return Words{}, false
	}
	switch {
	case present(f.Error), f.failedInside():
	case f.Type == "error" || f.Code != "" && f.Code != "0" && f.Code != "200" && (f.Message != "" || f.Msg != ""):
	default:
		return Words{}, false
	}
	return Parse(200, raw), true
}

// failedInside is MiniMax's way: the answer has an envelope with a status.
func (f *form) failedInside() bool {
	var inner form
	return present(f.BaseResp) && json.Unmarshal(f.BaseResp, &inner) == nil && inner.StatusCode != "" && inner.StatusCode != "0"
}

// present reports whether a raw field holds anything: some servers send an empty
// error with every event.
func present(raw json.RawMessage) bool {
	switch string(bytes.TrimSpace(raw)) {
	case "", "null", `""`, "{}", "[]", "false", "0":
		return false
	}
	return true
}

func (w *Words) read(raw []byte, depth int) {
	raw = bytes.TrimSpace(raw)
	if depth > maxDepth || len(raw) == 0 {
		return
	}
	switch raw[0] {
	case '[':
		var list []json.RawMessage
		if json.Unmarshal(raw, &list) == nil && len(list) > 0 {
			w.read(list[0], depth+1)
		}
		return
	case '"':
		var s string
		if json.Unmarshal(raw, &s) == nil {
			w.readText(s, depth)
		}
		return
	case '{':
	default:
		w.fill("", "", string(raw))
		return
	}
	var f form
	if json.Unmarshal(raw, &f) != nil {
		w.fill("", "", string(raw))
		return
	}
	kind := f.Type
	if kind == "" || kind == "error" {
		kind = f.Status
	}
	w.fill(string(kind), firstOf(f.Code, f.ErrorCode, f.StatusCode), firstOf(f.Message, f.Msg, f.ErrorMsg, f.StatusMsg, f.Refusal))
	if f.Metadata.Raw != "" {
		w.Message += " " + string(f.Metadata.Raw)
	}
	for _, inner := range []json.RawMessage{f.Error, f.BaseResp, f.Detail, f.Errors, f.Data} {
		if present(inner) {
			w.read(inner, depth+1)
		}
	}
}

// readText reads a string, which may hold JSON once more.
func (w *Words) readText(s string, depth int) {
	if t := strings.TrimSpace(s); strings.HasPrefix(t, "{") && json.Valid([]byte(t)) {
		w.read([]byte(t), depth+1)
		return
	}
	w.fill("", "", s)
}

// fill takes what is not known yet: an outer form is more general than an inner
// one, so an inner one adds and does not replace.
func (w *Words) fill(kind, code, message string) {
	if kind != "" && kind != "error" {
		w.Type = join(w.Type, kind)
	}
	if code != "" && code != "0" && code != strconv.Itoa(w.Status) {
		w.Code = join(w.Code, code)
	}
	if message != "" && !strings.Contains(w.Message, message) {
		w.Message = join(w.Message, message)
	}
}

func join(a, b string) string {
	if a == "" || a == b {
		return b
	}
	return a + " " + b
}

func firstOf(all ...text) string {
	for _, t := range all {
		if t != "" {
			return string(t)
		}
	}
	return ""
}

// All is everything that was said, for a log.
func (w *Words) All() string { return strings.TrimSpace(w.Type + " " + w.Code + " " + w.Message) }
