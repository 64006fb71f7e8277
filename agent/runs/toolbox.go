package runs

import (
	"context"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/session"
	"github.com/loongclaw/loongclaw/agent/tools"
)

// toolbox binds the tools to a run's user and session, and to what the model has
// before it: what tools of earlier turns said counts while it is in sight.
func (s *open) toolbox(question string, seen []loop.Message) loop.Toolbox {
	sight := &tools.Sight{}
	for _, msg := range seen {
		from := msg.From // a summary is as foreign as what it was made from
		if msg.Role == loop.RoleTool {
			from = []string{msg.Name}
		}
		for _, name := range from {
			if s.Tools.Foreign(name) {
				sight.Saw(name)
			}
		}
	}
	return &toolbox{s: s, env: tools.Env{User: s.user.Name, Session: s.id, UserText: question, Files: s.user.Files, Memory: s.user.Memory, Sight: sight}}
}

type toolbox struct {
	s   *open
	env tools.Env
}

func (t *toolbox) Specs() []loop.Spec        { return t.s.Tools.Specs() }
func (t *toolbox) ReadOnly(name string) bool { return t.s.Tools.ReadOnly(name) }

// Permit asks the policy, then what the user has approved before.
func (t *toolbox) Permit(c loop.Call) loop.Permission {
	v := t.s.Tools.Judge(c.Name, c.Arguments, t.env)
	switch v.Kind {
	case tools.VerdictRun:
		return loop.Permission{Kind: loop.Allow}
	case tools.VerdictAsk:
		t.s.mu.Lock()
		known := t.s.state.Approved(v.Scope)
		t.s.mu.Unlock()
		if known || t.s.user.IsApproved(v.Scope) {
			return loop.Permission{Kind: loop.Allow}
		}
		return loop.Permission{Kind: loop.Ask, Scope: v.Scope}
	}
	return loop.Permission{Kind: loop.Deny, Reason: v.Reason}
}

func (t *toolbox) Run(ctx context.Context, c loop.Call) (output string, err error) {
	name, began := t.s.toolName(c.Name), t.s.Now()
	ctx, traced := t.s.Trace.Tool(ctx, name)
	defer func() {
		t.s.Observer.Ran(name, t.s.Now().Sub(began))
		traced(err)
	}()
	output, err = t.s.Tools.Run(ctx, c.Name, c.Arguments, t.env)
	return session.KeptResult(output), err
}

// unknownTool is what every tool is called that there is not: models make some up.
const unknownTool = "unknown"

// toolName returns a tool's name for the observer.
func (s *open) toolName(name string) string {
	if s.Tools.Knows(name) {
		return name
	}
	return unknownTool
}

var _ loop.Toolbox = (*toolbox)(nil)
