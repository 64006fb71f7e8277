package main

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/deploy/internal/client"
	"github.com/loongclaw/loongclaw/deploy/internal/fakeprovider"
	"github.com/loongclaw/loongclaw/deploy/internal/testenv"
	"github.com/loongclaw/loongclaw/pkg/pass"
)

const (
	token  = "canary-token-of-alice"
	reader = "canary-token-of-a-reader"
)

// seen is what a visit said, and how it ended.
type seen struct {
	text string
	code int
}

// visitTo runs the program as `make smoke` does.
func visitTo(t *testing.T, base, token string, args ...string) seen {
	t.Helper()
	var out strings.Builder
	getenv := func(name string) string { return map[string]string{tokenVariable: token}[name] }
	code := run(t.Context(), append([]string{"-address", base}, args...), getenv, &out)
	if token != "" && strings.Contains(out.String(), token) {
		t.Errorf("it printed the token:\n%s", out.String())
	}
	if host := base[strings.Index(base, "://")+3:]; strings.Contains(out.String(), host) {
		t.Errorf("it printed the address:\n%s", out.String())
	}
	return seen{out.String(), code}
}

// holds fails where a text is not there.
func (s seen) holds(t *testing.T, wants ...string) {
	t.Helper()
	for _, want := range wants {
		if !strings.Contains(s.text, want) {
			t.Errorf("there is no %q in:\n%s", want, s.text)
		}
	}
}

var questionLine = regexp.MustCompile(`(?m)^(ok|DIFFERS|not asked) +(.+?)(?:  .*)?$`)

// outcomes are the questions by name.
func (s seen) outcomes() map[string]outcome {
	found := map[string]outcome{}
	for _, m := range questionLine.FindAllStringSubmatch(s.text, -1) {
		found[m[2]] = outcome(m[1])
	}
	return found
}

var (
	scratch string
	built   = sync.OnceValues(func() (testenv.Binaries, error) { return testenv.Build(context.Background(), scratch) })
)

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "loongclaw-smoke-")
	if err != nil {
		panic(err)
	}
	scratch = dir
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// stack is the real gateway and the real agent.
func stack(t *testing.T, change func(*testenv.Options)) *testenv.Stack {
	t.Helper()
	bin, err := built()
	if err != nil {
		t.Fatal(err)
	}
	o := testenv.Options{
		Bin: bin, Dir: t.TempDir(), Tokens: "alice:" + token + ",rita:" + reader + ":read",
		GatewayEnv: map[string]string{"RATE_LIMIT_CHAT": "30/m", "RATE_LIMIT_API": "600/m", "MAX_CONCURRENT_RUNS": "4"},
	}
	if change != nil {
		change(&o)
	}
	s, err := testenv.Up(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Down()
		if t.Failed() {
			t.Log(s.Logs())
		}
	})
	return s
}

func provider(t *testing.T) *fakeprovider.Server {
	t.Helper()
	model, err := fakeprovider.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(model.Close)
	return model
}

// TestARightDeploymentDiffersInNothing asks the real programs, with their usual
// limits, and looks what is left of it.
func TestARightDeploymentDiffersInNothing(t *testing.T) {
	model := provider(t)
	for name, change := range map[string]func(*testenv.Options){
		"a provider": func(o *testenv.Options) { o.Model = model.URL },
		"offline":    nil,
	} {
		t.Run(name, func(t *testing.T) {
			s := stack(t, change)
			folder := t.TempDir()
			got := visitTo(t, s.Base, token, "-report", folder)
			if got.code != exitWell {
				t.Errorf("it ended with %d:\n%s", got.code, got.text)
			}
			asked := got.outcomes()
			for question, how := range asked {
				if how != well && question != "strangers woke no container" {
					t.Errorf("%s: %s\n%s", question, how, got.text)
				}
			}
			if len(asked) < 30 {
				t.Errorf("%d questions were asked:\n%s", len(asked), got.text)
			}
			offline := strings.Contains(got.text, "the offline model answered")
			if want := name == "offline"; offline != want {
				t.Errorf("it says of the offline model: %t\n%s", offline, got.text)
			}
			nothingLeft(t, s.Base)
			reportIsWhatWasSaid(t, folder, got.text)
		})
	}
}

