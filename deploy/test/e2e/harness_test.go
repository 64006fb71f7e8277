package e2e

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/deploy/internal/client"
	"github.com/loongclaw/loongclaw/deploy/internal/fakeprovider"
	"github.com/loongclaw/loongclaw/deploy/internal/testenv"
)

var (
	bin     testenv.Binaries
	scratch string
)

func TestMain(m *testing.M) { os.Exit(runAll(m)) }

func runAll(m *testing.M) int {
	// These tests wait more than they compute.
	flag.Parse()
	if parallel := flag.Lookup("test.parallel"); parallel.Value.String() == parallel.DefValue {
		if err := flag.Set("test.parallel", "12"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	dir, err := os.MkdirTemp("", "loongclaw-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	scratch = dir
	if bin, err = testenv.Build(context.Background(), dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := m.Run()
	if common != nil {
		common.end()
	}
	return code
}

// users is how many users a stack knows: u0 with tokenOf(0), and so on.
const users = 400

func tokenOf(i int) string { return fmt.Sprintf("token-of-user-%05d", i) }

func tokens() string {
	var b strings.Builder
	for i := range users {
		fmt.Fprintf(&b, "u%d:%s,", i, tokenOf(i))
	}
	return b.String() + "reader:token-of-the-reader:read"
}

// pageOrigin is the one origin that the stacks allow.
const pageOrigin = "https://page.example"

// world is a running stack and the provider behind it. With E2E_STORE=sqlite its
// store is a database, which earlier versions cannot open; with s3 it is a real S3
// server of its own.
type world struct {
	*testenv.Stack
	model *fakeprovider.Server
	s3    *testenv.S3
	next  atomic.Int32 // the next user
}

var (
	common     *world
	commonOnce sync.Once
	commonErr  error
)

// shared is the stack of all tests that kill nothing.
func shared(t *testing.T) *world {
	t.Helper()
	commonOnce.Do(func() {
		common, commonErr = up(context.Background(), scratch+"/shared", nil)
	})
	if commonErr != nil {
		t.Fatalf("start the shared stack: %v", commonErr)
	}
	t.Cleanup(func() { logsOnFailure(t, common) })
	return common
}

// own is a stack for one test.
func own(t *testing.T, change func(*testenv.Options)) *world {
	t.Helper()
	w, err := up(t.Context(), t.TempDir(), change)
	if err != nil {
		t.Fatalf("start a stack: %v", err)
	}
	t.Cleanup(func() {
		w.end()
		logsOnFailure(t, w)
	})
	return w
}

func up(ctx context.Context, dir string, change func(*testenv.Options)) (*world, error) {
	model, err := fakeprovider.Start()
	if err != nil {
		return nil, err
	}
	o := testenv.Options{
		Bin: bin, Dir: dir, Tokens: tokens(), Model: model.URL,
		AgentEnv:   map[string]string{"TOOLS_AUTO_APPROVE": "read_file,write_file,list_directory,get_current_time,memory_save,memory_search"},
		GatewayEnv: map[string]string{"ALLOWED_ORIGINS": pageOrigin},
	}
	if change != nil {
		change(&o)
	}
	w := &world{model: model}
	if os.Getenv("E2E_STORE") == "sqlite" {
		env := map[string]string{"STORE": "sqlite:" + filepath.Join(dir, "store", "loongclaw.db")}
		maps.Copy(env, o.AgentEnv)
		o.AgentEnv = env
	}
	if os.Getenv("E2E_STORE") == "s3" {
		if w.s3, err = testenv.StartS3(ctx, dir); err != nil {
			model.Close()
			return nil, err
		}
		env := w.s3.Env(w.s3.URL)
		maps.Copy(env, o.AgentEnv)
		o.AgentEnv = env
	}
	if w.Stack, err = testenv.Up(ctx, o); err != nil {
		w.end()
		return nil, err
	}
	if w.s3 != nil {
		w.Store = filepath.Join(dir, "s3") // where that server keeps its objects
	}
	return w, nil
}

// end ends all that runs.
func (w *world) end() {
	if w.Stack != nil {
		w.Down()
	}
	if w.s3 != nil {
		w.s3.Kill()
	}
	w.model.Close()
}

var loggedShared sync.Once

// logsOnFailure shows what the programs wrote last; all that was kept of it with
// E2E_LOGS set.
func logsOnFailure(t *testing.T, w *world) {
	if !t.Failed() {
		return
	}
	text := w.Logs()
	const short = 4 << 10
	if os.Getenv("E2E_LOGS") == "" && len(text) > short {
		text = "…" + text[len(text)-short:]
	}
	if w == common {
		loggedShared.Do(func() { t.Log(text) })
		return
	}
	t.Log(text)
}

var transport = client.Transport()

// user returns a client of a user whom no other test has.
func (w *world) user(t *testing.T) *client.Client {
	t.Helper()
	n := int(w.next.Add(1)) - 1
	if n >= users-8 {
		t.Fatal("more users are wanted than the stack knows: raise users")
	}
	return client.New(w.Base, tokenOf(n), transport)
}

// oneOfFew returns one of eight users for the k-th of many like cases.
func (w *world) oneOfFew(_ *testing.T, k int) *client.Client {
	return client.New(w.Base, tokenOf(users-1-k%8), transport)
}

// killAfter is how long a program may take to end after SIGTERM.
const killAfter = 20 * time.Second

var names atomic.Int64

// fresh returns a name that nothing else has, for sessions and scripts.
func fresh(prefix string) string { return fmt.Sprintf("%s-%d", prefix, names.Add(1)) }

// limited is the test's context with an end, so that what never comes fails the
// test and not the whole run.
func limited(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// script makes a script with a name of its own.
func script(rounds ...fakeprovider.Round) fakeprovider.Script {
	return fakeprovider.Say(fresh("s"), rounds...)
}

// call is a round with one tool call.
func call(name, args string) fakeprovider.Round {
	return fakeprovider.Round{Calls: []fakeprovider.Call{{ID: fresh("call"), Name: name, Args: args}}}
}

// do sends a request and wants this status.
func do(t *testing.T, c *client.Client, want int, method, path string, body any, headers ...client.Header) client.Answer {
	t.Helper()
	a, err := c.Do(limited(t), method, path, body, headers...)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	if a.Status != want {
		t.Fatalf("%s %s: got %v, want status %d", method, path, a, want)
	}
	return a
}

// refused sends a request and wants an error of this status and code.
func refused(t *testing.T, c *client.Client, status int, code, method, path string, body any, headers ...client.Header) client.Answer {
	t.Helper()
	a, err := c.Do(limited(t), method, path, body, headers...)
	if err != nil {
		t.Errorf("%s %s: %v", method, path, err)
		return a
	}
	isFault(t, method+" "+path, a, status, code)
	return a
}

// isFault holds an answer to the design's JSON error.
func isFault(t *testing.T, what string, a client.Answer, status int, code string) {
	t.Helper()
	f := a.Fault()
	if a.Status != status || f.Code != code {
		t.Errorf("%s: got %v, want status %d and code %s", what, a, status, code)
		return
	}
	if f.Error == "" || f.Hint == "" || f.RequestID == "" {
		t.Errorf("%s: the error lacks its text, hint or requestId: %v", what, a)
	}
}

// run is the 202 answer.
type run struct {
	RunID     string `json:"runId"`
	MessageID string `json:"messageId"`
	SessionID string `json:"sessionId"`
	Cursor    string `json:"cursor"`
}

// start posts a message to a session and wants 202.
func start(t *testing.T, c *client.Client, session, message string, headers ...client.Header) run {
	t.Helper()
	a := do(t, c, http.StatusAccepted, http.MethodPost, client.SessionPath(session, "/runs"), map[string]any{"message": message}, headers...)
	var r run
	if err := a.JSON(&r); err != nil {
		t.Fatal(err)
	}
	if r.RunID == "" || r.MessageID == "" || r.SessionID != session || r.Cursor == "" {
		t.Fatalf("POST runs: got %s, want runId, messageId, cursor and sessionId %q", a.Body, session)
	}
	return r
}

// follow opens a stream of a session and cuts it at the test's end.
func follow(t *testing.T, c *client.Client, over, session, after string) client.Stream {
	t.Helper()
	s, err := c.Follow(limited(t), over, session, after)
	if err != nil {
		t.Fatalf("follow %s over %s: %v", session, over, err)
	}
	t.Cleanup(s.Cut)
	return s
}

// dial opens a WebSocket and cuts it at the test's end.
func dial(t *testing.T, c *client.Client, path string) *client.Socket {
	t.Helper()
	s, err := c.Dial(limited(t), path)
	if err != nil {
		t.Fatalf("dial %s: %v", path, err)
	}
	t.Cleanup(s.Cut)
	return s
}

// until takes events into the ledger up to and with the first that ok accepts.
func until(t *testing.T, s client.Stream, l *client.Ledger, ok func(client.Event) bool) client.Event {
	t.Helper()
	for {
		e := next(t, s, l)
		if ok(e) {
			return e
		}
	}
}

// next takes one event into the ledger.
func next(t *testing.T, s client.Stream, l *client.Ledger) client.Event {
	t.Helper()
	e, err := s.Next()
	if err != nil {
		t.Fatalf("the stream broke after %d chunks and %q: %v", l.Chunks, l.Steps, err)
	}
	if err := l.Take(e); err != nil {
		t.Fatalf("after %q: %v", l.Steps, err)
	}
	return e
}

// finished accepts the end of a run.
func finished(runID string) func(client.Event) bool {
	return func(e client.Event) bool { return e.Type == "run_finished" && e.RunID == runID }
}

// typed accepts events of a type.
func typed(typ string) func(client.Event) bool {
	return func(e client.Event) bool { return e.Type == typ }
}

// await follows a session from its start until a run has ended.
func await(t *testing.T, c *client.Client, session, runID string) (*client.Ledger, client.Event) {
	t.Helper()
	l := client.NewLedger()
	s := follow(t, c, client.OverSSE, session, "")
	e := until(t, s, l, finished(runID))
	s.Cut()
	return l, e
}

// history reads a session's messages.
func history(t *testing.T, c *client.Client, session, query string) client.History {
	t.Helper()
	a := do(t, c, http.StatusOK, http.MethodGet, "/api/history/"+session+query, nil)
	var h client.History
	if err := a.JSON(&h); err != nil {
		t.Fatal(err)
	}
	return h
}

// contents are the messages as "role: content".
func contents(h client.History) []string {
	out := make([]string, 0, len(h.Messages))
	for _, m := range h.Messages {
		out = append(out, m.Role+": "+m.Content)
	}
	return out
}

// ask posts a message the original's way and gives the reply.
func ask(t *testing.T, c *client.Client, session, message string) string {
	t.Helper()
	a := do(t, c, http.StatusOK, http.MethodPost, "/api/chat", map[string]any{"message": message, "sessionId": session})
	var reply struct{ Message, SessionID, Timestamp string }
	if err := a.JSON(&reply); err != nil {
		t.Fatal(err)
	}
	if reply.SessionID != session || reply.Timestamp == "" {
		t.Fatalf("POST /api/chat: got %s, want message, sessionId %q and timestamp", a.Body, session)
	}
	return reply.Message
}

// needs ends a test whose folder of npm packages is not installed.
func needs(t *testing.T, folder string) {
	t.Helper()
	if _, err := os.Stat(filepath.Join(folder, "node_modules")); err != nil {
		t.Fatalf("the packages of %s are not installed\nNext: make test-go, or npm ci in deploy/test/e2e/%[1]s", folder)
	}
}
