package edgetest

import (
	"net/http"
	"strings"
	"testing"

	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// cookieCases are the page's login. The suite speaks plain HTTP on loopback, so
// the cookie has its plain name.
func cookieCases() []testCase {
	return []testCase{
		{"a session cookie reads, and changes for the own page alone", sessionCookie},
		{"logging out takes the cookie away", logout},
	}
}

func sessionCookie(t *testing.T, s *suite) {
	cookie := "theme=dark; " + s.cookieName() + "=" + s.session(t)
	s.send(t, call{path: chat.PathStats, header: map[string]string{"Cookie": cookie}}).wantStatus(t, http.StatusOK)
	if p := s.wantPass(t, http.MethodGet, chat.PathStats); p.User != "alice" {
		t.Errorf("got the pass %+v, want alice's", p)
	}
	if got := s.agent.only(t).header.Get("Cookie"); got != "" {
		t.Error("the agent got the cookie")
	}
	change := func(name, value string) answer {
		s.agent.reset()
		with := map[string]string{"Cookie": cookie}
		if name != "" {
			with[name] = value
		}
		return s.send(t, call{method: http.MethodDelete, path: chat.PathHistory, header: with})
	}
	change("Sec-Fetch-Site", "same-origin").wantStatus(t, http.StatusOK)
	change("Origin", s.base).wantStatus(t, http.StatusOK)
	for name, value := range map[string]string{"": "", "Sec-Fetch-Site": "same-site", "Origin": origin} {
		change(name, value).wantFault(t, fault.CodeOriginRefused)
		s.wantAgentUntouched(t)
	}
	s.upgrade(t, "", map[string]string{"Cookie": cookie, "Origin": origin}).wantFault(t, fault.CodeOriginRefused)
}

func logout(t *testing.T, s *suite) {
	a := s.send(t, call{method: http.MethodPost, path: chat.PathLogout, header: map[string]string{"Sec-Fetch-Site": "same-origin"}})
	a.wantStatus(t, http.StatusNoContent)
	if got := a.header.Get("Set-Cookie"); !strings.HasPrefix(got, s.cookieName()+"=;") || !strings.Contains(got, "Max-Age=0") {
		t.Errorf("Set-Cookie: got %q, want the end of the cookie", got)
	}
	s.send(t, call{method: http.MethodPost, path: chat.PathLogout, header: map[string]string{"Sec-Fetch-Site": "cross-site"}}).wantFault(t, fault.CodeOriginRefused)
}
