package session

import (
	"encoding/json"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/record"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// The records of a session's journal. What a client sees of them is in
// events.go.
const (
	recMessage    = "message"
	recRegenerate = "regenerate"
	recStarted    = "run_started"
	recAnswer     = "answer"
	recCall       = "tool_call"
	recAsk        = "approval_required"
	recDecided    = "approval_resolved"
	recResult     = "tool_result"
	recFinished   = "run_finished"
	recUpdated    = "session_updated"
	recContext    = "turn_context"
	recSummary    = "summary"
	recTodo       = "todo"
	recHanded     = "client_calls"
	recReturned   = "client_results"
)

// messageBody is a user's message; the run of the same record will answer it.
type messageBody struct {
	MessageID   string  `json:"messageId"`
	RunID       string  `json:"runId"`
	ParentID    *string `json:"parentId,omitempty"` // asked for; nil: the answer before it
	Content     string  `json:"content"`
	Queued      bool    `json:"queued,omitempty"`
	Interactive bool    `json:"interactive,omitempty"` // somebody can answer an approval
	Key         string  `json:"key,omitempty"`         // Idempotency-Key
	Hash        string  `json:"hash,omitempty"`        // of the request, to tell another body under the same key
	RequestID   string  `json:"requestId,omitempty"`
	Trace       string  `json:"trace,omitempty"` // the request's place in a trace

	Instructions string  `json:"instructions,omitempty"` // behind the persona, for this message
	Model        *string `json:"model,omitempty"`        // who answers first from this message on; nil: nobody else
	Client       *Client `json:"client,omitempty"`       // what its client brings along

	Attached []Attached `json:"attachments,omitempty"`
}

// Attached is a file that stands with a message, and what a model is shown of it. Both
// are kept with this life of the session, under their hashes.
type Attached struct {
	chat.Attachment
	View *View `json:"view,omitempty"` // nil: nothing, for the reason in Error
}

// View is what a model is shown of a file. It was made when the message came, so that
// the conversation is the same in every later request.
type View struct {
	SHA256    string `json:"sha256"`
	MediaType string `json:"mediaType"`
	Size      int    `json:"size"`
	Width     int    `json:"width,omitempty"`
	Height    int    `json:"height,omitempty"`
	Whole     int    `json:"whole,omitempty"` // bytes of all of a text of which this is the beginning
}

// regenerateBody answers a message again.
type regenerateBody struct {
	RunID     string `json:"runId"`
	MessageID string `json:"messageId"`
	Key       string `json:"key,omitempty"`
	Hash      string `json:"hash,omitempty"`
	RequestID string `json:"requestId,omitempty"`
	Trace     string `json:"trace,omitempty"`
}

// startedBody says that an agent runs a run from here on.
type startedBody struct {
	RunID     string `json:"runId"`
	ParentID  string `json:"parentId,omitempty"` // what the run's message answers, settled now
	Owner     Owner  `json:"owner"`
	Restarted bool   `json:"restarted,omitempty"` // what ran before was cut short
	Resumed   bool   `json:"resumed,omitempty"`   // it had waited for the user; clients see nothing of this
}

// Owner is who runs a run.
type Owner struct {
	Instance string `json:"instance"` // stays over restarts
	Process  string `json:"process"`  // does not
}

type answerBody struct {
	RunID      string      `json:"runId"`
	MessageID  string      `json:"messageId,omitempty"` // none for an answer that only calls tools
	ParentID   string      `json:"parentId,omitempty"`
	Content    string      `json:"content"`
	Calls      []loop.Call `json:"calls,omitempty"`
	Finish     chat.Finish `json:"finish,omitempty"`
	Reasoning  string      `json:"reasoning,omitempty"`
	Usage      *chat.Usage `json:"usage,omitempty"`
	Model      string      `json:"model,omitempty"`
	Incomplete bool        `json:"incomplete,omitempty"`
	Adopted    bool        `json:"adopted,omitempty"`   // its client says that it was given, elsewhere
	Attempt    uint64      `json:"attempt,omitempty"`   // what cursors call this stretch of answer
	ThoughtID  string      `json:"thoughtId,omitempty"` // what its reasoning was shown with, where it is no message

	Native json.RawMessage `json:"native,omitempty"` // what the provider named in Model wants back
}

// Context is what the agent tells the model beside a run's message. It stays
// with that message, so that the conversation is the same in every later request;
// what has changed since goes with the message after it.
type Context struct {
	RunID string `json:"runId"`
	Fence string `json:"fence"`         // a random word, so that no text can end the context by itself
	Day   string `json:"day,omitempty"` // where it is another than the last that the model was told
	Notes []Note `json:"notes,omitempty"`

	Todo     []chat.TodoItem `json:"todo,omitempty"`     // what is to be done, where the model is not told of it yet
	TodoSeen []string        `json:"todoSeen,omitempty"` // the tools whose results were seen by whoever wrote it
}

// Note is a memory that was recalled.
type Note struct {
	ID   string `json:"id"`
	Text string `json:"text"`           // one line
	From string `json:"from,omitempty"` // the session that it came from
	Day  string `json:"day,omitempty"`  // on which it was saved

	Foreign bool `json:"foreign,omitempty"` // it was saved while the model had text of others before it
}

// summaryBody is an attempt to summarise the older part of the branch that a run is
// on. A reader that does not know it sends the messages themselves.
type summaryBody struct {
	RunID string      `json:"runId"`
	ID    string      `json:"id,omitempty"`
	UpTo  string      `json:"upTo,omitempty"`  // the last message that it covers
	Text  string      `json:"text,omitempty"`  // empty: there is none
	Tools []string    `json:"tools,omitempty"` // whose results it was made from
	Notes []string    `json:"notes,omitempty"` // the memories that were in sight, by their ids
	Usage *chat.Usage `json:"usage,omitempty"`
	Model string      `json:"model,omitempty"`
}

type callBody struct {
	RunID     string          `json:"runId"`
	CallID    string          `json:"callId"`
	Name      string          `json:"name"`
	Arguments json.RawMessage `json:"arguments"`        // always an object
	Client    bool            `json:"client,omitempty"` // of a tool that the client runs
}

// Client is what a client brings along with a request: tools of its own, and how
// they may be called.
type Client struct {
	Tools   []loop.Spec `json:"tools,omitempty"`
	Digest  string      `json:"digest,omitempty"` // of the tools; a record without them means those of an earlier one
	Choice  loop.Choice `json:"choice,omitzero"`
	NoCalls bool        `json:"noCalls,omitempty"`
	OneCall bool        `json:"oneCall,omitempty"`
}

// handedBody says that a run waits for its client, which runs these calls.
type handedBody struct {
	RunID     string      `json:"runId"`
	Calls     []string    `json:"calls"` // their ids
	ExpiresAt chat.Time   `json:"expiresAt"`
	Usage     *chat.Usage `json:"usage,omitempty"` // of the run so far
}

// returnedBody says that the client has sent the results of all of them, which stand
// before this record, and what it brings along for what comes next.
type returnedBody struct {
	RunID        string  `json:"runId"`
	Client       *Client `json:"client,omitempty"`
	Instructions *string `json:"instructions,omitempty"` // where they are others than before
	Key          string  `json:"key,omitempty"`
	Hash         string  `json:"hash,omitempty"`
	RequestID    string  `json:"requestId,omitempty"`
	Trace        string  `json:"trace,omitempty"`
}

type askBody struct {
	callBody
	ApprovalID string    `json:"approvalId"`
	Scope      string    `json:"scope"`
	Reason     string    `json:"reason,omitempty"`
	Sources    []string  `json:"sources,omitempty"`
	ExpiresAt  chat.Time `json:"expiresAt"`
}

type decidedBody struct {
	RunID      string `json:"runId"`
	ApprovalID string `json:"approvalId"`
	Decision   string `json:"decision"`
	Expired    bool   `json:"expired,omitempty"`
}

type resultBody struct {
	RunID  string `json:"runId"`
	CallID string `json:"callId"`
	Name   string `json:"name"`
	Status string `json:"status"`
	Output string `json:"output"`
}

// todoBody is a list of what is to be done, as a call of a run has written it. A
// reader that does not know it shows the call and its result.
type todoBody struct {
	RunID string `json:"runId"`
	chat.Todo
}

// Finished is how a run ended.
type Finished struct {
	RunID  string       `json:"runId"`
	Status string       `json:"status"`
	Error  *fault.Error `json:"error,omitempty"`
	Usage  *chat.Usage  `json:"usage,omitempty"`
}

type updatedBody struct {
	Title string `json:"title"`
	Head  string `json:"head,omitempty"`
	Model string `json:"model,omitempty"` // as it is from here on; none: the default
}

// ofRun is the body of a record that belongs to a run under way.
type ofRun interface{ of() (runID string) }

func (b startedBody) of() string  { return b.RunID }
func (b answerBody) of() string   { return b.RunID }
func (b callBody) of() string     { return b.RunID }
func (b decidedBody) of() string  { return b.RunID }
func (b resultBody) of() string   { return b.RunID }
func (b Finished) of() string     { return b.RunID }
func (b summaryBody) of() string  { return b.RunID }
func (b todoBody) of() string     { return b.RunID }
func (b handedBody) of() string   { return b.RunID }
func (b returnedBody) of() string { return b.RunID }
func (c Context) of() string      { return c.RunID }

func parse[T any](r record.Record) (T, error) {
	var b T
	err := json.Unmarshal(r.Body, &b)
	return b, err
}

// placed is a record in its place.
type placed struct {
	record.Record
	seq uint64
	at  chat.Time
}

// deref returns what an optional field holds, or the zero value.
func deref[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}
