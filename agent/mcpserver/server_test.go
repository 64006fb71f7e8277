package mcpserver

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/loongclaw/loongclaw/agent/bucket/disk"
	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/memory"
	"github.com/loongclaw/loongclaw/agent/runs"
	"github.com/loongclaw/loongclaw/agent/tools"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// scripted is a model that does what the user's message names. What is slow waits until
// the test lets it go on.
type scripted struct{ slow chan struct{} }

func (s scripted) Answer(ctx context.Context, q loop.Question, onText func(string)) (loop.Answer, error) {
	last := q.Messages[len(q.Messages)-1]
	switch {
	case last.Role == loop.RoleTool:
		onText("It is " + last.Text)
		return loop.Answer{Text: "It is " + last.Text, Finish: chat.FinishStop}, nil
	case last.Text == "write":
		return loop.Answer{Finish: chat.FinishToolCalls, Calls: []loop.Call{{ID: "c1", Name: "write_file", Arguments: json.RawMessage(`{"path":"a.txt","content":"hi"}`)}}}, nil
	case last.Text == "slow":
		select {
		case <-ctx.Done():
			return loop.Answer{}, ctx.Err()
		case <-s.slow:
		}
	case last.Text == "fail":
		return loop.Answer{}, fault.New(fault.CodeProviderBusy, "the provider refused", "look at its console")
	}
	onText("You said: " + last.Text)
	return loop.Answer{Text: "You said: " + last.Text, Finish: chat.FinishStop}, nil
}

type rig struct {
	t       *testing.T
	runs    *runs.Manager
	server  *httptest.Server
	caller  Caller
	session *sdk.ClientSession
	slow    chan struct{} // closed, it ends what is slow
}

func newRig(t *testing.T) *rig {
	t.Helper()
	store, err := disk.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	slow := make(chan struct{})
	m := runs.New(runs.Config{
		Bucket: store, Model: scripted{slow: slow}, Tools: tools.New(tools.Config{WorkspaceDir: t.TempDir()}), Persona: func(context.Context, string) string { return "persona" },
		Instance: "test", MaxRuns: 4, Log: slog.New(slog.DiscardHandler), Now: time.Now, CheckpointAfter: time.Second, EvictAfter: time.Hour,
	})
	r := &rig{t: t, runs: m, caller: Caller{User: "alice", MayWrite: true, RequestID: "req_1"}, slow: slow}
	s := New(Config{Runs: m, Lists: m.Lists(), Users: m.Users(), Version: "v1", Log: slog.New(slog.DiscardHandler)})
	r.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) { s.Serve(r.caller, w, req) }))
	client := sdk.NewClient(&sdk.Implementation{Name: "test", Version: "1"}, nil)
	if r.session, err = client.Connect(t.Context(), &sdk.StreamableClientTransport{Endpoint: r.server.URL, DisableStandaloneSSE: true}, nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = r.session.Close()
		r.server.Close()
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		defer cancel()
		m.Drain(ctx)
		_ = store.Close()
	})
	return r
}

// call calls a tool; the text of an error where it is one.
func call[Out any](r *rig, name string, args map[string]any) (out Out, failed string) {
	r.t.Helper()
	res, err := r.session.CallTool(r.t.Context(), &sdk.CallToolParams{Name: name, Arguments: args})
	if err != nil {
		r.t.Fatalf("%s: %v", name, err)
	}
	text := res.Content[0].(*sdk.TextContent).Text
	if res.IsError {
		return out, text
	}
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		r.t.Fatalf("%s: %q: %v", name, text, err)
	}
	return out, ""
}

