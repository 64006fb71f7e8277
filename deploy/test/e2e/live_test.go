package e2e

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loongclaw/loongclaw/deploy/internal/client"
	"github.com/loongclaw/loongclaw/deploy/internal/fakeprovider"
)

// gated is a script whose only answer stops before its piece of index at until
// the gate is opened.
func gated(chunks, at int) (fakeprovider.Script, string) {
	gate := fresh("gate")
	return script(fakeprovider.Round{Chunks: chunks, Gate: gate, GateAt: at}), gate
}

// chunksOf accepts the event with which n pieces of text have come.
func chunksOf(l *client.Ledger, s fakeprovider.Script, n int) func(client.Event) bool {
	want := 0
	for _, p := range s.Pieces(0)[:n] {
		want += len(p)
	}
	return func(e client.Event) bool { return e.Type == "message_chunk" && len(l.Open(e.MessageID)) >= want }
}

func TestASecondTabSeesTheSameRunLive(t *testing.T) {
	t.Parallel()
	w := shared(t)
	c := w.user(t)
	s, gate := gated(10, 5)
	first := dial(t, c, "/ws")
	if err := first.Send("chat", map[string]any{"message": s.Message(), "sessionId": "a"}); err != nil {
		t.Fatal(err)
	}
	seen := client.NewLedger()
	until(t, first, seen, chunksOf(seen, s, 5))
	// The answer stands still now; what the others see, they see of a live run.
	others := []client.Stream{
		follow(t, c, client.OverWS, "a", ""),
		follow(t, c, client.OverSSE, "a", ""),
		follow(t, c, client.OverWS, "a", seen.Cursor),
	}
	ledgers := []*client.Ledger{client.NewLedger(), client.NewLedger(), client.NewLedger()}
	for i, o := range others[:2] {
		until(t, o, ledgers[i], chunksOf(ledgers[i], s, 5))
	}
	w.model.Open(gate)
	end := until(t, first, seen, typed("run_finished"))
	for i, o := range others {
		e := until(t, o, ledgers[i], func(e client.Event) bool {
			// The third came in mid-answer: its ledger lacks the answer's start.
			return finished(end.RunID)(e) || i == 2 && e.Type == "message_chunk"
		})
		if i < 2 {
			if diff := cmp.Diff(withoutTitles(seen.Steps), withoutTitles(ledgers[i].Steps)); diff != "" {
				t.Errorf("tab %d (-first +other):\n%s", i, diff)
			}
		} else if e.Type != "message_chunk" {
			t.Errorf("the tab that came with a cursor got %v, want the next chunk", e)
		}
	}
}

func TestCancelEndsTheProvidersRequest(t *testing.T) {
	t.Parallel()
	w := shared(t)
	for _, tt := range []struct {
		name   string
		cancel func(t *testing.T, c *client.Client, session, runID string)
	}{
		{"by run", func(t *testing.T, c *client.Client, session, runID string) {
			do(t, c, 200, "POST", client.SessionPath(session, "/cancel"), map[string]any{"runId": runID})
		}},
		{"the current one", func(t *testing.T, c *client.Client, session, _ string) {
			do(t, c, 200, "POST", client.SessionPath(session, "/cancel"), map[string]any{})
		}},
		{"without a body", func(t *testing.T, c *client.Client, session, _ string) {
			do(t, c, 200, "POST", client.SessionPath(session, "/cancel"), nil)
		}},
		{"by frame", func(t *testing.T, c *client.Client, session, _ string) {
			s := dial(t, c, "/ws")
			if err := s.Send("cancel", map[string]any{"sessionId": session}); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(s.Cut)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := w.user(t)
			s, _ := gated(10, 4)
			r := start(t, c, "a", s.Message())
			st := follow(t, c, client.OverSSE, "a", r.Cursor)
			l := client.NewLedger()
			until(t, st, l, chunksOf(l, s, 4))
			tt.cancel(t, c, "a", r.RunID)
			end := until(t, st, l, finished(r.RunID))
			if end.Status != "cancelled" {
				t.Errorf("got %v, want cancelled", end)
			}
			if err := w.model.Wait(limited(t), s.ID, func(rs []fakeprovider.Request) bool { return len(rs) == 1 && rs[0].Cancelled }); err != nil {
				t.Errorf("the provider's request goes on: %v", err)
			}
			want := ""
			for _, p := range s.Pieces(0)[:4] {
				want += p
			}
			answers := l.Answers[r.RunID]
			if len(answers) != 1 || !answers[0].Incomplete || answers[0].Text() != want {
				t.Errorf("got answers %v, want the partial text %q marked incomplete", answers, want)
			}
			h := history(t, c, "a", "")
			if len(h.Messages) != 2 || h.Messages[1].Content != want || !h.Messages[1].Incomplete {
				t.Errorf("history: got %+v, want the partial text marked incomplete", h.Messages)
			}
			if got := ask(t, c, "a", "go on"); got != "收到：go on" {
				t.Errorf("the session's next answer: got %q", got)
			}
		})
	}
}

