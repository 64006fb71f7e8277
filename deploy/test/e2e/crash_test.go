package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/loongclaw/loongclaw/deploy/internal/client"
	"github.com/loongclaw/loongclaw/deploy/internal/fakeprovider"
)

// reborn kills the agent as a power cut does and starts it again.
func (w *world) reborn(t *testing.T) {
	t.Helper()
	w.Agent.Kill()
	if err := w.StartAgent(limited(t)); err != nil {
		t.Fatal(err)
	}
}

// answeredOnce holds a session after a crash: the message is there once, and its
// run ended once, as done with the whole answer or as interrupted.
func answeredOnce(t *testing.T, c *client.Client, r run, message, answer string) {
	t.Helper()
	l, end := await(t, c, r.SessionID, r.RunID)
	h := history(t, c, r.SessionID, "")
	mine := 0
	for _, m := range h.Messages {
		if m.ID == r.MessageID {
			mine++
			if m.Content != message || m.Role != "user" {
				t.Errorf("the message became %+v", m)
			}
		}
	}
	if mine != 1 {
		t.Errorf("the acknowledged message is there %d times in %q", mine, contents(h))
	}
	switch end.Status {
	case "done":
		as := l.Answers[r.RunID]
		if len(as) == 0 || as[len(as)-1].Incomplete || as[len(as)-1].Text() != answer {
			t.Errorf("done with %v, want %q", as, answer)
		}
	case "interrupted":
	default:
		t.Errorf("got %v, want done or interrupted", end)
	}
}

func TestKillAfterTheAcknowledgementLosesNothing(t *testing.T) {
	t.Parallel()
	w := own(t, nil)
	for i := range 5 {
		c := w.user(t)
		s := script(fakeprovider.Round{Chunks: 5, Delay: 10})
		r := start(t, c, "a", s.Message())
		w.reborn(t)
		answeredOnce(t, c, r, s.Message(), s.Answer(0))
		if t.Failed() {
			t.Fatalf("in round %d", i)
		}
	}
}

func TestKillWithManyAcknowledgedMessages(t *testing.T) {
	t.Parallel()
	w := own(t, nil)
	type sent struct {
		c *client.Client
		r run
		s fakeprovider.Script
	}
	var all []sent
	for range 4 {
		c := w.user(t)
		for _, session := range []string{"a", "b"} {
			for range 3 {
				s := script(fakeprovider.Round{Chunks: 4, Delay: 20})
				all = append(all, sent{c, start(t, c, session, s.Message()), s})
			}
		}
	}
	w.reborn(t)
	for _, m := range all {
		answeredOnce(t, m.c, m.r, m.s.Message(), m.s.Answer(0))
	}
}

// TestKillInMidAnswerStartsItAgain follows the session through the crash, over
// both transports: partial text is dropped at run_started restarted, and the new
// text, in other words, is whole.
func TestKillInMidAnswerStartsItAgain(t *testing.T) {
	t.Parallel()
	w := own(t, nil)
	for _, tt := range []struct{ before, after string }{
		{client.OverSSE, client.OverWS}, {client.OverWS, client.OverSSE},
	} {
		c := w.user(t)
		s, gate := gated(10, 4)
		s.Rounds[0].Vary = true
		r := start(t, c, "a", s.Message())
		st := follow(t, c, tt.before, "a", r.Cursor)
		l := client.NewLedger()
		until(t, st, l, chunksOf(l, s, 4))
		st.Cut()
		w.Agent.Kill()
		w.model.Open(gate)
		if err := w.StartAgent(limited(t)); err != nil {
			t.Fatal(err)
		}
		st = follow(t, c, tt.after, "a", l.Cursor)
		restarted := false
		end := until(t, st, l, func(e client.Event) bool {
			restarted = restarted || e.Type == "run_started" && e.Restarted && e.RunID == r.RunID
			return finished(r.RunID)(e)
		})
		st.Cut()
		if end.Status == "done" && !restarted {
			t.Errorf("%s then %s: the run went on without run_started restarted: %q", tt.before, tt.after, l.Steps)
		}
		if end.Status == "done" && !strings.Contains(l.Answers[r.RunID][0].Text(), "(attempt 2)") {
			t.Errorf("the answer is not the second attempt's: %v", l.Answers[r.RunID])
		}
		answeredOnce(t, c, r, s.Message(), strings.ReplaceAll(s.Answer(0), "(attempt 1)", "(attempt 2)"))
	}
}

