package chat

import (
	"encoding/json"

	"github.com/loongclaw/loongclaw/pkg/fault"
)

// The types of events and server frames.
const (
	TypeConnected        = "connected"
	TypeRunStarted       = "run_started"
	TypeMessage          = "message"
	TypeMessageChunk     = "message_chunk"
	TypeMessageComplete  = "message_complete"
	TypeReasoningChunk   = "reasoning_chunk"
	TypeToolCall         = "tool_call"
	TypeToolResult       = "tool_result"
	TypeApprovalRequired = "approval_required"
	TypeApprovalResolved = "approval_resolved"
	TypeClientCalls      = "client_calls"
	TypeRunFinished      = "run_finished"
	TypeSessionUpdated   = "session_updated"
	TypeTodo             = "todo"
	TypeStatus           = "status"
	TypeHistory          = "history"
	TypeHistoryCleared   = "history_cleared"
	TypeError            = "error"
	TypePong             = "pong"
)

// How a run can end.
const (
	RunDone        = "done"
	RunCancelled   = "cancelled"
	RunFailed      = "failed"
	RunInterrupted = "interrupted"
)

// How a tool call can end.
const (
	ToolOK      = "ok"
	ToolError   = "error"
	ToolDenied  = "denied"
	ToolSkipped = "skipped"
)

// What a status event can say.
const (
	PhaseWaking    = "waking"
	PhaseRestoring = "restoring"
	PhaseReady     = "ready"
	PhaseThinking  = "thinking"
)

// What a user can decide about a tool call that asks.
const (
	DecideOnce    = "once"
	DecideTurn    = "turn" // this scope, until the run ends
	DecideSession = "session"
	Decide7Days   = "remember_7d"
	DecideDeny    = "deny"
)

// ReasonForeignText says of a question that the model has text before it which
// others than the user may have written: standing approvals do not count then.
const ReasonForeignText = "foreign_text"

// Decisions returns what can be decided about a question, by its reason: where others
// may have had a say nothing outlives the run.
func Decisions(reason string) []string {
	if reason == ReasonForeignText {
		return []string{DecideOnce, DecideTurn, DecideDeny}
	}
	return []string{DecideOnce, DecideTurn, DecideSession, Decide7Days, DecideDeny}
}

// RoleUser and RoleAssistant are who says a message. RoleSystem stands in a history
// at what the agent itself has written there: a summary.
const (
	RoleSystem    = "system"
	RoleUser      = "user"
	RoleAssistant = "assistant"
)

// ClientCall is a call that a client of /v1 runs with a tool of its own.
type ClientCall struct {
	ID        string          `json:"id"`     // as the client knows it
	CallID    string          `json:"callId"` // as tool_call and tool_result name it
	Name      string          `json:"name"`
	Arguments json.RawMessage `json:"arguments"`
}

// Event is one thing that happened in a session. The same JSON is the data line
// of an SSE event and a WebSocket frame. Which fields an event of a type has
// stands in docs/PROTOCOL.md; absent ones are left out.
type Event struct {
	Type      string `json:"type"`
	SessionID string `json:"sessionId,omitempty"`
	RunID     string `json:"runId,omitempty"`
	Cursor    string `json:"cursor,omitempty"`
	Timestamp Time   `json:"timestamp"`

	MessageID string `json:"messageId,omitempty"`
	ParentID  string `json:"parentId,omitempty"`
	// Siblings are all messages that stand in this one's place, on this branch and
	// others, oldest first; only where ?tail= leaves the others out, and there are some.
	Siblings   []string `json:"siblings,omitempty"`
	Role       string   `json:"role,omitempty"`
	Content    *string  `json:"content,omitempty"`   // pointer: an empty answer still has its content
	Offset     uint64   `json:"offset,omitempty"`    // of reasoning_chunk: how many bytes came before it; none begins anew
	Truncated  bool     `json:"truncated,omitempty"` // of reasoning_chunk: there is more reasoning, which is not shown
	Queued     bool     `json:"queued,omitempty"`
	Incomplete bool     `json:"incomplete,omitempty"`
	Finish     Finish   `json:"finish,omitempty"` // of message_complete
	Restarted  bool     `json:"restarted,omitempty"`

	CallID    string          `json:"callId,omitempty"`
	Name      string          `json:"name,omitempty"`
	Arguments json.RawMessage `json:"arguments,omitempty"`
	Output    *string         `json:"output,omitempty"`
	Calls     []ClientCall    `json:"calls,omitempty"` // of client_calls

	ApprovalID string   `json:"approvalId,omitempty"`
	Scope      string   `json:"scope,omitempty"`
	Decisions  []string `json:"decisions,omitempty"` // of approval_required: what may be decided
	Reason     string   `json:"reason,omitempty"`    // why it asks although a standing approval might be there
	Sources    []string `json:"sources,omitempty"`   // of ReasonForeignText: where the text comes from
	ExpiresAt  *Time    `json:"expiresAt,omitempty"`
	Decision   string   `json:"decision,omitempty"`

	Status string       `json:"status,omitempty"` // of a run or of a tool call
	Phase  string       `json:"phase,omitempty"`
	Title  string       `json:"title,omitempty"`
	Head   string       `json:"head,omitempty"`  // of session_updated: the end of the branch that is shown now
	Model  string       `json:"model,omitempty"` // of session_updated: who answers first from now on; none: the default
	Usage  *Usage       `json:"usage,omitempty"`
	Error  *fault.Error `json:"error,omitempty"`

	Items []TodoItem `json:"items,omitzero"` // of todo: the whole list, which may be empty

	Attachments []Attachment `json:"attachments,omitempty"` // of message
}

