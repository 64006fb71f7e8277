package chat

import (
	"encoding/json"
	"time"
)

// timeLayout is what JavaScript's toISOString writes: UTC with milliseconds.
const timeLayout = "2006-01-02T15:04:05.000Z"

// Time is a point in time on the wire: RFC 3339, UTC, milliseconds.
type Time struct{ time.Time }

// At makes a wire time; what is finer than a millisecond is cut off, so that a
// time read back equals the one written.
func At(t time.Time) Time { return Time{t.UTC().Truncate(time.Millisecond)} }

// String returns the wire form.
func (t Time) String() string { return t.UTC().Format(timeLayout) }

// MarshalJSON writes the wire form.
func (t Time) MarshalJSON() ([]byte, error) {
	return append(t.append(append(make([]byte, 0, len(timeLayout)+2), '"')), '"'), nil
}

// append adds the wire form, in which nothing needs an escape.
func (t Time) append(b []byte) []byte { return t.UTC().AppendFormat(b, timeLayout) }

// UnmarshalJSON reads any RFC 3339 time.
func (t *Time) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	p, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return err
	}
	*t = At(p)
	return nil
}
