package modeltest

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync/atomic"
)

// Request is one request that came in, and how it went.
type Request struct {
	Path     string
	Header   http.Header
	Raw      []byte         // the body
	Body     map[string]any // the same, read
	Model    string
	Messages []Message

	done      chan struct{}
	cancelled atomic.Bool
}

// Message is one message of the conversation.
type Message struct {
	Role       string   `json:"role"`
	Content    string   `json:"content"` // of parts their texts
	Images     []string `json:"-"`       // the addresses of those among the parts
	Reasoning  string   `json:"reasoning_content"`
	ToolCallID string   `json:"tool_call_id"`
	Calls      []struct {
		ID       string `json:"id"`
		Type     string `json:"type"`
		Function struct {
			Name      string `json:"name"`
			Arguments string `json:"arguments"`
		} `json:"function"`
	} `json:"tool_calls"`
}

// UnmarshalJSON takes a content of parts, too.
func (m *Message) UnmarshalJSON(raw []byte) error {
	type plain Message
	var parts struct {
		Content []struct {
			Text  string
			Image struct{ URL string } `json:"image_url"`
		}
	}
	if err := json.Unmarshal(raw, (*plain)(m)); err == nil || json.Unmarshal(raw, &parts) != nil {
		return err
	}
	var texts []string
	for _, p := range parts.Content {
		if p.Image.URL != "" {
			m.Images = append(m.Images, p.Image.URL)
		} else {
			texts = append(texts, p.Text)
		}
	}
	m.Content = strings.Join(texts, "\n\n")
	return nil
}

// Done is closed when the request has been answered or given up.
func (r *Request) Done() <-chan struct{} { return r.done }

// Cancelled reports whether the client ended the request before its answer was
// complete. It is settled once Done is closed.
func (r *Request) Cancelled() bool { return r.cancelled.Load() }

// LastUser is the last message of the user, as the user wrote it.
func (r *Request) LastUser() string {
	if i := r.lastUser(); i >= 0 {
		return Said(r.Messages[i].Content)
	}
	return ""
}

// Said is a user's message without the context that the agent has put before it.
func Said(content string) string {
	if !strings.HasPrefix(content, "[Context ") {
		return content
	}
	_, rest, _ := strings.Cut(content, "\n[End of context ")
	_, rest, _ = strings.Cut(rest, "]")
	return strings.TrimLeft(rest, "\n")
}

// LastResult is the result of a tool that the request ends with, if it does.
func (r *Request) LastResult() string {
	if n := len(r.Messages); n > 0 && r.Messages[n-1].Role == "tool" {
		return r.Messages[n-1].Content
	}
	return ""
}

// Round counts the answers since the last message of the user.
func (r *Request) Round() int {
	n := 0
	for _, m := range r.Messages[r.lastUser()+1:] {
		if m.Role == "assistant" {
			n++
		}
	}
	return n
}

func (r *Request) lastUser() int {
	for i := len(r.Messages) - 1; i >= 0; i-- {
		if r.Messages[i].Role == "user" {
			return i
		}
	}
	return -1
}

// script finds the replies that the last message of the user carries.
func (r *Request) script() (Reply, bool) {
	text := r.LastUser()
	at := strings.Index(text, `{"modeltest"`)
	if at < 0 {
		return Reply{}, false
	}
	var s struct {
		Modeltest json.RawMessage `json:"modeltest"`
	}
	if err := json.NewDecoder(strings.NewReader(text[at:])).Decode(&s); err != nil {
		return Reply{}, false
	}
	var one Reply
	if json.Unmarshal(s.Modeltest, &one) == nil {
		return one, r.Round() == 0
	}
	var many []Reply
	if json.Unmarshal(s.Modeltest, &many) != nil || r.Round() >= len(many) {
		return Reply{}, false
	}
	return many[r.Round()], true
}
