package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/deploy/internal/client"
	"github.com/loongclaw/loongclaw/deploy/internal/fakeprovider"
	"github.com/loongclaw/loongclaw/deploy/internal/testenv"
)

// TestNoSecretIsSeenAnywhere lets a deployment with a canary in every secret work
// through a busy day, with everything going wrong that can be made to, and then
// looks for the canaries wherever something was written, sent or shown.
func TestNoSecretIsSeenAnywhere(t *testing.T) {
	t.Parallel()
	h := newDeployment(t)
	alice, reader := h.secrets["token of alice"], h.secrets["token of a reader"]
	// A decoy in what the user says shows that the search sees these places.
	decoys := canaries{"said": "DECOY-said-1f", "in a child": "DECOY-in-a-child-2e"}
	h.waysIn(alice, reader)
	h.faults(alice, decoys["said"])
	h.commands(decoys["in a child"])
	h.exports()
	h.storeTrouble(alice)
	// A crash: the runtime writes what every goroutine does.
	_ = syscall.Kill(h.Agent.PID(), syscall.SIGQUIT)
	<-h.Agent.Done()
	_ = syscall.Kill(h.Gateway.PID(), syscall.SIGQUIT)
	<-h.Gateway.Done()
	h.gatewayWithRedis()

	h.seen.add("logs", []byte(h.Logs()))
	for _, name := range []string{"agent.log", "gateway.log"} {
		b, err := os.ReadFile(filepath.Join(h.dir, name)) //nolint:gosec // of the test's own folder
		if err != nil {
			t.Fatal(err)
		}
		h.seen.add("logs", b)
	}
	h.seen.tree(t, "store", filepath.Join(h.dir, "s3"))
	h.seen.tree(t, "workspace", filepath.Join(h.dir, "workspace"))
	for _, r := range h.model.Requests("") {
		h.seen.add("prompts", fmt.Appendf(nil, "%+v", r.Messages))
	}
	for where, text := range h.seen.all {
		if names := h.secrets.found(text); len(names) > 0 {
			t.Errorf("%s: of %d bytes, there stand: %s", where, len(text), strings.Join(names, ", "))
		}
	}
	// The search sees what it looks at.
	for decoy, wheres := range map[string][]string{"said": {"answers", "events", "store", "exports", "prompts"}, "in a child": {"events", "store", "exports"}} {
		for _, where := range wheres {
			if names := (canaries{decoy: decoys[decoy]}).found(h.seen.all[where]); len(names) == 0 {
				t.Errorf("%s: %d bytes, and not even the decoy %q is in them", where, len(h.seen.all[where]), decoy)
			}
		}
	}
	for _, want := range []string{"asking the next provider", "session_damaged\x00store", "goroutine ", `"path":"/api/login"`, "a request without a valid pass"} {
		either := strings.Split(want, "\x00")
		if !bytes.Contains(h.seen.all["logs"], []byte(either[len(either)-1])) {
			t.Errorf("the logs, %d bytes, have no %q: was the day busy?", len(h.seen.all["logs"]), want)
		}
	}
}

