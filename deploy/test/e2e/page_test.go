package e2e

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/loongclaw/loongclaw/deploy/internal/client"
	"github.com/loongclaw/loongclaw/deploy/internal/fakeprovider"
	"github.com/loongclaw/loongclaw/deploy/internal/testenv"
)

// What a page needs: the last screen first, a list that is watched, little on the wire.

// turnsPage is a page of events.
type turnsPage struct {
	Events       []json.RawMessage
	Next, Before string
}

func turns(t *testing.T, c *client.Client, session, query string) turnsPage {
	t.Helper()
	a := do(t, c, http.StatusOK, http.MethodGet, client.SessionPath(session, "/events?"+query), nil, client.Header{Name: "Accept", Value: "application/json"})
	var p turnsPage
	if err := a.JSON(&p); err != nil {
		t.Fatal(err)
	}
	return p
}

func compact(events []json.RawMessage) string {
	var b bytes.Buffer
	for _, e := range events {
		b.Write(e)
		b.WriteByte('\n')
	}
	return b.String()
}

func TestPagesOfTurnsJoinToAReplay(t *testing.T) {
	t.Parallel()
	c, session := shared(t).user(t), fresh("pages")
	for range 7 {
		s := longTurn()
		await(t, c, session, start(t, c, session, s.Message()).RunID)
	}
	all := turns(t, c, session, "")
	for _, n := range []int{1, 2, 3, 100} {
		p := turns(t, c, session, fmt.Sprintf("tail=%d", n))
		joined := p.Events
		for p.Before != "" {
			p = turns(t, c, session, fmt.Sprintf("tail=%d&before=%s", n, url.QueryEscape(p.Before)))
			joined = append(p.Events, joined...)
		}
		if got, want := compact(joined), compact(all.Events); got != want {
			t.Errorf("pages of %d turns joined have %d events, a replay %d; they differ", n, len(joined), len(all.Events))
		}
	}
}

// A reader of the last turn is cut after every event and goes on, over one transport
// or the other, while the turn is under way.
func TestATailThatIsCutGoesOn(t *testing.T) {
	t.Parallel()
	for _, over := range []string{client.OverSSE, client.OverWS} {
		t.Run(over, func(t *testing.T) {
			t.Parallel()
			c, session := shared(t).user(t), fresh("tail")
			await(t, c, session, start(t, c, session, script(fakeprovider.Round{Chunks: 3}).Message()).RunID)
			s := longTurn()
			r := start(t, c, session, s.Message())
			var stream client.Stream
			if over == client.OverSSE {
				sse, err := c.Stream(limited(t), http.MethodGet, client.SessionPath(session, "/events?tail=1"), nil)
				if err != nil {
					t.Fatal(err)
				}
				stream = sse
			} else {
				socket := dial(t, c, "/ws")
				if err := socket.Send("subscribe", map[string]any{"sessionId": session, "tail": 1}); err != nil {
					t.Fatal(err)
				}
				stream = socket
			}
			l := client.NewLedger()
			first := next(t, stream, l)
			stream.Cut()
			if first.Type != "message" || first.RunID != r.RunID {
				t.Fatalf("it begins with %s, want the message of the last turn", first.Raw)
			}
			resume(t, c, l, r, overs(over), func() int { return 1 })
			var texts []string
			for _, a := range l.Answers[r.RunID] {
				texts = append(texts, a.Text())
			}
			if want := s.Answer(0) + "|" + s.Answer(1); strings.Join(texts, "|") != want {
				t.Errorf("the answer is %q, want %q", texts, want)
			}
		})
	}
}

// listed is a row of the list, or an event of its stream.
type listed struct {
	ID, Title, State string
}

type list struct {
	Sessions     []listed
	Next, cursor string
}

func listOf(t *testing.T, c *client.Client, query string) list {
	t.Helper()
	var l list
	a := do(t, c, http.StatusOK, http.MethodGet, "/api/sessions"+query, nil)
	if err := a.JSON(&l); err != nil {
		t.Fatal(err)
	}
	l.cursor = a.Header.Get("X-List-Cursor")
	return l
}

// changesAfter reads the list's stream until it says that nothing runs.
func changesAfter(t *testing.T, c *client.Client, cursor string) (changed map[string]string, end string) {
	t.Helper()
	s, err := c.Stream(limited(t), http.MethodGet, "/api/sessions/stream?until=idle", nil, client.Header{Name: "Last-Event-ID", Value: cursor})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Cut()
	changed = map[string]string{}
	for {
		e, err := s.Next()
		if errors.Is(err, io.EOF) {
			return changed, cursor
		}
		if err != nil {
			t.Fatal(err)
		}
		if e.Cursor != "" {
			cursor = e.Cursor
		}
		var more struct{ Session listed }
		if err := json.Unmarshal(e.Raw, &more); err != nil {
			t.Fatal(err)
		}
		switch e.Type {
		case "session_changed":
			changed[e.SessionID] = more.Session.State
		case "session_removed":
			changed[e.SessionID] = "removed"
		}
	}
}

