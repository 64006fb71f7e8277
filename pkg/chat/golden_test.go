package chat

import (
	"bytes"
	"encoding/json"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/pkg/fault"
)

var update = flag.Bool("update", false, "write the golden files anew")

var (
	at    = At(time.Date(2026, 3, 4, 5, 6, 7, 89e6, time.UTC))
	later = At(time.Date(2026, 3, 5, 5, 6, 7, 89e6, time.UTC))
	use   = &Usage{PromptTokens: 120, CompletionTokens: 7, TotalTokens: 127, CachedTokens: 64, ReasoningTokens: 3}
)

// event returns an event of the session "work" with a cursor.
func event(kind string, e Event) Event {
	e.Type, e.SessionID, e.Timestamp = kind, "work", at
	e.Cursor = Cursor{Epoch: 1, Seq: 4}.Encode("work")
	return e
}

var attached = []Attachment{
	{Path: "图/a.png", Name: "a.png", MediaType: "image/png", Size: 4096, SHA256: strings.Repeat("0a", 32)},
	{Name: "image-1", MediaType: "image/gif", Size: 9, SHA256: strings.Repeat("b1", 32), Error: "it is damaged or cut off"},
}

// events are one or more events of each type, by the name of their golden file.
func events() map[string]Event {
	args := json.RawMessage(`{"path":"notes/今天.md"}`)
	return map[string]Event{
		"run_started":           event(TypeRunStarted, Event{RunID: "run_1", MessageID: "msg_1"}),
		"run_started_restarted": event(TypeRunStarted, Event{RunID: "run_1", MessageID: "msg_1", Restarted: true}),
		"message":               event(TypeMessage, Event{RunID: "run_1", MessageID: "msg_1", ParentID: "msg_0", Role: RoleUser, Content: Text("你好 <b> & \"quotes\"\n🐉")}),
		"message_edited":        event(TypeMessage, Event{RunID: "run_3", MessageID: "msg_5", ParentID: "msg_0", Siblings: []string{"msg_1", "msg_5"}, Role: RoleUser, Content: Text("你好！")}),
		"message_queued":        event(TypeMessage, Event{RunID: "run_2", MessageID: "msg_2", Role: RoleUser, Content: Text("and then?"), Queued: true}),
		"message_attachments":   event(TypeMessage, Event{RunID: "run_1", MessageID: "msg_1", Role: RoleUser, Content: Text("look"), Attachments: attached}),
		"message_chunk":         event(TypeMessageChunk, Event{RunID: "run_1", MessageID: "msg_3", ParentID: "msg_1", Content: Text("熊")}),
		"reasoning_chunk":       event(TypeReasoningChunk, Event{RunID: "run_1", MessageID: "msg_3", Content: Text("因为"), Offset: 6, Truncated: true}),
		"message_complete":      event(TypeMessageComplete, Event{RunID: "run_1", MessageID: "msg_3", ParentID: "msg_1", Role: RoleAssistant, Content: Text("熊大"), Usage: use, Finish: FinishStop}),
		"message_complete_cut":  event(TypeMessageComplete, Event{RunID: "run_1", MessageID: "msg_3", ParentID: "msg_1", Role: RoleAssistant, Content: Text(""), Incomplete: true}),
		"tool_call":             event(TypeToolCall, Event{RunID: "run_1", CallID: "call_1", Name: "read_file", Arguments: args}),
		"tool_result":           event(TypeToolResult, Event{RunID: "run_1", CallID: "call_1", Name: "read_file", Status: ToolOK, Output: Text("")}),
		"tool_result_denied":    event(TypeToolResult, Event{RunID: "run_1", CallID: "call_1", Name: "exec_shell", Status: ToolDenied, Output: Text("the user said no")}),
		"approval_required":     event(TypeApprovalRequired, Event{RunID: "run_1", ApprovalID: "apr_1", CallID: "call_1", Name: "write_file", Arguments: args, Scope: "write_file notes/今天.md", Decisions: Decisions(""), ExpiresAt: &later}),
		"approval_foreign":      event(TypeApprovalRequired, Event{RunID: "run_1", ApprovalID: "apr_2", CallID: "call_2", Name: "write_file", Arguments: args, Scope: "write_file notes/今天.md", Decisions: Decisions(ReasonForeignText), Reason: ReasonForeignText, Sources: []string{"https://example.com/a?b=1"}, ExpiresAt: &later}),
		"approval_resolved":     event(TypeApprovalResolved, Event{RunID: "run_1", ApprovalID: "apr_1", Decision: Decide7Days}),
		"client_calls": event(TypeClientCalls, Event{RunID: "run_1", ExpiresAt: &later, Usage: use, Calls: []ClientCall{
			{ID: "call_1234567890abcdefghij_abcdefghij", CallID: "call_1", Name: "get_weather", Arguments: args},
		}}),
		"run_finished": event(TypeRunFinished, Event{RunID: "run_1", Status: RunDone, Usage: use}),
		"run_finished_failed": event(TypeRunFinished, Event{RunID: "run_1", Status: RunFailed, Error: fault.New(fault.CodeProviderBusy, "the provider is busy", "try again").
			With("req_1").After(3 * time.Second)}),
		"todo":            event(TypeTodo, Event{RunID: "run_1", Items: []TodoItem{{Text: "find the bear", State: TodoDoing}, {Text: "带蜂蜜", State: TodoOpen}}}),
		"todo_empty":      event(TypeTodo, Event{RunID: "run_1", Items: []TodoItem{}}),
		"session_updated": event(TypeSessionUpdated, Event{Title: "新的标题", Head: "msg_3", Model: "kimi/kimi-k2.6"}),
		"status":          {Type: TypeStatus, SessionID: "work", Timestamp: at, Phase: PhaseThinking},
		"history_cleared": {Type: TypeHistoryCleared, SessionID: "work", Timestamp: at},
	}
}

