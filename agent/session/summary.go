package session

import (
	"fmt"
	"slices"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/record"
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

// applySummary takes in that a run has tried to summarise.
func (s *State) applySummary(e placed, b summaryBody, r *run) error {
	r.summarised = true
	r.Usage = r.Usage.Add(b.Usage)
	if b.Usage != nil {
		s.usage = *(&s.usage).Add(b.Usage)
	}
	if b.Text == "" {
		return nil
	}
	if n := s.tree.nodes[b.UpTo]; n == nil || !n.settled {
		return fmt.Errorf("it summarises up to the message %q, which is on no branch", b.UpTo)
	}
	s.summaries[b.UpTo] = append(s.summaries[b.UpTo], &summary{b, e.at})
	return nil
}

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

// Summaries returns the summaries in the order of their messages in the tree, as
// messages of the history: each behind the one up to which it goes.
func (s *State) Summaries(has func(id string) bool) []chat.Message {
	var out []chat.Message
	for _, id := range s.tree.order {
		for _, sum := range s.summaries[id] {
			m := chat.Message{ID: sum.ID, ParentID: id, RunID: sum.RunID, Role: chat.RoleSystem, Content: sum.Text, Timestamp: sum.at, Summary: true}
			if !sum.counts(has) {
				m.Content = forgottenNote
			}
			out = append(out, m)
		}
	}
	return out
}

func summaryRecord(runID string, st loop.SummaryStep) record.Record {
	b := summaryBody{RunID: runID, ID: st.ID, Text: st.Text, Usage: st.Usage, Model: st.Model}
	if st.Text != "" {
		b.UpTo, b.Tools, b.Notes = st.UpTo, st.Tools, st.Notes
	}
	return record.New(recSummary, b)
}

// Compaction returns what the turn needs to summarise what is older than its
// messages, as they were returned last. id is that of the summary, if one is made.
func (t *Turn) Compaction(id string, room int, m Memory) loop.Compaction {
	c := loop.Compaction{ID: id, Bounds: map[int]loop.Bound{}, Room: room, Tried: t.summarised}
	var known loop.Bound // what is in sight so far; the lists only grow, so the bounds share them
	at := 0
	for i, part := range t.parts {
		if i > 0 && part.messages[0].Role == chat.RoleUser && !part.messages[0].Summary {
			known.UpTo = t.parts[i-1].last
			c.Bounds[at] = loop.Bound{UpTo: known.UpTo, Notes: slices.Clip(known.Notes), Tools: slices.Clip(known.Tools)}
		}
		known.Tools = union(known.Tools, part.tools(m)...)
		known.Notes = union(known.Notes, part.notes(m)...)
		at += len(part.messages)
	}
	return c
}

// tools are those whose results a part shows, and the files that stand with it.
func (p *stretch) tools(m Memory) (names []string) {
	if p.summary != nil {
		names = p.summary.Tools
	}
	names = append(names[:len(names):len(names)], p.context.from(m)...)
	for i := range p.messages {
		for k := range p.messages[i].Attached {
			names = append(names[:len(names):len(names)], loop.AttachedSource(p.messages[i].Attached[k].Name))
		}
		if m := &p.messages[i]; m.Role == loop.RoleTool && !m.NotRun() {
			name := m.Name
			if m.Client {
				name = loop.ClientName(name)
			}
			names = append(names[:len(names):len(names)], name)
		}
	}
	return names
}

// notes are the memories that a part shows.
func (p *stretch) notes(m Memory) (ids []string) {
	if p.summary != nil {
		ids = p.summary.Notes
	}
	if p.context != nil {
		for _, n := range p.context.Notes {
			if m.Has(n.ID) {
				ids = append(ids[:len(ids):len(ids)], n.ID)
			}
		}
	}
	return ids
}

// union adds what a list does not hold yet.
func union(list []string, more ...string) []string {
	for _, s := range more {
		if !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	return list
}
