package session

import (
	"fmt"
	"slices"

	"github.com/loongclaw/loongclaw/pkg/chat"
)

// Check reports the first of the invariants in the package's documentation that a
// state breaks. It takes time that grows with the whole session, so it is for
// tests.
func (s *State) Check() error {
	for _, check := range []func(*State) error{checkRuns, checkTree, checkCalls, checkEntries, checkAnswer, checkSummaries, checkClients} {
		if err := check(s); err != nil {
			return err
		}
	}
	return nil
}

func checkRuns(s *State) error {
	if s.runs.current != "" {
		switch r := s.runs.by[s.runs.current]; {
		case r == nil:
			return fmt.Errorf("the current run %q does not exist", s.runs.current)
		case r.Status != "":
			return fmt.Errorf("the current run %q has ended: %s", s.runs.current, r.Status)
		case r.Starts == 0:
			return fmt.Errorf("the current run %q was never started", s.runs.current)
		case slices.Contains(s.runs.queue, s.runs.current):
			return fmt.Errorf("the current run %q waits", s.runs.current)
		}
	}
	seen := map[string]bool{}
	for _, id := range s.runs.queue {
		switch r := s.runs.by[id]; {
		case r == nil:
			return fmt.Errorf("the run %q waits and does not exist", id)
		case seen[id]:
			return fmt.Errorf("the run %q waits twice", id)
		case r.Status != "" || r.Starts > 0:
			return fmt.Errorf("the run %q waits and has run", id)
		}
		seen[id] = true
	}
	if len(s.runs.queue) > chat.MaxWaiting+1 {
		return fmt.Errorf("%d runs wait", len(s.runs.queue))
	}
	for id, r := range s.runs.by {
		if r.ID != id {
			return fmt.Errorf("the run %q is kept as %q", r.ID, id)
		}
		if r.Starts > 0 && r.Status == "" && id != s.runs.current {
			return fmt.Errorf("the run %q is under way beside %q", id, s.runs.current)
		}
	}
	return nil
}

func checkTree(s *State) error {
	t := &s.tree
	if len(t.order) != len(t.nodes) {
		return fmt.Errorf("%d messages are kept and %d are in order", len(t.nodes), len(t.order))
	}
	if t.head != "" && t.nodes[t.head] == nil {
		return fmt.Errorf("the head %q does not exist", t.head)
	}
	for id, n := range t.nodes {
		if n.ParentID != "" && t.nodes[n.ParentID] == nil {
			return fmt.Errorf("the parent %q of %q does not exist", n.ParentID, id)
		}
		if n.settled == slices.Contains(t.loose, id) {
			return fmt.Errorf("the message %q is settled and waits for its place", id)
		}
		steps := 0
		for at := n; at != nil; at = t.nodes[at.ParentID] {
			if steps++; steps > len(t.nodes) {
				return fmt.Errorf("the message %q is its own ancestor", id)
			}
		}
	}
	return nil
}

func checkCalls(s *State) error {
	for id, r := range s.runs.by {
		if len(r.order) != len(r.calls) {
			return fmt.Errorf("the run %q has %d calls and %d in order", id, len(r.calls), len(r.order))
		}
		for _, c := range r.order {
			if q := c.question; q != nil && s.approvals.asked[q.ApprovalID] != q {
				return fmt.Errorf("the question %q of the call %q is not known", q.ApprovalID, c.ID)
			}
		}
	}
	for id, q := range s.approvals.asked {
		if (q.decision == "") != (q.decided == 0) {
			return fmt.Errorf("the question %q is decided without a decision", id)
		}
	}
	return nil
}

func checkEntries(s *State) error {
	for i, e := range s.entries {
		if e.seq != uint64(i)+1 {
			return fmt.Errorf("entry %d has the number %d", i+1, e.seq)
		}
	}
	return nil
}

func checkAnswer(s *State) error {
	if g := s.answer; g != nil && g.run != s.runs.current {
		return fmt.Errorf("the run %q gives an answer and %q is under way", g.run, s.runs.current)
	}
	return nil
}

func checkClients(s *State) error {
	for id, r := range s.runs.by {
		h := r.atClient()
		if h == nil {
			continue
		}
		if id != s.runs.current {
			return fmt.Errorf("the run %q waits for its client and is not under way", id)
		}
		left := 0
		for _, c := range r.order {
			if c.done {
				continue
			}
			if left++; !c.Client || !slices.Contains(h.Calls, c.ID) {
				return fmt.Errorf("the run %q waits for its client, which does not have the call %q", id, c.ID)
			}
		}
		if left != len(h.Calls) {
			return fmt.Errorf("the run %q waits for %d calls, and %d have no result", id, len(h.Calls), left)
		}
	}
	for id, d := range s.clients.delegated {
		if s.runs.by[d.run.ID] != d.run || d.run.calls[d.call.ID] != d.call || !d.call.Client || !slices.Contains(d.handed.Calls, d.call.ID) {
			return fmt.Errorf("the client's call %q is none of the run %q", id, d.run.ID)
		}
	}
	return nil
}

func checkSummaries(s *State) error {
	for upTo, all := range s.summaries {
		if n := s.tree.nodes[upTo]; n == nil || !n.settled {
			return fmt.Errorf("a summary goes up to the message %q, which is on no branch", upTo)
		}
		for _, sum := range all {
			if r := s.runs.by[sum.RunID]; sum.UpTo != upTo || sum.Text == "" || r == nil || !r.summarised {
				return fmt.Errorf("the summary %q up to %q is not its run's", sum.ID, upTo)
			}
		}
	}
	return nil
}
