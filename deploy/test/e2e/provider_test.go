package e2e

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/deploy/internal/client"
	"github.com/loongclaw/loongclaw/deploy/internal/fakeprovider"
	"github.com/loongclaw/loongclaw/deploy/internal/testenv"
)

func TestProviderFaults(t *testing.T) {
	t.Parallel()
	w := shared(t)
	for _, tt := range []struct {
		name    string
		round   fakeprovider.Round
		status  int
		code    string
		partial bool
		asked   int // at most so many times
	}{
		{"500", fakeprovider.Round{Status: 500}, 502, "provider_failed", false, 3},
		{"503", fakeprovider.Round{Status: 503}, 502, "provider_failed", false, 3},
		{"401", fakeprovider.Round{Status: 401}, 502, "provider_failed", false, 1},
		{"429", fakeprovider.Round{Status: 429, RetryAfter: 30}, 503, "provider_busy", false, 3},
		{"cut before the first word", fakeprovider.Round{End: fakeprovider.EndCut}, 502, "provider_failed", false, 3},
		{"cut", fakeprovider.Round{Chunks: 4, End: fakeprovider.EndCut}, 502, "provider_failed", true, 1},
		{"error", fakeprovider.Round{Chunks: 4, End: fakeprovider.EndError}, 502, "provider_failed", true, 1},
		{"short", fakeprovider.Round{Chunks: 4, End: fakeprovider.EndShort}, 502, "provider_failed", true, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := w.user(t)
			s := script(tt.round)
			a := refused(t, c, tt.status, tt.code, "POST", "/api/chat", map[string]any{"message": s.Message(), "sessionId": "json"})
			if tt.status == 503 {
				if n, err := strconv.Atoi(a.Header.Get("Retry-After")); err != nil || n < 1 {
					t.Errorf("Retry-After: got %q, want seconds", a.Header.Get("Retry-After"))
				}
			}
			if n := len(w.model.Requests(s.ID)); n < 1 || n > tt.asked {
				t.Errorf("the provider was asked %d times, want at most %d", n, tt.asked)
			}
			s = script(tt.round)
			r := start(t, c, "events", s.Message())
			l, end := await(t, c, "events", r.RunID)
			if end.Status != "failed" || end.Fault().Code != tt.code || end.Fault().Error == "" {
				t.Errorf("got %v, want failed with code %s", end, tt.code)
			}
			if strings.Contains(end.String(), "org-SECRET-UPSTREAM-DETAIL") {
				t.Errorf("the error shows the provider's own words: %v", end)
			}
			as := l.Answers[r.RunID]
			if tt.partial && (len(as) != 1 || !as[0].Incomplete || as[0].Text() != s.Answer(0)) {
				t.Errorf("got %v, want the partial text %q marked incomplete", as, s.Answer(0))
			}
			for _, a := range as {
				if !a.Incomplete {
					t.Errorf("a broken answer counts as complete: %v", a)
				}
			}
			if got := ask(t, c, "events", "and now?"); got != "收到：and now?" {
				t.Errorf("the session's next answer: got %q", got)
			}
		})
	}
}

func TestAProviderIsTriedAgainBeforeTheFirstWord(t *testing.T) {
	t.Parallel()
	w := shared(t)
	c := w.user(t)
	s := script(fakeprovider.Round{Status: 500, Times: 1, Chunks: 3})
	if got := ask(t, c, "a", s.Message()); got != s.Answer(0) {
		t.Errorf("got %q, want %q", got, s.Answer(0))
	}
	if n := len(w.model.Requests(s.ID)); n != 2 {
		t.Errorf("the provider was asked %d times, want 2", n)
	}
}

func TestASilentProviderIsATimeout(t *testing.T) {
	t.Parallel()
	w := own(t, func(o *testenv.Options) { o.AgentEnv["LLM_TIMEOUT"] = "1500" })
	for name, round := range map[string]fakeprovider.Round{
		"before the first word": {End: fakeprovider.EndHang}, "in mid-answer": {Chunks: 2, End: fakeprovider.EndHang},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
			defer cancel()
			s := script(round)
			a, err := w.user(t).Do(ctx, http.MethodPost, "/api/chat", map[string]any{"message": s.Message()})
			if err != nil {
				t.Fatal(err)
			}
			isFault(t, "POST /api/chat", a, 504, "provider_timeout")
			if err := w.model.Wait(limited(t), s.ID, func(rs []fakeprovider.Request) bool { return rs[len(rs)-1].Cancelled }); err != nil {
				t.Errorf("the provider's request goes on: %v", err)
			}
		})
	}
}

func TestAHangingProviderCanBeCancelled(t *testing.T) {
	t.Parallel()
	w := shared(t)
	c := w.user(t)
	s := script(fakeprovider.Round{Chunks: 3, End: fakeprovider.EndHang})
	r := start(t, c, "a", s.Message())
	st := follow(t, c, client.OverSSE, "a", r.Cursor)
	l := client.NewLedger()
	until(t, st, l, chunksOf(l, s, 3))
	do(t, c, 200, "POST", client.SessionPath("a", "/cancel"), nil)
	if end := until(t, st, l, finished(r.RunID)); end.Status != "cancelled" {
		t.Errorf("got %v, want cancelled", end)
	}
}

func TestAFailureOverASocketIsAnEventNotAnEnd(t *testing.T) {
	t.Parallel()
	s := dial(t, shared(t).user(t), "/ws")
	l, end := say(t, s, "a", script(fakeprovider.Round{Chunks: 2, End: fakeprovider.EndCut}).Message())
	if end.Status != "failed" || end.Fault().Code != "provider_failed" || l.Chunks == 0 {
		t.Errorf("got %v after %d chunks, want failed after some", end, l.Chunks)
	}
	if _, end := say(t, s, "a", "still there?"); end.Status != "done" {
		t.Errorf("got %v, want done", end)
	}
}

func TestAModelThatAsksForNonsenseGetsAResult(t *testing.T) {
	t.Parallel()
	c := shared(t).user(t)
	for _, tool := range []struct{ name, args string }{
		{"no_such_tool", `{}`}, {"read_file", `{"path":`}, {"read_file", `[]`}, {"read_file", `{"path":7}`}, {"read_file", `{}`},
	} {
		s := script(call(tool.name, tool.args), fakeprovider.Round{Chunks: 2})
		session := fresh("nonsense")
		r := start(t, c, session, s.Message())
		l, end := await(t, c, session, r.RunID)
		as := l.Answers[r.RunID]
		if end.Status != "done" || len(as) != 1 || as[0].Text() != s.Answer(1) {
			t.Errorf("%s %s: got %v with %v, want a result for the model and its answer", tool.name, tool.args, end, as)
		}
	}
}
