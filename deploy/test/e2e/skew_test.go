package e2e

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loongclaw/loongclaw/deploy/internal/client"
	"github.com/loongclaw/loongclaw/deploy/internal/fakeprovider"
	"github.com/loongclaw/loongclaw/deploy/internal/testenv"
)

// TestOneVersionApart: a deploy is not one transaction, so gateway and agent
// understand each other one version back and forth, and either version of the
// agent goes on with what the other has stored.
func TestOneVersionApart(t *testing.T) {
	t.Parallel()
	before, revision, err := testenv.BuildEarlier(t.Context(), t.TempDir())
	if errors.Is(err, testenv.ErrNoEarlier) {
		t.Skipf("SKIPPED: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("the version before is %s", revision)
	for _, tt := range []struct {
		name           string
		gateway, agent string
	}{
		{"gateway one ahead", bin.Gateway, before.Agent},
		{"gateway one behind", before.Gateway, bin.Agent},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := own(t, func(o *testenv.Options) { o.Bin = testenv.Binaries{Gateway: tt.gateway, Agent: tt.agent} })
			converse(t, w, "first")
			other := bin.Agent
			if tt.agent == bin.Agent {
				other = before.Agent
			}
			told := remembered(t, w)
			// Forth, and back: a rollback reads what the new version wrote.
			for i, agent := range []string{other, tt.agent} {
				w.Agent.Stop(killAfter)
				if err := w.UseAgent(t.Context(), agent); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(told, remembered(t, w)); diff != "" {
					t.Errorf("after the change of the agent (-before +after):\n%s", diff)
				}
				converse(t, w, fmt.Sprintf("after change %d", i))
				told = remembered(t, w)
			}
			if _, err := w.Verify(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestThreeVersionsOnOneStore goes the ways that the upgrade guide promises: up from
// 0.2.0 by way of 0.2.1 or at once, and back down to the version before. Nothing that
// one has stored is missing at the next, and every store verifies.
func TestThreeVersionsOnOneStore(t *testing.T) {
	t.Parallel()
	versions := map[string]testenv.Binaries{"now": bin}
	for _, release := range []string{"v0.2.0", "v0.2.1"} {
		b, err := testenv.BuildRelease(t.Context(), t.TempDir(), release)
		if errors.Is(err, testenv.ErrNoEarlier) {
			t.Skipf("SKIPPED: %v", err)
		}
		if err != nil {
			t.Fatal(err)
		}
		versions[release] = b
	}
	for _, way := range [][]string{
		{"v0.2.0", "v0.2.1", "v0.2.0", "v0.2.1", "now", "v0.2.1", "now"},
		{"v0.2.0", "now", "v0.2.1", "now"},
	} {
		t.Run(strings.Join(way, " "), func(t *testing.T) {
			t.Parallel()
			w := own(t, func(o *testenv.Options) { o.Bin = versions[way[0]] })
			converse(t, w, "step 0")
			for i, version := range way[1:] {
				told := remembered(t, w)
				if err := w.Use(t.Context(), versions[version]); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(told, remembered(t, w)); diff != "" {
					t.Errorf("%s after %s (-before +after):\n%s", version, way[i], diff)
				}
				converse(t, w, fmt.Sprintf("step %d", i+1))
				if version == "now" {
					converseAnew(t, w, fmt.Sprintf("step %d", i+1))
				} else if i > 0 && version == "v0.2.1" && way[i] == "now" {
					handedIsReadOnly(t, w)
				}
				if _, err := w.Verify(t.Context()); err != nil {
					t.Errorf("%s: %v", version, err)
				}
			}
		})
	}
}

const skewSession = "skew"

func skewUser(w *world) *client.Client { return client.New(w.Base, tokenOf(0), transport) }

// converse uses what clients use: a tool with an approval over a socket, a cut
// stream that goes on after its cursor, a cancel, memory and files.
func converse(t *testing.T, w *world, mark string) {
	t.Helper()
	c := skewUser(w)
	ws := dial(t, c, "/ws")
	tool := script(call("exec_shell", `{"command":"mkdir -p den"}`), fakeprovider.Round{Text: []string{mark + " asked"}})
	if err := ws.Send("chat", map[string]any{"message": tool.Message(), "sessionId": skewSession}); err != nil {
		t.Fatal(err)
	}
	l := client.NewLedger()
	asked := until(t, ws, l, typed("approval_required"))
	do(t, c, http.StatusOK, http.MethodPost, "/api/approvals/"+asked.ApprovalID, map[string]string{"decision": "once"})
	if end := until(t, ws, l, finished(asked.RunID)); end.Status != "done" || !strings.Contains(l.Answers[asked.RunID][0].Text(), mark) {
		t.Errorf("%s: the run with a tool ended as %s", mark, end.Raw)
	}

	long := script(fakeprovider.Round{Chunks: 12})
	r := start(t, c, skewSession, long.Message())
	cut := client.NewLedger()
	first := follow(t, c, client.OverSSE, skewSession, r.Cursor)
	until(t, first, cut, func(client.Event) bool { return cut.Chunks >= 3 || len(cut.Answers) > 0 })
	first.Cut()
	if len(cut.Finished) == 0 {
		until(t, follow(t, c, client.OverWS, skewSession, cut.Cursor), cut, finished(r.RunID))
	}
	if got := cut.Answers[r.RunID][0].Text(); got != long.Answer(0) {
		t.Errorf("%s: the answer over two connections: got %q, want %q", mark, got, long.Answer(0))
	}

	r = start(t, c, skewSession, script(fakeprovider.Round{Chunks: 400, Delay: 50}).Message())
	do(t, c, http.StatusOK, http.MethodPost, client.SessionPath(skewSession, "/cancel"), map[string]string{})
	if _, end := await(t, c, skewSession, r.RunID); end.Status != "cancelled" {
		t.Errorf("%s: the cancelled run ended as %s", mark, end.Raw)
	}

	do(t, c, http.StatusCreated, http.MethodPost, "/api/memory", map[string]string{"content": "the owl of " + mark})
	do(t, c, http.StatusOK, http.MethodPut, "/api/files/notes/"+strings.ReplaceAll(mark, " ", "-")+".txt", "🦉 "+mark)
	refused(t, c, http.StatusNotFound, "not_found", http.MethodGet, "/api/sessions/never-was", nil)
}

// converseAnew uses what the version before does not know: an attachment, a list of what
// is to be done, and a call that is handed to the client.
func converseAnew(t *testing.T, w *world, mark string) {
	t.Helper()
	c := skewUser(w)
	do(t, c, http.StatusOK, http.MethodPost, "/api/chat", map[string]any{
		"message": script(fakeprovider.Round{Text: []string{mark + " read it"}}).Message(), "sessionId": skewSession,
		"attachments": []map[string]string{{"path": "notes/" + strings.ReplaceAll(mark, " ", "-") + ".txt"}},
	})
	do(t, c, http.StatusOK, http.MethodPost, "/api/chat", map[string]any{
		"message":   script(call("todo_write", `{"items":[{"text":"count the owls","state":"open"}]}`), fakeprovider.Round{Text: []string{mark + " noted"}}).Message(),
		"sessionId": skewSession,
	})
	a := do(t, c, http.StatusOK, http.MethodPost, "/v1/chat/completions", map[string]any{
		"model":    "loongclaw",
		"messages": []map[string]string{{"role": "user", "content": script(call("get_weather", `{"city":"Oslo"}`)).Message()}},
		"tools":    []map[string]any{{"type": "function", "function": map[string]any{"name": "get_weather", "parameters": map[string]any{"type": "object"}}}},
	})
	if !strings.Contains(string(a.Body), `"finish_reason":"tool_calls"`) {
		t.Errorf("%s: the client was given no call: %s", mark, a.Body)
	}
}

// handedIsReadOnly: without the results of the client's tools nobody else may go on with
// such a conversation, and everybody may read it.
func handedIsReadOnly(t *testing.T, w *world) {
	t.Helper()
	c := skewUser(w)
	var list struct{ Sessions []struct{ ID string } }
	if err := do(t, c, http.StatusOK, http.MethodGet, "/api/sessions", nil).JSON(&list); err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, row := range list.Sessions {
		if !strings.HasPrefix(row.ID, "v1-") {
			continue
		}
		found++
		if got := contents(history(t, c, row.ID, "")); len(got) == 0 {
			t.Errorf("nothing can be read of %s", row.ID)
		}
		refused(t, c, http.StatusConflict, "newer_version", http.MethodPost, client.SessionPath(row.ID, "/runs"), map[string]any{"message": "go on"})
	}
	if found == 0 {
		t.Errorf("no conversation with a call that was handed over: %v", list.Sessions)
	}
}

// remembered is all that a user can read of the past.
func remembered(t *testing.T, w *world) []string {
	t.Helper()
	c := skewUser(w)
	all := contents(history(t, c, skewSession, ""))
	var found struct {
		Results []struct{ ID, Content string }
	}
	if err := do(t, c, http.StatusOK, http.MethodGet, "/api/memory/search?keyword=owl&limit=100", nil).JSON(&found); err != nil {
		t.Fatal(err)
	}
	var memories []string
	for _, m := range found.Results {
		memories = append(memories, m.ID+" "+m.Content)
	}
	slices.Sort(memories)
	return append(append(all, memories...), string(do(t, c, http.StatusOK, http.MethodGet, "/api/files", nil).Body))
}
