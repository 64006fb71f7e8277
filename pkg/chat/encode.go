package chat

import (
	"encoding/json"
	"strconv"
	"unicode/utf8"
)

// Encode returns the event's JSON, as json.Marshal does. Nearly all events are pieces
// of text, in the same few fields, and go to each reader by itself: these are written
// here, since going over all the fields that an event could have takes many times as
// long.
func (e *Event) Encode() ([]byte, error) {
	if e.Type != TypeMessageChunk && e.Type != TypeReasoningChunk || e.Content == nil {
		return json.Marshal(e)
	}
	b := make([]byte, 0, 320+len(*e.Content))
	b = appendText(append(b, `{"type":`...), e.Type)
	b = appendField(b, "sessionId", e.SessionID)
	b = appendField(b, "runId", e.RunID)
	b = appendField(b, "cursor", e.Cursor)
	b = append(e.Timestamp.append(append(b, `,"timestamp":"`...)), '"')
	b = appendField(b, "messageId", e.MessageID)
	b = appendField(b, "parentId", e.ParentID)
	b = appendText(append(b, `,"content":`...), *e.Content)
	if e.Offset != 0 {
		b = strconv.AppendUint(append(b, `,"offset":`...), e.Offset, 10)
	}
	if e.Truncated {
		b = append(b, `,"truncated":true`...)
	}
	return append(b, '}'), nil
}

// appendField adds a field, which is left out where it is empty.
func appendField(b []byte, name, value string) []byte {
	if value == "" {
		return b
	}
	b = append(append(append(b, ',', '"'), name...), '"', ':')
	return appendText(b, value)
}

// appendText adds a string as json.Marshal writes it.
func appendText(b []byte, s string) []byte {
	if needsEscape(s) {
		quoted, _ := json.Marshal(s) // a string can always be written
		return append(b, quoted...)
	}
	return append(append(append(b, '"'), s...), '"')
}

// needsEscape reports whether json.Marshal would write a string otherwise than as it is.
func needsEscape(s string) bool {
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if c < ' ' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
				return true
			}
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && size == 1 || r == '\u2028' || r == '\u2029' {
			return true
		}
		i += size
	}
	return false
}
