package e2e

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loongclaw/loongclaw/deploy/internal/client"
	"github.com/loongclaw/loongclaw/deploy/internal/fakeprovider"
)

// regenerate asks for another answer and waits for it.
func regenerate(t *testing.T, c *client.Client, session string, body any) (run, *client.Ledger) {
	t.Helper()
	var r run
	if err := do(t, c, 202, "POST", client.SessionPath(session, "/regenerate"), body).JSON(&r); err != nil {
		t.Fatal(err)
	}
	st := follow(t, c, client.OverSSE, session, r.Cursor)
	l := client.NewLedger()
	if end := until(t, st, l, finished(r.RunID)); end.Status != "done" {
		t.Fatalf("got %v, want done", end)
	}
	st.Cut()
	return r, l
}

func TestRegenerateAnswersAgainAndKeepsTheOld(t *testing.T) {
	t.Parallel()
	w := shared(t)
	c := w.user(t)
	s := script(fakeprovider.Round{Chunks: 2, Vary: true})
	first := start(t, c, "a", s.Message())
	await(t, c, "a", first.RunID)
	old := history(t, c, "a", "").Messages[1]
	r, l := regenerate(t, c, "a", nil)
	for _, k := range l.Steps {
		if strings.HasPrefix(k, "message "+r.RunID) {
			t.Errorf("a regenerated run has a message of its own: %q", l.Steps)
		}
	}
	h := history(t, c, "a", "")
	if len(h.Messages) != 2 || h.Messages[1].ID == old.ID || h.Messages[1].ParentID != first.MessageID || !strings.Contains(h.Messages[1].Content, "(attempt 2)") {
		t.Errorf("the head's branch is %+v, want the new answer to %s", h.Messages, first.MessageID)
	}
	if rs := w.model.Requests(s.ID); len(rs) != 2 || count(rs[1], "assistant") != 0 || count(rs[1], "user") != 1 {
		t.Errorf("the second request holds the old answer or the message twice: %+v", rs)
	}
	tree := history(t, c, "a", "?tree=1")
	if len(tree.Messages) != 3 {
		t.Errorf("the tree has %d messages, want 3: %q", len(tree.Messages), contents(tree))
	}
	// Back to the old answer, and on from there.
	do(t, c, 200, "PATCH", client.SessionPath("a", ""), map[string]any{"head": old.ID})
	if diff := cmp.Diff([]string{"user: " + s.Message(), "assistant: " + old.Content}, contents(history(t, c, "a", ""))); diff != "" {
		t.Errorf("after the head was set (-want +got):\n%s", diff)
	}
	ask(t, c, "a", "on from here")
	h = history(t, c, "a", "")
	if len(h.Messages) != 4 || h.Messages[1].ID != old.ID || h.Messages[2].ParentID != old.ID {
		t.Errorf("got %+v, want four messages through the old answer", h.Messages)
	}
	if tree := history(t, c, "a", "?tree=1"); len(tree.Messages) != 5 {
		t.Errorf("the tree has %d messages, want 5", len(tree.Messages))
	}
}

func TestRegenerateAnEarlierMessage(t *testing.T) {
	t.Parallel()
	c := shared(t).user(t)
	first := start(t, c, "a", script(fakeprovider.Round{Chunks: 1, Vary: true}).Message())
	await(t, c, "a", first.RunID)
	ask(t, c, "a", "second")
	regenerate(t, c, "a", map[string]any{"messageId": first.MessageID})
	h := history(t, c, "a", "")
	if len(h.Messages) != 2 || !strings.Contains(h.Messages[1].Content, "(attempt 2)") {
		t.Errorf("the head's branch is %q, want the first message and its new answer", contents(h))
	}
	refused(t, c, 404, "not_found", "POST", client.SessionPath("a", "/regenerate"), map[string]any{"messageId": "no-such-message"})
	nothingLost(t, c, "a", 2)
}

