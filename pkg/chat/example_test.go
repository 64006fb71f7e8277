package chat_test

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// A cursor is a place in the events of one session, and of no other.
func ExampleParseCursor() {
	text := chat.Cursor{Epoch: 1, Seq: 7}.Encode("demo")
	at, err := chat.ParseCursor("demo", text)
	fmt.Println(at.Epoch, at.Seq, err)
	_, err = chat.ParseCursor("another", text)
	fmt.Println(err != nil)
	// Output:
	// 1 7 <nil>
	// true
}

// A frame of a WebSocket is checked where it is read.
func ExampleParseFrame() {
	f, err := chat.ParseFrame([]byte(`{"type":"chat","sessionId":"demo","message":"Hello"}`))
	fmt.Println(f.Type, f.Data.SessionID, f.Data.Message, err)
	_, err = chat.ParseFrame([]byte(`{"type":"chat"}`))
	fmt.Println(fault.CodeOf(err))
	// Output:
	// chat demo Hello <nil>
	// missing_message
}

// An event is what a client is told, over every transport alike.
func ExampleEvent() {
	e := chat.Event{
		Type: chat.TypeMessageChunk, SessionID: "demo", RunID: "run_1", MessageID: "msg_2",
		Content: chat.Text("Hel"), Timestamp: chat.At(time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)),
	}
	b, err := json.Marshal(e)
	fmt.Println(string(b), err)
	// Output:
	// {"type":"message_chunk","sessionId":"demo","runId":"run_1","timestamp":"2026-03-01T08:00:00.000Z","messageId":"msg_2","content":"Hel"} <nil>
}
