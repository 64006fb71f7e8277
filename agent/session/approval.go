package session

import (
	"encoding/base64"
	"strings"

	"github.com/loongclaw/loongclaw/agent/record"
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

// approvals are what the user was asked in a session, and what was approved for all of it.
type approvals struct {
	asked  map[string]*question
	scopes map[string]bool
}

// ask takes in what the user is asked about a call.
func (a *approvals) ask(b askBody, of *call) {
	of.question = &question{askBody: b}
	a.asked[b.ApprovalID] = of.question
}

// decide takes in a decision; the first one counts. r is the run that had asked.
func (a *approvals) decide(b decidedBody, seq uint64, r *run) {
	q := a.asked[b.ApprovalID]
	if q == nil || q.decision != "" {
		return
	}
	q.decision, q.expired, q.decided = b.Decision, b.Expired, seq
	switch {
	case b.Decision == chat.DecideSession:
		a.scopes[q.Scope] = true
	case b.Decision == chat.DecideTurn && r != nil:
		r.scopes = append(r.scopes, q.Scope)
	}
}

// shown returns a question as a client sees it.
func (q *question) shown(session string) chat.Approval {
	out := chat.Approval{
		ApprovalID: q.ApprovalID, SessionID: session, RunID: q.RunID, CallID: q.CallID,
		Name: q.Name, Arguments: q.Arguments, Scope: q.Scope, Reason: q.Reason, Sources: q.Sources, ExpiresAt: q.ExpiresAt, Decision: q.decision,
	}
	if q.decision == "" {
		out.Decisions = chat.Decisions(q.Reason)
	}
	return out
}

// QuestionOf returns which question a record asks or decides; empty where it does
// neither.
func QuestionOf(rec record.Record) string {
	if rec.Newer() || rec.Type != recAsk && rec.Type != recDecided {
		return ""
	}
	b, err := parse[struct {
		ApprovalID string `json:"approvalId"`
	}](rec)
	if err != nil {
		return ""
	}
	return b.ApprovalID
}