// others are what the contract has beside events.
func others() map[string]any {
	history := History{SessionID: "work", Head: "msg_3", Messages: []Message{
		{ID: "msg_1", RunID: "run_1", Role: RoleUser, Content: "你好", Timestamp: at, Attachments: attached},
		{ID: "msg_3", ParentID: "msg_1", RunID: "run_1", Role: RoleAssistant, Content: "熊", Timestamp: later, Incomplete: true},
	}}
	frame := history
	frame.Type = TypeHistory
	return map[string]any{
		"connected":        Connected{TypeConnected, "client_1772600767089_abc123def", "已连接到 LoongClaw"},
		"pong":             Pong{TypePong},
		"history":          frame,
		"history_page":     history,
		"history_empty":    History{SessionID: "new", Messages: []Message{}},
		"session":          Session{ID: "work", Title: "你好", CreatedAt: at, UpdatedAt: later, Messages: 2, Head: "msg_3", Model: "kimi/kimi-k2.6", State: StateWaiting},
		"session_new":      Session{ID: "工作 1", CreatedAt: at, UpdatedAt: at},
		"session_changed":  ListEvent{Type: TypeSessionChanged, SessionID: "work", Cursor: ListCursor{Seq: 4, Feed: 1, N: 9}.Encode("me"), Timestamp: at, Session: &Session{ID: "work", Title: "你好", CreatedAt: at, UpdatedAt: later, Messages: 1, State: StateRunning}},
		"session_removed":  ListEvent{Type: TypeSessionRemoved, SessionID: "work", Timestamp: at},
		"approval_changed": ListEvent{Type: TypeApprovalChanged, SessionID: "work", Timestamp: at, Approval: &Approval{ApprovalID: "apr_1", SessionID: "work", RunID: "run_1", CallID: "call_1", Name: "write_file", Arguments: json.RawMessage(`{"path":"a.txt"}`), Scope: "write_file a.txt", ExpiresAt: later, Decisions: Decisions("")}},
		"run":              Run{RunID: "run_1", MessageID: "msg_1", SessionID: "work", Cursor: Cursor{Epoch: 1, Seq: 3}.Encode("work")},
		"error":            ErrorFrame{SessionID: "work", Error: fault.New(fault.CodeSessionBusy, "8 messages wait in this session already", "wait for an answer, or cancel").With("req_1").After(1500 * time.Millisecond)},
		"error_plain":      ErrorFrame{Error: fault.New(fault.CodeUnknownType, "未知消息类型: x", "")},
	}
}