// The agent is killed under a question and under changes, and somebody who watched the
// list before hears of all of it.
func TestAWatchedListOverAKill(t *testing.T) {
	t.Parallel()
	w := own(t, nil)
	c := w.user(t)
	for _, session := range []string{"kept", "gone", "renamed"} {
		await(t, c, session, start(t, c, session, script(fakeprovider.Round{Chunks: 2}).Message()).RunID)
	}
	cursor := listOf(t, c, "").cursor
	do(t, c, http.StatusOK, http.MethodDelete, client.SessionPath("gone", ""), nil)
	do(t, c, http.StatusOK, http.MethodPatch, client.SessionPath("renamed", ""), map[string]string{"title": "another"})
	asks := script(call("exec_shell", `{"command":"mkdir den"}`), fakeprovider.Round{Chunks: 2})
	asked := start(t, c, "asks", asks.Message())
	until(t, follow(t, c, client.OverSSE, "asks", asked.Cursor), client.NewLedger(), func(e client.Event) bool { return e.Type == "approval_required" })

	check := func(when string) {
		t.Helper()
		got, _ := changesAfter(t, c, cursor) // a question that is open keeps nothing awake: it ends
		for session, want := range map[string]string{"gone": "removed", "renamed": "idle", "asks": "waiting"} {
			if got[session] != want {
				t.Errorf("%s: %s is %q in the list's stream, want %s", when, session, got[session], want)
			}
		}
		var open struct {
			Approvals []struct {
				ApprovalID, SessionID, Name, Scope string
				Decisions                          []string
			}
		}
		if err := do(t, c, http.StatusOK, http.MethodGet, "/api/approvals", nil).JSON(&open); err != nil {
			t.Fatal(err)
		}
		if len(open.Approvals) != 1 || open.Approvals[0].SessionID != "asks" || open.Approvals[0].Name != "exec_shell" || len(open.Approvals[0].Decisions) == 0 {
			t.Errorf("%s: open are %+v, want the question", when, open.Approvals)
		}
		states := map[string]string{}
		for _, row := range listOf(t, c, "").Sessions {
			states[row.ID] = row.State
		}
		if states["asks"] != "waiting" || states["kept"] != "idle" || states["gone"] != "" {
			t.Errorf("%s: the list says %v", when, states)
		}
	}
	check("before")
	w.Agent.Kill()
	if err := w.StartAgent(t.Context()); err != nil {
		t.Fatal(err)
	}
	check("after a kill")
}

// A page of forty rows is at most 3 kB, and nothing when it is the same.
func TestARefreshOfTheListIsSmall(t *testing.T) {
	t.Parallel()
	w := own(t, func(o *testenv.Options) {
		o.GatewayEnv["RATE_LIMIT_CHAT"] = "100000/m"
	})
	c := w.user(t)
	words := strings.Fields("帮我写一个部署脚本 明天的会议纪要整理 解释一下这个错误 总结这篇论文 a trip to Kyoto in May fix the login form parse dates in Go explain this trace")
	for i := range 45 {
		message := fmt.Sprintf("%s %s %s", words[i%len(words)], words[(i*7+3)%len(words)], words[(i*5+1)%len(words)])
		do(t, c, http.StatusOK, http.MethodPost, "/api/chat", map[string]string{"message": message, "sessionId": fmt.Sprintf("%s-%x", fresh("c"), 7919*(i+11)*(i+3))})
	}
	zip := client.Header{Name: "Accept-Encoding", Value: "gzip"}
	a := do(t, c, http.StatusOK, http.MethodGet, "/api/sessions?limit=40", nil, zip)
	if a.Header.Get("Content-Encoding") != "gzip" || len(a.Body) > 3000 {
		t.Errorf("a page of 40 rows is %d bytes with the coding %q, want at most 3000 of gzip", len(a.Body), a.Header.Get("Content-Encoding"))
	}
	t.Logf("a page of 40 rows is %d bytes", len(a.Body))
	z, err := gzip.NewReader(bytes.NewReader(a.Body))
	if err != nil {
		t.Fatal(err)
	}
	var l list
	if err := json.NewDecoder(z).Decode(&l); err != nil || len(l.Sessions) != 40 || l.Next == "" {
		t.Errorf("the page has %d rows, next %q (%v)", len(l.Sessions), l.Next, err)
	}
	same := do(t, c, http.StatusNotModified, http.MethodGet, "/api/sessions?limit=40", nil, zip, client.Header{Name: "If-None-Match", Value: a.Header.Get("ETag")})
	if len(same.Body) != 0 || same.Header.Get("X-List-Cursor") == "" {
		t.Errorf("the same list again is %d bytes with the cursor %q", len(same.Body), same.Header.Get("X-List-Cursor"))
	}
}
