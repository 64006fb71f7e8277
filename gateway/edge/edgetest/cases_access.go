package edgetest

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loongclaw/loongclaw/gateway/access"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
	"github.com/loongclaw/loongclaw/pkg/pass"
)

// accessCases are who may do what, and what the agent is told about it.
func accessCases() []testCase {
	return []testCase{
		{"a missing credential is 401", missingCredential},
		{"the scheme's case does not matter", schemeCase},
		{"a token that may read may not chat", scopeChat},
		{"a token that may read reads", scopeRead},
		{"a ticket opens one socket, or the host says that it gives none", tickets},
		{"the agent gets a pass for this user, method and path", validPass},
		{"the agent never sees the credential", hiddenCredential},
		{"forged headers do not reach the agent", strippedHeaders},
	}
}

func missingCredential(t *testing.T, s *suite) {
	a := s.send(t, call{path: chat.PathStats})
	a.wantFault(t, fault.CodeUnauthorized)
	if got := a.header.Get("WWW-Authenticate"); !strings.HasPrefix(got, "Bearer") {
		t.Errorf("WWW-Authenticate: got %q, want Bearer", got)
	}
	s.wantAgentUntouched(t)
}

func schemeCase(t *testing.T, s *suite) {
	s.send(t, call{path: chat.PathStats, header: map[string]string{"Authorization": "bearer " + alice}}).wantStatus(t, http.StatusOK)
}

func scopeChat(t *testing.T, s *suite) {
	s.chat(t, bob, "hi").wantFault(t, fault.CodeForbidden)
	s.send(t, call{method: http.MethodDelete, path: "/api/history/x", token: bob}).wantFault(t, fault.CodeForbidden)
	s.wantAgentUntouched(t)
}

func scopeRead(t *testing.T, s *suite) {
	s.send(t, call{path: "/api/history/x", token: bob}).wantStatus(t, http.StatusOK)
	p := s.wantPass(t, http.MethodGet, "/api/history/x")
	if p.User != "bob" || !p.Has("read") || p.Has("chat") || p.Has("admin") {
		t.Errorf("got the pass %+v, want bob's, with read alone", p)
	}
}

func validPass(t *testing.T, s *suite) {
	s.chat(t, alice, "hi").wantStatus(t, http.StatusOK)
	p := s.wantPass(t, http.MethodPost, chat.PathChat)
	if p.User != "alice" || !p.Has("read") || !p.Has("chat") || !p.Has("admin") {
		t.Errorf("got the pass %+v, want alice's, with every scope", p)
	}
	if lifetime := time.Duration(p.Expires-p.Issued) * time.Second; lifetime != pass.Lifetime {
		t.Errorf("lifetime: got %s, want %s", lifetime, pass.Lifetime)
	}
}

// wantPass is the pass of the one request that the agent got.
func (s *suite) wantPass(t *testing.T, method, path string) pass.Pass {
	t.Helper()
	all := s.agent.only(t).header.Values(chat.HeaderPass)
	if len(all) != 1 {
		t.Fatalf("the agent got %d passes, want 1", len(all))
	}
	p, err := pass.Verify(s.keys, all[0], method, path, time.Now())
	if err != nil {
		t.Fatalf("the pass does not count: %v", err)
	}
	return p
}

func hiddenCredential(t *testing.T, s *suite) {
	s.send(t, call{path: chat.PathStats, token: alice, header: map[string]string{"Cookie": "session=secret"}}).wantStatus(t, http.StatusOK)
	for name, values := range s.agent.only(t).header {
		if text := strings.Join(values, " "); strings.Contains(text, alice) || strings.Contains(text, "session=secret") {
			t.Errorf("the agent got the credential in %s", name)
		}
	}
}

func strippedHeaders(t *testing.T, s *suite) {
	forged := map[string]string{
		chat.HeaderPass:            "forged",
		"X-LoongClaw-User":         "root",
		"Cf-Container-Target-Port": "22",
		"X-Forwarded-Host":         "evil.example.com",
		"Proxy-Authorization":      "Basic eA==",
	}
	with := map[string]string{"X-Kept": "yes", "Accept-Language": "zh-CN, en;q=0.5"}
	for name, value := range forged {
		with[name] = value
	}
	s.send(t, call{path: chat.PathStats, token: alice, header: with}).wantStatus(t, http.StatusOK)
	got := s.agent.only(t)
	for name, value := range forged {
		if values := got.header.Values(name); len(values) > 0 && values[0] == value {
			t.Errorf("the agent got the forged %s: %q", name, values)
		}
	}
	for _, name := range []string{"X-Kept", "Accept-Language"} {
		if values := got.header.Values(name); !cmp.Equal(values, []string{with[name]}) {
			t.Errorf("%s: the agent got %q, want %q as it came", name, values, with[name])
		}
	}
}

func tickets(t *testing.T, s *suite) {
	a := s.send(t, call{method: http.MethodPost, path: chat.PathTickets, token: bob})
	a.wantStatus(t, http.StatusOK)
	var got struct {
		Ticket    string
		ExpiresAt time.Time
	}
	if err := json.Unmarshal(a.body, &got); err != nil || got.Ticket == "" {
		t.Fatalf("%v in %s", err, a.body)
	}
	if left := time.Until(got.ExpiresAt); left <= 0 || left > access.TicketLifetime+time.Second {
		t.Errorf("it counts for %s, want up to %s", left, access.TicketLifetime)
	}
	k := s.dial(t, chat.PathSocket+"?ticket="+got.Ticket, nil)
	k.wantRefusal(`{"type":"chat","data":{"message":"hi"}}`, fault.CodeForbidden) // bob may only read
	s.upgradeAt(t, chat.PathSocket+"?ticket="+got.Ticket, "", map[string]string{s.target.AddrHeader: s.otherAddr()}).wantFault(t, fault.CodeUnauthorized)
}
