package edge

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loongclaw/loongclaw/gateway/access"
)

// spends is a core that gives tickets, with a clock to set.
func spends(t *testing.T, now *time.Time) *Core {
	t.Helper()
	return newCore(t, func(cfg *Config) { cfg.Spends, cfg.Now = true, func() time.Time { return *now } })
}

// once is a host's memory.
func once() Facts {
	f, seen := generous(), map[string]bool{}
	f.Spend = func(q SpendQuestion) bool {
		first := !seen[q.Key]
		seen[q.Key] = true
		return first
	}
	return f
}

func ticketFor(t *testing.T, c *Core, head Head) string {
	t.Helper()
	d := c.Decide(head, generous())
	var got struct {
		Ticket    string
		ExpiresAt time.Time
	}
	if d.Respond == nil || d.Respond.Status != 200 || json.Unmarshal(d.Respond.Body, &got) != nil {
		t.Fatalf("no ticket: %+v", d)
	}
	if left := got.ExpiresAt.Sub(c.cfg.Now()); left <= 0 || left > access.TicketLifetime {
		t.Errorf("it counts for %s", left)
	}
	return got.Ticket
}

func TestTicketOpensOneSocket(t *testing.T) {
	now := start
	c, facts := spends(t, &now), once()
	for path, want := range map[string]Identity{
		"/ws?ticket=":   {User: "alice", Scopes: []string{"read", "chat", "admin"}},
		"/?x=1&ticket=": {User: "bob", Scopes: []string{"read"}},
	} {
		text := ticketFor(t, c, request("POST", "/api/tickets", "Authorization", "Bearer "+map[string]string{"alice": aliceToken, "bob": bobToken}[want.User]))
		head := upgrade(path+text, "Authorization", "")
		d := c.Decide(head, facts)
		if d.Socket == nil {
			t.Fatalf("%s: got %s", path, d.Respond.Body)
		}
		want.Via = c.namer.Name(access.ViaToken, map[string]string{"alice": aliceToken, "bob": bobToken}[want.User])
		if diff := cmp.Diff(want, d.Socket.Identity); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
		if status, code := refusal(t, c.Decide(head, facts)); status != 401 || code != "unauthorized" {
			t.Errorf("%s again: got %d %s", path, status, code)
		}
	}
}

func TestTicketKeepsTheCredentialsEnd(t *testing.T) {
	now := start
	c := spends(t, &now)
	session, g, err := c.sessions.Mint(c.cfg.Tokens[1], now)
	if err != nil {
		t.Fatal(err)
	}
	text := ticketFor(t, c, request("POST", "/api/tickets", "Authorization", "Bearer "+session))
	d := c.Decide(upgrade("/ws?ticket="+text, "Authorization", ""), once())
	if d.Socket == nil || d.Socket.Identity.Expires != g.Expires || g.Expires == 0 {
		t.Errorf("got %+v, want a socket until %d", d, g.Expires)
	}
}

func TestTicketsThatDoNotCount(t *testing.T) {
	now := start
	c := spends(t, &now)
	good := ticketFor(t, c, request("POST", "/api/tickets"))
	other := newCore(t, func(cfg *Config) { cfg.Spends, cfg.PassKey = true, append([]byte{1}, passKey[1:]...) })
	foreign := ticketFor(t, other, request("POST", "/api/tickets"))
	body, sum, _ := strings.Cut(strings.TrimPrefix(good, "lct_"), ".")
	for name, head := range map[string]Head{
		"foreign":                   upgrade("/ws?ticket="+foreign, "Authorization", ""),
		"cut":                       upgrade("/ws?ticket="+good[:len(good)-1], "Authorization", ""),
		"no signature":              upgrade("/ws?ticket=lct_"+body+".", "Authorization", ""),
		"other body":                upgrade("/ws?ticket=lct_eyJ1IjoiYm9iIn0."+sum, "Authorization", ""),
		"huge":                      upgrade("/ws?ticket="+strings.Repeat("x", 9000), "Authorization", ""),
		"of another user":           upgrade("/ws?ticket="+good, "Authorization", "Bearer "+bobToken),
		"beside a wrong credential": upgrade("/ws?ticket="+good, "Authorization", "Bearer wrong-wrong-wrong"),
		"as a token":                upgrade("/ws", "Authorization", "Bearer "+good),
		"for a request":             request("GET", "/api/stats?ticket="+good, "Authorization", ""),
		"as a login":                request("GET", "/api/stats", "Authorization", "Bearer "+good),
	} {
		facts := generous()
		facts.Spend = func(SpendQuestion) bool { t.Errorf("%s: it was spent", name); return true }
		if status, code := refusal(t, c.Decide(head, facts)); status != 401 || code != "unauthorized" {
			t.Errorf("%s: got %d %s", name, status, code)
		}
	}
	foreignOrigin := upgrade("/ws?ticket="+good, "Authorization", "", "Origin", "https://evil.example")
	if status, _ := refusal(t, c.Decide(foreignOrigin, once())); status != 403 {
		t.Errorf("foreign origin: got %d", status)
	}
	now = start.Add(access.TicketLifetime)
	if status, _ := refusal(t, c.Decide(upgrade("/ws?ticket="+good, "Authorization", ""), once())); status != 401 {
		t.Errorf("expired: got %d", status)
	}
	now = start
	if d := c.Decide(upgrade("/ws?ticket="+good), once()); d.Socket == nil {
		t.Errorf("beside the same user's credential: got %+v", d)
	}
}

