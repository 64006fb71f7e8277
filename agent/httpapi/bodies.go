package httpapi

import (
	"encoding/json"

	"github.com/loongclaw/loongclaw/agent/auditlog"
	"github.com/loongclaw/loongclaw/agent/memory"
	"github.com/loongclaw/loongclaw/agent/model"
	"github.com/loongclaw/loongclaw/agent/skills"
	"github.com/loongclaw/loongclaw/agent/tools/mcp"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

// The JSON of requests and answers, as far as no other package has it: docs/PROTOCOL.md
// says what it means.

type messageBody struct {
	Message  string  `json:"message"`
	ParentID *string `json:"parentId"`
	Model    *string `json:"model"`
	chat.Unserved
	Attachments chat.AttachmentRefs `json:"attachments"`
}

type chatBody struct {
	messageBody
	SessionID string `json:"sessionId"`
	Stream    bool   `json:"stream"`
}

type chatAnswer struct {
	Message   string      `json:"message"`
	SessionID string      `json:"sessionId"`
	Timestamp chat.Time   `json:"timestamp"`
	RunID     string      `json:"runId"`
	MessageID string      `json:"messageId"`
	Finish    chat.Finish `json:"finish"`
	Usage     *chat.Usage `json:"usage"`
}

type regenerateBody struct {
	MessageID string `json:"messageId"`
}

type cancelBody struct {
	RunID string `json:"runId"`
}

type cancelAnswer struct {
	SessionID string   `json:"sessionId"`
	Cancelled []string `json:"cancelled"`
}

type decisionBody struct {
	Decision string `json:"decision"`
}

type decisionAnswer struct {
	ApprovalID string `json:"approvalId"`
	Decision   string `json:"decision"`
}

type approvalsAnswer struct {
	Approvals []chat.Approval `json:"approvals"`
}

type sessionBody struct {
	Title *string `json:"title"`
	Head  *string `json:"head"`
	Model *string `json:"model"`
}

type sessionsAnswer struct {
	Sessions []chat.Session `json:"sessions"`
	Next     string         `json:"next,omitempty"`
}

// endedAnswer is that of a session which was cleared or deleted.
type endedAnswer struct {
	Success   bool   `json:"success"`
	SessionID string `json:"sessionId"`
}

type itemBody struct {
	Content    string   `json:"content"`
	Type       string   `json:"type"`
	Importance string   `json:"importance"`
	Tags       []string `json:"tags"`
}

type itemsAnswer struct {
	Results []memory.Item `json:"results"`
}

type forgottenAnswer struct {
	Success bool   `json:"success"`
	ID      string `json:"id"`
}

type fileRow struct {
	Path     string `json:"path"`
	Size     int64  `json:"size"`
	Modified string `json:"modified,omitempty"`
}

type filesAnswer struct {
	Files []fileRow `json:"files"`
}

type fileWrittenAnswer struct {
	Success bool   `json:"success"`
	Path    string `json:"path"`
	Size    int    `json:"size"`
}

type fileRemovedAnswer struct {
	Success bool   `json:"success"`
	Path    string `json:"path"`
}

type statsAnswer struct {
	Sessions          int `json:"sessions"`
	Tools             int `json:"tools"`
	ShortTermMemories int `json:"shortTermMemories"`
}

type configAnswer struct {
	WSPort          int    `json:"wsPort"`
	Version         string `json:"version"`
	Provider        string `json:"provider"`
	Model           string `json:"model"`
	Offline         bool   `json:"offline"`
	MaxMessageBytes int    `json:"maxMessageBytes"`

	Scopes []string `json:"scopes"` // of who asks
}

type toolRow struct {
	Name        string          `json:"name"`
	Description string          `json:"description"`
	Parameters  json.RawMessage `json:"parameters"`
}

type toolsAnswer struct {
	Tools []toolRow `json:"tools"`
}

type modelsAnswer struct {
	Models   []model.Entry `json:"models"`
	Provider string        `json:"provider"`
	Model    string        `json:"model"`
	Offline  bool          `json:"offline"`
}

type usageAnswer struct {
	Usage chat.Usage `json:"usage"`
}

type ledgerAnswer struct {
	Lines []auditlog.Entry `json:"lines"`
}

type serversAnswer struct {
	Servers []mcp.Server `json:"servers"`
}

// grantAnswer says where the authorization of a server is given.
type grantAnswer struct {
	Location string `json:"location"`
}

type skillsAnswer struct {
	Skills []skills.Skill `json:"skills"`
}

// approvalBody names, by their hash, the definitions of a server's tools or the skill
// that is approved.
type approvalBody struct {
	Hash string `json:"hash"`
}

type healthAnswer struct {
	Status    string    `json:"status"`
	Agent     string    `json:"agent"`
	Timestamp chat.Time `json:"timestamp"`
	Version   string    `json:"version"`
}

type readyAnswer struct {
	Status  string `json:"status"`
	Version string `json:"version"`
}

type activeAnswer struct {
	Active int      `json:"active"`
	Users  []string `json:"users,omitzero"`
}
