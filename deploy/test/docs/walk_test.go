package docs_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/deploy/internal/testenv"
)

// TestBlocksRun walks each page as a newcomer does: a fresh copy of the
// repository, what stands there typed in order, on free addresses. Only what is
// marked as not run is left out, and said.
func TestBlocksRun(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds the programs and starts them many times")
	}
	t.Parallel()
	fresh := checkout(t)
	for _, page := range pages(t) {
		all := examples(t, page)
		if !slices.ContainsFunc(all, func(e example) bool { return e.program() && e.notRun == "" }) {
			continue
		}
		t.Run(page, func(t *testing.T) {
			t.Parallel()
			w := newWalk(t, fresh)
			for i, e := range all {
				switch {
				case !e.program():
				case e.notRun != "":
					t.Logf("NOT RUN: block %d, %s", i+1, e.notRun)
				default:
					w.run(i+1, e)
				}
			}
			if answer, ok := promptsOf[page]; ok {
				w.prompts(page, answer)
			}
		})
	}
}

func (e example) program() bool { return e.info == "sh" || e.info == "js" }

// promptsOf are the pages with three prompts to try, and what the second must
// bring back of the first.
var promptsOf = map[string]string{"README.md": "3 May", "docs/README.zh-CN.md": "5月3日"}

var prompt = regexp.MustCompile("(?m)^[123]\\. .*?`(.+?)`")

// prompts says what the page proposes to say, each in a chat of its own: to be
// remembered, to be recalled, and to be asked first.
func (w *walk) prompts(page, answer string) {
	w.t.Helper()
	found := prompt.FindAllStringSubmatch(source(w.t, page), -1)
	if len(found) != 3 {
		w.t.Fatalf("found %d prompts on the page, want 3", len(found))
	}
	w.start(plainRun)
	said := func(i int) string {
		b, err := json.Marshal(map[string]string{"message": found[i][1], "sessionId": fmt.Sprintf("prompt-%d", i+1)})
		if err != nil {
			w.t.Fatal(err)
		}
		return string(b)
	}
	w.ask(http.MethodPost, "/api/chat", said(0))
	if got := w.ask(http.MethodPost, "/api/chat", said(1)); !bytes.Contains(got, []byte(answer)) {
		w.t.Errorf("%s: the answer is %s, want one with %q", found[1][1], got, answer)
	}
	w.ask(http.MethodPost, "/api/sessions/prompt-3/runs", said(2))
	for end := time.Now().Add(2 * time.Minute); ; time.Sleep(100 * time.Millisecond) {
		events := w.ask(http.MethodGet, "/api/sessions/prompt-3/events", "")
		if bytes.Contains(events, []byte(`"approval_required"`)) {
			return
		}
		if time.Now().After(end) {
			w.t.Fatalf("%s asks nobody: %s", found[2][1], events)
		}
	}
}

// checkout copies what git would give to a clone, and builds it once: what is
// built is the same for all pages.
func checkout(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "loongclaw")
	list := exec.CommandContext(t.Context(), "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	list.Dir = root
	names, err := list.Output()
	if err != nil {
		t.Skipf("SKIPPED: a clone cannot be made, since git does not list the files here: %v", err)
	}
	for name := range strings.SplitSeq(strings.TrimSuffix(string(names), "\x00"), "\x00") {
		b, err := os.ReadFile(filepath.Join(root, name)) //nolint:gosec // a file of the repository
		if errors.Is(err, os.ErrNotExist) {
			continue // removed, and not committed yet
		}
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		to := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(to), 0o750), os.WriteFile(to, b, info.Mode().Perm())); err != nil { //nolint:gosec // the same name
			t.Fatal(err)
		}
	}
	w := &walk{t: t, dir: dir}
	if out, err := w.bash("make build bin/local"); err != nil {
		t.Fatalf("make build: %v\n%s", err, out)
	}
	if err := os.Remove(filepath.Join(dir, memory)); err != nil { // each page begins in a new terminal
		t.Fatal(err)
	}
	return dir
}

// walk is one page's folder, and what runs in it.
type walk struct {
	t              *testing.T
	dir            string
	gateway, agent string // addresses
	deployment     *deployment
}

