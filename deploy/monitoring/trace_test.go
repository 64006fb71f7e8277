package monitoring

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/loongclaw/loongclaw/deploy/internal/client"
	"github.com/loongclaw/loongclaw/deploy/internal/fakeprovider"
	"github.com/loongclaw/loongclaw/deploy/internal/testenv"
)

// otlp is a collector: it keeps what it is sent.
type otlp struct {
	mu    sync.Mutex
	spans map[string][]string // by trace: SERVICE NAME
	raw   strings.Builder
}

func (o *otlp) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var q collector.ExportTraceServiceRequest
	if err != nil || r.URL.Path != "/v1/traces" || proto.Unmarshal(body, &q) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.raw.Write(body)
	for _, rs := range q.GetResourceSpans() {
		service := ""
		for _, a := range rs.GetResource().GetAttributes() {
			if a.GetKey() == "service.name" {
				service = a.GetValue().GetStringValue()
			}
		}
		for _, ss := range rs.GetScopeSpans() {
			for _, s := range ss.GetSpans() {
				id := hex(s.GetTraceId())
				o.spans[id] = append(o.spans[id], service+" "+s.GetName())
			}
		}
	}
}

func hex(b []byte) string {
	const digits = "0123456789abcdef"
	var s strings.Builder
	for _, c := range b {
		s.WriteByte(digits[c>>4])
		s.WriteByte(digits[c&15])
	}
	return s.String()
}

const (
	traceID = "0af7651916cd43dd8448eb211c80319c"
	canary  = "a-canary-that-must-stay-inside"
)

// TestOneIDFromBrowserToStore: one trace, and one request id, from the browser
// through gateway and agent to the provider; and neither logs nor spans hold what is
// said, shown or asked.
func TestOneIDFromBrowserToStore(t *testing.T) {
	o := &otlp{spans: map[string][]string{}}
	server := httptest.NewServer(o)
	defer server.Close()
	model, err := fakeprovider.Start()
	if err != nil {
		t.Fatal(err)
	}
	defer model.Close()
	env := map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": server.URL, "OTEL_BSP_SCHEDULE_DELAY": "100", "LOG_LEVEL": "debug"}
	secret := "token-" + canary
	s, err := testenv.Up(t.Context(), testenv.Options{Bin: bin, Dir: t.TempDir(), Tokens: "alice:" + secret, Model: model.URL, AgentEnv: env, GatewayEnv: env})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Down()

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	say := fakeprovider.Say(canary, fakeprovider.Round{Calls: []fakeprovider.Call{{ID: "c1", Name: "list_directory", Args: `{"path":"."}`}}}, fakeprovider.Round{Chunks: 2})
	const requestID = "req-from-the-browser"
	alice := client.New(s.Base, secret, client.Transport())
	a, err := alice.Do(ctx, http.MethodPost, "/api/chat?access_token="+canary, map[string]any{"message": say.Message(), "sessionId": "mine"},
		client.Header{Name: "Traceparent", Value: "00-" + traceID + "-b7ad6b7169203331-01"},
		client.Header{Name: "X-Request-Id", Value: requestID}, client.Header{Name: "X-Secret", Value: canary})
	if err != nil || a.Status != http.StatusOK {
		t.Fatalf("%v, %v", a, err)
	}
	if a, err := client.New(s.Base, "wrong-"+canary, client.Transport()).Do(ctx, http.MethodGet, "/api/stats?x="+canary, nil); err != nil || a.Status != http.StatusUnauthorized {
		t.Fatalf("%v, %v; want 401", a, err)
	}
	fails := fakeprovider.Say("fails-"+canary, fakeprovider.Round{Status: 500})
	if a, err := alice.Do(ctx, http.MethodPost, "/api/chat", map[string]any{"message": fails.Message()}); err != nil || a.Status != http.StatusBadGateway {
		t.Fatalf("%v, %v; want 502", a, err)
	}

	want := []string{
		"loongclaw-gateway POST /api/chat", "loongclaw-gateway agent POST", "loongclaw-agent POST /api/chat", "loongclaw-agent run",
		"loongclaw-agent chat standin", "loongclaw-agent tool list_directory", "loongclaw-agent store create",
	}
	missing := func() string {
		o.mu.Lock()
		defer o.mu.Unlock()
		for _, w := range want {
			if !slices.Contains(o.spans[traceID], w) {
				return w
			}
		}
		return ""
	}
	for end := time.Now().Add(20 * time.Second); missing() != "" && time.Now().Before(end); {
		time.Sleep(50 * time.Millisecond)
	}
	if m := missing(); m != "" {
		t.Errorf("the trace lacks %q; it has %q", m, o.spans[traceID])
	}
	for _, r := range model.Requests(say.ID) {
		if !strings.HasPrefix(r.Trace, "00-"+traceID+"-") || r.RequestID != requestID {
			t.Errorf("the provider was told trace %q and request %q", r.Trace, r.RequestID)
		}
	}
	// Both have ended, so everything is written.
	s.Gateway.Stop(15 * time.Second)
	s.Agent.Stop(25 * time.Second)
	for name, text := range map[string]string{"gateway's log": s.Gateway.Log(), "agent's log": s.Agent.Log()} {
		if !strings.Contains(text, requestID) {
			t.Errorf("the %s lacks the request id:\n%s", name, text)
		}
	}
	for name, text := range map[string]string{"gateway's log": s.Gateway.Log(), "agent's log": s.Agent.Log(), "spans": o.raw.String()} {
		for _, word := range []string{canary, "sk-not-a-real-key", "org-SECRET-UPSTREAM-DETAIL"} {
			// What a provider says of its own failure is for the agent's owner.
			if strings.Contains(text, word) && (name != "agent's log" || word != "org-SECRET-UPSTREAM-DETAIL") {
				t.Errorf("the %s hold %q:\n%s", name, word, text)
			}
		}
	}
}