// nothingLeft looks with the user's own eyes.
func nothingLeft(t *testing.T, base string) {
	t.Helper()
	c := client.New(base, token, nil)
	for path, empty := range map[string]string{"/api/sessions": `"sessions":[]`, "/api/files": `"files":[]`, "/api/memory/search?keyword=": `"results":[]`} {
		a, err := c.Do(t.Context(), http.MethodGet, path, nil)
		if err != nil || !strings.Contains(string(a.Body), empty) {
			t.Errorf("%s: something was left: %s, %v", path, a.Body, err)
		}
	}
}

func reportIsWhatWasSaid(t *testing.T, folder, said string) {
	t.Helper()
	files, _ := filepath.Glob(filepath.Join(folder, "smoke-*.txt"))
	if len(files) != 1 {
		t.Fatalf("got the files %v, want one", files)
	}
	b, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(said, string(b)) || !strings.Contains(string(b), "\nok ") {
		t.Errorf("the file is not what was said:\n%s", b)
	}
	if info, err := os.Stat(files[0]); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("others may read the file: %v %v", info.Mode(), err)
	}
	if rest := said[len(b):]; !strings.Contains(rest, filepath.Base(files[0])) {
		t.Errorf("it does not say where the file is: %s", rest)
	}
}

// A user's own things stay, also those that look like a visit's.
func TestWhatIsNotOursStays(t *testing.T) {
	s := stack(t, nil)
	c := client.New(s.Base, token, nil)
	mine := []client.Expectation{
		{Method: http.MethodPost, Path: "/api/chat", Body: map[string]string{"message": "Hello", "sessionId": "smoke-of-mine"}, Status: http.StatusOK},
		{Method: http.MethodPut, Path: "/api/files/smoke-of-mine.txt", Body: "mine", Status: http.StatusOK},
		{Method: http.MethodPost, Path: "/api/memory", Body: map[string]string{"content": "smoke of mine"}, Status: http.StatusCreated},
	}
	for _, one := range mine {
		if err := one.Ask(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	if got := visitTo(t, s.Base, token); got.code != exitWell {
		t.Errorf("it ended with %d:\n%s", got.code, got.text)
	}
	for _, path := range []string{"/api/history/smoke-of-mine", "/api/files", "/api/memory/search?keyword=mine"} {
		a, err := c.Do(t.Context(), http.MethodGet, path, nil)
		if err != nil || !strings.Contains(string(a.Body), "mine") || strings.Contains(string(a.Body), `"messages":[]`) {
			t.Errorf("%s: %s %v", path, a.Body, err)
		}
	}
}

// Faults of a deployment that is there.
func TestWhatIsWrongIsNamed(t *testing.T) {
	model := provider(t)
	s := stack(t, func(o *testenv.Options) { o.Model = model.URL })
	t.Run("a wrong token", func(t *testing.T) {
		got := visitTo(t, s.Base, "a-token-of-somebody-else")
		got.holds(t, "the token is not known there", "1 differ")
		if how := got.outcomes(); how[signedIn] != differs || how[chatJSON] != unasked {
			t.Errorf("got %v", how)
		}
	})
	t.Run("a token that may only read", func(t *testing.T) {
		got := visitTo(t, s.Base, reader)
		got.holds(t, "the token may only read")
		if how := got.outcomes(); how[signedIn] != well || how[writes] != differs || how[chatJSON] != unasked {
			t.Errorf("got %v", how)
		}
	})
	t.Run("an agent that is away", func(t *testing.T) {
		s.Agent.Kill()
		got := visitTo(t, s.Base, token, "-patience", "2s", "-within", "6s")
		if how := got.outcomes(); how[reached] != well || how[signedIn] != well || how[awake] != differs || how[chatJSON] != unasked {
			t.Errorf("got %v", how)
		}
		got.holds(t, "code unavailable", "the gateway is there, and no agent answers behind it")
	})
}

// A provider that refuses is seen in the chats, and the rest is asked all the same.
func TestAProviderThatRefusesIsNamed(t *testing.T) {
	refuses := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = w.Write([]byte(`{"error":{"message":"no such key","code":"invalid_api_key"}}`))
	}))
	defer refuses.Close()
	s := stack(t, func(o *testenv.Options) { o.Model = refuses.URL + "/v1" })
	got := visitTo(t, s.Base, token, "-patience", "5s")
	how := got.outcomes()
	if got.code != exitDiffers || how[chatJSON] != differs || how["a chat over SSE"] != differs || how["memory: save, find, forget"] != well || how["nothing of this is left"] != well {
		t.Errorf("it ended with %d:\n%s", got.code, got.text)
	}
	got.holds(t, "code provider_")
	nothingLeft(t, s.Base)
}

