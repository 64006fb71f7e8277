package rollout_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/deploy/internal/client"
	"github.com/loongclaw/loongclaw/deploy/internal/fakeprovider"
	"github.com/loongclaw/loongclaw/deploy/internal/load"
	"github.com/loongclaw/loongclaw/deploy/internal/rollout"
	"github.com/loongclaw/loongclaw/deploy/internal/testenv"
)

var rawURL = base64.RawURLEncoding

// talkers are the clients that never stop.
const talkers = 6

func tokenOf(i int) string { return fmt.Sprintf("token-of-talker-%d", i) }

// TestMain may be asked to be a bad image: a program that starts, and answers 500.
func TestMain(m *testing.M) {
	if os.Getenv("ROLLOUT_TEST_IMAGE") == "sick" {
		_ = http.ListenAndServe(os.Getenv("AGENT_LISTEN_ADDR"), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/ready" {
				return
			}
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = fmt.Fprint(w, `{"error":"sick","code":"internal","hint":"","requestId":""}`)
		}))
		os.Exit(1)
	}
	dir, err := os.MkdirTemp("", "loongclaw-rollout-")
	if err != nil {
		panic(err)
	}
	scratch = dir
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// scratch holds the programs of all tests here.
var scratch string

// begin is a platform after its first deploy.
func begin(t *testing.T) (*rollout.Rollout, *processes, *testenv.Said) {
	t.Helper()
	bin, err := testenv.Build(t.Context(), scratch)
	if err != nil {
		t.Fatal(err)
	}
	model, err := fakeprovider.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(model.Close)
	p := newProcesses(t, bin, model)
	out := &testenv.Said{T: t}
	r := &rollout.Rollout{Platform: p, Out: out, Patience: 5 * time.Second, Rules: rollout.Rules{
		Watch: 2 * time.Second, Every: 200 * time.Millisecond, Failed: 0.02, Enough: 10, Slower: 5, Slow: 2 * time.Second,
	}}
	p.next = p.agent("one", nil)
	if err := r.Deploy(t.Context()); err != nil {
		t.Fatal(err)
	}
	return r, p, out
}

// TestDeploysUnderThoseWhoTalk: good and bad generations under clients that never
// stop, who notice none of it.
func TestDeploysUnderThoseWhoTalk(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: -short")
	}
	r, p, out := begin(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var crowd []*load.Talker
	var all sync.WaitGroup
	for i := range talkers {
		talker := &load.Talker{
			Client: client.New(p.stack.Base, tokenOf(i), nil), Session: fmt.Sprintf("s%d", i),
			Over: []string{client.OverSSE, client.OverWS}[i%2], Chunks: 5, Delay: 30 * time.Millisecond, Pause: 50 * time.Millisecond,
		}
		crowd = append(crowd, talker)
		all.Go(func() { talker.Talk(ctx) })
	}
	for _, step := range []struct {
		next image
		why  string // in the log; empty where all is well
	}{
		{p.agent("two", nil), ""},
		{image{name: "does not start", path: "/bin/false"}, "the canary in blue"},
		{image{name: "answers 500", path: self, env: map[string]string{"ROLLOUT_TEST_IMAGE": "sick"}}, "status 500"},
		{p.agent("loses memory", map[string]string{"STORE": "disk:" + t.TempDir()}), "memory is lost: what was saved in green is there 0 times"},
		{p.agent("three", nil), ""},
	} {
		t.Logf("--- %s", step.next.name)
		before, _ := p.State(t.Context())
		p.next = step.next
		err := r.Deploy(t.Context())
		after, _ := p.State(t.Context())
		if step.why == "" {
			if err != nil || after.Serves != before.Serves.Other() || after.Images[after.Serves] != step.next.name {
				t.Errorf("%s: got %v and %v", step.next.name, err, after)
			}
			continue
		}
		var red *rollout.Failure
		if !errors.As(err, &red) || after.Serves != before.Serves || !strings.Contains(err.Error(), step.why) {
			t.Fatalf("%s: got %v and %v, want red with %q", step.next.name, err, after, step.why)
		}
		if err := r.Rollback(t.Context()); err == nil || !strings.Contains(err.Error(), "that is no way back") {
			t.Errorf("a rollback into what was red: got %v", err)
		}
		if !strings.Contains(out.String(), "RED, the switch stays: "+strings.Join(strings.Fields(err.Error()), " ")) {
			t.Errorf("the log does not say why:\n%s", out)
		}
	}
	if err := r.Rollback(t.Context()); err != nil {
		t.Error(err)
	}
	time.Sleep(time.Second)
	stop()
	all.Wait()
	var sum load.Tally
	for _, talker := range crowd {
		talker.Check(t.Context())
		sum.Add(talker.Tally())
	}
	t.Log(sum)
	if len(sum.Faults) > 0 || sum.Messages < 10*talkers {
		t.Errorf("faults:\n%s", strings.Join(sum.Faults, "\n"))
	}
	if strings.Contains(out.String(), canaryToken) {
		t.Error("it printed the canary's credential")
	}
	left, err := client.New(p.stack.Base, canaryToken, nil).Do(t.Context(), http.MethodGet, "/api/sessions", nil)
	if err != nil || string(bytes.TrimSpace(left.Body)) != `{"sessions":[]}` {
		t.Errorf("something of the canary stayed: %v, %v", left, err)
	}
}

// TestTheWatchTakesItBack: what the canary did not find shows in the figures.
func TestTheWatchTakesItBack(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: -short")
	}
	r, p, out := begin(t)
	r.Rules.Watch = time.Minute // it must not need all of it
	u := client.New(p.stack.Base, tokenOf(0), nil)
	asking, stop := context.WithCancel(t.Context())
	defer stop()
	go func() {
		for asking.Err() == nil {
			_, _ = u.Do(asking, http.MethodGet, "/api/sessions", nil)
		}
	}()
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	for _, tt := range []struct {
		name  string
		moved func() // when the switch has moved, under the platform's lock
		why   string
	}{
		{"failures", func() { p.sour = true }, "too many failures: "},
		{"nothing can be seen", func() { p.blind = true }, "its figures cannot be seen: it is dark"},
		{"an interrupt", interrupt, "interrupted"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p.mu.Lock()
			p.sour, p.blind, p.moved, p.served = false, false, nil, tt.moved
			p.mu.Unlock()
			p.next = p.agent(tt.name, nil)
			err := r.Deploy(ctx)
			now, _ := p.State(t.Context())
			var red *rollout.Failure
			if !errors.As(err, &red) || now.Serves != rollout.Blue || !strings.Contains(err.Error(), tt.why) {
				t.Errorf("got %v and %v, want blue and %q", err, now, tt.why)
			}
			if got, want := strings.Join(p.moved, ", "), "fill green, serve green, serve blue, keep, discard green"; got != want {
				t.Errorf("it did: %s; want %s", got, want)
			}
			if !strings.Contains(out.String(), "RED, the switch goes back: green was watched for") {
				t.Errorf("the log does not say why:\n%s", out)
			}
		})
	}
}

func TestNothingToDo(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: -short")
	}
	r, p, _ := begin(t)
	p.moved = nil
	if err := r.Rollback(t.Context()); err == nil || !strings.Contains(err.Error(), "no other generation") {
		t.Errorf("rollback: got %v", err)
	}
	if err := r.Deploy(t.Context()); err != nil || len(p.moved) != 0 {
		t.Errorf("the same once more: got %v and %v, want nothing done", err, p.moved)
	}
}
