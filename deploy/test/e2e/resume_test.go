package e2e

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loongclaw/loongclaw/deploy/internal/client"
	"github.com/loongclaw/loongclaw/deploy/internal/fakeprovider"
)

// longTurn is a turn with everything in it: text, a call, text again; slow
// enough that a client can go and come while it is under way.
func longTurn() fakeprovider.Script {
	first := call("get_current_time", `{"timezone":"UTC"}`)
	first.Chunks, first.Delay = 10, 4
	return script(first, fakeprovider.Round{Chunks: 12, Delay: 4})
}

// replay is what a client sees that reads the session from its start.
func replay(t *testing.T, c *client.Client, session, runID string) *client.Ledger {
	t.Helper()
	l, _ := await(t, c, session, runID)
	return l
}

// held holds what a client that was cut off has seen against a full replay and
// against what the provider said.
func held(t *testing.T, c *client.Client, l *client.Ledger, r run, s fakeprovider.Script) {
	t.Helper()
	if diff := cmp.Diff(withoutTitles(replay(t, c, r.SessionID, r.RunID).Steps), withoutTitles(l.Steps)); diff != "" {
		t.Errorf("events lost, doubled or out of order (-replay +seen):\n%s", diff)
	}
	if end := l.Finished[r.RunID]; end.Status != "done" {
		t.Errorf("got %v, want done", end)
	}
	var got, want []string
	for _, a := range l.Answers[r.RunID] {
		got = append(got, a.Text())
	}
	for i := range s.Rounds {
		want = append(want, s.Answer(i))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("answers (-provider +client):\n%s", diff)
	}
}

// withoutTitles leaves session_updated out: it may come after run_finished, when
// the client has gone.
func withoutTitles(steps []string) []string {
	var out []string
	for _, s := range steps {
		if len(s) < 15 || s[:15] != "session_updated" {
			out = append(out, s)
		}
	}
	return out
}

// overs alternates the transports.
func overs(first string) func() string {
	now := first
	return func() string {
		over := now
		if now == client.OverSSE {
			now = client.OverWS
		} else {
			now = client.OverSSE
		}
		return over
	}
}

// resume takes n events over each connection, cut after cut, until the run has
// finished.
func resume(t *testing.T, c *client.Client, l *client.Ledger, r run, over func() string, n func() int) {
	t.Helper()
	const enough = 200 // connections; a gateway that always sends the same would keep us for ever
	for i := 0; l.Finished[r.RunID].Type == ""; i++ {
		if i == enough {
			t.Fatalf("%d connections got no further than cursor %s, %q", enough, l.Cursor, l.Steps)
		}
		after := l.Cursor
		if after == "" {
			after = r.Cursor
		}
		s := follow(t, c, over(), r.SessionID, after)
		for range n() {
			// Only numbered events count: connected and status move nobody on.
			for e := next(t, s, l); e.Cursor == ""; e = next(t, s, l) {
				continue
			}
			if l.Finished[r.RunID].Type != "" {
				break
			}
		}
		s.Cut()
	}
}

func TestCutAtEveryEventOfALiveRun(t *testing.T) {
	t.Parallel()
	w := shared(t)
	// 2 + 10 + 1 + 2 + 12 + 1 + 1 events, and a few that may come beside them.
	for k := 1; k <= 30; k++ {
		for _, first := range []string{client.OverSSE, client.OverWS} {
			t.Run(fmt.Sprintf("%s after %d", first, k), func(t *testing.T) {
				t.Parallel()
				c := w.oneOfFew(t, k)
				s := longTurn()
				r := start(t, c, fresh("cut"), s.Message())
				l := client.NewLedger()
				steps := 0
				resume(t, c, l, r, overs(first), func() int {
					if steps++; steps == 1 {
						return k
					}
					return 1000
				})
				held(t, c, l, r, s)
			})
		}
	}
}

func TestCutAfterEachEventAgainAndAgain(t *testing.T) {
	t.Parallel()
	w := shared(t)
	for n := 1; n <= 4; n++ {
		for _, first := range []string{client.OverSSE, client.OverWS} {
			t.Run(fmt.Sprintf("%s every %d", first, n), func(t *testing.T) {
				t.Parallel()
				c := w.user(t)
				s := longTurn()
				r := start(t, c, fresh("cuts"), s.Message())
				l := client.NewLedger()
				resume(t, c, l, r, overs(first), func() int { return n })
				held(t, c, l, r, s)
			})
		}
	}
}

