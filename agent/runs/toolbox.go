package runs

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/session"
	"github.com/loongclaw/loongclaw/agent/tools"
)

// newToolbox binds the tools to a run's user and session, and to what the model has
// before it: what tools of earlier turns said counts while it is in sight.
func newToolbox(s *open, runID string, turn session.Turn, seen []loop.Message) loop.Toolbox {
	sight, known := &tools.Sight{}, s.Tools.For(s.user.Name)
	calls := map[string]json.RawMessage{}
	for _, msg := range seen {
		for i := range msg.Attached { // what a file holds, and its name, others may have written
			sight.Saw(known.Source(loop.AttachedSource(msg.Attached[i].Name), nil))
		}
		for _, c := range msg.Calls {
			calls[c.ID] = c.Arguments
		}
		for _, name := range msg.From { // a summary or a list is as foreign as what it was made from
			if name == session.FromMemory {
				sight.Saw(tools.Remembered)
			} else if source := known.Source(name, nil); source.What != "" {
				sight.Saw(source)
			}
		}
		if msg.Role != loop.RoleTool || msg.NotRun() {
			continue
		}
		if msg.Client {
			sight.Saw(tools.Source{What: clientSource(msg.Name), Outside: true})
		} else if source := known.Source(msg.Name, calls[msg.CallID]); source.What != "" {
			sight.Saw(source)
		}
		if source, ok := tools.SourceOfOutput(msg.Name, msg.Text); ok {
			sight.Saw(source)
		}
	}
	for _, source := range known.Definitions() {
		sight.Saw(source)
	}
	return &toolbox{s: s, run: runID, client: turn.Client.Tools, env: tools.Env{User: s.user.Name, Session: s.id, UserText: turn.Question, Files: s.user.Files, Memory: s.user.Memory, Sight: sight}}
}

type toolbox struct {
	s      *open
	run    string
	client []loop.Spec // tools that the client brought along
	env    tools.Env
}

// clientSource is what a result of a client's tool comes from, for people.
func clientSource(name string) string { return "the client's tool " + name }

// beside puts a client's tools behind ours, and in the place of those of their names.
func beside(ours, theirs []loop.Spec) []loop.Spec {
	if len(theirs) == 0 {
		return ours
	}
	named := func(name string) func(loop.Spec) bool { return func(s loop.Spec) bool { return s.Name == name } }
	ours = slices.DeleteFunc(slices.Clone(ours), func(s loop.Spec) bool { return slices.ContainsFunc(theirs, named(s.Name)) })
	return append(ours, theirs...)
}

// set is asked each time: what a user has may change while a turn runs.
func (t *toolbox) set() *tools.Set           { return t.s.Tools.For(t.env.User) }
func (t *toolbox) ReadOnly(name string) bool { return t.set().ReadOnly(name) }

// Specs declares the tools: what others wrote of it is in sight from here on.
func (t *toolbox) Specs() []loop.Spec {
	set := t.set()
	for _, source := range set.Definitions() {
		t.env.Sight.Saw(source)
	}
	return beside(set.Specs(), t.client)
}

// Delegates reports whether the client runs a tool.
func (t *toolbox) Delegates(name string) bool {
	return slices.ContainsFunc(t.client, func(s loop.Spec) bool { return s.Name == name })
}

// Meant returns the call that a model means.
func (t *toolbox) Meant(c loop.Call) loop.Call {
	if t.Delegates(c.Name) {
		return c
	}
	return t.set().Meant(c)
}

// Source says where a call's result comes from that is to be fenced. What fences
// itself is left alone.
func (t *toolbox) Source(c loop.Call) string {
	if c.Client {
		return clientSource(c.Name)
	}
	s := t.set().Source(c.Name, c.Arguments)
	if s.Fenced {
		return ""
	}
	return s.What
}

// Permit asks the policy, then what the user has approved before.
func (t *toolbox) Permit(c loop.Call) loop.Permission {
	v := t.s.Tools.Judge(c.Name, c.Arguments, t.env)
	switch v.Kind {
	case tools.VerdictRun:
		return loop.Permission{Kind: loop.Allow}
	case tools.VerdictAsk:
		if t.allowed(v) {
			return loop.Permission{Kind: loop.Allow}
		}
		return loop.Permission{Kind: loop.Ask, Scope: v.Scope, Sources: v.Sources}
	}
	return loop.Permission{Kind: loop.Deny, Reason: v.Reason}
}

// allowed reports whether the user has approved a scope before, so that it counts
// now: for this run, and, where nobody else had a say, for the session or for longer.
func (t *toolbox) allowed(v tools.Verdict) bool {
	t.s.mu.Lock()
	run, session := t.s.state.Runs().Approved(t.run, v.Scope), t.s.state.Approved(v.Scope)
	t.s.mu.Unlock()
	return run || len(v.Sources) == 0 && (session || t.s.user.IsApproved(v.Scope))
}

func (t *toolbox) Run(ctx context.Context, c loop.Call) (output string, err error) {
	name, began := t.s.toolName(t.s.user.Name, c.Name), t.s.Now()
	ctx, traced := t.s.Trace.Tool(ctx, name)
	defer func() {
		t.s.Observer.Ran(name, t.s.Now().Sub(began))
		traced(err)
	}()
	output, err = t.s.Tools.Run(ctx, c.Name, c.Arguments, t.env)
	return session.KeptResult(output), err
}

var (
	_ loop.Toolbox   = (*toolbox)(nil)
	_ loop.Delegator = (*toolbox)(nil)
)
