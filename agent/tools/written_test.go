package tools_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/loongclaw/loongclaw/agent/tools"
)

// TestAFileRemembersThatItWasWrittenBesideForeignText: what the model writes while it
// sees a page is as foreign as the page, in every later turn, until the user writes it.
func TestAFileRemembersThatItWasWrittenBesideForeignText(t *testing.T) {
	h := newDeployment(t, nil)
	run := func(tool string, args ...any) string {
		t.Helper()
		out, err := h.box.Run(t.Context(), tool, arguments(t, args...), h.env)
		if err != nil {
			t.Fatalf("%s: %v", tool, err)
		}
		return out
	}
	turn := func(seen ...tools.Source) {
		h.env.Sight = &tools.Sight{}
		for _, s := range seen {
			h.env.Sight.Saw(s)
		}
	}
	page := tools.Source{What: "http://pages.example.org/", Outside: true}

	turn()
	run("write_file", "path", "own.txt", "content", "bears like honey")
	turn(page)
	run("write_file", "path", "copy.txt", "content", "bears like honey")

	for tool, args := range map[string][]any{
		"read_file":    {"path", "copy.txt"},
		"files_search": {"query", "honey"},

		"list_directory": {"path", "."},
		"exec_shell":     {"command", "cat own.txt"}, // it might have been the other
	} {
		turn()
		out := run(tool, args...)
		if got := h.env.Sight.Outside(); len(got) != 1 || !strings.Contains(got[0], "http://pages.example.org/") {
			t.Errorf("%s: seen from outside: %q", tool, got)
		}
		if s, ok := tools.SourceOfOutput(tool, out); !ok || !s.Outside {
			t.Errorf("%s: a later turn sees nothing of it in %q", tool, out)
		}
	}
	turn()
	if out := run("read_file", "path", "own.txt"); out != "bears like honey" || len(h.env.Sight.Outside()) > 0 {
		t.Errorf("a file of the user's: %q, from %q", out, h.env.Sight.Outside())
	}

	turn(page)
	run("exec_shell", "command", "cp own.txt made.txt")
	foreign, err := h.env.Files.Foreign(t.Context())
	if err != nil || !slices.Contains(foreign.Of("made.txt"), page.What) || foreign.Of("own.txt") != nil {
		t.Errorf("what a command made: %+v, %v", foreign, err)
	}
}