func newWalk(t *testing.T, fresh string) *walk {
	t.Helper()
	w := &walk{t: t, dir: filepath.Join(t.TempDir(), "loongclaw")}
	if out, err := exec.CommandContext(t.Context(), "cp", "-a", fresh, w.dir).CombinedOutput(); err != nil { //nolint:gosec // two folders of this test
		t.Fatalf("%v: %s", err, out)
	}
	for _, addr := range []*string{&w.gateway, &w.agent} {
		var err error
		if *addr, err = testenv.FreeAddr(); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(w.stop)
	return w
}

// here puts this walk's addresses in the place of those that pages name.
func (w *walk) here(text string) string {
	return strings.NewReplacer(
		"127.0.0.1:8787", w.gateway, "127.0.0.1-8787", strings.ReplaceAll(w.gateway, ":", "-"), "127.0.0.1:8788", w.agent,
	).Replace(text)
}

const plainRun = "make run"

var makeRun = regexp.MustCompile(`(?m)^(?:[A-Z_]+=\S+ )*make run\b.*$`)

func (w *walk) run(n int, e example) {
	w.t.Helper()
	if lines := makeRun.FindAllString(e.text, -1); len(lines) > 0 {
		for line := range strings.Lines(e.text) {
			if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") && !slices.Contains(lines, line) {
				w.t.Errorf("block %d: %q stands beside `make run`, which does not end: put it into a block of its own", n, line)
			}
		}
		for _, line := range lines {
			w.start(line)
		}
		return
	}
	switch talks := strings.Contains(e.text, "http://127.0.0.1") || e.info == "js"; {
	case talks && (w.deployment == nil || w.deployment.line != plainRun):
		w.start(plainRun)
	case !talks && strings.Contains(e.text, "bin/"):
		w.stop()
		w.haveBeenUsed()
	}
	var out string
	var err error
	if e.info == "js" {
		out, err = w.javascript(e.text)
	} else {
		out, err = w.bash(w.here(e.text))
	}
	if err != nil {
		w.t.Errorf("block %d: %v\n%s\n--- it printed:\n%s", n, err, e.text, out)
		return
	}
	for _, want := range e.shows {
		if !strings.Contains(out, want) {
			w.t.Errorf("block %d does not show %q\n%s\n--- it printed:\n%s", n, want, e.text, out)
		}
	}
}

// memory is the file of a page's folder that holds what its blocks have exported.
const memory = ".walk"

// prelude gives blocks one memory, as a terminal has, and ends streams that would
// go on.
const prelude = `set -euo pipefail
cd "$WALK"
[ ! -f .walk ] || . ./.walk
curl() {
  local code=0 stream= limit=120
  [[ " $* " != *" -sN "* ]] || stream=1 limit=15
  command curl --max-time "$limit" --fail-with-body "$@" || code=$?
  [ $code -eq 0 ] || { [ $code -eq 28 ] && [ -n "$stream" ]; }
}
set -a
`

const postlude = "\nset +a\nexport -p | grep -v -e ' WALK=' -e ' PWD=' >.walk\n"

