package anthropic

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"unicode/utf8"

	"github.com/loongclaw/loongclaw/agent/loop"
)

// encode writes JSON that stays the same from request to request: a struct's fields
// in their order, a map's sorted, and no character escaped that need not be.
func encode(v any) json.RawMessage {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return json.RawMessage("null") // nothing that is written here fails
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// marked is a block with a cache mark: up to its end the provider keeps what it has
// read.
func marked(block json.RawMessage) json.RawMessage {
	end := bytes.LastIndexByte(block, '}')
	if end < 0 {
		return block
	}
	out := append(json.RawMessage{}, block[:end]...)
	return append(append(out, `,"cache_control":{"type":"ephemeral"}`...), block[end:]...)
}

// canonical is JSON in the form that it has after any journal: without blanks, and
// with the characters escaped that Go escapes. It is false where it is no JSON.
func canonical(raw json.RawMessage) (json.RawMessage, bool) {
	var b, out bytes.Buffer
	if json.Compact(&b, raw) != nil || b.Len() == 0 {
		return nil, false
	}
	json.HTMLEscape(&out, b.Bytes())
	return out.Bytes(), true
}

// valid is a text as it is after any journal: each byte that is no character is
// U+FFFD.
func valid(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return string([]rune(s))
}

type textBlock struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

func text(s string) json.RawMessage { return encode(textBlock{"text", valid(s)}) }

type imageBlock struct {
	Type   string      `json:"type"`
	Source imageSource `json:"source"`
}

type imageSource struct {
	Type      string `json:"type"`
	MediaType string `json:"media_type"`
	Data      string `json:"data"`
}

func imageOf(s *loop.Shown) json.RawMessage {
	return encode(imageBlock{"image", imageSource{"base64", s.MediaType, base64.StdEncoding.EncodeToString(s.Data)}})
}

type toolUse struct {
	Type  string          `json:"type"`
	ID    string          `json:"id"`
	Name  string          `json:"name"`
	Input json.RawMessage `json:"input"`
}

type toolResult struct {
	Type      string `json:"type"`
	ToolUseID string `json:"tool_use_id"`
	Content   string `json:"content"`
	IsError   bool   `json:"is_error,omitempty"`
}

type tool struct {
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	InputSchema json.RawMessage `json:"input_schema"`
}