func TestAnEditIsASibling(t *testing.T) {
	t.Parallel()
	w := shared(t)
	c := w.user(t)
	ask(t, c, "a", "one")
	ask(t, c, "a", "two")
	ask(t, c, "a", "three")
	before := history(t, c, "a", "").Messages
	var r run
	s := script(fakeprovider.Round{Chunks: 1})
	// "two" is edited: what it answered is what the edit answers.
	if err := do(t, c, 202, "POST", client.SessionPath("a", "/runs"), map[string]any{"message": s.Message(), "parentId": before[2].ParentID}).JSON(&r); err != nil {
		t.Fatal(err)
	}
	await(t, c, "a", r.RunID)
	want := []string{"user: one", "assistant: 收到：one", "user: " + s.Message(), "assistant: " + s.Answer(0)}
	if diff := cmp.Diff(want, contents(history(t, c, "a", ""))); diff != "" {
		t.Errorf("the head's branch (-want +got):\n%s", diff)
	}
	if rs := w.model.Requests(s.ID); len(rs) != 1 || count(rs[0], "user") != 2 {
		t.Errorf("the edit's prompt: %+v, want what stands before it", rs)
	}
	if tree := history(t, c, "a", "?tree=1"); len(tree.Messages) != 8 {
		t.Errorf("the tree has %d messages, want 8", len(tree.Messages))
	}
	do(t, c, 200, "PATCH", client.SessionPath("a", ""), map[string]any{"head": before[5].ID})
	if h := history(t, c, "a", ""); len(h.Messages) != 6 {
		t.Errorf("the old branch is %q, want its six messages", contents(h))
	}
	x, err := c.Do(limited(t), "POST", client.SessionPath("a", "/runs"), map[string]any{"message": "x", "parentId": "no-such-message"})
	if err != nil || x.Status/100 != 4 {
		t.Errorf("an unknown parentId: got %v (%v), want 4xx", x, err)
	}
}

func TestAnEditOfTheFirstMessageIsASibling(t *testing.T) {
	t.Parallel()
	w := shared(t)
	c := w.user(t)
	ask(t, c, "a", "one")
	var r run
	s := script(fakeprovider.Round{Chunks: 1})
	if err := do(t, c, 202, "POST", client.SessionPath("a", "/runs"), map[string]any{"message": s.Message(), "parentId": ""}).JSON(&r); err != nil {
		t.Fatal(err)
	}
	await(t, c, "a", r.RunID)
	nothingLost(t, c, "a", 2)
	if rs := w.model.Requests(s.ID); len(rs) != 1 || count(rs[0], "user") != 1 {
		t.Errorf("the edit's prompt: %+v, want the edit alone", rs)
	}
	if tree := history(t, c, "a", "?tree=1"); len(tree.Messages) != 4 {
		t.Errorf("the tree has %d messages, want 4", len(tree.Messages))
	}
}

func TestTitlesComeFromTheFirstMessage(t *testing.T) {
	t.Parallel()
	c := shared(t).user(t)
	ask(t, c, "a", "去杭州看西湖")
	ask(t, c, "a", "and then?")
	title := func() any {
		t.Helper()
		return object(t, do(t, c, 200, "GET", client.SessionPath("a", ""), nil))["title"]
	}
	if got := title(); got != "去杭州看西湖" {
		t.Errorf("got title %v, want the first message", got)
	}
	tab := follow(t, c, client.OverWS, "a", "")
	l := client.NewLedger()
	do(t, c, 200, "PATCH", client.SessionPath("a", ""), map[string]any{"title": "旅行"})
	if e := until(t, tab, l, typed("session_updated")); e.Title != "旅行" {
		t.Errorf("got %v, want the new title", e)
	}
	ask(t, c, "a", "another")
	if got := title(); got != "旅行" {
		t.Errorf("got title %v, want the one that was set", got)
	}
	if row := sessionRow(t, c, "a"); !strings.Contains(row, "旅行") || !strings.Contains(row, `"messages":6`) {
		t.Errorf("the list says %s, want the title that was set and 6 messages", row)
	}
}

