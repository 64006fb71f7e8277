package tools_test

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"testing"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/tools"
)

// echo is a tool that gives its own name and says how long its output may be.
type echo struct {
	name string
	out  string
}

func (e echo) Spec() loop.Spec { return loop.Spec{Name: e.name} }
func (echo) ReadOnly() bool    { return true }
func (echo) Foreign() bool     { return true }
func (echo) MaxOutput() int    { return 100 << 10 }
func (echo) Judge(json.RawMessage, tools.Env) tools.Verdict {
	return tools.Verdict{Kind: tools.VerdictRun}
}

func (e echo) Run(context.Context, json.RawMessage, tools.Env) (string, error) {
	return e.name + e.out, nil
}

// catalog is one whose tools a test changes.
type catalog struct {
	mu    sync.Mutex
	of    map[string][]tools.Tool
	panic bool
}

func (s *catalog) Tools(user string) []tools.Tool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.panic {
		panic("no tools today")
	}
	return s.of[user]
}

func (s *catalog) set(user string, list ...tools.Tool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.of = map[string][]tools.Tool{user: list}
}

func TestASourcesToolsChangeWhileTheAgentRuns(t *testing.T) {
	s := &catalog{}
	box := tools.New(tools.Config{Catalogs: []tools.Catalog{s}})
	fixed := len(box.For("alice").Specs())
	s.set("alice", echo{name: "far"}, echo{name: "far", out: "second"}, echo{name: "read_file"})
	if n := len(box.For("alice").Specs()); n != fixed+1 {
		t.Errorf("%d tools, want %d: a name counts once, and a fixed tool's is taken", n, fixed+1)
	}
	if len(box.For("bob").Specs()) != fixed || box.For("bob").Knows("far") {
		t.Error("another user has them, too")
	}
	env := tools.Env{User: "alice", Sight: &tools.Sight{}}
	if out, err := box.Run(t.Context(), "far", nil, env); out != "far" || err != nil || !env.Sight.Foreign() {
		t.Errorf("%q, %v, foreign %v", out, err, env.Sight.Foreign())
	}
	if v := box.Judge("read_file", json.RawMessage(`{}`), env); v.Kind != tools.VerdictDeny {
		t.Errorf("a source has taken a fixed tool's place: %+v", v)
	}
	held := box.For("alice").Prepare("far", nil, env)
	s.set("alice", echo{name: "far", out: " changed"})
	if out, err := held.Run(t.Context()); out != "far" || err != nil {
		t.Errorf("%q, %v: another tool ran than the one that was judged", out, err)
	}
	s.set("alice")
	if v := box.Judge("far", nil, env); v.Kind != tools.VerdictDeny || !strings.Contains(v.Reason, "there is no tool") {
		t.Errorf("a tool that is gone: %+v", v)
	}
	s.panic = true
	if n := len(box.For("alice").Specs()); n != fixed {
		t.Errorf("%d tools of a source that panics", n)
	}
}

func TestAToolMaySayHowLongItsOutputIs(t *testing.T) {
	box := tools.New(tools.Config{}, echo{name: "long", out: strings.Repeat("x", 200<<10)})
	out, err := box.Run(t.Context(), "long", nil, tools.Env{})
	if err != nil || len(out) < 100<<10 || len(out) > 101<<10 || !strings.Contains(out, "[cut:") {
		t.Errorf("%d bytes, %v", len(out), err)
	}
}

func TestAModelIsToldOfSomeToolsOnly(t *testing.T) {
	s := &catalog{}
	var many []tools.Tool
	for i := range 2000 {
		many = append(many, echo{name: "far_" + strings.Repeat("x", i%50) + string(rune('a'+i%26)) + strings.Repeat("y", i/50)})
	}
	s.set("alice", many...)
	v := tools.New(tools.Config{Catalogs: []tools.Catalog{s}}).Judge("none", nil, tools.Env{User: "alice"})
	if len(v.Reason) > 8<<10 || !strings.Contains(v.Reason, " more") {
		t.Errorf("%d bytes: %.200s", len(v.Reason), v.Reason)
	}
}
