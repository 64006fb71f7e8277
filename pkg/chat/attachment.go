package chat

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/loongclaw/loongclaw/pkg/fault"
)

// Attachment is a file that stands with a user's message, as it was when the
// message was taken.
type Attachment struct {
	Path      string `json:"path,omitempty"` // in the workspace; none for what came with the request itself
	Name      string `json:"name"`
	MediaType string `json:"mediaType"` // by its content, whatever its name says
	Size      int64  `json:"size"`
	SHA256    string `json:"sha256"`
	Error     string `json:"error,omitempty"` // why the model is shown nothing of it
}

// AttachmentRef names a file of the workspace that a message brings along.
type AttachmentRef struct {
	Path string `json:"path"`
}

// AttachmentRefs are those of one message. What clients write for none is none.
type AttachmentRefs []AttachmentRef

// UnmarshalJSON reads a list of objects.
func (r *AttachmentRefs) UnmarshalJSON(b []byte) error {
	if !saysSomething(b) {
		*r = nil
		return nil
	}
	var list []AttachmentRef
	if err := json.Unmarshal(b, &list); err != nil {
		if typ := (*json.UnmarshalTypeError)(nil); errors.As(err, &typ) {
			typ.Field = "attachments"
		}
		return err
	}
	*r = list
	return nil
}

// Check reports whether a message can bring these along.
func (r AttachmentRefs) Check() error {
	if len(r) > MaxAttachments {
		return fault.New(fault.CodeInvalidRequest, fmt.Sprintf("a message has at most %d attachments", MaxAttachments), "send the others with another message")
	}
	for i := range r {
		if r[i].Path == "" {
			return fault.New(fault.CodeInvalidRequest, fmt.Sprintf("attachments[%d] names no path", i), `send {"attachments":[{"path":"notes/plan.pdf"}]}, with a file that PUT /api/files/{path} has written`)
		}
	}
	return nil
}