// erasers are the ways to empty a session.
var erasers = map[string]func(t *testing.T, c *client.Client, session string){
	"clear": func(t *testing.T, c *client.Client, session string) {
		do(t, c, 200, "DELETE", "/api/history/"+session, nil)
	},
	"clear all": func(t *testing.T, c *client.Client, _ string) {
		do(t, c, 200, "DELETE", "/api/history/all", nil)
	},
	"delete": func(t *testing.T, c *client.Client, session string) {
		a, err := c.Do(limited(t), "DELETE", client.SessionPath(session, ""), nil)
		if err != nil || a.Status/100 != 2 {
			t.Fatalf("DELETE: got %v (%v), want 2xx", a, err)
		}
	},
	"frame": func(t *testing.T, c *client.Client, session string) {
		s := dial(t, c, "/ws")
		if err := s.Send("clear_history", map[string]any{"sessionId": session}); err != nil {
			t.Fatal(err)
		}
		until(t, s, client.NewLedger(), typed("history_cleared"))
		s.Cut()
	},
}

func TestAnErasedSessionsOldCursorGetsThePresent(t *testing.T) {
	t.Parallel()
	w := shared(t)
	for name, erase := range erasers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := w.user(t)
			r := start(t, c, "a", "old")
			l, _ := await(t, c, "a", r.RunID)
			erase(t, c, "a")
			next := start(t, c, "a", "new")
			for _, over := range []string{client.OverSSE, client.OverWS} {
				st := follow(t, c, over, "a", l.Cursor)
				now := client.NewLedger()
				cleared := false
				until(t, st, now, func(e client.Event) bool {
					cleared = cleared || e.Type == "history_cleared" && e.SessionID == "a"
					if e.RunID == r.RunID {
						t.Errorf("an event of the life before: %v", e)
					}
					return finished(next.RunID)(e)
				})
				if !cleared {
					t.Errorf("over %s: no history_cleared before %q", over, now.Steps)
				}
				if got := now.Answers[next.RunID]; len(got) != 1 || got[0].Text() != "收到：new" {
					t.Errorf("over %s: got %v, want the present from its start", over, got)
				}
				st.Cut()
			}
			nothingLost(t, c, "a", 2)
		})
	}
}

func TestErasingABusySessionCancelsFirst(t *testing.T) {
	t.Parallel()
	w := shared(t)
	for name, erase := range erasers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := w.user(t)
			s, _ := gated(6, 3)
			r := start(t, c, "a", s.Message())
			tab := follow(t, c, client.OverWS, "a", r.Cursor)
			l := client.NewLedger()
			until(t, tab, l, chunksOf(l, s, 3))
			erase(t, c, "a")
			if err := w.model.Wait(limited(t), s.ID, func(rs []fakeprovider.Request) bool { return rs[0].Cancelled }); err != nil {
				t.Errorf("the provider's request goes on: %v", err)
			}
			until(t, tab, l, typed("history_cleared"))
			nothingLost(t, c, "a", 0)
			if got := ask(t, c, "a", "anew"); got != "收到：anew" {
				t.Errorf("got %q", got)
			}
		})
	}
}

func TestDeletedIsGoneFromTheStore(t *testing.T) {
	t.Parallel()
	w := own(t, nil)
	c := w.user(t)
	const secret = "zyxwv-98765"
	message := strings.Repeat("a long beginning, so that the title ends before it. ", 10) + secret
	ask(t, c, "a", message)
	ask(t, c, "b", message)
	stored := func() int {
		n := 0
		err := filepath.WalkDir(w.Store, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			b, err := os.ReadFile(path) // #nosec G304 G122 -- below the test's own folder
			if strings.Contains(string(b), secret) {
				n++
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if stored() == 0 {
		t.Fatal("the text is nowhere in the store: this test cannot see")
	}
	erasers["delete"](t, c, "a")
	erasers["clear"](t, c, "b")
	// A store that is one file clears its log away a moment later.
	for end := time.Now().Add(30 * time.Second); stored() != 0 && time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
	}
	if n := stored(); n != 0 {
		t.Errorf("%d files still hold the text", n)
	}
	refused(t, c, 404, "not_found", "GET", client.SessionPath("a", ""), nil)
	w.reborn(t)
	nothingLost(t, c, "a", 0)
	nothingLost(t, c, "b", 0)
	refused(t, c, 404, "not_found", "GET", client.SessionPath("a", ""), nil)
}