// waysIn uses every credential, rightly and wrongly.
func (h *deployment) waysIn(alice, reader string) {
	t := h.t
	login, err := client.New(h.Base, "", transport).Do(limited(t), "POST", "/api/login", map[string]any{"code": loginCode})
	if err != nil || login.Status != 200 {
		t.Fatalf("login: %v, %v", login, err)
	}
	var session struct{ Token string }
	_ = login.JSON(&session)
	h.secrets["session token"] = session.Token[len(session.Token)-30:] // its signature
	ticket, err := client.New(h.Base, alice, transport).Do(limited(t), "POST", "/api/tickets", nil)
	if err != nil || ticket.Status != 200 {
		t.Fatalf("ticket: %v, %v", ticket, err)
	}
	var tick struct{ Ticket string }
	_ = ticket.JSON(&tick)
	h.secrets["ticket"] = tick.Ticket[len(tick.Ticket)-30:]
	jwt := h.jwt("jwt-user")
	h.secrets["JWT"] = jwt[len(jwt)-60:]
	for _, token := range []string{alice, reader, session.Token, jwt} {
		if a := h.ask(token, "GET", "/api/sessions", nil); a.Status != 200 {
			t.Errorf("a way in is closed: %v", a)
		}
	}
	s, err := client.New(h.Base, "", transport).Dial(limited(t), "/ws?ticket="+url.QueryEscape(tick.Ticket))
	if err != nil {
		t.Fatal(err)
	}
	s.Cut()
	stranger := h.secrets["a stranger's token"]
	for _, path := range []string{"/api/sessions", "/ws?ticket=" + tick.Ticket, "/api/sessions?token=" + stranger, "/api/history/x?q=" + alice} {
		h.ask(stranger, "GET", path, nil)
		h.ask(tick.Ticket, "GET", path, nil)
		h.ask(alice[:len(alice)-1]+"x", "GET", path, nil)
	}
	h.ask("", "POST", "/api/login", map[string]any{"code": loginCode})
	h.ask("", "POST", "/api/login", `{"code":"`+stranger)
	h.ask(reader, "POST", "/api/chat", map[string]any{"message": "I may not"})
	h.ask(jwt+"x", "GET", "/api/sessions", nil)
	h.ask(alice, "GET", "/api/sessions", nil, client.Header{Name: "Cookie", Value: "loongclaw=" + session.Token}, client.Header{Name: "X-LoongClaw-Pass", Value: stranger})
	// And the agent itself, past the gateway.
	for _, pass := range []string{stranger, session.Token, alice} {
		a, err := client.New(h.AgentURL(), alice, transport).Do(limited(t), "GET", "/api/sessions", nil, client.Header{Name: "X-LoongClaw-Pass", Value: pass})
		if err != nil || a.Status != 401 {
			t.Errorf("the agent without a pass: %v, %v", a, err)
		}
		h.seen.add("answers", a.Body)
	}
}

// faults has every provider fail, each repeating what it was sent, and tools
// that fail.
func (h *deployment) faults(alice, said string) {
	for _, round := range []fakeprovider.Round{
		{Status: 401, Echo: true},
		{Status: 400, Echo: true},
		{Status: 429, RetryAfter: 1, Times: 1, Echo: true},
		{Status: 500, Times: 2, Echo: true},
		{Text: []string{said}, End: fakeprovider.EndError, Echo: true},
		{End: fakeprovider.EndError, Echo: true},
		{Text: []string{"x"}, End: fakeprovider.EndCut},
	} {
		h.turn("faults", script(round).Message())
		h.ask(alice, "POST", "/api/chat", map[string]any{"message": script(round).Message(), "sessionId": "faults"})
	}
	for _, c := range []struct{ name, args string }{
		{"web_fetch", `{"url":"http://user:pass@127.0.0.1/"}`},
		{"web_fetch", `{"url":"http://r2.internal/"}`},
		{"read_file", `{"path":"/proc/self/environ"}`},
		{"read_file", `{"path":"../../agent.log"}`},
		{"no_such_tool", `{}`},
		{"exec_shell", `{"command":"cat /proc/self/environ; rm -rf /"}`},
		{"memory_save", `{"content":"` + said + `"}`},
		{"write_file", `{"path":"said.txt","content":"` + said + `"}`},
		{"memory_forget", `{"id":"x"}`},
	} {
		h.turn("tools", script(call(c.name, c.args), fakeprovider.Round{Text: []string{said}}).Message())
	}
	for _, path := range []string{"/api/ledger", "/api/config", "/api/models", "/api/tools", "/api/stats", "/api/usage", "/api/memory/export", "/api/files", "/api/history/faults?tree=1", "/api/sessions/tools/events", "/health", "/ready"} {
		h.ask(alice, "GET", path, nil, client.Header{Name: "Accept", Value: "application/json"})
	}
}

// commands runs what the user approved, which looks for secrets wherever a
// program can.
func (h *deployment) commands(decoy string) {
	for _, command := range []string{
		"env", "printenv", "X=" + decoy + " printenv X", "cat /proc/self/environ", "sh -c 'cat /proc/self/environ'", "sh -c 'cat /proc/$PPID/environ /proc/$PPID/cmdline'",
		"sh -c 'for p in /proc/[0-9]*; do if [ $(readlink $p/cwd 2>/dev/null) = " + filepath.Join(h.dir, "agent") + " ]; then cat $p/environ; fi; done'",
		"sh -c 'grep -a CANARY /proc/$PPID/mem /proc/$PPID/maps'", "sh -c 'ls -l /proc/self/fd /proc/$PPID/fd'", "sh -c 'cat /proc/self/fd/* </dev/null'",
		"sh -c 'set; export -p; ulimit -a'", "sh -c 'strings /proc/$PPID/environ'", "cat < /proc/self/environ", "echo $OPENAI_API_KEY ${UNRELATED_SECRET} $R2_SECRET_ACCESS_KEY",
	} {
		args, _ := json.Marshal(map[string]string{"command": command, "approval": "remember_7d"})
		h.turn("commands", script(call("exec_shell", string(args)), fakeprovider.Round{Text: []string{"seen"}}).Message())
	}
}

