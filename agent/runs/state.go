package runs

import (
	"context"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/tools"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

// historyBudget bounds what of a session goes to the model, in bytes of text.
const historyBudget = 96 << 10

// Persona gives the system prompt of a user's agent. It is asked at each run, so
// that a changed SOUL.md counts from the next one.
type Persona func(ctx context.Context, user string) string

// state reads from the journal where a run stands, and adds what the model is told
// beside the user's words. The returned context is new and not in the journal yet.
func (m *Manager) state(ctx context.Context, s *session, r *run) (st loop.State, question string, added *contextBody) {
	s.mu.Lock()
	if n := s.tree.nodes[r.message]; n != nil {
		question = n.Content
	}
	stretches := s.conversation(r, m.Window)
	st = loop.State{
		Pending:     r.pending(),
		Rounds:      r.rounds,
		Interactive: r.interactive,
		RequestID:   r.requestID,
	}
	steps := r.steps[:len(r.steps):len(r.steps)]
	soul, instructions, known := r.soul, r.instruct, r.context != nil
	r.soul = nil
	s.mu.Unlock()
	if soul != nil {
		st.System = <-soul
	} else {
		st.System = m.Persona(ctx, s.user.Name)
	}
	if instructions != "" {
		st.System += "\n\n" + instructions
	}
	seen := sight{notes: map[string]bool{}}
	for _, part := range stretches {
		seen.add(part.context)
	}
	if last := &stretches[len(stretches)-1]; !known && r.rounds == 0 {
		added = m.newContext(ctx, s, r, question, seen)
		last.context = added
	}
	for _, part := range stretches {
		if part.context != nil {
			part.messages[0].Context = part.context.text(s.user.Memory.Has)
		}
		st.Messages = append(st.Messages, part.messages...)
	}
	st.Messages = append(st.Messages, steps...)
	return st, question, added
}

// pending gives the calls of a run that have no result, and where each stands.
func (r *run) pending() []loop.Pending {
	var out []loop.Pending
	for _, c := range r.order {
		if c.done {
			continue
		}
		p := loop.Pending{Call: c.Call}
		switch a := c.approval; {
		case !c.recorded:
			p.Stage = loop.Fresh
		case a == nil:
			p.Stage = loop.Unknown
		case a.decision == "":
			p.Stage = loop.Asked
		case a.decision == chat.DecideDeny:
			p.Stage, p.Why = loop.Refused, "the user denied this call. Do not try it another way; ask what they want instead."
			if a.expired {
				p.Why = "nobody answered the question within 24 hours"
			}
		case a.decided > r.before:
			p.Stage = loop.Allowed
		default:
			p.Stage = loop.Unknown // it was allowed to an earlier start of this run
		}
		out = append(out, p)
	}
	return out
}

// conversation gives the branch that ends at a run's message, as the model sees
// it: the newest turns that fit. It ends with that message. The lock is held.
func (s *session) conversation(r *run, window int) []stretch {
	path := s.tree.path(r.message)
	if len(path) == 0 {
		return []stretch{{messages: []loop.Message{{Role: chat.RoleUser}}}}
	}
	var all []stretch
	var flat []loop.Message
	for i, n := range path {
		var part stretch
		switch {
		case n.Role == chat.RoleUser:
			part = stretch{[]loop.Message{{Role: chat.RoleUser, Text: n.Content}}, s.contextOf(path, i, r)}
			// What Fit counts; the text is made when the cut is known.
			part.messages[0].Context = part.context.text(func(string) bool { return true })
		case i+1 < len(path) && path[i+1].RunID == n.RunID && path[i+1].Role == chat.RoleAssistant:
			continue // a later stretch of the same run brings this one along
		default:
			part.messages = s.runs[n.RunID].upTo(n.step)
		}
		all = append(all, part)
		flat = append(flat, part.messages...)
	}
	left := len(flat) - len(loop.Fit(flat, s.room(window)))
	for left > 0 {
		left -= len(all[0].messages)
		all = all[1:]
	}
	return all
}

// Of a model's window a part is left for the system text, the tools and the answer:
// a half of a small one, and never more than reserved. A token of the rest is taken
// for three bytes, which is about right for Chinese and careful for English.
const (
	reserved      = 8192
	bytesPerToken = 3
)

// roomOf is how many bytes of conversation a model with a window takes.
func roomOf(window int) int {
	if window <= 0 {
		return historyBudget
	}
	return min(historyBudget, bytesPerToken*(window-min(reserved, window/2)))
}

// room is how many bytes of conversation are sent: what the model's window takes, or
// less where it has refused that. The lock is held.
func (s *session) room(window int) int {
	if s.taken > 0 {
		return min(s.taken, roomOf(window))
	}
	return roomOf(window)
}

// contextOf is the context of the user's message at i: that of the run which
// answers it on this branch. The lock is held.
func (s *session) contextOf(path []*node, i int, r *run) *contextBody {
	answers := r
	if i+1 < len(path) {
		answers = s.runs[path[i+1].RunID]
		if path[i+1].Role == chat.RoleUser { // it was cancelled before a word
			answers = s.runs[path[i].RunID]
		}
	}
	if answers == nil {
		return nil
	}
	return answers.context
}

// upTo gives a run's steps up to one of its answers, with the results of what
// that answer called.
func (r *run) upTo(step int) []loop.Message {
	if r == nil {
		return nil
	}
	end := min(step, len(r.steps))
	for end < len(r.steps) && r.steps[end].Role == loop.RoleTool {
		end++
	}
	return append([]loop.Message(nil), r.steps[:end]...)
}

// toolbox binds the tools to a run's user and session, and to what the model has
// before it: what tools of earlier turns said counts while it is in sight.
func (m *Manager) toolbox(s *session, question string, seen []loop.Message) loop.Toolbox {
	sight := &tools.Sight{}
	for _, msg := range seen {
		if msg.Role == loop.RoleTool && m.Tools.Foreign(msg.Name) {
			sight.Saw(msg.Name)
		}
	}
	return &toolbox{m: m, s: s, env: tools.Env{User: s.user.Name, Session: s.id, UserText: question, Files: s.user.Files, Memory: s.user.Memory, Sight: sight}}
}

type toolbox struct {
	m   *Manager
	s   *session
	env tools.Env
}

func (t *toolbox) Specs() []loop.Spec        { return t.m.Tools.Specs() }
func (t *toolbox) ReadOnly(name string) bool { return t.m.Tools.ReadOnly(name) }

// Permit asks the policy, then what the user has approved before.
func (t *toolbox) Permit(c loop.Call) loop.Permission {
	v := t.m.Tools.Judge(c.Name, c.Arguments, t.env)
	switch v.Kind {
	case tools.VerdictRun:
		return loop.Permission{Kind: loop.Allow}
	case tools.VerdictAsk:
		t.s.mu.Lock()
		known := t.s.scopes[v.Scope]
		t.s.mu.Unlock()
		if known || t.s.user.Stands(v.Scope) {
			return loop.Permission{Kind: loop.Allow}
		}
		return loop.Permission{Kind: loop.Ask, Scope: v.Scope}
	}
	return loop.Permission{Kind: loop.Deny, Reason: v.Reason}
}

func (t *toolbox) Run(ctx context.Context, c loop.Call) (output string, err error) {
	name, began := t.m.toolName(c.Name), t.m.Now()
	ctx, traced := t.m.Trace.Tool(ctx, name)
	defer func() {
		t.m.Seen.Ran(name, t.m.Now().Sub(began))
		traced(err)
	}()
	output, err = t.m.Tools.Run(ctx, c.Name, c.Arguments, t.env)
	return keptResult(output), err
}

// toolName is a tool's name for the observer.
func (m *Manager) toolName(name string) string {
	if m.Tools.Knows(name) {
		return name
	}
	return unknownTool
}

var _ loop.Toolbox = (*toolbox)(nil)
