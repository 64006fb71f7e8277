package edgetest

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// forwardCases are a request's way to the agent and the answer's way back.
func forwardCases() []testCase {
	return []testCase{
		{"method, path and query arrive as they were sent", sameTarget},
		{"HEAD asks the agent with GET", headAsksGet},
		{"the agent's answer arrives as it is", sameAnswer},
		{"the gateway's headers win over the agent's", headersWin},
		{"an error of the agent's arrives as it is", agentError},
		{"a redirect of the agent's is not followed", redirect},
		{"an answer without a body has none", noContent},
		{"an answer that is compressed stays so", compressed},
		{"the agent says what may be kept of what a message brought along, and of nothing else", keptByBrowsers},
		{"a bad session id is 400", badSession},
	}
}

func sameTarget(t *testing.T, s *suite) {
	tests := []struct{ method, target string }{
		{http.MethodGet, "/api/history/%E7%86%8A%20a?limit=5&q=%2F&q=a+b&empty="},
		{http.MethodDelete, "/api/sessions/one"},
		{http.MethodPatch, "/api/sessions/two"},
		{http.MethodPut, "/api/files/folder/a%20b.txt"},
		{http.MethodGet, "/api/sessions/s/events?after=abc_-"},
	}
	for _, tt := range tests {
		s.agent.reset()
		s.send(t, call{method: tt.method, path: tt.target, token: alice}).wantStatus(t, http.StatusOK)
		got := s.agent.only(t)
		if got.method != tt.method || got.uri != tt.target {
			t.Errorf("the agent got %s %s, want %s %s", got.method, got.uri, tt.method, tt.target)
		}
		path, _, _ := strings.Cut(tt.target, "?")
		s.wantPass(t, tt.method, path)
	}
}

func headAsksGet(t *testing.T, s *suite) {
	a := s.send(t, call{method: http.MethodHead, path: chat.PathStats, token: alice})
	a.wantStatus(t, http.StatusOK)
	if len(a.body) != 0 {
		t.Errorf("body: got %q, want none", a.body)
	}
	if got := s.agent.only(t); got.method != http.MethodGet {
		t.Errorf("the agent got %s, want GET", got.method)
	}
	s.wantPass(t, http.MethodGet, chat.PathStats)
}

func sameAnswer(t *testing.T, s *suite) {
	s.agent.answers(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/markdown; charset=utf-8")
		w.Header().Add("Set-Cookie", "a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT")
		w.Header().Add("Set-Cookie", "b=2")
		w.Header().Set("Content-Disposition", `attachment; filename="m.md"`)
		w.Header().Set("Connection", "X-Hop")
		w.Header().Set("X-Hop", "1")
		w.WriteHeader(http.StatusAccepted)
		_, _ = io.WriteString(w, "# 记忆导出")
	})
	a := s.send(t, call{path: chat.PathMemoryExport + "?format=md", token: alice})
	a.wantStatus(t, http.StatusAccepted)
	a.wantHeader(t, "Content-Type", "text/markdown; charset=utf-8")
	a.wantHeader(t, "Content-Disposition", `attachment; filename="m.md"`)
	a.wantHeader(t, "X-Hop", "")
	if got, want := a.header.Values("Set-Cookie"), []string{"a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT", "b=2"}; !cmp.Equal(got, want) {
		t.Errorf("Set-Cookie: got %q, want %q", got, want)
	}
	if string(a.body) != "# 记忆导出" {
		t.Errorf("body: got %q", a.body)
	}
}

func headersWin(t *testing.T, s *suite) {
	s.agent.answers(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set(chat.HeaderRequestID, "the-agents")
		w.Header().Set("X-Content-Type-Options", "")
		w.Header().Set("Content-Security-Policy", "default-src *")
	})
	a := s.send(t, call{path: chat.PathStats, token: alice, header: map[string]string{chat.HeaderRequestID: "mine"}})
	for name, want := range map[string]string{chat.HeaderRequestID: "mine", "X-Content-Type-Options": "nosniff"} {
		if got := a.header.Values(name); !cmp.Equal(got, []string{want}) {
			t.Errorf("%s: got %q, want %q once", name, got, want)
		}
	}
	if got := a.header.Values("Content-Security-Policy"); len(got) != 1 || strings.Contains(got[0], "*") {
		t.Errorf("Content-Security-Policy: got %q, want the gateway's", got)
	}
}

