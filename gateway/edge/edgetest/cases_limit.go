package edgetest

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/gateway/access"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// limitCases are how often.
func limitCases() []testCase {
	return []testCase{
		{"chats beyond the limit are 429, for this user and this class alone", chatLimited},
		{"wrong credentials beyond the limit are 429, for this address alone", guessesLimited},
		{"a right credential is not refused for its neighbours' failures", neighbours},
		{"a locked address is told the same end again and again", lockHolds},
		{"every kind of wrong credential counts, on a socket, too", everyGuessCounts},
		{"frames beyond the limit are errors, and the socket stays open", framesLimited},
		{"a 429 can be read by a listed origin's page", limitCORS},
	}
}

func chatLimited(t *testing.T, s *suite) {
	var over answer
	allowed := 0
	// A token bucket gives some back while the case runs.
	for ; allowed < 2*maxChat; allowed++ {
		if over = s.chat(t, carol, "hi"); over.status != http.StatusOK {
			break
		}
		over.wantHeader(t, "RateLimit-Limit", strconv.Itoa(maxChat))
		wantNatural(t, over, "RateLimit-Reset")
		if allowed == 0 {
			over.wantHeader(t, "RateLimit-Remaining", strconv.Itoa(maxChat-1))
		}
	}
	if allowed < maxChat {
		t.Errorf("%d were allowed, want %d", allowed, maxChat)
	}
	over.wantFault(t, fault.CodeRateLimited)
	over.wantHeader(t, "RateLimit-Limit", strconv.Itoa(maxChat))
	over.wantHeader(t, "RateLimit-Remaining", "0")
	wantNatural(t, over, "RateLimit-Reset")
	wantNatural(t, over, "Retry-After")
	if got := len(s.agent.requests()); got != allowed {
		t.Errorf("the agent got %d requests, want the %d that were allowed", got, allowed)
	}
	s.chat(t, alice, "hi").wantStatus(t, http.StatusOK)
	s.send(t, call{path: chat.PathStats, token: carol}).wantStatus(t, http.StatusOK)
}

// wantNatural fails when a header is not a number of at least 1.
func wantNatural(t *testing.T, a answer, name string) {
	t.Helper()
	if n, err := strconv.Atoi(a.header.Get(name)); err != nil || n < 1 {
		t.Errorf("%s: got %q, want a whole number of seconds", name, a.header.Get(name))
	}
}

// guess sends wrong credentials from an address until they are refused.
func (s *suite) guess(t *testing.T, addr string) answer {
	t.Helper()
	var a answer
	for range 2 * maxAuth {
		a = s.send(t, call{path: chat.PathStats, token: stolen, header: map[string]string{s.target.AddrHeader: addr}})
		if a.status != http.StatusUnauthorized {
			break
		}
	}
	return a
}

func guessesLimited(t *testing.T, s *suite) {
	addr := s.otherAddr()
	s.guess(t, addr).wantFault(t, fault.CodeRateLimited)
	s.send(t, call{path: chat.PathStats, token: stolen, header: map[string]string{s.target.AddrHeader: s.otherAddr()}}).
		wantFault(t, fault.CodeUnauthorized)
	// A missing credential is no guess.
	s.send(t, call{path: chat.PathStats, header: map[string]string{s.target.AddrHeader: addr}}).wantFault(t, fault.CodeUnauthorized)
	s.wantAgentUntouched(t)
}

func neighbours(t *testing.T, s *suite) {
	addr := s.otherAddr()
	s.guess(t, addr).wantFault(t, fault.CodeRateLimited)
	s.send(t, call{path: chat.PathStats, token: alice, header: map[string]string{s.target.AddrHeader: addr}}).wantStatus(t, http.StatusOK)
}

func seconds(t *testing.T, a answer, name string) int {
	t.Helper()
	n, err := strconv.Atoi(a.header.Get(name))
	if err != nil {
		t.Errorf("%s: got %q, want seconds", name, a.header.Get(name))
	}
	return n
}

