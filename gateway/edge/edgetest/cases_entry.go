package edgetest

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// entryCases are what anybody gets, with and without a credential.
func entryCases() []testCase {
	return []testCase{
		{"health answers by itself", health},
		{"ready needs no credential", ready},
		{"HEAD has the head of GET and no body", headOfHealth},
		{"an unknown path is 404", unknownPath},
		{"an unknown method is 405 and names the known ones", unknownMethod},
		{"every answer has a request id, and the error the same", requestID},
		{"a plain request id of the client's is kept", keptRequestID},
		{"a request id that would forge a log line is not", forgedRequestID},
		{"JSON answers carry the security headers", securityHeaders},
		{"a preflight of a listed origin is answered", preflight},
		{"an answer to a listed origin can be read by its page, errors too", corsAnswer},
		{"an unknown origin gets no leave", unknownOrigin},
		{"a login with a wrong code is refused", wrongLogin},
		{"a login that is not JSON is 400", badLogin},
		{"the right code logs in once", rightLogin},
		{"a login that is too long is 413", longLogin},
	}
}

func health(t *testing.T, s *suite) {
	a := s.send(t, call{path: chat.PathHealth})
	a.wantStatus(t, http.StatusOK)
	var got struct {
		Status, Agent, Version string
		Timestamp              time.Time
	}
	if err := json.Unmarshal(a.body, &got); err != nil {
		t.Fatalf("%v in %s", err, a.body)
	}
	if got.Status != "ok" || got.Agent != "熊大" || got.Version == "" {
		t.Errorf("got %+v, want status ok, agent 熊大 and a version", got)
	}
	if age := time.Since(got.Timestamp).Abs(); age > time.Minute {
		t.Errorf("timestamp %s is %s away from now", got.Timestamp, age)
	}
	s.wantAgentUntouched(t)
}

func ready(t *testing.T, s *suite) {
	s.send(t, call{path: chat.PathReady}).wantStatus(t, http.StatusOK)
}

func headOfHealth(t *testing.T, s *suite) {
	a := s.send(t, call{method: http.MethodHead, path: chat.PathHealth})
	a.wantStatus(t, http.StatusOK)
	if len(a.body) != 0 {
		t.Errorf("body: got %q, want none", a.body)
	}
	if kind := a.header.Get("Content-Type"); !strings.HasPrefix(kind, "application/json") {
		t.Errorf("Content-Type: got %q, want that of GET", kind)
	}
}

func unknownPath(t *testing.T, s *suite) {
	a := s.send(t, call{path: "/api/nothing", token: alice})
	a.wantFault(t, fault.CodeNotFound)
	if !strings.Contains(string(a.body), `"error":"Not found"`) {
		t.Errorf("got %s, want the original's words", a.body)
	}
	s.wantAgentUntouched(t)
}

func unknownMethod(t *testing.T, s *suite) {
	a := s.send(t, call{method: http.MethodPut, path: chat.PathChat, token: alice})
	a.wantFault(t, fault.CodeMethod)
	if allow := a.header.Get("Allow"); !strings.Contains(allow, http.MethodPost) {
		t.Errorf("Allow: got %q, want POST in it", allow)
	}
	s.wantAgentUntouched(t)
}

func requestID(t *testing.T, s *suite) {
	seen := make(map[string]bool)
	for _, path := range []string{chat.PathHealth, "/", "/nothing", chat.PathStats} {
		a := s.send(t, call{path: path, token: alice})
		id := a.header.Get(chat.HeaderRequestID)
		if id == "" || seen[id] {
			t.Errorf("%s: got the request id %q, want a new one", path, id)
		}
		seen[id] = true
	}
	if got := s.agent.only(t).header.Get(chat.HeaderRequestID); !seen[got] {
		t.Errorf("the agent got the request id %q, want that of the answer", got)
	}
}

func keptRequestID(t *testing.T, s *suite) {
	a := s.send(t, call{path: chat.PathStats, token: alice, header: map[string]string{chat.HeaderRequestID: "my-id.1"}})
	a.wantHeader(t, chat.HeaderRequestID, "my-id.1")
	if got := s.agent.only(t).header.Values(chat.HeaderRequestID); !cmp.Equal(got, []string{"my-id.1"}) {
		t.Errorf("the agent got %q, want my-id.1 once", got)
	}
}

func forgedRequestID(t *testing.T, s *suite) {
	for _, id := range []string{`x" level="error`, strings.Repeat("a", 300)} {
		a := s.send(t, call{path: chat.PathHealth, header: map[string]string{chat.HeaderRequestID: id}})
		if got := a.header.Get(chat.HeaderRequestID); got == id || got == "" {
			t.Errorf("got %q, want a new one", got)
		}
	}
}

