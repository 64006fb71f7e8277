package chat

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/loongclaw/loongclaw/pkg/fault"
)

// The types of client frames.
const (
	FrameChat         = "chat"
	FrameGetHistory   = "get_history"
	FrameClearHistory = "clear_history"
	FrameCancel       = "cancel"
	FrameApprove      = "approve"
	FrameSubscribe    = "subscribe"
	FramePing         = "ping"
)

// Frame is what a client sends over a WebSocket.
type Frame struct {
	Type string
	Data FrameData
}

// FrameData holds the fields of every client frame; which ones count depends on
// the type.
type FrameData struct {
	Message        string  `json:"message"`
	SessionID      string  `json:"sessionId"`
	IdempotencyKey string  `json:"idempotencyKey"`
	RunID          string  `json:"runId"`
	ParentID       string  `json:"parentId"`
	Model          *string `json:"model"` // nil: as before
	After          string  `json:"after"`
	Tail           *int    `json:"tail"` // nil: from the beginning
	ApprovalID     string  `json:"approvalId"`
	Decision       string  `json:"decision"`

	Attachments AttachmentRefs `json:"attachments,omitempty"` // of chat
}

// ParseFrame reads and checks a client frame. The fields of every frame may
// stand under "data", as the original has it, or beside "type". A session that
// is not named is DefaultSession.
func ParseFrame(b []byte) (Frame, error) {
	var head struct {
		Type *string         `json:"type"`
		Data json.RawMessage `json:"data"`
	}
	if err := json.Unmarshal(b, &head); err != nil {
		return Frame{}, badFrame(err, "the frame")
	}
	if head.Type == nil || *head.Type == "" {
		return Frame{}, fault.New(fault.CodeInvalidRequest, "the frame has no type", `send {"type":"chat","data":{"message":"…"}}`)
	}
	f := Frame{Type: *head.Type}
	fields := []byte(head.Data)
	if len(fields) == 0 || string(fields) == "null" {
		fields = b
	}
	switch f.Type {
	case FrameChat, FrameGetHistory, FrameClearHistory, FrameCancel, FrameApprove, FrameSubscribe:
		if err := json.Unmarshal(fields, &f.Data); err != nil {
			return Frame{}, badFrame(err, "data")
		}
		if f.Type == FrameChat {
			// The rest of the session's fields is read first: a refusal names it.
			if err := f.check(); err != nil {
				return f, err
			}
			return f, f.lookInBoth(b, fields)
		}
	case FramePing:
		return f, nil
	default:
		// The original's words.
		return Frame{}, fault.New(fault.CodeUnknownType, "未知消息类型: "+clip(f.Type, 64), "send chat, get_history, clear_history, cancel, approve, subscribe or ping")
	}
	return f, f.check()
}

// lookInBoth looks in each of a frame's objects for what changes the message: such
// fields may stand in either.
func (f *Frame) lookInBoth(objects ...[]byte) error {
	for _, o := range objects {
		var q struct {
			Unserved
			Attachments AttachmentRefs `json:"attachments"`
		}
		if err := json.Unmarshal(o, &q); err != nil {
			return badFrame(err, "data")
		}
		if err := q.Refuse(); err != nil {
			return err
		}
		if len(f.Data.Attachments) == 0 {
			f.Data.Attachments = q.Attachments
		}
	}
	return f.Data.Attachments.Check()
}

func (f *Frame) check() error {
	if f.Type == FrameApprove {
		return CheckDecision(f.Data.ApprovalID, f.Data.Decision)
	}
	if f.Data.SessionID == "" {
		f.Data.SessionID = DefaultSession
	}
	if err := CheckSession(f.Data.SessionID); err != nil {
		return err
	}
	if f.Type == FrameSubscribe && f.Data.Tail != nil && *f.Data.Tail < 0 {
		return fault.New(fault.CodeInvalidRequest, "tail is not a number from 0 up", "send how many of the last turns you want, or leave it out")
	}
	if f.Type == FrameChat {
		return CheckMessage(f.Data.Message)
	}
	return nil
}

// CheckDecision returns an error unless decision can answer an approval.
func CheckDecision(approvalID, decision string) error {
	if approvalID == "" {
		return fault.New(fault.CodeInvalidRequest, "approvalId is missing", "send the approvalId of the approval_required event")
	}
	return CheckDecided(decision, "")
}

// CheckDecided returns an error unless decision can answer a question with that reason.
func CheckDecided(decision, reason string) error {
	takes := Decisions(reason)
	if slices.Contains(takes, decision) {
		return nil
	}
	return fault.New(fault.CodeInvalidRequest, "decision is not one of "+strings.Join(takes, ", "), "send one of these")
}

// badFrame says what is wrong with an object of a frame.
func badFrame(err error, object string) error {
	var typ *json.UnmarshalTypeError
	switch {
	case errors.As(err, &typ) && typ.Field == "":
		return fault.New(fault.CodeInvalidRequest, object+" is not a JSON object", `send {"type":"chat","data":{"message":"…"}}`)
	case errors.As(err, &typ):
		return fault.New(fault.CodeInvalidRequest, "the frame's field "+clip(typ.Field, 64)+" has the wrong type", `send {"type":"chat","data":{"message":"…","sessionId":"…"}}`)
	}
	return fault.New(fault.CodeInvalidJSON, "the frame is not JSON", `send {"type":"chat","data":{"message":"…"}}`)
}

func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}
