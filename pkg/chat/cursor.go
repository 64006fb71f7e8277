package chat

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"strings"

	"github.com/loongclaw/loongclaw/pkg/fault"
)

// Cursor is a place in the events of one session. Clients see only its string
// and must not look inside; it stays valid for ever.
type Cursor struct {
	Epoch  uint64 // which life of the session; 0 is "from the beginning"
	Seq    uint64 // the last record delivered
	Answer uint64 // which attempt at an answer was open; 0 is none
	Offset uint64 // bytes of that answer delivered

	// Thought is how much of the reasoning of the message Thinking was delivered. A
	// cursor's string does not have it: who comes back is told the reasoning of an
	// open answer from its beginning.
	Thinking string
	Thought  uint64
}

const cursorVersion = 1

// Encode returns the cursor's string for a session.
func (c Cursor) Encode(session string) string {
	b := make([]byte, 0, 48)
	b = append(b, cursorVersion)
	b = append(b, sessionMark(session)...)
	b = binary.BigEndian.AppendUint64(b, c.Epoch)
	b = binary.AppendUvarint(b, c.Seq)
	if c.Answer != 0 {
		b = binary.AppendUvarint(b, c.Answer)
		b = binary.AppendUvarint(b, c.Offset)
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// ParseCursor reads a cursor of a session. The empty string is the beginning.
// Another session's cursor is an error, since following it would silently skip
// or repeat events.
func ParseCursor(session, s string) (Cursor, error) {
	if s == "" {
		return Cursor{}, nil
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	// The decoder skips line breaks; a cursor has none.
	if err != nil || strings.ContainsAny(s, "\r\n") || len(b) < 1+markLen+8+1 || b[0] != cursorVersion {
		return Cursor{}, badCursor("is not a cursor")
	}
	b = b[1:]
	if string(b[:markLen]) != string(sessionMark(session)) {
		return Cursor{}, badCursor("belongs to another session")
	}
	b = b[markLen:]
	c := Cursor{Epoch: binary.BigEndian.Uint64(b)}
	b = b[8:]
	var fields [3]uint64
	n := 0
	for ; len(b) > 0 && n < len(fields); n++ {
		v, k := binary.Uvarint(b)
		if k <= 0 {
			return Cursor{}, badCursor("is not a cursor")
		}
		fields[n], b = v, b[k:]
	}
	// Without an answer there is no place in it.
	if len(b) > 0 || (n != 1 && n != 3) || (n == 3 && fields[1] == 0) {
		return Cursor{}, badCursor("is not a cursor")
	}
	c.Seq, c.Answer, c.Offset = fields[0], fields[1], fields[2]
	return c, nil
}

const markLen = 4

// sessionMark ties a cursor to its session without naming it.
func sessionMark(session string) []byte {
	h := sha256.Sum256([]byte(session))
	return h[:markLen]
}

func badCursor(why string) error {
	return fault.New(fault.CodeInvalidCursor, "the cursor "+why, "use a cursor of this session as it came, or leave it out to start at the beginning")
}