func lockHolds(t *testing.T, s *suite) {
	addr := s.otherAddr()
	a := s.guess(t, addr)
	for range 3 {
		a.wantFault(t, fault.CodeRateLimited)
		a.wantHeader(t, "RateLimit-Limit", strconv.Itoa(maxAuth))
		a.wantHeader(t, "RateLimit-Remaining", "0")
		if retry, reset := seconds(t, a, "Retry-After"), seconds(t, a, "RateLimit-Reset"); retry < 1 || retry > 60 || retry != reset {
			t.Errorf("Retry-After %d and RateLimit-Reset %d: want the same, up to a minute", retry, reset)
		}
		before := seconds(t, a, "Retry-After")
		a = s.guess(t, addr)
		if now := seconds(t, a, "Retry-After"); now > before {
			t.Errorf("Retry-After: got %d after %d: guessing on moved the end", now, before)
		}
	}
	// What counts once passes, too, and is spent.
	ticket := mintTicket(t, s.signer, access.Identity{User: "alice", Scopes: access.AllScopes()}, time.Now())
	s.dial(t, chat.PathSocket+"?ticket="+ticket, http.Header{s.target.AddrHeader: {addr}})
	s.wantAgentUntouched(t)
}

func everyGuessCounts(t *testing.T, s *suite) {
	addr := s.otherAddr()
	from := func(name, value string) map[string]string {
		return map[string]string{s.target.AddrHeader: addr, name: value}
	}
	kinds := []func() answer{
		func() answer { return s.send(t, call{path: chat.PathStats, token: stolen, header: from("X-N", "1")}) },
		func() answer {
			return s.send(t, call{path: chat.PathStats, token: token(t, "k9", nil), header: from("X-N", "2")})
		},
		func() answer {
			return s.send(t, call{path: chat.PathStats, header: from(access.HeaderAssertion, "alice")})
		},
		func() answer { return s.upgradeAt(t, chat.PathSocket+"?ticket=lct_x.y", "", from("X-N", "3")) },
		func() answer { return s.upgrade(t, "", from("Sec-WebSocket-Protocol", "loongclaw, bearer."+stolen)) },
		func() answer {
			return s.send(t, call{method: http.MethodPost, path: chat.PathLogin, body: strings.NewReader(`{"code":"not-the-right-code"}`), header: from("X-N", "4")})
		},
	}
	for i := range maxAuth {
		kinds[i%len(kinds)]().wantFault(t, fault.CodeUnauthorized)
	}
	for _, kind := range kinds {
		kind().wantFault(t, fault.CodeRateLimited)
	}
	s.wantAgentUntouched(t)
}

func framesLimited(t *testing.T, s *suite) {
	s.agent.answers(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusConflict) })
	k := s.dial(t, chat.PathSocket, bearer(carol)) // who has used her chats up
	for range 2 * maxChat {
		k.send(`{"type":"chat","data":{"message":"hi","sessionId":"s"}}`)
		if got := k.next(); got.Code == string(fault.CodeRateLimited) {
			k.wantPong()
			return
		}
	}
	t.Errorf("%d chats were let pass, want %d at most", 2*maxChat, maxChat)
}

func limitCORS(t *testing.T, s *suite) {
	addr := s.otherAddr()
	s.guess(t, addr)
	a := s.send(t, call{path: chat.PathStats, token: stolen, header: map[string]string{s.target.AddrHeader: addr, "Origin": origin}})
	a.wantFault(t, fault.CodeRateLimited)
	a.wantHeader(t, "Access-Control-Allow-Origin", origin)
	for _, name := range []string{"Retry-After", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"} {
		if got := a.header.Get("Access-Control-Expose-Headers"); !strings.Contains(got, name) {
			t.Errorf("Access-Control-Expose-Headers: got %q, want %s in it", got, name)
		}
	}
}