func securityHeaders(t *testing.T, s *suite) {
	for _, path := range []string{chat.PathHealth, "/nothing", chat.PathStats} {
		a := s.send(t, call{path: path, token: alice})
		a.wantHeader(t, "X-Content-Type-Options", "nosniff")
		a.wantHeader(t, "Referrer-Policy", "no-referrer")
		a.wantHeader(t, "Cache-Control", "no-store")
		if csp := a.header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") {
			t.Errorf("%s: Content-Security-Policy: got %q, want default-src 'none'", path, csp)
		}
	}
}

func preflight(t *testing.T, s *suite) {
	a := s.send(t, call{method: http.MethodOptions, path: chat.PathChat, header: map[string]string{
		"Origin": origin, "Access-Control-Request-Method": "DELETE", "Access-Control-Request-Headers": "authorization,content-type",
	}})
	a.wantStatus(t, http.StatusNoContent)
	a.wantHeader(t, "Access-Control-Allow-Origin", origin)
	for name, want := range map[string]string{"Access-Control-Allow-Methods": "DELETE", "Access-Control-Allow-Headers": "Authorization", "Vary": "Origin"} {
		if got := strings.Join(a.header.Values(name), ", "); !strings.Contains(got, want) {
			t.Errorf("%s: got %q, want %s in it", name, got, want)
		}
	}
	a.wantHeader(t, "Access-Control-Allow-Credentials", "")
	s.wantAgentUntouched(t)
}

func corsAnswer(t *testing.T, s *suite) {
	// The agent's own idea of CORS must not add to the gateway's.
	s.agent.answers(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Access-Control-Allow-Origin", "*") })
	for path, token := range map[string]string{chat.PathStats: alice, chat.PathTools: "", "/nothing": alice} {
		a := s.send(t, call{path: path, token: token, header: map[string]string{"Origin": origin}})
		if got := a.header.Values("Access-Control-Allow-Origin"); !cmp.Equal(got, []string{origin}) {
			t.Errorf("%s: Access-Control-Allow-Origin: got %q, want %s once", path, got, origin)
		}
		if got := a.header.Get("Access-Control-Expose-Headers"); !strings.Contains(got, chat.HeaderRequestID) {
			t.Errorf("%s: Access-Control-Expose-Headers: got %q, want the request id in it", path, got)
		}
	}
}

func unknownOrigin(t *testing.T, s *suite) {
	for _, method := range []string{http.MethodOptions, http.MethodGet} {
		a := s.send(t, call{method: method, path: chat.PathStats, token: alice, header: map[string]string{
			"Origin": "https://evil.example.com", "Access-Control-Request-Method": "GET",
		}})
		for _, name := range []string{"Access-Control-Allow-Origin", "Access-Control-Allow-Methods", "Access-Control-Allow-Headers"} {
			a.wantHeader(t, name, "")
		}
	}
}

func wrongLogin(t *testing.T, s *suite) {
	s.login(t, `{"code":"not-the-right-code"}`).wantFault(t, fault.CodeUnauthorized)
	s.wantAgentUntouched(t)
}

func rightLogin(t *testing.T, s *suite) {
	a := s.login(t, `{"code":"`+loginCode+`"}`)
	a.wantStatus(t, http.StatusOK)
	var got struct{ Token, User string }
	if err := json.Unmarshal(a.body, &got); err != nil || got.User != "alice" {
		t.Fatalf("got %s (%v), want a token of alice, who is the first", a.body, err)
	}
	s.send(t, call{path: chat.PathStats, token: got.Token}).wantStatus(t, http.StatusOK)
	s.login(t, `{"code":"`+loginCode+`"}`).wantFault(t, fault.CodeUnauthorized)
}

func badLogin(t *testing.T, s *suite) {
	s.login(t, `{"code":`).wantFault(t, fault.CodeInvalidJSON)
}

func longLogin(t *testing.T, s *suite) {
	s.login(t, `{"code":"`+strings.Repeat("x", 1<<20)+`"}`).wantFault(t, fault.CodeTooLarge)
}

func (s *suite) login(t *testing.T, body string) answer {
	t.Helper()
	return s.send(t, call{
		method: http.MethodPost, path: chat.PathLogin, body: strings.NewReader(body),
		header: map[string]string{"Content-Type": "application/json", s.target.AddrHeader: s.otherAddr()},
	})
}
