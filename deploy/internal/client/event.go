package client

import (
	"encoding/json"
	"fmt"
	"time"
)

// Event is one event or frame as it came over the wire. Fields that an event
// does not have are empty.
type Event struct {
	Type      string `json:"type"`
	SessionID string `json:"sessionId"`
	RunID     string `json:"runId"`
	Cursor    string `json:"cursor"`
	Timestamp string `json:"timestamp"`

	ClientID   string  `json:"clientId"`
	Message    string  `json:"message"`
	MessageID  string  `json:"messageId"`
	ParentID   string  `json:"parentId"`
	Role       string  `json:"role"`
	Content    *string `json:"content"`
	Offset     int     `json:"offset"`
	Queued     bool    `json:"queued"`
	Incomplete bool    `json:"incomplete"`
	Restarted  bool    `json:"restarted"`

	CallID    string          `json:"callId"`
	Name      string          `json:"name"`
	Arguments json.RawMessage `json:"arguments"`
	Output    *string         `json:"output"`

	ApprovalID string `json:"approvalId"`
	Decision   string `json:"decision"`

	Status   string          `json:"status"`
	Phase    string          `json:"phase"`
	Title    string          `json:"title"`
	Usage    *Usage          `json:"usage"`
	Messages []HistoryItem   `json:"messages"`
	Error    json.RawMessage `json:"error"` // an object in run_finished, a text in error frames
	Code     string          `json:"code"`
	Hint     string          `json:"hint"`

	Raw []byte    `json:"-"` // the JSON as it came
	At  time.Time `json:"-"` // when it came
}

// Usage is a count of tokens.
type Usage struct {
	PromptTokens     int `json:"promptTokens"`
	CompletionTokens int `json:"completionTokens"`
	TotalTokens      int `json:"totalTokens"`
}

// HistoryItem is one message of a history.
type HistoryItem struct {
	ID         string `json:"id"`
	ParentID   string `json:"parentId"`
	RunID      string `json:"runId"`
	Role       string `json:"role"`
	Content    string `json:"content"`
	Timestamp  string `json:"timestamp"`
	Incomplete bool   `json:"incomplete"`
}

// History is a session's messages.
type History struct {
	Type      string        `json:"type"`
	SessionID string        `json:"sessionId"`
	Head      string        `json:"head"`
	Messages  []HistoryItem `json:"messages"`
}

// Fault is the JSON error of the protocol.
type Fault struct {
	Error     string `json:"error"`
	Code      string `json:"code"`
	Hint      string `json:"hint"`
	RequestID string `json:"requestId"`
}

// Text is the content, empty where there is none.
func (e Event) Text() string {
	if e.Content == nil {
		return ""
	}
	return *e.Content
}

// Out is a tool result's output.
func (e Event) Out() string {
	if e.Output == nil {
		return ""
	}
	return *e.Output
}

// Fault is the error that the event carries, as an object or beside its type.
func (e Event) Fault() Fault {
	var f Fault
	if json.Unmarshal(e.Error, &f) == nil && f.Code != "" {
		return f
	}
	// An error frame: its fields stand beside the type.
	_ = json.Unmarshal(e.Raw, &f)
	return f
}

// String is the JSON as it came, for a failed test's text.
func (e Event) String() string { return string(e.Raw) }

// unnumbered are the types that have no cursor and no id.
var unnumbered = map[string]bool{
	"connected": true, "status": true, "error": true, "pong": true, "history": true, "history_cleared": true,
}

func parse(raw []byte) (Event, error) {
	e := Event{Raw: raw, At: time.Now()}
	if err := json.Unmarshal(raw, &e); err != nil {
		return Event{}, fmt.Errorf("event is not JSON: %w: %.200s", err, raw)
	}
	return e, e.check()
}

// check holds an event to what section 4 of the design says of every event.
func (e Event) check() error {
	switch {
	case e.Type == "":
		return fmt.Errorf("event without a type: %s", e.Raw)
	case unnumbered[e.Type] && e.Cursor != "":
		return fmt.Errorf("a %s has a cursor: %s", e.Type, e.Raw)
	case unnumbered[e.Type]:
		return nil
	case e.Cursor == "":
		return fmt.Errorf("a %s has no cursor: %s", e.Type, e.Raw)
	case e.SessionID == "":
		return fmt.Errorf("a %s has no sessionId: %s", e.Type, e.Raw)
	}
	if _, err := time.Parse(time.RFC3339Nano, e.Timestamp); err != nil {
		return fmt.Errorf("a %s has no RFC 3339 timestamp: %s", e.Type, e.Raw)
	}
	return nil
}
