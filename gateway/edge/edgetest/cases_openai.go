package edgetest

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// openAICases are what OpenAI's clients meet: wantFault reads their form below /v1.
func openAICases() []testCase {
	return []testCase{
		{"each refusal below /v1 is an OpenAI client's", openAIRefusals},
		{"an agent in trouble is an OpenAI client's error below /v1", openAIAgentTrouble},
		{"one model can be asked about, and a trailing slash counts as none", openAIPaths},
		{"an Idempotency-Key that cannot be one is 400", oddKeys},
		{"a client that closes its sending side gets the answer or none", halfClosed},
		{"half an answer is not whole to a client that closes its sending side", halfClosedInAnswer},
	}
}

func openAIRefusals(t *testing.T, s *suite) {
	post := func(token string, body io.Reader) call {
		return call{method: http.MethodPost, path: chat.PathCompletions, token: token, body: body}
	}
	for name, c := range map[string]struct {
		call
		code fault.Code
	}{
		"no credential":         {post("", strings.NewReader("{}")), fault.CodeUnauthorized},
		"a missing scope":       {post(bob, strings.NewReader("{}")), fault.CodeForbidden},
		"no such path":          {call{path: "/v1/no/such/path", token: dave}, fault.CodeNotFound},
		"nothing below it":      {call{path: "/v1"}, fault.CodeNotFound},
		"no such path, slashed": {call{path: "/v1/embeddings/"}, fault.CodeNotFound},
		"no such method":        {call{method: http.MethodDelete, path: chat.PathCompletions, token: dave}, fault.CodeMethod},
		"too large":             {post(dave, filler(8<<20+1)), fault.CodeTooLarge},
		"too large, unsaid":     {post(dave, unsized{filler(8<<20 + 1)}), fault.CodeTooLarge},
		"a model's odd name":    {call{path: "/v1/models/%00", token: dave}, fault.CodeNotFound},
	} {
		t.Run(name, func(t *testing.T) { s.send(t, c.call).wantFault(t, c.code) })
	}
	s.send(t, call{path: "/v1x/models", token: dave}).wantFault(t, fault.CodeNotFound) // our own form: no OpenAI client is there
	s.wantAgentUntouched(t)
}

func openAIAgentTrouble(t *testing.T, s *suite) {
	s.agent.answers(breaksOff)
	s.send(t, call{method: http.MethodPost, path: chat.PathCompletions, token: dave, body: strings.NewReader("{}")}).wantFault(t, fault.CodeAgentFailed)
	s.agent.answers(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) })
	s.send(t, call{path: chat.PathOpenAIModels, token: dave}).wantFault(t, fault.CodeAgentFailed)
}

func openAIPaths(t *testing.T, s *suite) {
	for path, want := range map[string]string{
		"/v1/models": "/v1/models", "/v1/models/": "/v1/models", "/v1/models/loongclaw": "/v1/models/loongclaw", "/v1/models/loongclaw/": "/v1/models/loongclaw",
		"/v1/models/a%2Fb": "/v1/models/a%2Fb", "/v1/models/a/b": "/v1/models/a/b", "/v1/models/a/b/": "/v1/models/a/b", "//v1/models": "/v1/models", "/v1/models/?x=1": "/v1/models?x=1",
	} {
		s.agent.reset()
		s.send(t, call{path: path, token: dave}).wantStatus(t, http.StatusOK)
		if got := s.agent.only(t); got.uri != want {
			t.Errorf("%s: the agent was asked %s, want %s", path, got.uri, want)
		}
	}
	s.agent.reset()
	s.send(t, call{method: http.MethodPost, path: chat.PathCompletions + "/", token: dave, body: strings.NewReader("{}")}).wantStatus(t, http.StatusOK)
	if got := s.agent.only(t); got.uri != chat.PathCompletions {
		t.Errorf("the agent was asked %s", got.uri)
	}
}

func oddKeys(t *testing.T, s *suite) {
	for _, path := range []string{chat.PathMemory, chat.PathChat, "/api/sessions/s/runs", chat.PathCompletions} {
		for _, key := range []string{"k\xe9", "k\u00e9", "k\xff\xfe", "熊", "a\tb", strings.Repeat("k", 257)} {
			s.send(t, call{method: http.MethodPost, path: path, token: dave, body: strings.NewReader("{}"), header: map[string]string{chat.HeaderIdempotencyKey: key}}).wantFault(t, fault.CodeInvalidRequest)
			if path != chat.PathMemory {
				break // what starts a run is counted closely
			}
		}
	}
	s.wantAgentUntouched(t)
	s.send(t, call{method: http.MethodPost, path: chat.PathChat, token: dave, body: strings.NewReader("{}"), header: map[string]string{chat.HeaderIdempotencyKey: "a plain key ~ " + strings.Repeat("k", 200)}}).wantStatus(t, http.StatusOK)
}

// halfClose sends a request, closes the sending side after a while, and gives all
// that comes back.
func (s *suite) halfClose(t *testing.T, head, body string, after time.Duration) string {
	t.Helper()
	conn, err := (&net.Dialer{Timeout: patience}).DialContext(context.Background(), "tcp", strings.TrimPrefix(s.base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(patience))
	_, _ = io.WriteString(conn, head+" HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nAuthorization: Bearer "+dave+"\r\n"+body)
	time.Sleep(after)
	_ = conn.(*net.TCPConn).CloseWrite()
	answer, _ := io.ReadAll(conn) // a cut is an answer, too: none
	return string(answer)
}

func halfClosed(t *testing.T, s *suite) {
	s.agent.answers(func(w http.ResponseWriter, r *http.Request) {
		select { // as an agent that has something to do
		case <-r.Context().Done():
		case <-time.After(200 * time.Millisecond):
		}
		w.WriteHeader(http.StatusAccepted)
		_, _ = io.WriteString(w, "taken")
	})
	const two = "Content-Length: 2\r\n\r\n{}"
	for head, body := range map[string]string{
		"PUT /api/files/x.txt": two, "POST /api/memory": two, "POST /api/chat": two, "POST /v1/chat/completions": two, "GET /api/stats": "\r\n", "DELETE /api/history": "\r\n",
		"POST /api/sessions/b/runs": "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
	} {
		got := s.halfClose(t, head, body, 0)
		if got != "" && (!strings.HasPrefix(got, "HTTP/1.1 202") || !strings.Contains(got, "taken")) {
			t.Errorf("%s: got %q, want the agent's answer or none", head, got)
		}
	}
}

func halfClosedInAnswer(t *testing.T, s *suite) {
	s.agent.answers(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, "data: half\n\n")
		_ = http.NewResponseController(w).Flush()
		select {
		case <-r.Context().Done():
		case <-time.After(time.Second):
		}
		_, _ = io.WriteString(w, "data: whole\n\n")
	})
	got := s.halfClose(t, "GET /api/sessions/s/events", "\r\n", 300*time.Millisecond)
	if strings.HasSuffix(got, "\r\n0\r\n\r\n") && !strings.Contains(got, "whole") {
		t.Errorf("got %q: half an answer with an end in order", got)
	}
}