func TestGoldenEvents(t *testing.T) {
	for name, e := range events() {
		t.Run(name, func(t *testing.T) {
			var got Event
			golden(t, name, e, &got)
			if !reflect.DeepEqual(got, e) {
				t.Errorf("read back: got %+v, want %+v", got, e)
			}
		})
	}
}

func TestGoldenAnswers(t *testing.T) {
	for name, v := range others() {
		t.Run(name, func(t *testing.T) {
			if f, ok := v.(ErrorFrame); ok {
				got := &fault.Error{}
				golden(t, name, v, got)
				f.Error.RetryAfter = (f.Error.RetryAfter + time.Second - 1).Truncate(time.Second)
				if !reflect.DeepEqual(got, f.Error) {
					t.Errorf("read back as an error: got %+v, want %+v", got, f.Error)
				}
				return
			}
			got := reflect.New(reflect.TypeOf(v))
			golden(t, name, v, got.Interface())
			if !reflect.DeepEqual(got.Elem().Interface(), v) {
				t.Errorf("read back: got %+v, want %+v", got.Elem(), v)
			}
		})
	}
}

// golden compares a value's JSON, byte for byte but for the indentation, with
// its file, and reads it back.
func golden(t *testing.T, name string, v, back any) {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	if err := json.Indent(&got, raw, "", "  "); err != nil {
		t.Fatal(err)
	}
	got.WriteByte('\n')
	path := filepath.Join("testdata", name+".json")
	if *update {
		if err := os.WriteFile(path, got.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (go test -update writes it)", err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("the wire changed; clients read these names.\ngot:\n%s\nwant:\n%s", got.Bytes(), want)
	}
	if err := json.Unmarshal(raw, back); err != nil {
		t.Errorf("reading it back: %v", err)
	}
}

// constants returns the string constants of a file whose names have a prefix.
func constants(t *testing.T, file, prefix string) []string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	ast.Inspect(f, func(n ast.Node) bool {
		if v, ok := n.(*ast.ValueSpec); ok && strings.HasPrefix(v.Names[0].Name, prefix) {
			if lit, ok := v.Values[0].(*ast.BasicLit); ok {
				s, _ := strconv.Unquote(lit.Value) // the parser has read it
				out = append(out, s)
			}
		}
		return true
	})
	if len(out) == 0 {
		t.Fatalf("%s has no constants %s…", file, prefix)
	}
	return out
}

func TestEveryTypeAndFieldHasAGolden(t *testing.T) {
	types, fields := map[string]bool{}, map[string]bool{}
	files, err := filepath.Glob("testdata/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		m := map[string]any{}
		if err := json.Unmarshal(b, &m); err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		if kind, ok := m["type"].(string); ok && !strings.HasPrefix(filepath.Base(f), "frame_") {
			types[kind] = true
			for name := range m {
				fields[name] = true
			}
		}
		if name := strings.TrimSuffix(filepath.Base(f), ".json"); !known(name) {
			t.Errorf("%s belongs to no test any more", f)
		}
	}
	for _, kind := range constants(t, "event.go", "Type") {
		if !types[kind] {
			t.Errorf("the type %s has no golden file", kind)
		}
	}
	for f := range reflect.TypeFor[Event]().Fields() {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); !fields[name] {
			t.Errorf("no golden file shows the field %s", name)
		}
	}
}

func known(name string) bool {
	_, event := events()[name]
	_, other := others()[name]
	return event || other || slices.ContainsFunc(frames, func(f frameCase) bool { return f.name == name })
}
