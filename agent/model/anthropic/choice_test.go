package anthropic

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/model/anthropic/anthropictest"
)

// A model that must call something may not think before it, so it is not told to.
func TestTheChoiceOfTools(t *testing.T) {
	look := loop.Choice{Kind: loop.ChooseOne, Name: "look"}
	for name, tt := range map[string]struct {
		config   Config
		choice   loop.Choice
		single   bool
		noCalls  bool
		want     map[string]any
		thinking bool
	}{
		"freely":                     {config: Config{Thinking: "2048"}, thinking: true},
		"one of a name":              {choice: look, want: map[string]any{"type": "tool", "name": "look"}},
		"any":                        {choice: loop.Choice{Kind: loop.ChooseAny}, want: map[string]any{"type": "any"}},
		"any, one at a time":         {choice: loop.Choice{Kind: loop.ChooseAny}, single: true, want: map[string]any{"type": "any", "disable_parallel_tool_use": true}},
		"freely, one at a time":      {single: true, want: map[string]any{"type": "auto", "disable_parallel_tool_use": true}},
		"none":                       {choice: look, single: true, noCalls: true, want: map[string]any{"type": "none"}},
		"with a budget for thinking": {config: Config{Thinking: "2048"}, choice: look, want: map[string]any{"type": "tool", "name": "look"}},
		"adaptive thinking":          {config: Config{Thinking: "adaptive"}, choice: look, want: map[string]any{"type": "tool", "name": "look"}},
		"thinking, one at a time":    {config: Config{Thinking: "adaptive"}, single: true, want: map[string]any{"type": "auto", "disable_parallel_tool_use": true}, thinking: true},
	} {
		t.Run(name, func(t *testing.T) {
			s := &anthropictest.Server{}
			q := ofOne("hi")
			q.Choice, q.OneCall, q.NoCalls = tt.choice, tt.single, tt.noCalls
			fine(t, start(t, s, tt.config), q)
			b := s.Last().Body
			if d := cmp.Diff(tt.want, b.ToolChoice); d != "" {
				t.Errorf("tool_choice (-want +got):\n%s", d)
			}
			if (b.Thinking != nil) != tt.thinking {
				t.Errorf("thinking is %+v", b.Thinking)
			}
		})
	}
}

// Who refuses to be held to a call is told of it in words.
func TestAChoiceThatIsRefused(t *testing.T) {
	s := &anthropictest.Server{}
	s.Script(anthropictest.Reply{Status: 400, Kind: "invalid_request_error", Message: "tool_choice is not supported"}, anthropictest.Reply{})
	q := ofOne("hi")
	q.Choice = loop.Choice{Kind: loop.ChooseOne, Name: "look"}
	fine(t, start(t, s, Config{}), q)
	b := s.Last().Body
	last := b.Messages[len(b.Messages)-1]
	if b.ToolChoice != nil || len(s.Requests()) != 2 || !strings.Contains(last.Content[len(last.Content)-1]["text"].(string), "a call of the tool look") {
		t.Errorf("tool_choice %v after %d requests, told %v", b.ToolChoice, len(s.Requests()), last.Content)
	}
	// What else is refused is refused.
	s = &anthropictest.Server{}
	s.Script(anthropictest.Reply{Status: 400}, anthropictest.Reply{Status: 400})
	if a := ask(t.Context(), start(t, s, Config{}), q); a.err == nil || len(s.Requests()) != 2 {
		t.Errorf("got %v after %d requests", a.err, len(s.Requests()))
	}
}
