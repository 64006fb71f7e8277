// Package record is what journals are made of: records, and the rule by which a
// version that is older than a record reads on.
//
// Owns: the shape of a record, and this program's number as a reader.
// Touches: nothing.
// Never: knows what a type of record means. The package that owns the type does.
package record

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Reader is the number of this program as a reader of records. It grows when a
// version begins to write records that readers before it must not pass over.
const Reader = 1

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

// New makes a record of a type. The body is a struct of the package that owns the
// type, and marshalling one of those does not fail.
func New(kind string, body any) Record { return Record{Type: kind, Body: Marshal(body)} }

// NewFor is New for a record that readers below a number must not pass over.
func NewFor(needs int, kind string, body any) Record {
	return Record{Type: kind, Body: Marshal(body), Needs: needs}
}

// Newer reports whether this program is too old for the record: it must neither
// apply it nor write behind it.
func (r Record) Newer() bool { return r.Needs > Reader }

// Marshal returns a body as it stands in a record: on one line, and with the
// characters of HTML as they are, since nobody embeds it in a page and a file of
// HTML would take six times its size.
func Marshal(body any) json.RawMessage {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(body); err != nil {
		panic(fmt.Sprintf("record: a body of our own cannot be marshalled: %v", err))
	}
	return bytes.TrimSuffix(b.Bytes(), []byte{'\n'})
}