func TestCancelWhileATurnWaitsForTheModelsFirstWord(t *testing.T) {
	t.Parallel()
	w := shared(t)
	c := w.user(t)
	s, _ := gated(3, 0)
	r := start(t, c, "a", s.Message())
	if err := w.model.Arrived(limited(t), s.ID, 1); err != nil {
		t.Fatal(err)
	}
	do(t, c, 200, "POST", client.SessionPath("a", "/cancel"), map[string]any{"runId": r.RunID})
	if _, end := await(t, c, "a", r.RunID); end.Status != "cancelled" {
		t.Errorf("got %v, want cancelled", end)
	}
	if err := w.model.Wait(limited(t), s.ID, func(rs []fakeprovider.Request) bool { return rs[0].Cancelled }); err != nil {
		t.Error(err)
	}
}

func TestLeavingDoesNotEndTheRun(t *testing.T) {
	t.Parallel()
	w := shared(t)
	leave := map[string]func(t *testing.T, c *client.Client, s fakeprovider.Script){
		"a WebSocket is cut": func(t *testing.T, c *client.Client, s fakeprovider.Script) {
			ws := dial(t, c, "/ws")
			if err := ws.Send("chat", map[string]any{"message": s.Message(), "sessionId": "a"}); err != nil {
				t.Fatal(err)
			}
			l := client.NewLedger()
			until(t, ws, l, chunksOf(l, s, 3))
			ws.Cut()
		},
		"a POST stream is cut": func(t *testing.T, c *client.Client, s fakeprovider.Script) {
			st, err := c.Chat(limited(t), "a", s.Message())
			if err != nil {
				t.Fatal(err)
			}
			l := client.NewLedger()
			until(t, st, l, chunksOf(l, s, 3))
			st.Cut()
		},
		"nobody ever listened": func(t *testing.T, c *client.Client, s fakeprovider.Script) {
			start(t, c, "a", s.Message())
		},
	}
	for name, test := range leave {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := w.user(t)
			s, gate := gated(6, 3)
			test(t, c, s)
			// The run's first half is there, its client is not: let it go on.
			if err := w.model.Wait(limited(t), s.ID, func(rs []fakeprovider.Request) bool { return len(rs) == 1 && rs[0].Written == 3 }); err != nil {
				t.Fatal(err)
			}
			w.model.Open(gate)
			if err := w.model.Wait(limited(t), s.ID, func(rs []fakeprovider.Request) bool { return len(rs) == 1 && rs[0].Finished }); err != nil {
				t.Fatalf("the run did not go on: %v", err)
			}
			st := follow(t, c, client.OverSSE, "a", "")
			l := client.NewLedger()
			end := until(t, st, l, typed("run_finished"))
			if end.Status != "done" || l.Answers[end.RunID][0].Text() != s.Answer(0) {
				t.Errorf("got %v, %v, want the whole answer", end, l.Answers)
			}
		})
	}
}