func TestTheToolsAreThoseOfTheContract(t *testing.T) {
	r := newRig(t)
	list, err := r.session.ListTools(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, tool := range list.Tools {
		names = append(names, tool.Name)
		if tool.Description == "" || tool.InputSchema == nil || tool.OutputSchema == nil || tool.Annotations.ReadOnlyHint != (tool.Name != "session_send") {
			t.Errorf("%s: %+v, %+v", tool.Name, tool, tool.Annotations)
		}
	}
	if got, want := strings.Join(names, " "), "approvals_list memory_search run_wait session_history session_send sessions_list"; got != want {
		t.Errorf("tools %s, want %s", got, want)
	}
	if in := r.session.InitializeResult(); in.ServerInfo.Name != "loongclaw" || in.Instructions == "" {
		t.Errorf("it says of itself: %+v", in)
	}
}

func TestAMessageIsSentAndItsAnswerWaitedFor(t *testing.T) {
	r := newRig(t)
	sent, failed := call[sendOut](r, "session_send", map[string]any{"message": "hello"})
	if failed != "" || !strings.HasPrefix(sent.Session, "mcp-") {
		t.Fatalf("%+v %s", sent, failed)
	}
	for _, cursor := range []string{sent.Cursor, ""} {
		got, failed := call[waitOut](r, "run_wait", map[string]any{"session": sent.Session, "runId": sent.RunID, "cursor": cursor})
		if failed != "" || got.Status != chat.RunDone || got.Answer != "You said: hello" {
			t.Errorf("after %q: %+v %s", cursor, got, failed)
		}
	}
	again := map[string]any{"message": "once", "session": sent.Session, "idempotencyKey": "k"}
	first, _ := call[sendOut](r, "session_send", again)
	second, _ := call[sendOut](r, "session_send", again)
	if first.RunID == "" || first.RunID != second.RunID {
		t.Errorf("a repeated message: %+v and %+v", first, second)
	}
	call[waitOut](r, "run_wait", map[string]any{"session": first.Session, "runId": first.RunID})
	h, failed := call[historyOut](r, "session_history", map[string]any{"session": sent.Session, "limit": 2})
	if failed != "" || len(h.Messages) != 2 || h.Messages[0].Content != "once" || h.Messages[1].Role != chat.RoleAssistant {
		t.Errorf("history: %+v %s", h, failed)
	}
	l, failed := call[sessionsOut](r, "sessions_list", map[string]any{"query": "hello"})
	if failed != "" || len(l.Sessions) != 1 || l.Sessions[0].ID != sent.Session || l.Sessions[0].State != string(chat.StateIdle) {
		t.Errorf("list: %+v %s", l, failed)
	}
}

func TestARunThatTakesLongIsWaitedForAgain(t *testing.T) {
	r := newRig(t)
	sent, _ := call[sendOut](r, "session_send", map[string]any{"message": "slow"})
	args := map[string]any{"session": sent.Session, "runId": sent.RunID, "seconds": 1}
	if got, failed := call[waitOut](r, "run_wait", args); failed != "" || got.Status != stillRuns {
		t.Errorf("while it runs: %+v %s", got, failed)
	}
	close(r.slow)
	args["seconds"] = 30
	if got, failed := call[waitOut](r, "run_wait", args); failed != "" || got.Status != chat.RunDone {
		t.Errorf("after it: %+v %s", got, failed)
	}
}

func TestAnApprovalIsTheUsers(t *testing.T) {
	r := newRig(t)
	sent, _ := call[sendOut](r, "session_send", map[string]any{"message": "write"})
	args := map[string]any{"session": sent.Session, "runId": sent.RunID}
	got, failed := call[waitOut](r, "run_wait", args)
	if failed != "" || got.Status != waitsForUs || got.Approval == nil || got.Approval.Scope != "write_file a.txt" {
		t.Fatalf("%+v %s", got, failed)
	}
	open, failed := call[approvalsOut](r, "approvals_list", nil)
	if failed != "" || len(open.Approvals) != 1 || open.Approvals[0] != *got.Approval {
		t.Errorf("%+v %s, want %+v", open, failed, got.Approval)
	}
	if err := r.runs.Approve(t.Context(), "alice", got.Approval.ApprovalID, chat.DecideOnce); err != nil {
		t.Fatal(err)
	}
	if got, failed := call[waitOut](r, "run_wait", args); failed != "" || got.Status != chat.RunDone || got.Approval != nil || !strings.HasPrefix(got.Answer, "It is") {
		t.Errorf("after the decision: %+v %s", got, failed)
	}
}

func TestWhatGoesWrongIsSaidToTheModel(t *testing.T) {
	r := newRig(t)
	sent, _ := call[sendOut](r, "session_send", map[string]any{"message": "fail"})
	if got, failed := call[waitOut](r, "run_wait", map[string]any{"session": sent.Session, "runId": sent.RunID}); failed != "" || got.Status != chat.RunFailed || !strings.Contains(got.Error, "Next: look at its console") {
		t.Errorf("a failed run: %+v %s", got, failed)
	}
	for name, c := range map[string]struct {
		tool string
		args map[string]any
		want string
	}{
		"no such session":    {"session_history", map[string]any{"session": "nowhere"}, "not_found"},
		"a bad session":      {"session_send", map[string]any{"session": "a/b\n", "message": "hi"}, "invalid"},
		"an empty message":   {"session_send", map[string]any{"message": " "}, "missing_message"},
		"a key alone":        {"session_send", map[string]any{"message": "hi", "idempotencyKey": "k"}, "name a session"},
		"another's run":      {"run_wait", map[string]any{"session": sent.Session, "runId": "run_x"}, "there is no run run_x"},
		"a cursor of others": {"run_wait", map[string]any{"session": sent.Session, "runId": sent.RunID, "cursor": "x"}, "cursor"},
	} {
		if _, failed := call[map[string]any](r, c.tool, c.args); !strings.Contains(failed, c.want) {
			t.Errorf("%s: %q, want %q", name, failed, c.want)
		}
	}
	r.caller.MayWrite = false
	if _, failed := call[sendOut](r, "session_send", map[string]any{"message": "hi"}); !strings.HasPrefix(failed, "forbidden") {
		t.Errorf("without the scope: %q", failed)
	}
	r.caller = Caller{User: "bob"}
	if l, failed := call[sessionsOut](r, "sessions_list", nil); failed != "" || len(l.Sessions) != 0 {
		t.Errorf("another user sees %+v %s", l, failed)
	}
}

func TestTheMemoryIsSearched(t *testing.T) {
	r := newRig(t)
	u, err := r.runs.Users().Get(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := u.Memory.Save(t.Context(), memory.Item{Type: "fact", Importance: "medium", Content: "The bear lives in the north."}); err != nil {
		t.Fatal(err)
	}
	got, failed := call[memoryOut](r, "memory_search", map[string]any{"query": "bears"})
	if failed != "" || len(got.Items) != 1 || got.Items[0].Content != "The bear lives in the north." {
		t.Errorf("%+v %s", got, failed)
	}
}