func TestKillInMidAnswerUnderAnOpenSocket(t *testing.T) {
	t.Parallel()
	w := own(t, nil)
	c := w.user(t)
	s, gate := gated(10, 4)
	s.Rounds[0].Vary = true
	ws := dial(t, c, "/ws")
	if err := ws.Send("chat", map[string]any{"message": s.Message(), "sessionId": "a"}); err != nil {
		t.Fatal(err)
	}
	l := client.NewLedger()
	until(t, ws, l, chunksOf(l, s, 4))
	w.Agent.Kill()
	w.model.Open(gate)
	if err := w.StartAgent(limited(t)); err != nil {
		t.Fatal(err)
	}
	restarted := 0
	end := until(t, ws, l, func(e client.Event) bool {
		if e.Type == "error" {
			t.Errorf("the socket's owner was bothered with %v", e)
		}
		if e.Restarted {
			restarted++
		}
		return e.Type == "run_finished"
	})
	if end.Status != "done" || restarted != 1 {
		t.Errorf("got %v after %d restarts, want done after one", end, restarted)
	}
	l2, end := say(t, ws, "a", "and now?")
	if end.Status != "done" || len(l2.Answers[end.RunID]) != 1 {
		t.Errorf("the same socket's next run: got %v", end)
	}
}

// TestKillBetweenCallAndResult kills while a tool call has no result yet: the
// provider's next request is held back before the result could have been used.
func TestKillBetweenCallAndResult(t *testing.T) {
	t.Parallel()
	w := own(t, nil)
	for _, tool := range []struct{ name, args string }{
		{"get_current_time", `{"timezone":"UTC"}`},
		{"write_file", `{"path":"once.txt","content":"x"}`},
	} {
		c := w.user(t)
		s := script(call(tool.name, tool.args), fakeprovider.Round{Chunks: 3, Delay: 20})
		r := start(t, c, "a", s.Message())
		st := follow(t, c, client.OverSSE, "a", r.Cursor)
		l := client.NewLedger()
		until(t, st, l, typed("tool_call"))
		w.Agent.Kill()
		st.Cut()
		if err := w.StartAgent(limited(t)); err != nil {
			t.Fatal(err)
		}
		resume(t, c, l, r, overs(client.OverWS), func() int { return 1000 })
		calls, results := 0, 0
		for _, k := range l.Steps {
			if strings.HasPrefix(k, "tool_call ") {
				calls++
			}
			if strings.HasPrefix(k, "tool_result ") {
				results++
			}
		}
		if calls != 1 || results != 1 {
			t.Errorf("%s: %d calls and %d results, want one of each: %q", tool.name, calls, results, l.Steps)
		}
		answeredOnce(t, c, r, s.Message(), s.Answer(1))
	}
}

func TestKillAtRandomMomentsKeepsTheLaw(t *testing.T) {
	t.Parallel()
	w := own(t, nil)
	c := w.user(t)
	for i := range 8 {
		s := longTurn()
		session := fmt.Sprintf("k%d", i)
		r := start(t, c, session, s.Message())
		l := client.NewLedger()
		st := follow(t, c, client.OverSSE, session, r.Cursor)
		// i*4 events on, wherever that is.
		for range i * 4 {
			if next(t, st, l); l.Finished[r.RunID].Type != "" {
				break
			}
		}
		w.Agent.Kill()
		st.Cut()
		if err := w.StartAgent(limited(t)); err != nil {
			t.Fatal(err)
		}
		resume(t, c, l, r, overs(client.OverWS), func() int { return 1000 })
		answeredOnce(t, c, r, s.Message(), s.Answer(1))
		if t.Failed() {
			t.Fatalf("killed after %d events", i*4)
		}
	}
}

func TestADeadAgentIsSaidSo(t *testing.T) {
	t.Parallel()
	w := own(t, nil)
	c := w.user(t)
	w.Agent.Kill()
	if a, err := c.Do(limited(t), "GET", "/ready", nil); err != nil || a.Status != 503 {
		t.Errorf("/ready: got %v (%v), want 503", a, err)
	}
	do(t, c, 200, "GET", "/health", nil)
	a, err := c.Do(limited(t), "POST", "/api/chat", map[string]any{"message": "x"})
	if err != nil || (a.Status != 502 && a.Status != 503) || a.Fault().Code == "" || a.Fault().Hint == "" {
		t.Errorf("POST /api/chat: got %v (%v), want 502 or 503 with the JSON error", a, err)
	}
	s := dial(t, c, "/ws")
	if err := s.Send("chat", map[string]any{"message": "x"}); err != nil {
		t.Fatal(err)
	}
	until(t, s, client.NewLedger(), typed("error"))
	if err := w.StartAgent(limited(t)); err != nil {
		t.Fatal(err)
	}
	say(t, s, "default", "hello again")
}
