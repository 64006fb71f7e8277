package e2e

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loongclaw/loongclaw/deploy/internal/client"
	"github.com/loongclaw/loongclaw/deploy/internal/fakeprovider"
)

func key(k string) client.Header { return client.Header{Name: "Idempotency-Key", Value: k} }

func TestIdempotencyKey(t *testing.T) {
	t.Parallel()
	w := own(t, nil)
	c := w.user(t)
	s := script(fakeprovider.Round{Chunks: 2})
	first := start(t, c, "a", s.Message(), key("k1"))
	if diff := cmp.Diff(first, start(t, c, "a", s.Message(), key("k1"))); diff != "" {
		t.Errorf("the same key and body (-first +second):\n%s", diff)
	}
	runs := client.SessionPath("a", "/runs")
	refused(t, c, 422, "idempotency_mismatch", "POST", runs, map[string]any{"message": "another"}, key("k1"))
	await(t, c, "a", first.RunID)
	w.reborn(t)
	if diff := cmp.Diff(first, start(t, c, "a", s.Message(), key("k1"))); diff != "" {
		t.Errorf("after a restart (-first +second):\n%s", diff)
	}
	refused(t, c, 422, "idempotency_mismatch", "POST", runs, map[string]any{"message": "another"}, key("k1"))
	if h := history(t, c, "a", ""); len(h.Messages) != 2 {
		t.Errorf("got %q, want one message and one answer", contents(h))
	}
	if n := len(w.model.Requests(s.ID)); n != 1 {
		t.Errorf("the provider was asked %d times, want once", n)
	}
	other := w.user(t)
	if r := start(t, other, "a", s.Message(), key("k1")); r.RunID == first.RunID {
		t.Error("another user's key gave this user's run")
	}
}

func TestIdempotencyKeyOfAPost(t *testing.T) {
	t.Parallel()
	w := shared(t)
	c := w.user(t)
	s := script(fakeprovider.Round{Chunks: 2})
	body := map[string]any{"message": s.Message(), "sessionId": "a"}
	for range 3 {
		a := do(t, c, 200, "POST", "/api/chat", body, key("p1"))
		if got := object(t, a)["message"]; got != s.Answer(0) {
			t.Errorf("got %v, want %q", got, s.Answer(0))
		}
	}
	if n := len(w.model.Requests(s.ID)); n != 1 {
		t.Errorf("the provider was asked %d times, want once", n)
	}
	refused(t, c, 422, "idempotency_mismatch", "POST", "/api/chat", map[string]any{"message": "another", "sessionId": "a"}, key("p1"))
}

func TestIdempotencyKeyOfAFrame(t *testing.T) {
	t.Parallel()
	w := shared(t)
	c := w.user(t)
	s := script(fakeprovider.Round{Chunks: 2})
	for range 2 {
		ws := dial(t, c, "/ws")
		if err := ws.Send("chat", map[string]any{"message": s.Message(), "sessionId": "a", "idempotencyKey": "f1"}); err != nil {
			t.Fatal(err)
		}
		until(t, ws, client.NewLedger(), typed("run_finished"))
		ws.Cut()
	}
	if n := len(w.model.Requests(s.ID)); n != 1 {
		t.Errorf("the provider was asked %d times, want once", n)
	}
}

func TestMessagesToABusySessionWaitTheirTurn(t *testing.T) {
	t.Parallel()
	w := shared(t)
	c := w.user(t)
	s, gate := gated(4, 2)
	first := start(t, c, "a", s.Message())
	if err := w.model.Arrived(limited(t), s.ID, 1); err != nil {
		t.Fatal(err)
	}
	var waiting []run
	var scripts []fakeprovider.Script
	for range 8 {
		q := script(fakeprovider.Round{Chunks: 2})
		scripts = append(scripts, q)
		waiting = append(waiting, start(t, c, "a", q.Message()))
	}
	a := refused(t, c, 409, "session_busy", "POST", client.SessionPath("a", "/runs"), map[string]any{"message": "one too many"})
	if n, err := strconv.Atoi(a.Header.Get("Retry-After")); err != nil || n < 1 {
		t.Errorf("Retry-After: got %q, want seconds", a.Header.Get("Retry-After"))
	}
	for _, q := range scripts {
		if n := len(w.model.Requests(q.ID)); n != 0 {
			t.Errorf("a waiting message was already given to the provider")
		}
	}
	w.model.Open(gate)
	l := client.NewLedger()
	var started, queued []string
	until(t, follow(t, c, client.OverSSE, "a", ""), l, func(e client.Event) bool {
		switch {
		case e.Type == "run_started":
			started = append(started, e.RunID)
		case e.Type == "message" && e.Queued:
			queued = append(queued, e.RunID)
		}
		return finished(waiting[7].RunID)(e)
	})
	var order []string
	for _, r := range waiting {
		order = append(order, r.RunID)
	}
	if diff := cmp.Diff(order, queued); diff != "" {
		t.Errorf("queued messages (-stored +seen):\n%s", diff)
	}
	if diff := cmp.Diff(append([]string{first.RunID}, order...), started); diff != "" {
		t.Errorf("runs (-stored +started):\n%s", diff)
	}
	// Each answers the answer before it: the history is one line.
	h := history(t, c, "a", "")
	if len(h.Messages) != 18 {
		t.Fatalf("got %d messages, want 18", len(h.Messages))
	}
	for i, m := range h.Messages[1:] {
		if m.ParentID != h.Messages[i].ID {
			t.Errorf("message %d answers %s, want the one before it, %s", i+1, m.ParentID, h.Messages[i].ID)
		}
	}
	if rs := w.model.Requests(scripts[7].ID); len(rs) != 1 || count(rs[0], "assistant") != 8 {
		t.Errorf("the last message's prompt has %d answers, want all 8 before it", count(rs[0], "assistant"))
	}
}

