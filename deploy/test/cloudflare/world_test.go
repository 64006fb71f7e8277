package cloudflare

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/deploy/internal/client"
	"github.com/loongclaw/loongclaw/deploy/internal/fakeprovider"
	"github.com/loongclaw/loongclaw/deploy/internal/testenv"
)

// sleepAfter is SLEEP_AFTER of the worlds here.
const sleepAfter = 5 * time.Second

// Secrets that the owner sets on the Worker. None may be found in a container.
const (
	modelKey = "sk-canary-of-the-model-key"
	tokenOf  = "canary-token-of-%s"
	otherKey = "canary-of-another-provider"
)

var names = []string{"ann", "ben", "cat", "dan", "eve", "fay", "gus", "hal", "ida", "joe", "kim", "leo"}

// needEngine skips a test where no container can run.
func needEngine(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("SKIPPED: -short")
	}
	if err := testenv.Engine(t.Context()); err != nil {
		t.Skipf("SKIPPED: containers under wrangler dev: %v\nNext: start a container engine; everything else of `make test-cloudflare` ran without", err)
	}
}

// world is the Worker with the real image, and the provider behind it.
type world struct {
	*testenv.Worker
	model *fakeprovider.Server
	opts  testenv.WorkerOptions
}

// newWorld starts one with further variables, after what is kept was prepared.
func newWorld(t *testing.T, vars map[string]string, prepare ...func(dir string)) *world {
	t.Helper()
	needEngine(t)
	model, err := fakeprovider.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(model.Close)
	tokens := make([]string, 0, len(names))
	for _, name := range names {
		tokens = append(tokens, name+":"+fmt.Sprintf(tokenOf, name))
	}
	w := &world{model: model, opts: testenv.WorkerOptions{Dir: t.TempDir(), Containers: true, Vars: map[string]string{
		"LOONGCLAW_TOKENS": strings.Join(tokens, ","),
		"LLM_PROVIDER":     "openai", "OPENAI_MODEL": "standin",
		"OPENAI_BASE_URL": model.URL, "OPENAI_API_KEY": modelKey, "KIMI_API_KEY": otherKey,
		"TOOLS_AUTO_APPROVE": "read_file,write_file,memory_save,memory_search",
		"MAX_OPEN_SOCKETS":   "2000", "RATE_LIMIT_CHAT": "100000/m", "RATE_LIMIT_API": "100000/m",
		"SLEEP_AFTER": sleepAfter.String(),
	}}}
	maps.Copy(w.opts.Vars, vars)
	for _, f := range prepare {
		f(w.opts.Dir)
	}
	w.up(t)
	t.Cleanup(func() {
		w.Down()
		if t.Failed() {
			t.Logf("what wrangler said:\n%s", w.Log())
		}
	})
	return w
}

// up starts the Worker on what is there, and on the address it had.
func (w *world) up(t *testing.T) {
	t.Helper()
	worker, err := testenv.StartWorker(t.Context(), w.opts)
	if err != nil {
		t.Fatal(err)
	}
	w.Worker, w.opts.Addr, w.opts.Name = worker, worker.Addr, worker.Name
	if len(w.Images) != 2 {
		t.Fatalf("wrangler names the images %v, want one for each generation:\n%s", w.Images, w.Log())
	}
}

func (w *world) user(name string) *client.Client {
	return client.New(w.Base, fmt.Sprintf(tokenOf, name), nil)
}

// run is what the acknowledgement of a message says.
type run struct{ RunID, MessageID, SessionID, Cursor string }

// start sends a message and gives what was acknowledged.
func start(t *testing.T, c *client.Client, session, message string) run {
	t.Helper()
	a, err := c.Do(limited(t), http.MethodPost, client.SessionPath(session, "/runs"), map[string]string{"message": message})
	if err != nil {
		t.Fatal(err)
	}
	var r run
	if err := a.JSON(&r); err != nil || a.Status != http.StatusAccepted {
		t.Fatalf("got %v, want 202", a)
	}
	return r
}

// say sends a message and gives the answer.
func say(t *testing.T, c *client.Client, session, message string) string {
	t.Helper()
	a, err := c.Do(limited(t), http.MethodPost, "/api/chat", map[string]string{"message": message, "sessionId": session})
	if err != nil {
		t.Fatal(err)
	}
	var answer struct{ Message string }
	if err := a.JSON(&answer); err != nil || a.Status != http.StatusOK {
		t.Fatalf("got %v, want an answer", a)
	}
	return answer.Message
}

// patience bounds every wait of these tests.
const patience = 90 * time.Second

func limited(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// until reads a stream into a ledger until an event is the one.
func until(t *testing.T, s client.Stream, l *client.Ledger, last func(client.Event) bool) client.Event {
	t.Helper()
	for {
		e, err := s.Next()
		if err != nil {
			t.Fatalf("the stream ended: %v; so far %q", err, l.Steps)
		}
		if err := l.Take(e); err != nil {
			t.Fatal(err)
		}
		if last(e) {
			return e
		}
	}
}

func finished(run string) func(client.Event) bool {
	return func(e client.Event) bool { return e.Type == "run_finished" && e.RunID == run }
}

// finish follows a session after a cursor to the end of a run, over as many
// connections as it takes.
func finish(t *testing.T, c *client.Client, l *client.Ledger, r run) client.Event {
	t.Helper()
	ctx := limited(t)
	for {
		s, err := c.Events(ctx, r.SessionID, l.Cursor)
		if err == nil {
			var e client.Event
			for err == nil {
				if e, err = s.Next(); err != nil {
					break
				}
				if err := l.Take(e); err != nil {
					t.Fatal(err)
				}
				if finished(r.RunID)(e) {
					s.Cut()
					return e
				}
			}
			s.Cut()
		}
		var refused *client.Refused
		if errors.As(err, &refused) && refused.Answer.Status != http.StatusServiceUnavailable && refused.Answer.Status != http.StatusBadGateway {
			t.Fatal(err)
		}
		if ctx.Err() != nil {
			t.Fatalf("the run did not finish: %v; so far %q", err, l.Steps)
		}
		time.Sleep(200 * time.Millisecond)
	}
}

// state is what /ready tells a user of their container.
func state(t *testing.T, c *client.Client) string {
	t.Helper()
	a, err := c.Do(limited(t), http.MethodGet, "/ready", nil)
	if err != nil {
		t.Fatal(err)
	}
	var r struct{ Agent string }
	if err := a.JSON(&r); err != nil {
		t.Fatal(err)
	}
	return r.Agent
}
