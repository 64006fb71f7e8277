package sse_test

import (
	"bytes"
	"fmt"

	"github.com/loongclaw/loongclaw/pkg/sse"
)

// A reader that comes back says Place as its Last-Event-ID, and misses nothing.
func Example() {
	wire := sse.Append(nil, sse.Event{ID: "c1", Type: "message_chunk", Data: []byte(`{"content":"Hel"}`)})
	wire = append(wire, sse.Comment...) // keeps the connection open
	wire = sse.Append(wire, sse.Event{ID: "c2", Type: "message_chunk", Data: []byte(`{"content":"lo"}`)})

	r := sse.NewReader(bytes.NewReader(wire), 1<<20)
	for {
		e, err := r.Next()
		if err != nil {
			fmt.Println(err, "at", r.Place())
			return
		}
		fmt.Println(e.ID, e.Type, string(e.Data))
	}
	// Output:
	// c1 message_chunk {"content":"Hel"}
	// c2 message_chunk {"content":"lo"}
	// EOF at c2
}
