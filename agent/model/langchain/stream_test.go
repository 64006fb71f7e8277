package langchain

import (
	"testing"

	"github.com/loongclaw/loongclaw/agent/model/modeltest"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

func TestThoughtsInTheText(t *testing.T) {
	for name, c := range map[string]struct {
		pieces          []string
		reasoning, text string
	}{
		"whole":              {[]string{"<think>a b</think>\n\nHi."}, "a b", "Hi."},
		"cut in the marks":   {[]string{"\n<th", "ink>a", " b</", "think", ">\n", "\nHi", "."}, "a b", "Hi."},
		"not at the start":   {[]string{"see <think>", "x</think>"}, "", "see <think>x</think>"},
		"like a mark":        {[]string{"<thi", "s>"}, "", "<this>"},
		"only a beginning":   {[]string{"<thi"}, "", "<thi"},
		"less than in one":   {[]string{"<think>1 </ 2", "</think>3"}, "1 </ 2", "3"},
		"never closed":       {[]string{"<think>1</thin"}, "1</thin", ""},
		"blank at the start": {[]string{" ", "x"}, "", " x"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, Config{}, func(t *testing.T, s *modeltest.Server, m *Model) {
				s.Script(modeltest.Reply{Pieces: c.pieces})
				got := ask(t, t.Context(), m, hello())
				if got.err != nil || got.Reasoning != c.reasoning || got.Text != c.text {
					t.Errorf("reasoning %q, text %q, error %v; want %q, %q", got.Reasoning, got.Text, got.err, c.reasoning, c.text)
				}
			})
		})
	}
}

// TestCutWithinACharacter: what was streamed before the failure is the answer's
// text, also when the failure comes within a mark or a character.
func TestCutWithinACharacter(t *testing.T) {
	bubble(t, Config{}, func(t *testing.T, s *modeltest.Server, m *Model) {
		s.Script(modeltest.Reply{Pieces: []string{"ok \xe4\xbd", "\xa0"}, Fault: modeltest.FaultEnd, After: 1})
		got := ask(t, t.Context(), m, hello())
		if fault.CodeOf(got.err) != fault.CodeProviderFailed || got.Text != "ok " {
			t.Errorf("text %q, error %v", got.Text, got.err)
		}
	})
}
