package chat

import (
	"encoding/json"
	"reflect"
	"slices"
	"testing"
	"testing/quick"
	"time"
)

// TestEncodeIsMarshal: an event is the same bytes, whoever writes it.
func TestEncodeIsMarshal(t *testing.T) {
	same := func(e Event) bool {
		got, err := e.Encode()
		want, err2 := json.Marshal(e)
		if string(got) != string(want) || err != nil || err2 != nil {
			t.Errorf("got %s, %v; want %s, %v", got, err, want, err2)
		}
		return !t.Failed()
	}
	now := At(time.Date(2026, 11, 29, 13, 0, 0, 1e6, time.UTC))
	for _, text := range []string{"", "a", "你好 ", `"\`, "<b>&", "\n\x00\x1f\x7f", "\u2028\u2029\u2027", "\xff\xe4\xbd", "\ufffd", "😀"} {
		for _, kind := range []string{TypeMessageChunk, TypeReasoningChunk, TypeMessageComplete} {
			same(Event{Type: kind, SessionID: text, RunID: text, Cursor: text, Timestamp: now, MessageID: text, ParentID: text, Content: &text, Offset: uint64(len(text)), Truncated: text == "a"})
			same(Event{Type: kind, Timestamp: now})
		}
	}
	if err := quick.Check(func(id, run, cursor, message, parent, text string, reasoning bool, offset uint64, more bool) bool {
		kind := TypeMessageChunk
		if reasoning {
			kind = TypeReasoningChunk
		}
		return same(Event{Type: kind, SessionID: id, RunID: run, Cursor: cursor, Timestamp: now, MessageID: message, ParentID: parent, Content: &text, Offset: offset, Truncated: more})
	}, nil); err != nil {
		t.Error(err)
	}
}

// TestEncodeLeavesNothingOut: whoever gives an event another field decides whether pieces
// of text have it, too.
func TestEncodeLeavesNothingOut(t *testing.T) {
	ofOthers := []string{
		"Siblings", "Role", "Queued", "Incomplete", "Finish", "Restarted", "CallID", "Name", "Arguments", "Output", "Calls",
		"ApprovalID", "Scope", "Decisions", "Reason", "Sources", "ExpiresAt", "Decision", "Status", "Phase", "Title", "Head",
		"Model", "Usage", "Error", "Items", "Attachments",
	}
	text := "text"
	event := reflect.TypeFor[Event]()
	for i := range event.NumField() {
		name := event.Field(i).Name
		if name == "Type" || name == "Timestamp" || name == "Content" || slices.Contains(ofOthers, name) {
			continue
		}
		e := Event{Type: TypeMessageChunk, Content: &text}
		switch field := reflect.ValueOf(&e).Elem().Field(i); field.Kind() {
		case reflect.String:
			field.SetString("x")
		case reflect.Uint64:
			field.SetUint(7)
		case reflect.Bool:
			field.SetBool(true)
		default:
			t.Errorf("%s is new: Encode has to write it, or it is of other events", name)
		}
		got, _ := e.Encode()
		if want, _ := json.Marshal(e); string(got) != string(want) {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}
