package edgetest

import (
	"net"
	"net/http"
	"testing"

	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// failureCases are an agent in trouble.
func failureCases() []testCase {
	return []testCase{
		{"an agent that is down is 503, or 502 where the host cannot tell, and serves again when it is back", agentDown},
		{"an agent that breaks off before its answer is 502", agentBreaksOff},
		{"an answer that is no HTTP is 502", agentBabbles},
		{"an agent that refuses the pass is 502, not the client's 401", passRefused},
		{"a failure can be read by a listed origin's page", failureCORS},
	}
}

func agentDown(t *testing.T, s *suite) {
	s.agent.stop()
	down := s.send(t, call{path: chat.PathStats, token: alice})
	post := s.chat(t, alice, "hi")
	s.agent.start(t)
	want := fault.CodeUnavailable
	if !s.target.TellsRefused {
		want = fault.CodeAgentFailed
	}
	down.wantFault(t, want)
	post.wantFault(t, want)
	s.send(t, call{path: chat.PathStats, token: alice}).wantStatus(t, http.StatusOK)
}

// breaksOff closes the connection instead of answering.
func breaksOff(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

func agentBreaksOff(t *testing.T, s *suite) {
	s.agent.answers(breaksOff)
	// A POST must not be tried again: its effect may have happened.
	s.chat(t, alice, "hi").wantFault(t, fault.CodeAgentFailed)
	s.agent.only(t)
}

func agentBabbles(t *testing.T, s *suite) {
	s.agent.answers(func(w http.ResponseWriter, _ *http.Request) {
		conn, err := hijack(w)
		if err != nil {
			return
		}
		_, _ = conn.Write([]byte("this is not HTTP\r\n\r\n"))
		_ = conn.Close()
	})
	s.chat(t, alice, "hi").wantFault(t, fault.CodeAgentFailed)
}

func hijack(w http.ResponseWriter) (net.Conn, error) {
	conn, _, err := http.NewResponseController(w).Hijack()
	return conn, err
}

func passRefused(t *testing.T, s *suite) {
	s.agent.answers(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) })
	s.send(t, call{path: chat.PathStats, token: alice}).wantFault(t, fault.CodeAgentFailed)
}

func failureCORS(t *testing.T, s *suite) {
	s.agent.answers(breaksOff)
	a := s.send(t, call{method: http.MethodPost, path: "/api/sessions/s/cancel", token: alice, header: map[string]string{"Origin": origin, chat.HeaderRequestID: "mine"}})
	a.wantFault(t, fault.CodeAgentFailed)
	a.wantHeader(t, "Access-Control-Allow-Origin", origin)
	a.wantHeader(t, chat.HeaderRequestID, "mine")
	a.wantHeader(t, "X-Content-Type-Options", "nosniff")
}
