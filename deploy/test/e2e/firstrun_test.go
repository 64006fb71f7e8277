package e2e

import (
	"context"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/deploy/internal/client"
	"github.com/loongclaw/loongclaw/deploy/internal/fakeprovider"
	"github.com/loongclaw/loongclaw/deploy/internal/testenv"
)

// TestTheMainJobWithoutAKey is what a person sees first: no key, no account; the
// answer streams, a tool runs, and after a restart what was said is known.
func TestTheMainJobWithoutAKey(t *testing.T) {
	t.Parallel()
	w := own(t, func(o *testenv.Options) { o.Model = "" })
	for _, tt := range []struct{ lang, hello, time, list, read, run, remember, recall, want string }{
		{"zh", "你好，你是谁？", "现在几点了？", "列出文件", "读取 notes.txt", "运行 `cat notes.txt`", "请记住：我的猫叫小花", "我的猫叫什么名字？", "小花"},
		{"en", "Hello, who are you?", "What time is it?", "list files", "read notes.txt", "run `cat notes.txt`", "Please remember: my cat is called Whiskers", "What is my cat called?", "Whiskers"},
	} {
		c := w.user(t)
		s := dial(t, c, "/ws")
		l, end := say(t, s, "a", tt.hello)
		if end.Status != "done" || l.Chunks < 2 {
			t.Errorf("%s: got %v in %d chunks, want an answer that streams", tt.lang, end, l.Chunks)
		}
		l, end = say(t, s, "a", tt.time)
		if !called(l, end.RunID) {
			t.Errorf("%s: %q called no tool: %q", tt.lang, tt.time, l.Steps)
		}
		if as := l.Answers[end.RunID]; len(as) == 0 || !strings.Contains(as[len(as)-1].Text(), time.Now().Format("2006")) && !strings.Contains(as[len(as)-1].Text(), ":") {
			t.Errorf("%s: %q got %v, want the time", tt.lang, tt.time, as)
		}
		// What a tool gave is told as it is, without what stands around it for models.
		do(t, c, http.StatusOK, http.MethodPut, "/api/files/notes.txt", "the bear")
		for _, told := range []struct{ said, want string }{
			{tt.list, "- `notes.txt`"}, {tt.read, "```\nthe bear\n```"}, {tt.run, "```\nthe bear\n```"},
		} {
			if got := ask(t, c, "tools", told.said); !strings.HasSuffix(got, told.want) || strings.Contains(got, "information") {
				t.Errorf("%s: %q got %q, want %q at its end", tt.lang, told.said, got, told.want)
			}
		}
		if _, end = say(t, s, "a", tt.remember); end.Status != "done" {
			t.Errorf("%s: got %v", tt.lang, end)
		}
		s.Cut()
		w.reborn(t)
		if h := history(t, c, "a", ""); len(h.Messages) != 6 {
			t.Errorf("%s: after a restart: %q, want three messages and their answers", tt.lang, contents(h))
		}
		if got := ask(t, c, "another", tt.recall); !strings.Contains(got, tt.want) {
			t.Errorf("%s: %q got %q, want %q in it", tt.lang, tt.recall, got, tt.want)
		}
	}
	m := object(t, do(t, w.user(t), 200, "GET", "/api/config", nil))
	if m["provider"] != "offline" || m["offline"] != true {
		t.Errorf("got %v, want the provider to say that it is offline", m)
	}
}

// called reports whether a run called a tool and got its result.
func called(l *client.Ledger, runID string) bool {
	calls, results := 0, 0
	for _, k := range l.Steps {
		if strings.HasPrefix(k, "tool_call "+runID) {
			calls++
		}
		if strings.HasPrefix(k, "tool_result "+runID) {
			results++
		}
	}
	return calls > 0 && calls == results
}

