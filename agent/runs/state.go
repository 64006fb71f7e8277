package runs

import (
	"context"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/tools"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

// historyBudget bounds what of a session goes to the model, in bytes of text;
// recallBudget what of the memory, in tokens.
const (
	historyBudget = 96 << 10
	recallBudget  = 600
)

// Persona gives the system prompt of a user's agent. It is asked at each run, so
// that a changed SOUL.md counts from the next one.
type Persona func(ctx context.Context, user string) string

// state reads from the journal where a run stands, and adds what the agent
// remembers about the user's words.
func (m *Manager) state(ctx context.Context, s *session, r *run) (loop.State, string) {
	s.mu.Lock()
	question := ""
	if n := s.tree.nodes[r.message]; n != nil {
		question = n.Content
	}
	st := loop.State{
		Messages:    append(s.conversation(r.message), r.steps...),
		Pending:     r.pending(),
		Rounds:      r.rounds,
		Interactive: r.interactive,
		RequestID:   r.requestID,
	}
	soul, instructions := r.soul, r.instruct
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
	if recalled, _ := s.user.Memory.Recall(ctx, question, recallBudget); recalled != "" {
		st.System += "\n\n" + recalled
	}
	return st, question
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

// conversation gives the branch that ends at a message, as the model sees it,
// the newest parts that fit the budget. The lock is held.
func (s *session) conversation(last string) []loop.Message {
	var groups [][]loop.Message
	path := s.tree.path(last)
	for i, n := range path {
		if n.Role == chat.RoleUser {
			groups = append(groups, []loop.Message{{Role: chat.RoleUser, Text: n.Content}})
			continue
		}
		if i+1 < len(path) && path[i+1].RunID == n.RunID && path[i+1].Role == chat.RoleAssistant {
			continue // a later stretch of the same run brings this one along
		}
		groups = append(groups, s.runs[n.RunID].upTo(n.step))
	}
	room := historyBudget
	from := len(groups)
	for from > 0 {
		size := 0
		for _, msg := range groups[from-1] {
			size += len(msg.Text)
			for _, c := range msg.Calls {
				size += len(c.Arguments)
			}
		}
		if room -= size; room < 0 && from < len(groups) {
			break
		}
		from--
	}
	var out []loop.Message
	for _, g := range groups[from:] {
		out = append(out, g...)
	}
	return out
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

// toolbox binds the tools to a run's user and session.
func (m *Manager) toolbox(s *session, _ *run, question string) loop.Toolbox {
	return &toolbox{m: m, s: s, env: tools.Env{User: s.user.Name, Session: s.id, UserText: question, Files: s.user.Files, Memory: s.user.Memory}}
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

func (t *toolbox) Run(ctx context.Context, c loop.Call) (string, error) {
	began := t.m.Now()
	defer func() { t.m.Seen.Ran(t.m.toolName(c.Name), t.m.Now().Sub(began)) }()
	return t.m.Tools.Run(ctx, c.Name, c.Arguments, t.env)
}

// toolName is a tool's name for the observer.
func (m *Manager) toolName(name string) string {
	if m.Tools.Knows(name) {
		return name
	}
	return unknownTool
}

var _ loop.Toolbox = (*toolbox)(nil)
