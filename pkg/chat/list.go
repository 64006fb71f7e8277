package chat

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"strings"

	"github.com/loongclaw/loongclaw/pkg/fault"
)

// The types of the events of a user's list.
const (
	TypeSessionChanged  = "session_changed"
	TypeSessionRemoved  = "session_removed"
	TypeApprovalChanged = "approval_changed"
)

// State says what a session is at, for a list.
type State string

// What a session can be at.
const (
	StateIdle    State = "idle"
	StateRunning State = "running" // something runs or waits its turn
	StateWaiting State = "waiting" // for the user's decision about a tool call
	StateFailed  State = "failed"  // nothing runs, and the last run failed or was interrupted
)

// Approval is a question to the user. Once it is decided it has the decision, and no
// decisions to choose from.
type Approval struct {
	ApprovalID string          `json:"approvalId"`
	SessionID  string          `json:"sessionId"`
	RunID      string          `json:"runId"`
	CallID     string          `json:"callId"`
	Name       string          `json:"name"`
	Arguments  json.RawMessage `json:"arguments"`
	Scope      string          `json:"scope"`
	ExpiresAt  Time            `json:"expiresAt"`
	Decisions  []string        `json:"decisions,omitempty"`
	Reason     string          `json:"reason,omitempty"`  // as in the event
	Sources    []string        `json:"sources,omitempty"` // as in the event
	Decision   string          `json:"decision,omitempty"`
}

// ListEvent is one change of a user's list of sessions and approvals.
type ListEvent struct {
	Type      string    `json:"type"`
	SessionID string    `json:"sessionId,omitempty"`
	Cursor    string    `json:"cursor,omitempty"` // everything before it has been told
	Timestamp Time      `json:"timestamp"`
	Session   *Session  `json:"session,omitempty"`
	Approval  *Approval `json:"approval,omitempty"`
}

// ListCursor is a place in the changes of a user's list. Clients see only its string;
// it stays valid for ever, also when the agent that gave it has ended.
type ListCursor struct {
	Seq  uint64 // of the user's journal
	Feed uint64 // which count of changes; another's says nothing about Count
	N    uint64 // the last change of that count
}

const listCursorVersion = 2

// Encode returns the cursor's string for a user.
func (c ListCursor) Encode(user string) string {
	b := append(make([]byte, 0, 32), listCursorVersion)
	b = append(b, userMark(user)...)
	b = binary.BigEndian.AppendUint64(b, c.Feed)
	b = binary.AppendUvarint(b, c.Seq)
	b = binary.AppendUvarint(b, c.N)
	return base64.RawURLEncoding.EncodeToString(b)
}

// ParseListCursor reads a cursor of a user's list; the empty string is none.
func ParseListCursor(user, s string) (ListCursor, error) {
	if s == "" {
		return ListCursor{}, nil
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || strings.ContainsAny(s, "\r\n") || len(b) < 1+markLen+8+2 || b[0] != listCursorVersion || string(b[1:1+markLen]) != string(userMark(user)) {
		return ListCursor{}, badListCursor()
	}
	b = b[1+markLen:]
	c := ListCursor{Feed: binary.BigEndian.Uint64(b)}
	b = b[8:]
	for _, field := range []*uint64{&c.Seq, &c.N} {
		v, n := binary.Uvarint(b)
		if n <= 0 {
			return ListCursor{}, badListCursor()
		}
		*field, b = v, b[n:]
	}
	if len(b) > 0 {
		return ListCursor{}, badListCursor()
	}
	return c, nil
}

// userMark ties a cursor to its user without naming them.
func userMark(user string) []byte {
	h := sha256.Sum256([]byte("user\x00" + user))
	return h[:markLen]
}

func badListCursor() error {
	return fault.New(fault.CodeInvalidCursor, "this is no cursor of your list", "use one of GET /api/sessions or of its stream as it came, or leave it out and fetch the list")
}
