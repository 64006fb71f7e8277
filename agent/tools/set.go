package tools

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/loongclaw/loongclaw/agent/loop"
)

// Set is the tools that one user has at one moment.
type Set struct {
	box    *Box
	tools  []Tool
	byName map[string]Tool
	own    bool // tools and byName are this set's, not the box's
}

// add puts a catalog's tool behind the others, unless its name is taken.
func (s *Set) add(t Tool) {
	name := t.Spec().Name
	if _, taken := s.byName[name]; taken {
		return
	}
	if !s.own {
		s.tools, s.byName, s.own = slices.Clone(s.tools), maps.Clone(s.byName), true
	}
	s.tools, s.byName[name] = append(s.tools, t), t
}

// Specs describes the tools to a model.
func (s *Set) Specs() []loop.Spec {
	out := make([]loop.Spec, 0, len(s.tools))
	for _, t := range s.tools {
		if h, ok := t.(hidden); ok && h.Hidden() {
			continue
		}
		out = append(out, t.Spec())
	}
	return out
}

// Definitions says who else than the agent's own authors has written what is declared
// to models. Its user has approved it, so it is no text from outside; yet it is none of
// the user's words, and its author may be after something.
func (s *Set) Definitions() (sources []Source) {
	for _, t := range s.tools {
		d, ok := t.(defined)
		if h, hides := t.(hidden); !ok || hides && h.Hidden() {
			continue
		}
		if source := (Source{What: shown(d.DefinedBy())}); !slices.Contains(sources, source) {
			sources = append(sources, source)
		}
	}
	return sources
}

// Knows reports whether there is such a tool.
func (s *Set) Knows(name string) bool {
	_, ok := s.byName[name]
	return ok
}

// ReadOnly reports whether a call of the tool changes nothing.
func (s *Set) ReadOnly(name string) bool {
	t, ok := s.byName[name]
	return ok && t.ReadOnly()
}

// Source says where a call's output comes from, if others than the user and the
// agent may have written it; else it is empty. Of a tool that is not here nothing is
// known, so its output counts.
func (s *Set) Source(name string, args json.RawMessage) Source {
	t, ok := s.byName[name]
	switch {
	case !ok:
		return Source{What: shown(name), Outside: true}
	case !t.Foreign():
		return Source{}
	}
	return sourceOf(t, name, args)
}

func sourceOf(t Tool, name string, args json.RawMessage) Source {
	s := Source{What: name}
	if n, ok := t.(sourced); ok {
		if what := n.SourceOf(args); what != "" {
			s.What = shown(what)
		}
	}
	_, s.Outside = t.(outside)
	_, s.Fenced = t.(selfFenced)
	return s
}

// Meant returns the call that a model means: a tool may stand for others that are
// not declared, and a call of it is then theirs.
func (s *Set) Meant(c loop.Call) loop.Call {
	if t, ok := s.byName[c.Name].(standIn); ok {
		if name, args, ok := t.StandsFor(c.Arguments); ok {
			c.Name, c.Arguments = name, args
		}
	}
	return c
}

// Call is one call of a tool, looked up and judged. The tool that was judged is the
// one that runs, whatever its catalog has by then.
type Call struct {
	Verdict
	Name string

	box  *Box
	tool Tool
	args json.RawMessage
	env  Env
}

// Prepare looks a call's tool up and says what the call needs before it may run. A
// call that cannot be right is denied with what is wrong about it.
func (s *Set) Prepare(name string, args json.RawMessage, env Env) Call {
	c := Call{Name: name, box: s.box, env: env}
	var ok bool
	if c.tool, ok = s.byName[name]; !ok {
		c.Verdict = deny(s.unknown(name))
		return c
	}
	var err error
	if c.args, err = object(args); err != nil {
		c.Verdict = deny(text(err))
		return c
	}
	c.Verdict = c.judge()
	if c.Kind == VerdictAsk && s.box.auto[name] && !c.Always {
		c.Verdict = Verdict{Kind: VerdictRun}
	}
	// What only reads here tells nobody anything, and may go on standing approvals.
	if c.Kind == VerdictAsk && c.Sources == nil && !c.tool.ReadOnly() {
		c.Sources = env.Sight.Outside()
	}
	return c
}

func (c Call) judge() (v Verdict) {
	defer func() {
		if p := recover(); p != nil {
			c.box.log.Error("a tool's judgement panicked", "tool", c.Name, "panic", fmt.Sprint(p))
			v = deny("the call could not be judged, so it does not run; put it more simply")
		}
	}()
	return c.tool.Judge(c.args, c.env)
}

// Run does a call whose verdict let it run, or that the user approved. What is
// denied does not run, whatever was approved. It returns at the latest a little
// after the call's own limit, or after ctx has ended, whatever the tool does; the
// error is then loop.ErrNotEnded.
func (c Call) Run(ctx context.Context) (output string, err error) {
	if c.Kind == VerdictDeny {
		return "", &callError{text: c.Reason, cause: errDenied}
	}
	most := c.box.max
	if t, ok := c.tool.(roomy); ok {
		most = t.MaxOutput()
	}
	if c.tool.Foreign() {
		c.env.Sight.Saw(sourceOf(c.tool, c.Name, c.args))
	}
	output, err = c.box.bounded(ctx, c.tool, c.args, c.env)
	if err != nil {
		return capped(output, most), &callError{text: capped(text(err), c.box.max), cause: err}
	}
	return capped(output, most), nil
}

// shownNames bounds how many tools a model is told of that called one which there
// is not.
const shownNames = 50

func (s *Set) unknown(name string) string {
	names := slices.Sorted(maps.Keys(s.byName))
	more := ""
	if len(names) > shownNames {
		more = fmt.Sprintf(" and %d more", len(names)-shownNames)
		names = names[:shownNames]
	}
	return fmt.Sprintf("there is no tool %.60q; there are: %s%s", name, strings.Join(names, ", "), more)
}
