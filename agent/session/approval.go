package session

import (
	"encoding/base64"
	"strings"

	"github.com/loongclaw/loongclaw/pkg/chat"
)

// ApprovalID returns the id of a question, which names its session, so that a
// decision finds it.
func ApprovalID(id, session string) string {
	return id + "." + base64.RawURLEncoding.EncodeToString([]byte(session))
}

// OfApproval returns the session in which a question was asked.
func OfApproval(approvalID string) (session string, ok bool) {
	_, coded, _ := strings.Cut(approvalID, ".")
	name, err := base64.RawURLEncoding.DecodeString(coded)
	if err != nil || chat.CheckSession(string(name)) != nil {
		return "", false
	}
	return string(name), true
}
