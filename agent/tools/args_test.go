package tools_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/loongclaw/loongclaw/agent/tools"
)

// A name that stands twice means two things: which of them people are shown, and
// which the tool takes, is up to whoever reads it.
func TestArgumentsThatSayTwoThingsAreRefused(t *testing.T) {
	others := &catalog{}
	h := newDeployment(t, func(c *tools.Config) { c.Catalogs = []tools.Catalog{others} })
	others.set(h.env.User, echo{name: "far"})
	deep := strings.Repeat(`{"a":[`, 3000) + `{"x":1,"x":2}` + strings.Repeat(`]}`, 3000)
	for _, c := range []struct {
		args      string
		ours, far bool // whether it is taken
	}{
		{`{"path":"a.md"}`, true, true},
		{`{"path":"a.md","more":{"path":"b.md"},"list":[{"path":1},{"path":2}]}`, true, true},
		{`{"path":"a.md","x":["path","path"]}`, true, true},
		{`{"Path":"a.md"}`, true, true},
		{`{"path":"a.md","path":"b.md"}`, false, false},
		{`{"path":"a.md","p\u0061th":"b.md"}`, false, false},
		{`{"path":"a.md","more":{"x":1,"x":1}}`, false, false},
		{`{"path":"a.md","more":[[{"x":{},"x":[]}]]}`, false, false},
		{`{"path":"a.md","":1,"":2}`, false, false},
		{`{"path":"a.md","more":` + deep + `}`, false, false},
		// Another tool may tell these apart; ours would not.
		{`{"path":"a.md","Path":"b.md"}`, false, true},
		{`{"PATH":"a.md","path":"b.md"}`, false, true},
		{`{"path":"a.md","content":"x","ContenT":"y"}`, false, true},
	} {
		for tool, want := range map[string]bool{"read_file": c.ours, "far": c.far} {
			v := h.box.Judge(tool, json.RawMessage(c.args), h.env)
			if taken := v.Kind != tools.VerdictDeny; taken != want {
				t.Errorf("%s %.80s: %+v", tool, c.args, v)
			}
		}
	}
}
