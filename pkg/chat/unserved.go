package chat

import (
	"bytes"
	"encoding/json"

	"github.com/loongclaw/loongclaw/pkg/fault"
)

// Unserved is what clients send beside a message that would change what is asked,
// and that nothing here understands. Fields that nobody knows are passed over, but
// an answer without these would be one to another message. It is embedded where a
// message is read.
type Unserved struct {
	Files  json.RawMessage `json:"files"`
	Images json.RawMessage `json:"images"`
	Audio  json.RawMessage `json:"audio"`
	Tools  json.RawMessage `json:"tools"`
}

// Refuse names the first of them that says anything.
func (u Unserved) Refuse() error {
	for _, f := range []struct {
		name  string
		value json.RawMessage
	}{{"files", u.Files}, {"images", u.Images}, {"audio", u.Audio}, {"tools", u.Tools}} {
		if !saysSomething(f.value) {
			continue
		}
		hint := "put the file into the workspace with PUT /api/files/{path} and name it in attachments"
		if f.name == "tools" {
			hint = "leave it out: the agent calls its own tools; GET /api/tools lists them"
		}
		return fault.New(fault.CodeUnsupported, "the field "+f.name+" is not served here", hint)
	}
	return nil
}

// saysSomething reports whether a value differs from what a client writes for none.
func saysSomething(value json.RawMessage) bool {
	switch string(bytes.Join(bytes.Fields(value), nil)) {
	case "", "null", "[]", "{}", "false", `""`:
		return false
	}
	return true
}
