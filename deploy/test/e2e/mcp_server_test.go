package e2e

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/loongclaw/loongclaw/deploy/internal/fakeprovider"
	"github.com/loongclaw/loongclaw/deploy/internal/testenv"
)

// TestAClientOfTheModelContextProtocolUsesTheAgent has the SDK for TypeScript send a
// message through the gateway and wait for its answer.
func TestAClientOfTheModelContextProtocolUsesTheAgent(t *testing.T) {
	t.Parallel()
	needs(t, "mcp")
	// Wrong tokens lock an address out for all who share it.
	w := own(t, func(*testenv.Options) {})
	c := w.user(t)
	s := script(fakeprovider.Round{Text: []string{"The owl ", "is home."}, Delay: 20})
	cmd := exec.CommandContext(limited(t), "node", "mcp/client.mjs", w.Base+"/mcp", c.Token, s.Message()) // #nosec G204 -- a script of this folder
	var saw struct {
		Refused  string
		Server   struct{ Name string }
		Tools    []string
		Run      struct{ Status, Answer string }
		History  int
		Session  string
		Sessions []string
		Missing  struct{ Error string }
	}
	if err := testenv.RunJSON(cmd, nil, &saw); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(saw.Refused, "401") && !strings.Contains(saw.Refused, "nauthorized") {
		t.Errorf("a wrong token: %q", saw.Refused)
	}
	if want := []string{"approvals_list", "memory_search", "run_wait", "session_history", "session_send", "sessions_list"}; saw.Server.Name != "loongclaw" || !slices.Equal(saw.Tools, want) {
		t.Errorf("%q has the tools %v, want %v", saw.Server.Name, saw.Tools, want)
	}
	if saw.Run.Status != "done" || saw.Run.Answer != "The owl is home." || saw.History != 2 || !slices.Contains(saw.Sessions, saw.Session) {
		t.Errorf("it saw %+v", saw)
	}
	if !strings.HasPrefix(saw.Missing.Error, "not_found") {
		t.Errorf("a session that is not there: %q", saw.Missing.Error)
	}
	// There is no stream of the server's own, and no session to end.
	for _, method := range []string{"GET", "DELETE"} {
		do(t, c, 405, method, "/mcp", nil)
	}
}