// An interrupt ends the questions, and not the tidying.
func TestAnInterruptedVisitTidiesUp(t *testing.T) {
	s := stack(t, nil)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var out strings.Builder
	code := run(ctx, []string{"-address", s.Base}, func(name string) string {
		return map[string]string{tokenVariable: token}[name]
	}, &stopAfter{Builder: &out, after: chatJSON, stop: stop})
	got := seen{out.String(), code}
	if how := got.outcomes(); how["a chat over SSE"] != unasked || how["nothing of this is left"] != well {
		t.Errorf("got %v:\n%s", how, got.text)
	}
	nothingLeft(t, s.Base)
}

// stopAfter interrupts when a line was written.
type stopAfter struct {
	*strings.Builder
	after string
	stop  func()
}

func (s *stopAfter) Write(b []byte) (int, error) {
	if strings.Contains(string(b), s.after) {
		s.stop()
	}
	return s.Builder.Write(b)
}

// TestAWorkerDiffersInNothing asks the Worker in workerd, before the real agent.
func TestAWorkerDiffersInNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: -short")
	}
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s := stack(t, func(o *testenv.Options) {
		o.AgentEnv = map[string]string{"PASS_PUBLIC_KEYS": pass.FormatPublic(public)}
		o.GatewayEnv = map[string]string{"PASS_PRIVATE_KEY": pass.FormatPrivate(private)}
	})
	w, err := testenv.StartWorker(t.Context(), testenv.WorkerOptions{Dir: t.TempDir(), Vars: map[string]string{
		"LOONGCLAW_TOKENS": "alice:" + token, "AGENT_URL": s.AgentURL(), "PASS_PRIVATE_KEY": pass.FormatPrivate(private),
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Down)
	got := visitTo(t, w.Base, token, "-sleep", "1s")
	for question, how := range got.outcomes() {
		// An agent that is no container neither starts nor sleeps.
		if how != well && question != "strangers woke no container" && question != "sleep and wake" {
			t.Errorf("%s: %s", question, how)
		}
	}
	if got.code != exitWell || len(got.outcomes()) < 30 {
		t.Errorf("it ended with %d:\n%s", got.code, got.text)
	}
	time.Sleep(time.Second) // what the Worker notes after an answer
	nothingLeft(t, w.Base)
}

// An old version is asked the same: what it does not have yet differs, it is said
// that it is another version, and nothing of the visit is left on it.
func TestAnOldVersionIsTold(t *testing.T) {
	old, err := testenv.BuildRelease(t.Context(), t.TempDir(), "v0.2.1")
	if errors.Is(err, testenv.ErrNoEarlier) {
		t.Skipf("SKIPPED: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	s := stack(t, func(o *testenv.Options) { o.Bin = old })
	got := visitTo(t, s.Base, token, "-version", "v9.9.9")
	got.holds(t, "another version answers")
	for question, want := range map[string]outcome{
		reached: well, signedIn: well, byTool: well, "an approval, denied": well, "/v1: the model by name": differs, chatJSON: differs, "nothing of this is left": well,
	} {
		if how := got.outcomes()[question]; how != want {
			t.Errorf("%s: got %q, want %q\n%s", question, how, want, got.text)
		}
	}
	nothingLeft(t, s.Base)
}
