package native

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/loongclaw/loongclaw/gateway/edge"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// maxAnswer bounds the answer to a call: a long session's history fits.
const maxAnswer = 64 << 20

// enqueue hands a call to the socket's worker, in order.
func (s *socket) enqueue(k edge.Call) {
	s.mu.Lock()
	full := len(s.pending) >= maxPending
	start := !full && !s.working
	if !full {
		s.pending = append(s.pending, k)
		s.working = true
	}
	s.mu.Unlock()
	if full {
		s.fail(k.Session, edge.ErrTooManyWait)
	}
	if start {
		go s.work()
	}
}

// work carries calls out until none is left.
func (s *socket) work() {
	for {
		s.mu.Lock()
		if len(s.pending) == 0 || s.ctx.Err() != nil {
			s.pending, s.working = nil, false
			s.mu.Unlock()
			return
		}
		k := s.pending[0]
		s.pending = s.pending[1:]
		s.mu.Unlock()
		s.do(k)
	}
}

// do carries one call out.
func (s *socket) do(k edge.Call) {
	if k.Then == edge.ThenRelay {
		s.follow(k.Session, "", &k)
		return
	}
	ctx, cancel := context.WithTimeoutCause(s.ctx, s.host.Timeouts.Agent, edge.ErrAgentSlow)
	defer cancel()
	body, err := s.ask(ctx, k)
	if s.ctx.Err() != nil {
		return
	}
	s.host.Seen.Called(k.Then, err)
	if err != nil {
		s.fail(k.Session, err)
		return
	}
	switch k.Then {
	case edge.ThenFollow:
		var run chat.Run
		if err := json.Unmarshal(body, &run); err != nil {
			s.fail(k.Session, fault.Wrap(err, fault.CodeAgentFailed, "the agent's answer cannot be read", "look at the agent's log"))
			return
		}
		s.follow(k.Session, run.Cursor, nil)
	case edge.ThenHistory:
		s.send(withType(chat.TypeHistory, body))
	case edge.ThenCleared:
		if !s.follows(k.Session) { // else its stream says so, too
			s.send(cleared(k.Session))
		}
	}
}

func (s *socket) follows(session string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.relays[session] != nil
}

func cleared(session string) json.RawMessage {
	b, _ := json.Marshal(map[string]string{"type": chat.TypeHistoryCleared, "sessionId": session}) // strings only
	return b
}

// withType puts the type in front of an object's fields.
func withType(name string, object []byte) json.RawMessage {
	head := `{"type":"` + name + `"`
	i := 0
	for i < len(object) && object[i] != '{' {
		i++
	}
	rest := object[min(i+1, len(object)):]
	for len(rest) > 0 && (rest[0] == ' ' || rest[0] == '\n' || rest[0] == '\t' || rest[0] == '\r') {
		rest = rest[1:]
	}
	if len(rest) == 0 || rest[0] == '}' {
		return json.RawMessage(head + "}")
	}
	return json.RawMessage(head + "," + string(rest))
}

// ask makes a call and reads its answer; one that is not 2xx is an error.
func (s *socket) ask(ctx context.Context, k edge.Call) ([]byte, error) {
	resp, err := s.roundTrip(ctx, k)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return nil, agentFault(ctx, err)
	}
	if len(body) > maxAnswer {
		return nil, fault.New(fault.CodeTooLarge, "the agent's answer is too large for a frame", "ask for less, over HTTP")
	}
	return body, answerFault(resp.StatusCode, body)
}

// answerFault is the error in an answer that is not 2xx.
func answerFault(status int, body []byte) error {
	switch {
	case status == http.StatusUnauthorized:
		return edge.ErrPassRefused
	case status < 200 || status > 299:
		return fault.FromResponse(status, body)
	}
	return nil
}

func (s *socket) roundTrip(ctx context.Context, k edge.Call) (*http.Response, error) {
	s.host.Log.Debug("frame", "method", k.Method, "path", pathOf(k.Target), "user", s.id.User, "requestId", k.Set.Get(chat.HeaderRequestID))
	resp, err := s.host.roundTrip(ctx, k.Upstreams, func() bool { return false }, func(agent string) (*http.Request, error) {
		base, err := url.Parse(agent)
		if err != nil {
			return nil, err
		}
		req := &http.Request{
			Method: k.Method, URL: &url.URL{Scheme: base.Scheme, Host: base.Host, Opaque: k.Target}, Host: base.Host,
			Header: k.Set, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		}
		(&body{data: k.Body, length: int64(len(k.Body))}).onto(req)
		return req.WithContext(ctx), nil
	})
	if err != nil {
		return nil, agentFault(ctx, err)
	}
	return resp, nil
}

// pathOf is a target without its query, as logs have it.
func pathOf(target string) string {
	path, _, _ := strings.Cut(target, "?")
	return path
}

// fail tells the client what went wrong with a session.
func (s *socket) fail(session string, err error) {
	e := fault.From(err)
	if e.Status() >= 500 {
		s.host.Log.Warn("a call for a WebSocket failed", "user", s.id.User, "error", err)
	}
	s.send(s.host.Core.ErrorFrame(session, e))
}