// TestEveryCursorStaysValid goes on from each cursor of a run long after it has
// finished: those in mid-answer get the rest as one chunk.
func TestEveryCursorStaysValid(t *testing.T) {
	t.Parallel()
	c := shared(t).user(t)
	s := longTurn()
	r := start(t, c, fresh("old"), s.Message())
	live := follow(t, c, client.OverSSE, r.SessionID, r.Cursor)
	l := client.NewLedger()
	var events []client.Event
	until(t, live, l, func(e client.Event) bool {
		if e.Cursor != "" {
			events = append(events, e)
		}
		return finished(r.RunID)(e)
	})
	for i := range events[:len(events)-1] {
		for _, over := range []string{client.OverSSE, client.OverWS, "page"} {
			l := client.NewLedger()
			for _, e := range events[:i+1] {
				if err := l.Take(e); err != nil {
					t.Fatal(err)
				}
			}
			if over == "page" {
				pages(t, c, l, r)
			} else {
				resume(t, c, l, r, func() string { return over }, func() int { return 1000 })
			}
			held(t, c, l, r, s)
			if t.Failed() {
				t.Fatalf("going on over %s after event %d: %v", over, i, events[i])
			}
		}
	}
}

// pages goes on over JSON pages until the run has finished.
func pages(t *testing.T, c *client.Client, l *client.Ledger, r run) {
	t.Helper()
	at := l.Cursor
	for l.Finished[r.RunID].Type == "" {
		p, err := c.Page(limited(t), r.SessionID, at)
		if err != nil {
			t.Fatal(err)
		}
		if len(p.Events) == 0 || p.Next == "" {
			t.Fatalf("the page after %q has %d events and next %q; the run's end is missing", at, len(p.Events), p.Next)
		}
		for _, e := range p.Events {
			if err := l.Take(e); err != nil {
				t.Fatal(err)
			}
		}
		at = p.Next
	}
}

func TestLastEventIDWinsOverAfter(t *testing.T) {
	t.Parallel()
	c := shared(t).user(t)
	s := script(fakeprovider.Round{Chunks: 3})
	r := start(t, c, "a", s.Message())
	l, end := await(t, c, "a", r.RunID)
	path := client.SessionPath("a", "/events?after="+end.Cursor)
	st, err := c.Stream(limited(t), "GET", path, nil, client.Header{Name: "Last-Event-ID", Value: r.Cursor})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Cut()
	again := client.NewLedger()
	until(t, st, again, finished(r.RunID))
	if diff := cmp.Diff(withoutTitles(l.Steps), withoutTitles(again.Steps)); diff != "" {
		t.Errorf("(-from the start +after Last-Event-ID):\n%s", diff)
	}
}

func TestAPostStreamCarriesItsRunAndEnds(t *testing.T) {
	t.Parallel()
	c := shared(t).user(t)
	s := longTurn()
	st, err := c.Chat(limited(t), "a", s.Message())
	if err != nil {
		t.Fatal(err)
	}
	defer st.Cut()
	l := client.NewLedger()
	end := until(t, st, l, typed("run_finished"))
	if e, err := st.Next(); err == nil {
		t.Errorf("after run_finished came %v, want the end of the stream", e)
	}
	held(t, c, l, run{RunID: end.RunID, SessionID: "a"}, s)
}

// TestAPostStreamCutShortGoesOnElsewhere cuts a POST's own stream.
func TestAPostStreamCutShortGoesOnElsewhere(t *testing.T) {
	t.Parallel()
	c := shared(t).user(t)
	for k := 1; k <= 25; k += 3 {
		s := longTurn()
		session := fresh("post")
		st, err := c.Chat(limited(t), session, s.Message())
		if err != nil {
			t.Fatal(err)
		}
		l := client.NewLedger()
		var r run
		for range k {
			e := next(t, st, l)
			if e.RunID != "" {
				r = run{RunID: e.RunID, SessionID: session}
			}
			if e.Type == "run_finished" {
				break
			}
		}
		st.Cut()
		resume(t, c, l, r, overs(client.OverWS), func() int { return 1000 })
		held(t, c, l, r, s)
	}
}
