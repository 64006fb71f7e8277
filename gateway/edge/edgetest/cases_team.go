package edgetest

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/loongclaw/loongclaw/gateway/access"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

const teamAudience = "0123456789abcdef"

// team stands in for Cloudflare Access: it publishes its key.
type team struct {
	url   string
	asked atomic.Int64
}

func startTeam(t *testing.T) *team {
	t.Helper()
	k := &team{}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /cdn-cgi/access/certs", func(w http.ResponseWriter, r *http.Request) {
		k.asked.Add(1)
		if r.Header.Get("Cookie") != "" || r.Header.Get("Authorization") != "" || r.Header.Get(access.HeaderAssertion) != "" {
			t.Error("the team got a credential")
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"keys": []map[string]string{{
			"kty": "OKP", "crv": "Ed25519", "kid": "t1", "x": base64.RawURLEncoding.EncodeToString(issuerKey.Public().(ed25519.PublicKey)),
		}}})
	})
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	k.url = srv.URL
	return k
}

// teamCases are the way in through Cloudflare Access.
func teamCases() []testCase {
	return []testCase{
		{"an assertion of Access speaks for its e-mail address", goodAssertion},
		{"unknown keys have the team asked once more at most", unknownTeamKeys},
		{"a foreign page may change nothing through Access", foreignAssertion},
	}
}

func (s *suite) assertion(t *testing.T, kid string, change map[string]any) map[string]string {
	t.Helper()
	with := map[string]any{"iss": s.team.url, "aud": []string{teamAudience}, "email": "Eve@Example.com", "sub": nil}
	for name, value := range change {
		with[name] = value
	}
	return map[string]string{access.HeaderAssertion: token(t, kid, with)}
}

func goodAssertion(t *testing.T, s *suite) {
	for range 3 {
		s.agent.reset()
		s.send(t, call{path: chat.PathStats, header: s.assertion(t, "t1", nil)}).wantStatus(t, http.StatusOK)
		p := s.wantPass(t, http.MethodGet, chat.PathStats)
		if p.User != "eve@example.com" || !p.Has("chat") || p.Has("admin") {
			t.Errorf("got the pass %+v, want eve's, with read and chat", p)
		}
		if got := s.agent.only(t).header.Get(access.HeaderAssertion); got != "" {
			t.Error("the agent got the assertion")
		}
	}
	if n := s.team.asked.Load(); n != 1 {
		t.Errorf("the team was asked %d times, want once", n)
	}
}

func unknownTeamKeys(t *testing.T, s *suite) {
	before := s.team.asked.Load()
	for _, kid := range []string{"t7", "t8", "t9"} {
		with := s.assertion(t, kid, nil)
		with[s.target.AddrHeader] = s.otherAddr()
		s.send(t, call{path: chat.PathStats, header: with}).wantFault(t, fault.CodeUnauthorized)
	}
	if n := s.team.asked.Load() - before; n > 1 {
		t.Errorf("unknown keys had the team asked %d times, want once more at most", n)
	}
	s.wantAgentUntouched(t)
}

func foreignAssertion(t *testing.T, s *suite) {
	for name, value := range map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example.com"} {
		with := s.assertion(t, "t1", nil)
		with[name] = value
		s.send(t, call{method: http.MethodDelete, path: chat.PathHistory, header: with}).wantFault(t, fault.CodeOriginRefused)
		s.upgrade(t, "", with).wantFault(t, fault.CodeOriginRefused)
	}
	s.wantAgentUntouched(t)
	with := s.assertion(t, "t1", nil)
	with["Sec-Fetch-Site"] = "same-origin"
	s.send(t, call{method: http.MethodDelete, path: chat.PathHistory, header: with}).wantStatus(t, http.StatusOK)
}
