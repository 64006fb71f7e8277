package edgetest

import (
	"net/http"
	"strconv"
	"testing"

	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// limitCases are how often.
func limitCases() []testCase {
	return []testCase{
		{"chats beyond the limit are 429, for this user and this class alone", chatLimited},
		{"wrong credentials beyond the limit are 429, for this address alone", guessesLimited},
		{"a right credential is not refused for its neighbours' failures", neighbours},
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
