package mcp_test

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/agent/tools"
	"github.com/loongclaw/loongclaw/agent/tools/mcp"
)

// sleepers counts the processes of a fake that forks.
func sleepers(t *testing.T) (n int) {
	t.Helper()
	out, err := exec.Command("ps", "-A", "-o", "args=").Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		if strings.TrimSpace(line) == "sleep 7654" {
			n++
		}
	}
	return n
}

func TestAServerThatCannotBeHadIsNamed(t *testing.T) {
	for mode, want := range map[string]string{
		"noise":        "that are no message",
		"silent":       "did not answer in time",
		"ten thousand": "more than 2000 tools",
	} {
		t.Run(mode, func(t *testing.T) {
			r := newRig(t)
			r.serve(mode)
			if s := r.await(mcp.Failed); !strings.Contains(s.Error, want) || len(s.Tools) > 0 {
				t.Errorf("%q, want %q", s.Error, want)
			}
		})
	}
	t.Run("no program", func(t *testing.T) {
		r := newRig(t)
		r.open(func(c *mcp.Config) { c.Servers = map[string]mcp.Entry{"fake": {Command: "no-such-program"}} })
		if s := r.await(mcp.Failed); !strings.Contains(s.Error, "not found") {
			t.Errorf("%q", s.Error)
		}
	})
}

func TestAServerIsUsedDespiteItsHabits(t *testing.T) {
	for _, mode := range []string{"chatty", "ends at discover"} {
		r := newRig(t)
		r.serve(mode, "echo")
		r.approve()
		if out, err := r.call("mcp__fake__echo"); err != nil || !strings.HasPrefix(out, "did echo") {
			t.Errorf("%s: %q, %v", mode, out, err)
		}
		r.close()
	}
}

func TestACallIsBounded(t *testing.T) {
	r := newRig(t)
	r.define("huge", "", "never", "", "die", "", "long", "", "fails", "", "echo", "")
	r.serve("plain", "huge", "never", "die", "long", "fails", "echo")
	r.approve()
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	for name, want := range map[string]string{
		"huge": "more than 16 MiB", "never": "in time", "die": "exit status 7", "fails": "no honey left",
	} {
		began := time.Now()
		out, err := r.call("mcp__fake__" + name)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %.100q, %v, want %q", name, out, err, want)
		}
		if took := time.Since(began); took > 15*time.Second {
			t.Errorf("%s took %s", name, took)
		}
		r.await(mcp.Ready) // it is connected to again
		if out, err := r.call("mcp__fake__echo"); err != nil {
			t.Errorf("after %s: %q, %v", name, out, err)
		}
	}
	if out, err := r.call("mcp__fake__long"); err != nil || len(out) > 1<<20 || !strings.Contains(out, "[cut:") {
		t.Errorf("%d bytes, %v", len(out), err)
	}
	var after runtime.MemStats
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapSys) - int64(before.HeapSys); grown > 200<<20 {
		t.Errorf("the heap has grown by %d MiB", grown>>20)
	}
}

func TestACallEndsWithItsRun(t *testing.T) {
	r := newRig(t)
	r.define("never", "")
	r.open(func(c *mcp.Config) {
		e := r.stdio("plain")
		e.Allow = []string{"never"}
		c.Timeout, c.Servers = time.Minute, map[string]mcp.Entry{"fake": e}
	})
	r.approve()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	began := time.Now()
	_, err := r.box.Run(ctx, "mcp__fake__never", json.RawMessage(`{}`), tools.Env{User: "alice"})
	if took := time.Since(began); err == nil || took > 5*time.Second {
		t.Errorf("%v after %s", err, took)
	}
}

func TestWhatAServerStartedEndsWithIt(t *testing.T) {
	before := sleepers(t)
	r := newRig(t)
	r.serve("fork")
	r.await(mcp.Unapproved)
	if got := sleepers(t); got != before+3 {
		t.Fatalf("%d programs of the server run, want %d", got-before, 3)
	}
	r.close()
	if got := sleepers(t); got != before {
		t.Errorf("%d programs of an ended server still run", got-before)
	}
}

func TestAServersProgramFindsNoSecret(t *testing.T) {
	t.Setenv("LLM_API_KEY", "sk-secret-of-the-agent")
	t.Setenv("MCP_TOKEN", "secret-of-the-entry")
	r := newRig(t)
	r.define("environment", "")
	r.open(func(c *mcp.Config) {
		e := r.stdio("plain")
		e.Env["TOKEN"], e.Allow = "${MCP_TOKEN}", []string{"environment"}
		c.Servers, c.Lookup = map[string]mcp.Entry{"fake": e}, os.LookupEnv
	})
	r.approve()
	out, err := r.call("mcp__fake__environment")
	if err != nil || strings.Contains(out, "sk-secret") || strings.Contains(out, "MCP_TOKEN") || !strings.Contains(out, "TOKEN=secret-of-the-entry") {
		t.Errorf("%q, %v", out, err)
	}
	list, err := r.source.List(t.Context(), "alice")
	if b, _ := json.Marshal(list); err != nil || strings.Contains(string(b), "secret-of-the-entry") {
		t.Errorf("%s, %v", b, err)
	}
}

func TestManyToolsAreFoundBySearching(t *testing.T) {
	r := newRig(t)
	var pairs []string
	for i := range 300 {
		pairs = append(pairs, "tool"+string(rune('a'+i%26))+strings.Repeat("x", i/26), strings.Repeat("words ", 40))
	}
	r.define(append(pairs, "honey", "finds honey in the forest")...)
	r.serve("plain")
	r.approve()
	set := r.box.For("alice")
	var names []string
	for _, s := range set.Specs() {
		if strings.HasPrefix(s.Name, "mcp_") {
			names = append(names, s.Name)
		}
	}
	if strings.Join(names, " ") != "mcp_search mcp_call" {
		t.Errorf("declared: %q", names)
	}
	out, err := r.call("mcp_search", `{"query":"honey"}`)
	if err != nil || !strings.Contains(out, `"name":"mcp__fake__honey"`) || strings.Contains(out, "toola") {
		t.Errorf("%.300q, %v", out, err)
	}
	meant := set.Meant(callOf("mcp_call", `{"tool":"mcp__fake__honey","arguments":{"where":"tree"}}`))
	if meant.Name != "mcp__fake__honey" || string(meant.Arguments) != `{"where":"tree"}` {
		t.Errorf("it means %+v", meant)
	}
	if v := set.Prepare(meant.Name, meant.Arguments, tools.Env{User: "alice"}); v.Kind != tools.VerdictAsk || !strings.HasPrefix(v.Scope, "mcp__fake__honey ") {
		t.Errorf("%+v", v)
	}
	for _, other := range []string{`{}`, `{"tool":"read_file","arguments":{}}`, `{"tool":"mcp__fake__honey","arguments":[]}`} {
		if m := set.Meant(callOf("mcp_call", other)); m.Name != "mcp_call" {
			t.Errorf("%s means %s", other, m.Name)
		}
	}
}
