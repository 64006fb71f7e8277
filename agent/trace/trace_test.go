package trace

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/agent/bucket/buckettest"
	"github.com/loongclaw/loongclaw/agent/bucket/disk"
	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
	"github.com/loongclaw/loongclaw/telemetry/traces"
)

const (
	traceID = "0af7651916cd43dd8448eb211c80319c"
	parent  = "00-" + traceID + "-b7ad6b7169203331-01"
)

func newTracer(t *testing.T) (*Tracer, *tracetest.InMemoryExporter) {
	t.Helper()
	kept := tracetest.NewInMemoryExporter()
	tracer, err := traces.NewTo(t.Context(), service("1.2.3"), sdk.WithSyncer(kept))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tracer.Close(context.Background(), slog.New(slog.DiscardHandler)) })
	return &Tracer{tracer}, kept
}

func openDisk(t *testing.T) bucket.Bucket {
	t.Helper()
	d, err := disk.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

// model asks a provider over HTTP and fails with somebody's own words.
type asks struct {
	client *http.Client
	url    string
}

func (a asks) Answer(ctx context.Context, _ loop.Question, onText func(string)) (loop.Answer, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, a.url, nil)
	if err != nil {
		return loop.Answer{}, err
	}
	resp, err := a.client.Do(r)
	if err != nil {
		return loop.Answer{}, err
	}
	onText("a secret word")
	return loop.Answer{Text: "a secret word", Usage: &chat.Usage{PromptTokens: 3}},
		errors.Join(resp.Body.Close(), fault.New(fault.CodeProviderFailed, "a secret word", "h"))
}

// A request, the run that it starts, and what the run causes are one trace, though
// the run begins after the request has ended and knows of it by text only.
func TestOneTraceFromTheRequestToTheProvider(t *testing.T) {
	tracer, kept := newTracer(t)
	told := make(chan string, 1)
	provider := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { told <- r.Header.Get("Traceparent") }))
	defer provider.Close()
	store := tracer.Bucket(openDisk(t))

	var from string
	h := tracer.Server(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Pattern = "/api/sessions/:session/runs"
		from = tracer.Here(r.Context())
		w.WriteHeader(http.StatusAccepted)
	}))
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/api/sessions/secret-session/runs", strings.NewReader(`{"message":"a secret word"}`))
	r.Header.Set("Traceparent", parent)
	r.Header.Set("X-Request-Id", "req_1")
	h.ServeHTTP(httptest.NewRecorder(), r)

	ctx, done := tracer.Run(t.Context(), from, "run_1", "req_1")
	client := &http.Client{Transport: tracer.Provider(http.DefaultTransport)}
	_, _ = tracer.Model("glm", "glm-4-flash", asks{client, provider.URL}).Answer(ctx, loop.Question{}, func(string) {})
	tctx, toolDone := tracer.Tool(ctx, "read_file")
	_, _ = store.Get(tctx, "u/alice/files/secret.txt")
	toolDone(nil)
	_, _ = store.Get(t.Context(), "u/alice/agents/x") // nobody's
	done("failed")

	var names []string
	for _, s := range kept.GetSpans() {
		names = append(names, s.Name)
		if s.SpanContext.TraceID().String() != traceID {
			t.Errorf("%s is in trace %s, want %s", s.Name, s.SpanContext.TraceID(), traceID)
		}
		for _, a := range s.Attributes {
			if text := a.Value.String(); strings.Contains(text, "secret") || strings.Contains(text, "alice") {
				t.Errorf("the span %s holds %s=%s", s.Name, a.Key, text)
			}
		}
		if strings.Contains(s.Status.Description, "secret") {
			t.Errorf("the span %s says %s", s.Name, s.Status.Description)
		}
	}
	if got, want := strings.Join(names, ", "), "POST /api/sessions/:session/runs, chat glm-4-flash, store get, tool read_file, run"; got != want {
		t.Errorf("spans %s, want %s", got, want)
	}
	if got := <-told; !strings.HasPrefix(got, "00-"+traceID+"-") {
		t.Errorf("the provider was told %q", got)
	}
}

func TestATracedStoreIsAStore(t *testing.T) {
	tracer, _ := newTracer(t)
	buckettest.Run(t, tracer.Bucket(openDisk(t)))
}