// TestKeygenMakesAPairThatWorks gives the agent and the gateway what `gateway
// keygen` prints.
func TestKeygenMakesAPairThatWorks(t *testing.T) {
	t.Parallel()
	out, err := exec.CommandContext(t.Context(), bin.Gateway, "keygen").Output()
	if err != nil {
		t.Fatal(err)
	}
	env := map[string]string{}
	for line := range strings.Lines(string(out)) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		if !ok {
			t.Errorf("keygen prints %q, want NAME=value", line)
		}
		env[name] = value
	}
	w := own(t, func(o *testenv.Options) {
		o.GatewayEnv["PASS_PRIVATE_KEY"] = env["PASS_PRIVATE_KEY"]
		o.AgentEnv["PASS_PUBLIC_KEYS"] = env["PASS_PUBLIC_KEYS"]
	})
	if len(env) != 2 || ask(t, w.user(t), "a", "x") != "收到：x" {
		t.Errorf("keygen's pair %d lines does not work", len(env))
	}
}

// TestAnOpenGatewayWithoutAWayInRefusesToStart: fail closed, and say how to mend
// it.
func TestAnOpenGatewayWithoutAWayInRefusesToStart(t *testing.T) {
	t.Parallel()
	p, err := testenv.Start(bin.Gateway, t.TempDir(), map[string]string{"LISTEN_ADDR": "0.0.0.0:0", "PATH": os.Getenv("PATH")})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	select {
	case <-p.Done():
	case <-ctx.Done():
		p.Kill()
		t.Fatalf("it runs:\n%s", p.Log())
	}
	if p.ExitCode() == 0 || !strings.Contains(p.Log(), "LOONGCLAW_TOKENS") || !strings.Contains(p.Log(), "Next:") {
		t.Errorf("it ended with %d and said %q, want a failure that names LOONGCLAW_TOKENS and what to do next", p.ExitCode(), p.Log())
	}
}

func TestTheGatewayEndsAfterItsAnswers(t *testing.T) {
	t.Parallel()
	w := own(t, nil)
	c := w.user(t)
	s, gate := gated(6, 3)
	st, err := c.Chat(limited(t), "a", s.Message())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(st.Cut)
	l := client.NewLedger()
	until(t, st, l, chunksOf(l, s, 3))
	ended := make(chan bool, 1)
	go func() { ended <- w.Gateway.Stop(killAfter) }()
	w.model.Open(gate)
	if end := until(t, st, l, typed("run_finished")); end.Status != "done" || l.Answers[end.RunID][0].Text() != s.Answer(0) {
		t.Errorf("got %v, want the whole answer", end)
	}
	st.Cut()
	if !<-ended || w.Gateway.ExitCode() != 0 {
		t.Errorf("the gateway did not end by itself with code 0:\n%s", w.Gateway.Log())
	}
}

func TestTheAgentEndsInTimeAndTheRunGoesOn(t *testing.T) {
	t.Parallel()
	w := own(t, nil)
	c := w.user(t)
	s := script(fakeprovider.Round{Chunks: 6, Gate: fresh("gate"), GateAt: 3, Vary: true})
	ws := dial(t, c, "/ws")
	if err := ws.Send("chat", map[string]any{"message": s.Message(), "sessionId": "a"}); err != nil {
		t.Fatal(err)
	}
	l := client.NewLedger()
	until(t, ws, l, chunksOf(l, s, 3))
	if !w.Agent.Stop(killAfter) || w.Agent.ExitCode() != 0 {
		t.Errorf("the agent did not end by itself with code 0:\n%s", w.Agent.Log())
	}
	w.model.Open(s.Rounds[0].Gate)
	if err := w.StartAgent(limited(t)); err != nil {
		t.Fatal(err)
	}
	end := until(t, ws, l, typed("run_finished"))
	if end.Status != "done" && end.Status != "interrupted" {
		t.Errorf("got %v, want done or interrupted", end)
	}
	if end.Status == "done" && l.Answers[end.RunID][0].Text() != strings.ReplaceAll(s.Answer(0), "(attempt 1)", "(attempt 2)") {
		t.Errorf("got %v, want the second attempt's whole answer", l.Answers[end.RunID])
	}
}
