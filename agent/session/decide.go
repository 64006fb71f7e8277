package session

import (
	"time"

	"github.com/loongclaw/loongclaw/agent/record"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// Decide takes the user's decision about a call: the first one counts. It returns
// the scope that the decision is about.
func (s *State) Decide(approvalID, decision string, now time.Time) (records []record.Record, scope string, err error) {
	q := s.asked[approvalID]
	switch {
	case q == nil:
		return nil, "", UnknownApproval()
	case chat.CheckDecided(decision, q.Reason) != nil:
		return nil, "", chat.CheckDecided(decision, q.Reason)
	case q.decision != "":
		return nil, "", fault.New(fault.CodeConflict, "this was decided already: "+q.decision, "the first decision counts")
	case now.After(q.ExpiresAt.Time):
		return nil, "", fault.New(fault.CodeConflict, "this question has expired", "send your message again")
	}
	return []record.Record{record.New(recDecided, decidedBody{RunID: q.RunID, ApprovalID: approvalID, Decision: decision})}, q.Scope, nil
}

// UnknownApproval returns the error of a decision about what was never asked.
func UnknownApproval() error {
	return fault.New(fault.CodeNotFound, "there is no such approval", "use the approvalId of an approval_required event")
}

// Update renames the session or shows another branch of it, where that is not nil.
func (s *State) Update(title, head *string) ([]record.Record, error) {
	b := updatedBody{Title: s.title}
	if title != nil {
		if b.Title = TitleOf(*title); b.Title == "" {
			return nil, fault.New(fault.CodeInvalidRequest, "the title is empty", "send some text")
		}
	}
	if head != nil {
		switch n := s.tree.nodes[*head]; {
		case n == nil:
			return nil, fault.New(fault.CodeInvalidRequest, "head is not a message of this session", "GET /api/history/{session}?tree=1 lists them")
		case !n.settled:
			return nil, fault.New(fault.CodeConflict, "head is a message that waits for its turn, and is on no branch yet", "wait until its run has started")
		}
		b.Head = s.tree.tip(*head)
	}
	return []record.Record{record.New(recUpdated, b)}, nil
}