// Text is the event's content, empty where it has none.
func (e *Event) Text() string {
	if e.Content == nil {
		return ""
	}
	return *e.Content
}

// Text makes a content out of a string.
func Text(s string) *string { return &s }

// Finish says why an answer ended.
type Finish string

// Why an answer ended. An answer that broke off has none.
const (
	FinishStop          Finish = "stop"           // the model had said what it wanted to say
	FinishLength        Finish = "length"         // a limit on tokens cut it off
	FinishToolCalls     Finish = "tool_calls"     // tool calls follow
	FinishContentFilter Finish = "content_filter" // the provider's filter cut it off
	FinishRefusal       Finish = "refusal"        // the model declined to answer
	FinishEmpty         Finish = "empty"          // it held neither text nor tool calls
)

// Usage counts tokens as the provider did. CachedTokens are part of
// PromptTokens, ReasoningTokens of CompletionTokens; both are 0 where the
// provider does not say.
type Usage struct {
	PromptTokens     int `json:"promptTokens"`
	CompletionTokens int `json:"completionTokens"`
	TotalTokens      int `json:"totalTokens"`
	CachedTokens     int `json:"cachedTokens,omitempty"`
	ReasoningTokens  int `json:"reasoningTokens,omitempty"`
}

// Add sums two counts; either may be nil.
func (u *Usage) Add(o *Usage) *Usage {
	switch {
	case u == nil:
		return o
	case o == nil:
		return u
	}
	return &Usage{
		PromptTokens: u.PromptTokens + o.PromptTokens, CompletionTokens: u.CompletionTokens + o.CompletionTokens,
		TotalTokens: u.TotalTokens + o.TotalTokens, CachedTokens: u.CachedTokens + o.CachedTokens,
		ReasoningTokens: u.ReasoningTokens + o.ReasoningTokens,
	}
}

// Minus returns a count without an earlier one that it holds.
func (u *Usage) Minus(o Usage) *Usage {
	if u == nil {
		return nil
	}
	return &Usage{
		PromptTokens: u.PromptTokens - o.PromptTokens, CompletionTokens: u.CompletionTokens - o.CompletionTokens,
		TotalTokens: u.TotalTokens - o.TotalTokens, CachedTokens: u.CachedTokens - o.CachedTokens,
		ReasoningTokens: u.ReasoningTokens - o.ReasoningTokens,
	}
}

// Message is one message of a session's history.
type Message struct {
	ID         string `json:"id"`
	ParentID   string `json:"parentId,omitempty"`
	RunID      string `json:"runId,omitempty"`
	Role       string `json:"role"`
	Content    string `json:"content"`
	Timestamp  Time   `json:"timestamp"`
	Incomplete bool   `json:"incomplete,omitempty"`
	Finish     Finish `json:"finish,omitempty"`    // of a complete answer
	Queued     bool   `json:"queued,omitempty"`    // it waits for its turn; nothing answers it yet
	Reasoning  string `json:"reasoning,omitempty"` // of an answer, where it is asked for
	Summary    bool   `json:"summary,omitempty"`   // of role system: it stands for all messages up to its parent

	Attachments []Attachment `json:"attachments,omitempty"` // of a user's message
}

// History is the answer of /api/history and, with its type, the history frame.
type History struct {
	Type      string    `json:"type,omitempty"`
	SessionID string    `json:"sessionId"`
	Head      string    `json:"head,omitempty"`
	Messages  []Message `json:"messages"`
	Todo      *Todo     `json:"todo,omitempty"` // what is to be done on the shown branch, where a list was written
}

// Session is one row of /api/sessions.
type Session struct {
	ID        string `json:"id"`
	Title     string `json:"title"`
	CreatedAt Time   `json:"createdAt"`
	UpdatedAt Time   `json:"updatedAt"`
	Messages  int    `json:"messages"`
	Head      string `json:"head,omitempty"`
	Model     string `json:"model,omitempty"` // who answers first here, as GET /api/models names it; none: the default
	State     State  `json:"state,omitempty"`
}

// Run is the 202 answer to a message: it is stored, and this run will answer it.
// Reading events after Cursor gives the message and everything that follows.
type Run struct {
	RunID     string `json:"runId"`
	MessageID string `json:"messageId"`
	SessionID string `json:"sessionId"`
	Cursor    string `json:"cursor"`
}

// Connected is the first frame on a WebSocket, as the original has it.
type Connected struct {
	Type     string `json:"type"` // TypeConnected
	ClientID string `json:"clientId"`
	Message  string `json:"message"`
}

// Pong answers a ping.
type Pong struct {
	Type string `json:"type"` // TypePong
}

// ErrorFrame is an error as a WebSocket frame or an SSE event: the JSON error
// with a type, and the session that it is about, where there is one.
type ErrorFrame struct {
	SessionID string
	Error     *fault.Error
}

// MarshalJSON joins the type with the error's own fields.
func (f ErrorFrame) MarshalJSON() ([]byte, error) {
	e := f.Error
	return json.Marshal(struct {
		Type      string     `json:"type"`
		SessionID string     `json:"sessionId,omitempty"`
		Error     string     `json:"error"`
		Code      fault.Code `json:"code"`
		Hint      string     `json:"hint,omitempty"`
		RequestID string     `json:"requestId,omitempty"`
		Retry     int        `json:"retryAfter,omitempty"`
	}{TypeError, f.SessionID, e.Message, e.Code, e.Hint, e.RequestID, e.RetryAfterSeconds()})
}
