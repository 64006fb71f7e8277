package session

import (
	"slices"

	"github.com/loongclaw/loongclaw/pkg/chat"
)

// summary is one of the older part of a branch: of all messages up to one, and of
// nothing else. So it holds on every branch that goes through that message and then
// on to another turn.
type summary struct {
	summaryBody
	at chat.Time
}

// summaries are those of a session, by the last message that they cover.
type summaries map[string][]*summary

// on returns the newest part of a branch that is summarised: the summary, and
// where on the path what follows it begins. One that may tell what the user has
// forgotten since does not count.
func (all summaries) on(path []*node, has func(id string) bool) (*summary, int) {
	for i := len(path) - 2; i >= 0; i-- {
		if path[i+1].Role != chat.RoleUser {
			continue // another answer of the same turn follows, which it does not know
		}
		for _, sum := range slices.Backward(all[path[i].ID]) {
			if sum.counts(has) {
				return sum, i + 1
			}
		}
	}
	return nil, 0
}

// counts reports whether all memories that were in sight when it was made are there.
func (s *summary) counts(has func(id string) bool) bool {
	return !slices.ContainsFunc(s.Notes, func(id string) bool { return !has(id) })
}