func agentError(t *testing.T, s *suite) {
	const body = `{"error":"busy","code":"session_busy","hint":"wait","requestId":"r"}`
	s.agent.answers(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(http.StatusConflict)
		_, _ = io.WriteString(w, body)
	})
	a := s.chat(t, alice, "hi")
	a.wantStatus(t, http.StatusConflict)
	a.wantHeader(t, "Retry-After", "7")
	if string(a.body) != body {
		t.Errorf("body: got %s, want %s", a.body, body)
	}
}

func redirect(t *testing.T, s *suite) {
	s.agent.answers(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://169.254.169.254/latest", http.StatusFound)
	})
	s.send(t, call{path: chat.PathStats, token: alice}).wantStatus(t, http.StatusFound)
	s.agent.only(t)
}

func noContent(t *testing.T, s *suite) {
	s.agent.answers(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	a := s.send(t, call{method: http.MethodDelete, path: "/api/sessions/x", token: alice})
	a.wantStatus(t, http.StatusNoContent)
	if len(a.body) != 0 {
		t.Errorf("body: got %q, want none", a.body)
	}
}

func compressed(t *testing.T, s *suite) {
	zipped := gzipped(t, strings.Repeat("loong", 1000))
	s.agent.answers(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		w.Header().Set("Content-Type", "text/plain")
		_, _ = w.Write(zipped)
	})
	a := s.send(t, call{path: "/api/files/a.txt", token: alice, header: map[string]string{"Accept-Encoding": "gzip"}})
	a.wantStatus(t, http.StatusOK)
	a.wantHeader(t, "Content-Encoding", "gzip")
	if got := unzipped(t, a.body); got != strings.Repeat("loong", 1000) {
		t.Errorf("body: got %d bytes that are not what was sent", len(got))
	}
}

func keptByBrowsers(t *testing.T, s *suite) {
	const attached = "/api/sessions/s/attached/0123"
	for kept, want := range map[string]string{"private, max-age=31536000, immutable": "private, max-age=31536000, immutable", "no-store": "no-store"} {
		s.agent.answers(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Cache-Control", kept)
			w.Header().Set("Content-Type", "image/png")
			w.Header().Set("Content-Disposition", "attachment")
			_, _ = w.Write([]byte("picture"))
		})
		a := s.send(t, call{path: attached, token: alice})
		a.wantStatus(t, http.StatusOK)
		for name, v := range map[string]string{"Cache-Control": want, "Content-Type": "image/png", "Content-Disposition": "attachment", "X-Content-Type-Options": "nosniff"} {
			a.wantHeader(t, name, v)
		}
		s.send(t, call{path: "/api/files/a.png", token: alice}).wantHeader(t, "Cache-Control", "no-store")
	}
	s.agent.reset()
	a := s.send(t, call{path: attached})
	a.wantStatus(t, http.StatusUnauthorized)
	a.wantHeader(t, "Cache-Control", "no-store")
	s.wantAgentUntouched(t)
}

func badSession(t *testing.T, s *suite) {
	for _, id := range []string{"..%2F..%2Fetc", "a%2Fb", "a%5Cb", "a%00b", "%0A", "%FF", strings.Repeat("x", 300)} {
		s.send(t, call{path: "/api/history/" + id, token: alice}).wantFault(t, fault.CodeInvalidSession)
		s.send(t, call{path: "/api/sessions/" + id + "/events", token: alice}).wantFault(t, fault.CodeInvalidSession)
	}
	s.wantAgentUntouched(t)
}
