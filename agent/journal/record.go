package journal

import (
	"encoding/json"

	"github.com/loongclaw/loongclaw/pkg/fault"
)

// Reader is the number of this program as a reader of records. It grows when a
// version begins to write records that readers before it must not pass over.
const Reader = 0

// Record is one thing that happened. Type says what, Body is JSON that the
// package which owns the type reads.
//
// A reader passes over a record whose type it does not know: it keeps the record,
// shows nothing of it and goes on. So a version can be rolled back to the one
// before it. Needs is the lowest Reader that may do so; a record that needs more
// makes its journal read-only.
type Record struct {
	Type  string          `json:"type"`
	Body  json.RawMessage `json:"body"`
	Needs int             `json:"needs,omitempty"`
}

// Newer reports whether this program is too old for the record: it must neither
// apply it nor write behind it.
func (r Record) Newer() bool { return r.Needs > Reader }

// newer is the error of a journal that holds a record for later readers only.
// Nothing in it is damaged.
func newer(key string) error {
	return fault.New(fault.CodeNewerVersion, "a later version of the agent has written here (object "+key+"), and this one may only read",
		"run that version again, or a later one; nothing is lost")
}
