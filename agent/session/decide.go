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
	q := s.approvals.asked[approvalID]
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

// Edit is what is to be another in a session; what is nil stays.
type Edit struct {
	Title *string
	Head  *string // a message of the branch that is to be shown
	Model *string // who is to answer first; empty: the default
}

// Update changes the session.
func (s *State) Update(e Edit) ([]record.Record, error) {
	b := updatedBody{Title: s.title, Model: s.model}
	if e.Model != nil {
		b.Model = *e.Model
	}
	if e.Title != nil {
		if b.Title = TitleOf(*e.Title); b.Title == "" {
			return nil, fault.New(fault.CodeInvalidRequest, "the title is empty", "send some text")
		}
	}
	if head := e.Head; head != nil {
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