func count(r fakeprovider.Request, role string) int {
	n := 0
	for _, m := range r.Messages {
		if m.Role == role {
			n++
		}
	}
	return n
}

func TestAPostToABusySessionCarriesOnlyItsRun(t *testing.T) {
	t.Parallel()
	w := shared(t)
	c := w.user(t)
	s, gate := gated(4, 2)
	first := start(t, c, "a", s.Message())
	if err := w.model.Arrived(limited(t), s.ID, 1); err != nil {
		t.Fatal(err)
	}
	q := script(fakeprovider.Round{Chunks: 3})
	st, err := c.Chat(limited(t), "a", q.Message())
	if err != nil {
		t.Fatal(err)
	}
	defer st.Cut()
	l := client.NewLedger()
	echo := until(t, st, l, typed("message"))
	if !echo.Queued || echo.RunID == first.RunID {
		t.Errorf("got %v, want the message marked queued", echo)
	}
	w.model.Open(gate)
	until(t, st, l, func(e client.Event) bool {
		if e.RunID != "" && e.RunID != echo.RunID {
			t.Errorf("an event of another run: %v", e)
		}
		return e.Type == "run_finished"
	})
	if as := l.Answers[echo.RunID]; len(as) != 1 || as[0].Text() != q.Answer(0) {
		t.Errorf("got %v, want %q", as, q.Answer(0))
	}
}

func TestCancelWithoutARunEndsThoseThatWait(t *testing.T) {
	t.Parallel()
	w := shared(t)
	c := w.user(t)
	s, _ := gated(4, 2)
	runs := []run{start(t, c, "a", s.Message())}
	for range 3 {
		runs = append(runs, start(t, c, "a", script(fakeprovider.Round{Chunks: 1}).Message()))
	}
	// One that waits can be ended alone.
	do(t, c, 200, "POST", client.SessionPath("a", "/cancel"), map[string]any{"runId": runs[2].RunID})
	st := follow(t, c, client.OverSSE, "a", "")
	l := client.NewLedger()
	if e := until(t, st, l, typed("run_finished")); e.RunID != runs[2].RunID || e.Status != "cancelled" {
		t.Errorf("got %v, want run %s cancelled", e, runs[2].RunID)
	}
	do(t, c, 200, "POST", client.SessionPath("a", "/cancel"), nil)
	for len(l.Finished) < 4 {
		next(t, st, l)
	}
	for _, r := range runs {
		if got := l.Finished[r.RunID].Status; got != "cancelled" {
			t.Errorf("run %s: got %q, want cancelled", r.RunID, got)
		}
	}
	if i := slices.IndexFunc(l.Steps, func(k string) bool { return strings.HasPrefix(k, "run_started "+runs[1].RunID) }); i >= 0 {
		t.Errorf("a run that was cancelled while it waited was started")
	}
	if got := ask(t, c, "a", "free again"); got != "收到：free again" {
		t.Errorf("got %q", got)
	}
}

func TestQueuedMessagesSurviveAKill(t *testing.T) {
	t.Parallel()
	w := own(t, nil)
	c := w.user(t)
	s, gate := gated(4, 2)
	runs := []run{start(t, c, "a", s.Message())}
	scripts := []fakeprovider.Script{s}
	for range 3 {
		q := script(fakeprovider.Round{Chunks: 2})
		scripts = append(scripts, q)
		runs = append(runs, start(t, c, "a", q.Message()))
	}
	w.Agent.Kill()
	w.model.Open(gate)
	if err := w.StartAgent(limited(t)); err != nil {
		t.Fatal(err)
	}
	for i, r := range runs {
		answeredOnce(t, c, r, scripts[i].Message(), scripts[i].Answer(0))
	}
}

func TestTwoMessagesAtOnceAreBothAnswered(t *testing.T) {
	t.Parallel()
	w := shared(t)
	c := w.user(t)
	answers := make(chan client.Answer, 6)
	for range cap(answers) {
		go func() {
			a, err := c.Do(t.Context(), http.MethodPost, "/api/chat", map[string]any{"message": script(fakeprovider.Round{Chunks: 2}).Message(), "sessionId": "a"})
			if err != nil {
				t.Error(err)
			}
			answers <- a
		}()
	}
	for range cap(answers) {
		if a := <-answers; a.Status != 200 {
			t.Errorf("got %v, want 200", a)
		}
	}
	h := history(t, c, "a", "")
	if len(h.Messages) != 12 {
		t.Fatalf("got %d messages, want 6 and their answers in one line: %q", len(h.Messages), contents(h))
	}
}