// exports takes everything out that can be taken out, by people and by programs.
func (h *deployment) exports() {
	for _, format := range []string{"json", "tar", "md"} {
		out := filepath.Join(h.dir, "export."+format)
		h.run("exports", bin.Agent, h.env, "export", "-user", "alice", "-format", format, "-o", out)
		b, err := os.ReadFile(out) //nolint:gosec // of the test's own folder
		if err != nil {
			h.t.Errorf("export as %s: %v", format, err)
		}
		h.seen.add("exports", b)
	}
	gate := map[string]string{"LISTEN_ADDR": "127.0.0.1:0", "LOONGCLAW_TOKENS": "alice:" + h.secrets["token of alice"]}
	for k, v := range h.gateEnv {
		gate[k] = v
	}
	h.run("commands' output", bin.Agent, h.env, "verify")
	h.run("commands' output", bin.Agent, h.env, "check")
	h.run("commands' output", bin.Gateway, gate, "check")
	h.run("commands' output", bin.Agent, h.env, "import", h.secrets["a stranger's token"][:0])
	// Each variable that holds a secret, wrong: what is wrong is said, what it holds is not.
	bad := map[string]string{}
	for k, v := range h.env {
		bad[k] = v
	}
	for _, k := range []string{"STORE", "PASS_PUBLIC_KEYS", "AGENT_LISTEN_ADDR", "SHELL_TIMEOUT", "MAX_CONCURRENT_RUNS"} {
		bad[k] = h.secrets["something else of the agent's"]
	}
	h.run("commands' output", bin.Agent, bad, "check")
	for _, k := range []string{"LOONGCLAW_TOKENS", "PASS_PRIVATE_KEY", "JWT_PUBLIC_KEYS", "LOONGCLAW_LOGIN_CODE"} {
		gate[k] = h.secrets["token of alice"]
	}
	h.run("commands' output", bin.Gateway, gate, "check")
}

// storeTrouble takes the store away in the middle of the work.
func (h *deployment) storeTrouble(alice string) {
	h.s3.Kill()
	for _, path := range []string{"/api/sessions/new/runs", "/api/chat"} {
		if a := h.ask(alice, "POST", path, map[string]any{"message": "nobody keeps this"}); a.Status < 500 {
			h.t.Errorf("%s without a store: %v", path, a)
		}
	}
	h.ask(alice, "GET", "/api/files/said.txt", nil)
	h.ask(alice, "POST", "/api/memory", map[string]any{"content": "x"})
}

// gatewayWithRedis starts a gateway whose Redis does not answer; one that knows
// of no Redis ignores the variable.
func (h *deployment) gatewayWithRedis() {
	env := map[string]string{
		"PATH": os.Getenv("PATH"), "LISTEN_ADDR": "127.0.0.1:0", "LOONGCLAW_TOKENS": "alice:" + h.secrets["token of alice"],
		"PASS_PRIVATE_KEY": h.secrets["pass key"], "REDIS_URL": "redis://user:" + h.secrets["Redis URL"] + "@127.0.0.1:1/0", "LOG_LEVEL": "debug",
	}
	p, err := testenv.Start(bin.Gateway, h.dir, env)
	if err != nil {
		h.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(h.t.Context(), 2*time.Second)
	defer cancel()
	select {
	case <-p.Done():
	case <-ctx.Done():
	}
	p.Kill()
	h.seen.add("logs", []byte(p.Log()))
	for _, url := range []string{"redis://:" + h.secrets["Redis URL"], "nonsense:" + h.secrets["Redis URL"]} {
		env["REDIS_URL"] = url
		h.run("commands' output", bin.Gateway, env, "check")
	}
}