func (w *walk) bash(script string) (string, error) {
	ctx, cancel := context.WithTimeout(w.t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-c", prelude+script+postlude) //nolint:gosec // a block of our pages
	cmd.Dir, cmd.Env = w.dir, w.environ()
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// environ is this process's, with nothing of a make above it, and nothing that the
// programs would read.
func (w *walk) environ() []string {
	known := knownVariables(w.t)
	env := slices.DeleteFunc(os.Environ(), func(kv string) bool {
		name, _, _ := strings.Cut(kv, "=")
		_, read := known[name]
		return read || strings.HasPrefix(name, "MAKE") || name == "MFLAGS"
	})
	env = append(env, "WALK="+w.dir)
	if w.gateway != "" {
		env = append(env, "LISTEN_ADDR="+w.gateway, "AGENT_LISTEN_ADDR="+w.agent)
	}
	return env
}

// javascript runs a block of the page's, which names token, and listens on its
// socket ws until a run has finished.
func (w *walk) javascript(script string) (string, error) {
	node := filepath.Join(root, "wrangler/node_modules/node/bin/node")
	node, err := filepath.Abs(node)
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(node); err != nil {
		w.t.Log("SKIPPED: a block of JavaScript, which wants Node 22. Next: make wasm")
		return "", nil
	}
	file := filepath.Join(w.dir, ".walk.mjs")
	program := "const token = process.env.TOKEN;\n" + w.here(script) + `
ws.addEventListener("message", (e) => { if (JSON.parse(e.data).type === "run_finished") process.exit(0); });
setTimeout(() => { console.error("no run has finished"); process.exit(1); }, 120_000);
`
	if err := os.WriteFile(file, []byte(program), 0o600); err != nil {
		return "", err
	}
	return w.bash(fmt.Sprintf("%q %q", node, file))
}

// deployment is a `make run`.
type deployment struct {
	line string
	cmd  *exec.Cmd
	done chan error
}

// start runs a line that ends with make run until both programs are awake, in the
// place of the one that runs already.
func (w *walk) start(line string) {
	w.t.Helper()
	w.stop()
	h := &deployment{line: line, cmd: exec.Command("bash", "-c", "exec env "+line), done: make(chan error, 1)} //nolint:gosec // a line of our pages
	h.cmd.Dir, h.cmd.Env = w.dir, w.environ()
	log, err := os.Create(filepath.Join(w.dir, ".walk.log")) //nolint:gosec // of this test
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = log.Close() }()
	h.cmd.Stdout, h.cmd.Stderr = log, log
	h.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := h.cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	w.deployment = h
	go func() { h.done <- h.cmd.Wait() }()
	link := "http://" + w.gateway + "/#login="
	for end := time.Now().Add(3 * time.Minute); ; time.Sleep(50 * time.Millisecond) {
		printed, err := os.ReadFile(log.Name())
		if err == nil && bytes.Contains(printed, []byte(link)) {
			break
		}
		select {
		case err := <-h.done:
			w.deployment = nil
			w.t.Fatalf("%s ended: %v\n%s", line, err, printed)
		default:
		}
		if time.Now().After(end) {
			w.t.Fatalf("%s prints no link\n%s", line, printed)
		}
	}
	w.providerIs(line)
}

// providerIs asks whose model answers, where the line names a provider's key.
func (w *walk) providerIs(line string) {
	w.t.Helper()
	m := regexp.MustCompile(`\b([A-Z]+)_API_KEY=`).FindStringSubmatch(line)
	want := "offline"
	if m != nil {
		want = strings.ToLower(m[1])
	}
	var config struct{ Provider string }
	body := w.ask(http.MethodGet, "/api/config", "")
	if err := json.Unmarshal(body, &config); err != nil || config.Provider != want {
		w.t.Errorf("%s: the provider is %q (%v), want %s", line, config.Provider, err, want)
	}
}

var keptToken = regexp.MustCompile(`(?m)^LOONGCLAW_TOKENS=me:(\S+)$`)

func (w *walk) ask(method, path, body string) []byte {
	w.t.Helper()
	kept, err := os.ReadFile(filepath.Join(w.dir, ".run", strings.ReplaceAll(w.gateway, ":", "-")+".env")) //nolint:gosec // what make run wrote
	if err != nil {
		w.t.Fatal(err)
	}
	token := keptToken.FindSubmatch(kept)
	if token == nil {
		w.t.Fatalf("no token in what make run keeps: %s", kept)
	}
	q, err := http.NewRequestWithContext(w.t.Context(), method, "http://"+w.gateway+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	q.Header.Set("Authorization", "Bearer "+string(token[1]))
	q.Header.Set("Accept", "application/json")
	res, err := http.DefaultClient.Do(q)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode >= 300 {
		w.t.Fatalf("%s %s: %d %s (%v)", method, path, res.StatusCode, b, err)
	}
	return b
}

// haveBeenUsed leaves a store with a conversation, of an agent that has stopped:
// what a page on operations is about.
func (w *walk) haveBeenUsed() {
	w.t.Helper()
	if _, err := os.Stat(filepath.Join(w.dir, "data")); err == nil {
		return
	}
	w.start(plainRun)
	w.ask(http.MethodPost, "/api/chat", `{"message":"Remember that my sister's birthday is 3 May","sessionId":"first"}`)
	w.stop()
}

// stop is a Ctrl-C: the whole group gets it, and all of it must end.
func (w *walk) stop() {
	h := w.deployment
	if h == nil {
		return
	}
	w.deployment = nil
	_ = syscall.Kill(-h.cmd.Process.Pid, syscall.SIGINT)
	select {
	case <-h.done:
	case <-time.After(90 * time.Second):
		_ = syscall.Kill(-h.cmd.Process.Pid, syscall.SIGKILL)
		w.t.Error("make run does not end with Ctrl-C")
	}
}
