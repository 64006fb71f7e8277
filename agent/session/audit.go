package session

import (
	"sort"

	"github.com/loongclaw/loongclaw/agent/auditlog"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

// AuditLog returns what the audit log is told of the records behind one. It is
// made of the session's own records, so until it is written elsewhere nothing of
// it is lost.
func (s *State) AuditLog(after uint64) []auditlog.Entry {
	from := sort.Search(len(s.entries), func(i int) bool { return s.entries[i].seq > after })
	var out []auditlog.Entry
	for _, e := range s.entries[from:] {
		a, ok := s.audit(e)
		if !ok {
			continue
		}
		a.At, a.Session, a.Epoch, a.Seq = e.at, s.id, s.epoch, e.seq
		if r := s.runs.by[a.RunID]; r != nil {
			a.RequestID = r.RequestID
		}
		out = append(out, a)
	}
	return out
}

// audit returns what the audit log is told of a record, if it is.
func (s *State) audit(e entry) (auditlog.Entry, bool) {
	switch b := e.body.(type) {
	case resultBody:
		a := auditlog.Entry{What: auditlog.Call, RunID: b.RunID, CallID: b.CallID, Tool: b.Name, Status: b.Status}
		if r := s.runs.by[b.RunID]; r != nil && r.calls[b.CallID] != nil {
			a.Tool = r.calls[b.CallID].named()
		}
		return a, true
	case answerBody:
		switch b.Finish {
		case chat.FinishLength, chat.FinishContentFilter, chat.FinishRefusal, chat.FinishEmpty:
			return auditlog.Entry{What: auditlog.Answer, RunID: b.RunID, Finish: string(b.Finish), Model: b.Model}, true
		}
	case decidedBody:
		q := s.approvals.asked[b.ApprovalID]
		a := auditlog.Entry{What: auditlog.Decided, RunID: b.RunID, Decision: b.Decision, Expired: b.Expired}
		if q == nil {
			return a, true
		}
		a.CallID, a.Tool, a.Scope = q.CallID, q.Name, q.Scope
		return a, q.decided == e.seq // not one that came after the decision that counts
	}
	return auditlog.Entry{}, false
}
