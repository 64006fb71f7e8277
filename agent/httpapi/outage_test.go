package httpapi

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loongclaw/loongclaw/agent/auditlog"
	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/agent/bucket/buckettest"
	"github.com/loongclaw/loongclaw/agent/bucket/disk"
	"github.com/loongclaw/loongclaw/agent/skills"
	"github.com/loongclaw/loongclaw/agent/tools/mcp"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// samples are the bodies that routes are sent in the test below, and what they are
// asked in their query.
var samples = map[string]struct{ body, query string }{
	"POST " + chat.PathChat:         {`{"message":"hi","sessionId":"s"}`, ""},
	"POST " + chat.PathRuns:         {`{"message":"hi"}`, ""},
	"PATCH " + chat.PathSession:     {`{"title":"t"}`, ""},
	"POST " + chat.PathApproval:     {`{"decision":"once"}`, ""},
	"POST " + chat.PathMemory:       {`{"content":"remember this"}`, ""},
	"PUT " + chat.PathFile:          {`text`, ""},
	"PUT " + chat.PathServer:        {`{"url":"https://mcp.example/x"}`, ""},
	"POST " + chat.PathServerPinned: {`{"hash":"x"}`, ""},
	"POST " + chat.PathSkillPinned:  {`{"hash":"x"}`, ""},
	"POST " + chat.PathMCP:          {`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"sessions_list","arguments":{}}}`, ""},
	"POST " + chat.PathCompletions:  {`{"model":"m","messages":[{"role":"user","content":"hi"}]}`, ""},
	"GET " + chat.PathEvents:        {"", "?until=idle"},
	"GET " + chat.PathList:          {"", "?until=idle"},
}

// TestAnOutageIsSaidAsOne lets the store go away before each call that a request makes
// of it, for every route there is: whoever asked is told that the store did not answer,
// never of an internal error.
func TestAnOutageIsSaidAsOne(t *testing.T) {
	for _, route := range newRig(t).table() {
		name := route.method + " " + route.path
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at := strings.NewReplacer(":session", "s", ":id", "x", ":name", "mine", "*", "a.txt").Replace(route.path) + samples[name].query
			if route.path == chat.PathOpenAIModel {
				at = "/v1/models/loongclaw"
			}
			for answered, failed := int64(0), true; failed; answered++ {
				var w *httptest.ResponseRecorder
				synctest.Test(t, func(t *testing.T) {
					w, failed = duringOutage(t, route.method, at, samples[name].body, answered)
				})
				// Where an answer has begun, or does without the store, it is one.
				said := w.Body.String()
				if w.Code >= 500 && !strings.Contains(said, string(fault.CodeStoreFailed)) || strings.Contains(said, string(fault.CodeInternal)) {
					t.Errorf("after %d calls of the store: %d %s, want %s", answered, w.Code, said, fault.CodeStoreFailed)
				}
			}
		})
	}
}

// duringOutage makes a request of an agent that has just started on a store that answers so
// many more calls, and reports whether that went away.
func duringOutage(t *testing.T, method, target, body string, answered int64) (w *httptest.ResponseRecorder, failed bool) {
	t.Helper()
	dir, err := disk.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = dir.Close() }()
	before := newRigOn(t, dir, parrot{}, time.Millisecond)
	before.call(http.MethodPost, chat.PathChat, `{"message":"hi","sessionId":"s"}`, 200)
	before.do(before.request(http.MethodPut, "/api/files/a.txt", "text"))
	before.stop()
	store := buckettest.Ready(dir)
	r := newRigOn(t, store, parrot{}, time.Hour)
	r.Servers = servers(store)
	r.SetReady()
	defer r.Servers.Close()
	r.Skills = skills.New(skills.Config{Bucket: store, Log: slog.New(slog.DiscardHandler), Now: time.Now, Note: noNote})
	defer r.Skills.Close()
	defer r.stop()
	defer store.Mend()
	store.Break(answered)
	defer time.AfterFunc(3*time.Second, store.Mend).Stop() // a run waits for its store
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	q := r.request(method, target, body).WithContext(ctx)
	q.Header.Set("Content-Type", "application/json")
	if target == chat.PathMCP {
		q.Header.Set("Accept", "application/json, text/event-stream")
	}
	w = r.do(q)
	if ctx.Err() != nil {
		t.Errorf("after %d calls of the store nothing is said", answered)
	}
	return w, store.Failed()
}

func servers(store bucket.Bucket) *mcp.Source {
	return mcp.New(mcp.Config{
		Bucket: store, Lookup: func(string) (string, bool) { return "", false }, Closed: "not in this test", Version: "v1", Now: time.Now,
		Note: noNote,
	})
}

func noNote(context.Context, string, ...auditlog.Entry) error { return nil }