func TestWrongTicketsAreCounted(t *testing.T) {
	now := start
	c := spends(t, &now)
	facts := once()
	facts.Limit = func(q LimitQuestion) LimitAnswer {
		if q.Key != "auth:192.0.2.7" {
			t.Errorf("counted as %s", q.Key)
		}
		return LimitAnswer{RetryAfter: time.Second}
	}
	if status, _ := refusal(t, c.Decide(upgrade("/ws?ticket=lct_a.b", "Authorization", ""), facts)); status != 429 {
		t.Errorf("got %d, want 429", status)
	}
}

// A host that must wait is asked, and told when the answer was another's.
func TestTicketThroughQuestions(t *testing.T) {
	now := start
	c := spends(t, &now)
	head := upgrade("/ws?ticket="+ticketFor(t, c, request("POST", "/api/tickets")), "Authorization", "")
	d := c.Decide(head, Facts{})
	if d.Ask == nil || d.Ask.Spend == nil || d.Ask.Spend.User != "alice" || d.Ask.Spend.From != start.UnixMilli() || d.Ask.Spend.Until != start.Add(access.TicketLifetime).UnixMilli() {
		t.Fatalf("got %+v", d.Ask)
	}
	facts := generous()
	facts.Spent = map[string]bool{d.Ask.Spend.Key: true}
	if got := c.Decide(head, facts); got.Socket == nil {
		t.Errorf("spent now: %+v", got)
	}
	facts.Spent[d.Ask.Spend.Key] = false
	if status, _ := refusal(t, c.Decide(head, facts)); status != 401 {
		t.Errorf("spent before: %d", status)
	}
}

// Without a memory no ticket counts, and the answers say what to do instead.
func TestNoMemoryNoTickets(t *testing.T) {
	now := start
	text := ticketFor(t, spends(t, &now), request("POST", "/api/tickets"))
	c := newCore(t, nil)
	for want, head := range map[int]Head{404: request("POST", "/api/tickets"), 401: upgrade("/ws?ticket="+text, "Authorization", "")} {
		d := c.Decide(head, once())
		if status, _ := refusal(t, d); status != want || !strings.Contains(string(d.Respond.Body), "subprotocols") {
			t.Errorf("got %d %s, want %d and a hint", status, d.Respond.Body, want)
		}
	}
}

// A host that cannot tell whether it was used lets nobody in with it, and counts
// nothing against an address.
func TestATicketWhereTheHostCannotTell(t *testing.T) {
	now := start
	c := spends(t, &now)
	head := upgrade("/ws?ticket="+ticketFor(t, c, request("POST", "/api/tickets")), "Authorization", "")
	d := c.Decide(head, Facts{Limit: func(q LimitQuestion) LimitAnswer {
		t.Errorf("%s was counted", q.Key)
		return allAgain
	}, CannotSpend: true})
	if status, code := refusal(t, d); status != 503 || code != "unavailable" || d.Header.Get("Retry-After") == "" {
		t.Errorf("got %d %s %v", status, code, d.Header)
	}
}
