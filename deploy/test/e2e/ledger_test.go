package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loongclaw/loongclaw/deploy/internal/client"
	"github.com/loongclaw/loongclaw/deploy/internal/fakeprovider"
	"github.com/loongclaw/loongclaw/deploy/internal/testenv"
)

// ledgerOf is a user's ledger, each line in words.
func ledgerOf(t *testing.T, c *client.Client) []string {
	t.Helper()
	var page struct {
		Lines []struct {
			What, Session, Tool, Status, Scope, Decision, Via, Code, RequestID string
			Count                                                              int
		}
	}
	if err := do(t, c, 200, "GET", "/api/ledger", nil).JSON(&page); err != nil {
		t.Fatal(err)
	}
	out := []string{}
	for _, l := range page.Lines {
		way, _, _ := strings.Cut(l.Via, ":")
		count := ""
		if l.Count > 0 {
			count = fmt.Sprint(l.Count)
		}
		out = append(out, strings.Join(strings.Fields(strings.Join([]string{l.What, l.Session, l.Tool, l.Status, l.Decision, l.Scope, way, l.Code, count}, " ")), " "))
	}
	return out
}

// TestTheLedgerTellsWhatWasDoneAfterEverythingElseIsGone looks at it through the
// gateway, over a kill and a deletion, and has it verified.
func TestTheLedgerTellsWhatWasDoneAfterEverythingElseIsGone(t *testing.T) {
	t.Parallel()
	w := own(t, func(o *testenv.Options) {
		o.AgentEnv["TOOLS_AUTO_APPROVE"] = "get_current_time"
		o.Tokens = "alice:token-of-alice-1,alice:token-of-alice-2:read"
	})
	chats, reads := client.New(w.Base, "token-of-alice-1", transport), client.New(w.Base, "token-of-alice-2", transport)
	for range 3 {
		refused(t, reads, 403, "forbidden", "POST", "/api/chat", map[string]any{"message": "I may only read"})
	}
	refused(t, client.New(w.Base, "token-of-mallory", transport), 401, "unauthorized", "GET", "/api/ledger", nil)
	if diff := cmp.Diff([]string{"sign_in token", "refused forbidden 3"}, ledgerOf(t, reads)); diff != "" {
		t.Errorf("at first (-want +got):\n%s", diff)
	}
	for _, decision := range []string{"once", "deny"} {
		r := start(t, chats, "s", script(call("write_file", `{"path":"a.txt","content":"secret"}`), fakeprovider.Round{Chunks: 1}).Message())
		s := follow(t, chats, client.OverSSE, "s", r.Cursor)
		l := client.NewLedger()
		asked := until(t, s, l, typed("approval_required"))
		do(t, chats, 200, "POST", "/api/approvals/"+asked.ApprovalID, map[string]any{"decision": decision})
		until(t, s, l, finished(r.RunID))
	}
	want := []string{
		"sign_in token", "refused forbidden 3",
		"approval s write_file once write_file a.txt", "tool_call s write_file ok",
		"approval s write_file deny write_file a.txt", "tool_call s write_file denied",
	}
	sameLines := func(when string) {
		t.Helper()
		got := ledgerOf(t, reads)
		if strings.Contains(strings.Join(got, "\n"), "secret") {
			t.Errorf("%s the ledger holds an argument: %q", when, got)
		}
		if diff := cmp.Diff(want, unique(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", when, diff)
		}
	}
	slices.Sort(want)
	sameLines("live")
	do(t, chats, 200, "DELETE", client.SessionPath("s", ""), nil)
	sameLines("after the deletion")
	w.Agent.Stop(killAfter) // what was noted is written at the end
	if err := w.StartAgent(limited(t)); err != nil {
		t.Fatal(err)
	}
	sameLines("after a restart")
	if out, err := w.Verify(limited(t)); err != nil || !strings.Contains(out, "7 lines of audit logs") {
		t.Errorf("agent verify: %s, %v, want 7 lines", out, err)
	}
}

// unique returns each line once, in the order of the alphabet: which of two things
// in one millisecond was first, nobody can tell.
func unique(lines []string) []string {
	out := slices.Clone(lines)
	slices.Sort(out)
	return slices.Compact(out)
}
