package memory

import (
	"context"

	"github.com/loongclaw/loongclaw/agent/journal"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

// Item is one thing remembered. The fields are the original's.
type Item struct {
	ID         string    `json:"id"` // mem_…, stable for ever
	Timestamp  chat.Time `json:"timestamp"`
	Type       string    `json:"type"`       // fact, event, decision or thought
	Importance string    `json:"importance"` // high, medium or low
	Tags       []string  `json:"tags"`
	Content    string    `json:"content"`
	Source     string    `json:"source,omitempty"` // the session that it came from

	// Foreign is where text came from that others wrote and the model had before it
	// when it saved the item.
	Foreign []string `json:"foreign,omitempty"`
}

// Query asks for items.
type Query struct {
	Text  string   // words in any language; empty gives the newest
	Type  string   // only of this type
	Tags  []string // only with one of these
	Limit int      // at most so many; 0 means 10
}

// Log is where memory is kept: the user's journal.
type Log interface {
	// Append returns when the records are durable and have been applied.
	Append(ctx context.Context, records ...journal.Record) error
}
