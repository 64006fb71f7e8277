package journal

import "encoding/json"

// Record is one thing that happened. Type says what, Body is JSON that the
// room which owns the type reads.
type Record struct {
	Type string          `json:"type"`
	Body json.RawMessage `json:"body"`
}
