package modeltest

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Reply says how one request is answered. The zero value is an echo. Its JSON
// form is what scripts inside messages use.
type Reply struct {
	Text       string   `json:"text,omitempty"`
	Pieces     []string `json:"pieces,omitempty"` // exactly these deltas, instead of Text in Chunks
	Chunks     int      `json:"chunks,omitempty"` // into how many deltas Text goes; 0 is one for each word
	Delay      Millis   `json:"delayMs,omitempty"`
	FirstDelay Millis   `json:"firstDelayMs,omitempty"` // before the status and headers
	Reasoning  string   `json:"reasoning,omitempty"`
	Calls      []Call   `json:"calls,omitempty"`
	CallStyle  string   `json:"callStyle,omitempty"` // one of the Style constants
	Usage      *Usage   `json:"usage,omitempty"`     // nil counts words
	NoUsage    bool     `json:"noUsage,omitempty"`
	Finish     string   `json:"finish,omitempty"` // "" is stop, or tool_calls where there are calls

	Fault      string `json:"fault,omitempty"`      // one of the Fault constants
	After      int    `json:"after,omitempty"`      // how many deltas come before the fault
	Status     int    `json:"status,omitempty"`     // other than 200
	RetryAfter string `json:"retryAfter,omitempty"` // with Status
	Body       string `json:"body,omitempty"`       // with Status; "" is an error in OpenAI's form
	Raw        string `json:"raw,omitempty"`        // the stream, byte for byte, instead of all above
	Type       string `json:"type,omitempty"`       // the content type; "" is text/event-stream
}

// Call is a tool call to ask for.
type Call struct {
	ID        string          `json:"id,omitempty"`
	Name      string          `json:"name"`
	Arguments json.RawMessage `json:"arguments,omitempty"` // an object, or a string that is sent as it is
}

// Usage is what the provider counts.
type Usage struct {
	Prompt     int `json:"prompt_tokens"`
	Completion int `json:"completion_tokens"`
	Total      int `json:"total_tokens"`
}

// Millis is a time in milliseconds.
type Millis int

// Duration gives it as Go has it.
func (m Millis) Duration() time.Duration { return time.Duration(m) * time.Millisecond }

// How tool calls are streamed.
const (
	StyleDeltas      = ""            // in pieces, one call after the other
	StyleWhole       = "whole"       // in one delta, as GLM does
	StyleInterleaved = "interleaved" // pieces of parallel calls in turn
	StyleRepeatType  = "repeat_type" // "type":"function" on each delta
	StyleEmptyDelta  = "empty_delta" // a delta without anything after each call
	StyleWithText    = "with_text"   // text and calls in one delta
	StyleNoIndex     = "no_index"    // no index, each call whole
	StyleObject      = "object"      // the arguments as an object, not a string
)

// What goes wrong.
const (
	FaultHang        = "hang"         // nothing comes, not even a status
	FaultStall       = "stall"        // after some deltas nothing more comes
	FaultNoise       = "noise"        // after some deltas only comments come
	FaultCut         = "cut"          // the connection breaks
	FaultEnd         = "end"          // a clean end without a finish reason and [DONE]
	FaultNoDone      = "no_done"      // a finish reason, then a clean end
	FaultNoFinish    = "no_finish"    // [DONE] without a finish reason
	FaultError       = "error"        // {"error":…} in mid-stream
	FaultHuge        = "huge"         // everything in one line; Chunks counts for nothing
	FaultHalfBytes   = "half_bytes"   // each delta ends inside a character, as bytes
	FaultHalfUnits   = "half_units"   // emoji cut between their UTF-16 surrogates
	FaultAfterFinish = "after_finish" // a chunk with an empty finish reason after the real one
	FaultLinger      = "linger"       // complete, but the connection stays open
	FaultSticky      = "sticky"       // no empty lines between events, CRLF at their ends
)

// echo is the reply to what has no script.
func echo(r *Request) Reply {
	text := r.LastUser()
	if result := r.LastResult(); result != "" {
		text = result
	}
	words := strings.Fields(text)
	var b strings.Builder
	b.WriteString("echo:")
	for i := range 49 {
		if i < len(words) {
			b.WriteString(" " + words[i])
			continue
		}
		fmt.Fprintf(&b, " %d", i+2)
	}
	return Reply{Text: b.String(), Chunks: 50}
}

// pieces are the deltas of the reply's text.
func (r *Reply) pieces() []string {
	switch {
	case r.Pieces != nil:
		return r.Pieces
	case r.Text == "":
		return nil
	case r.Fault == FaultHuge:
		return []string{r.Text}
	case r.Fault == FaultHalfBytes:
		return everyBytes(r.Text, 4)
	case r.Chunks > 0:
		return inChunks(r.Text, r.Chunks)
	}
	return strings.SplitAfter(r.Text, " ")
}

func everyBytes(s string, n int) []string {
	var out []string
	for len(s) > n {
		out, s = append(out, s[:n]), s[n:]
	}
	return append(out, s)
}

// inChunks cuts into n pieces between characters, fewer where the text is short.
func inChunks(s string, n int) []string {
	runes := []rune(s)
	n = min(n, len(runes))
	out := make([]string, 0, n)
	for i := range n {
		out = append(out, string(runes[i*len(runes)/n:(i+1)*len(runes)/n]))
	}
	return out
}

// arguments are the call's arguments as they stand in the stream's string.
func (c Call) arguments() string {
	var s string
	if json.Unmarshal(c.Arguments, &s) == nil && len(c.Arguments) > 0 && c.Arguments[0] == '"' {
		return s
	}
	return string(c.Arguments)
}
