package e2e

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/deploy/internal/client"
	"github.com/loongclaw/loongclaw/deploy/internal/fakeprovider"
	"github.com/loongclaw/loongclaw/deploy/internal/testenv"
)

// lines are the lines of a log that name a request, by their msg.
func lines(t *testing.T, log, requestID string) []string {
	t.Helper()
	var found []string
	for line := range strings.Lines(log) {
		var l struct {
			Time, Level, Msg, RequestID string
		}
		dec := json.NewDecoder(bytes.NewReader([]byte(line)))
		if err := dec.Decode(&l); err != nil || l.Time == "" || l.Level == "" || l.Msg == "" {
			t.Errorf("a line of the log has no structure: %q, %v", line, err)
			continue
		}
		if l.RequestID == requestID {
			found = append(found, l.Msg)
		}
	}
	return found
}

// TestOneRequestIDFromGatewayToModel finds one id in the logs of gateway and
// agent and in what the provider gets, for each way in which a run begins.
func TestOneRequestIDFromGatewayToModel(t *testing.T) {
	t.Parallel()
	w := own(t, func(o *testenv.Options) {
		o.AgentEnv["LOG_LEVEL"], o.GatewayEnv["LOG_LEVEL"] = "debug", "debug"
	})
	c := w.user(t)
	trace := func(s fakeprovider.Script) string {
		t.Helper()
		rs := w.model.Requests(s.ID)
		if len(rs) == 0 || rs[0].RequestID == "" {
			t.Fatalf("the provider saw %+v, want a request with an id", rs)
		}
		return rs[len(rs)-1].RequestID
	}
	ids := map[string]string{}
	own := client.Header{Name: "X-Request-Id", Value: "my-own.id_1"}
	s := script(fakeprovider.Round{Chunks: 2})
	r := start(t, c, "http", s.Message(), own)
	await(t, c, "http", r.RunID)
	if ids["runs"] = trace(s); ids["runs"] != own.Value {
		t.Errorf("the provider got %q, want the client's id", ids["runs"])
	}
	s = script(fakeprovider.Round{Chunks: 2})
	a := do(t, c, 200, "POST", "/api/chat", map[string]any{"message": s.Message()})
	if ids["chat"] = trace(s); ids["chat"] != a.Header.Get("X-Request-Id") {
		t.Errorf("the provider got %q, want the answer's %q", ids["chat"], a.Header.Get("X-Request-Id"))
	}
	s = script(fakeprovider.Round{Chunks: 2})
	ws := dial(t, c, "/ws")
	_, end := say(t, ws, "socket", s.Message())
	if ids["frame"] = trace(s); end.Status != "done" {
		t.Errorf("got %v", end)
	}
	s = script(fakeprovider.Round{Status: 400})
	a = refused(t, c, 502, "provider_failed", "POST", "/api/chat", map[string]any{"message": s.Message()})
	if ids["failure"] = trace(s); ids["failure"] != a.Fault().RequestID {
		t.Errorf("the provider got %q, want the error's %q", ids["failure"], a.Fault().RequestID)
	}
	for name, id := range ids {
		for end := time.Now().Add(10 * time.Second); len(lines(t, w.Gateway.Log(), id)) == 0; time.Sleep(20 * time.Millisecond) {
			if time.Now().After(end) { // the line comes after the answer
				t.Fatalf("%s: the gateway's log does not name %s", name, id)
			}
		}
		agent := lines(t, w.Agent.Log(), id)
		for _, want := range []string{"asking the provider", "run f"} { // finished or failed
			if !strings.Contains(strings.Join(agent, "\n"), want) {
				t.Errorf("%s: the agent's log of %s has %q, want %q among it", name, id, agent, want)
			}
		}
	}
}
