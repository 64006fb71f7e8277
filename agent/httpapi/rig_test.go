package httpapi

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/agent/bucket/disk"
	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/model"
	"github.com/loongclaw/loongclaw/agent/runs"
	"github.com/loongclaw/loongclaw/agent/tools"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
	"github.com/loongclaw/loongclaw/pkg/pass"
)

// parrot is a model that says what it was told, word by word.
type parrot struct{}

func (parrot) Answer(ctx context.Context, q loop.Question, onText func(string)) (loop.Answer, error) {
	text := q.Messages[len(q.Messages)-1].Text
	if text == "fail" {
		return loop.Answer{}, fault.New(fault.CodeProviderBusy, "the provider is busy", "try again").After(7 * time.Second)
	}
	if text == "late" {
		return loop.Answer{}, fault.Wrap(context.DeadlineExceeded, fault.CodeProviderFailed, "the provider took too long", "try again")
	}
	if text == "wait" {
		<-ctx.Done()
		return loop.Answer{}, ctx.Err()
	}
	if text == "which model" {
		text = "it is " + q.Model
	}
	thought := ""
	if strings.HasPrefix(text, "think") {
		thought = "because so"
		for _, piece := range strings.SplitAfter(thought, " ") {
			q.OnReasoning(piece)
		}
	}
	for _, piece := range strings.SplitAfter(text, " ") {
		onText(piece)
	}
	return loop.Answer{Text: text, Usage: &chat.Usage{PromptTokens: 1, CompletionTokens: 2, TotalTokens: 3}, Model: "parrot", Reasoning: thought}, nil
}

type rig struct {
	*Server
	t   *testing.T
	key ed25519.PrivateKey
	log *bytes.Buffer
}

func newRig(t *testing.T) *rig {
	t.Helper()
	return newRigThatRests(t, 10*time.Second)
}

func newRigThatRests(t *testing.T, rest time.Duration) *rig {
	t.Helper()
	store, err := disk.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return newRigOn(t, store, parrot{}, rest)
}

// newRigOn starts an agent on a store that others may have used. It ends with the test,
// if it was not stopped before.
func newRigOn(t *testing.T, store bucket.Bucket, answers loop.Model, rest time.Duration) *rig {
	t.Helper()
	r := &rig{t: t, key: ed25519.NewKeyFromSeed(bytes.Repeat([]byte("k"), ed25519.SeedSize)), log: &bytes.Buffer{}}
	box := tools.New(tools.Config{WorkspaceDir: t.TempDir()})
	manager := runs.New(runs.Config{
		Bucket: store, Model: answers, Tools: box, Persona: func(context.Context, string) string { return "persona" },
		Instance: "test", MaxRuns: 4, Log: slog.New(slog.DiscardHandler), Now: time.Now, CheckpointAfter: rest, EvictAfter: time.Hour,
	})
	r.Server = New(Config{
		Runs: manager, Activity: manager.Activity(), Lists: manager.Lists(), Audit: manager.Audit(), Users: manager.Users(),
		Asides: manager.Asides(), Tools: box, Model: model.Info{Provider: "parrot"}, Keys: []ed25519.PublicKey{r.key.Public().(ed25519.PublicKey)},
		Version: "v1", Log: slog.New(slog.NewTextHandler(r.log, nil)), Now: time.Now,
	})
	t.Cleanup(r.stop)
	return r
}

// stop ends the agent.
func (r *rig) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	r.Runs.Drain(ctx)
}

// request makes a request of alice with a pass for it and every scope.
func (r *rig) request(method, target, body string) *http.Request {
	r.t.Helper()
	q := httptest.NewRequestWithContext(r.t.Context(), method, target, strings.NewReader(body))
	r.allow(q, pass.Pass{User: "alice", Scopes: []string{"read", "chat"}})
	q.Header.Set(chat.HeaderRequestID, "req_1")
	return q
}

// allow gives a request a pass; where it does not say for what, it is for it.
func (r *rig) allow(q *http.Request, p pass.Pass) {
	r.t.Helper()
	if p.Method == "" {
		p.Method = q.Method
	}
	if p.Path == "" {
		p.Path = q.URL.EscapedPath()
	}
	text, err := pass.Sign(r.key, p, time.Now())
	if err != nil {
		r.t.Fatal(err)
	}
	q.Header.Set(chat.HeaderPass, text)
}

func (r *rig) do(q *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	r.ServeHTTP(w, q)
	return w
}

// call asks as alice and reads the JSON answer.
func (r *rig) call(method, target, body string, status int) map[string]any {
	r.t.Helper()
	w := r.do(r.request(method, target, body))
	if w.Code != status {
		r.t.Fatalf("%s %s: got %d %s, want %d", method, target, w.Code, w.Body, status)
	}
	var m map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &m); err != nil {
		r.t.Fatalf("%s %s: %q: %v", method, target, w.Body, err)
	}
	return m
}

// refused asserts an error in the contract's form, or in that of OpenAI's clients.
func refused(t *testing.T, name string, w *httptest.ResponseRecorder, status int, code fault.Code) {
	t.Helper()
	var m map[string]any
	dec := json.NewDecoder(w.Body)
	if err := dec.Decode(&m); err != nil {
		t.Errorf("%s: %d, no JSON: %v", name, w.Code, err)
		return
	}
	if _, err := dec.Token(); err != io.EOF {
		t.Errorf("%s: something stands behind the error: %v", name, err)
	}
	text := "error"
	if inner, ok := m["error"].(map[string]any); ok {
		m, text = inner, "message"
	}
	if w.Code != status || m["code"] != string(code) {
		t.Errorf("%s: got %d %v, want %d %s", name, w.Code, m, status, code)
	}
	if s, _ := m[text].(string); s == "" {
		t.Errorf("%s: no text for people: %v", name, m)
	}
	if s, _ := m["hint"].(string); s == "" && code != fault.CodeCancelled {
		t.Errorf("%s: no hint: %v", name, m)
	}
	if ct := w.Header().Get("Content-Type"); ct != "application/json" {
		t.Errorf("%s: content type %q", name, ct)
	}
	if n := w.Header().Get("Retry-After"); (n == "") == (status == 429 || status == 503) {
		t.Errorf("%s: Retry-After %q with %d", name, n, status)
	}
	for name := range m {
		if !strings.Contains(" error message type param code hint requestId retryAfter ", " "+name+" ") {
			t.Errorf("%s: the contract has no field %q", name, name)
		}
	}
}
