package tools_test

import (
	"context"
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/tools"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

func TestSpecsAreWhatAModelNeeds(t *testing.T) {
	h := newDeployment(t, nil)
	var got []string
	for _, s := range h.box.For(h.env.User).Specs() {
		got = append(got, s.Name)
		var schema struct {
			Type       string                     `json:"type"`
			Properties map[string]json.RawMessage `json:"properties"`
		}
		if err := json.Unmarshal(s.Parameters, &schema); err != nil || schema.Type != "object" || schema.Properties == nil {
			t.Errorf("%s: parameters %s, %v, want a schema of an object", s.Name, s.Parameters, err)
		}
		if _, ok := schema.Properties["approval"]; ok {
			t.Errorf("%s takes an approval from the model", s.Name)
		}
		if len(s.Description) < 40 {
			t.Errorf("%s: description %q", s.Name, s.Description)
		}
	}
	// Every description is that of a tool; web_search is there where a provider is.
	descriptions, err := filepath.Glob("*.md")
	if err != nil || len(descriptions) < 10 {
		t.Fatalf("%d descriptions, %v", len(descriptions), err)
	}
	want := []string{}
	for _, name := range descriptions {
		if name != "web_search.md" {
			want = append(want, strings.TrimSuffix(name, ".md"))
		}
	}
	if diff := cmp.Diff(want, slices.Sorted(slices.Values(got))); diff != "" {
		t.Errorf("tools (-want +got):\n%s", diff)
	}
}

func TestBadCallsGetAClearError(t *testing.T) {
	h := newDeployment(t, nil)
	for _, c := range []struct{ name, args, want string }{
		{"no_such_tool", `{}`, "there is no tool"},
		{"read_file", `{`, "not valid JSON"},
		{"read_file", `[1]`, "not a JSON object"},
		{"read_file", `"a.txt"`, "not a JSON object"},
		{"read_file", ``, `"path" is missing`},
		{"read_file", `null`, `"path" is missing`},
		{"read_file", `{"path":null}`, `"path" is missing`},
		{"read_file", `{"path":5}`, `"path" must be a string, not a number`},
		{"read_file", `{"path":"a.txt","offset":"x"}`, "must be a number"},
		{"read_file", `{"path":"a.txt","offset":-1}`, "negative"},
		{"read_file", `{"path":"a.txt","encoding":"utf-7"}`, "not known"},
		{"read_file", `{"path":"none"}`, "there is no none"},
		{"read_file", `{"path":"notes"}`, "is a folder"},
		{"write_file", `{"path":"x"}`, `"content" is missing`},
		{"write_file", `{"path":"x","content":"!","encoding":"base64"}`, "not base64"},
		{"write_file", `{"path":".","content":""}`, "not a file"},
		{"write_file", `{"path":"a.txt/b","content":""}`, "not a folder"},
		{"list_directory", `{"path":{}}`, "must be a string"},
		{"exec_shell", `{}`, `"command" is missing`},
		{"exec_shell", `{"command":["ls"]}`, "must be a string"},
		{"exec_shell", `{"command":"ls","timeout":-1}`, "negative"},
		{"get_current_time", `{"timezone":"Mars/Base"}`, "not known"},
		{"get_current_time", `{"timezone":"../../etc/passwd"}`, "not known"},
		{"memory_save", `{"content":"  "}`, "missing"},
		{"memory_save", `{"content":"x","type":"secret"}`, "one of"},
		{"memory_save", `{"content":"x","tags":"a"}`, "list of strings"},
		{"memory_search", `{"limit":-1}`, "negative"},
		{"memory_forget", `{"id":"../x"}`, "not an item's id"},
		{"memory_forget", `{"id":"mem_9"}`, "there is no item"},
		{"web_fetch", `{}`, "missing"},
	} {
		out, err := h.box.Run(t.Context(), c.name, json.RawMessage(c.args), h.env)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s(%s) = %q, %v, want an error with %q", c.name, c.args, out, err, c.want)
		}
	}
}

func TestThePolicyAsksForWhatChanges(t *testing.T) {
	h := newDeployment(t, nil)
	for _, c := range []struct {
		name, args string
		want       tools.Verdict
	}{
		{"read_file", `{"path":"a.txt"}`, tools.Verdict{Kind: tools.VerdictRun}},
		{"memory_save", `{"content":"x"}`, tools.Verdict{Kind: tools.VerdictRun}},
		{"memory_forget", `{"id":"mem_1"}`, tools.Verdict{Kind: tools.VerdictAsk, Scope: "memory_forget mem_1"}},
		{"write_file", `{"path":"./workspace/notes/../b.txt","content":"x","approval":"remember_7d"}`, tools.Verdict{Kind: tools.VerdictAsk, Scope: "write_file b.txt"}},
		{"exec_shell", `{"command":" git status ","approval":"once"}`, tools.Verdict{Kind: tools.VerdictAsk, Scope: "exec_shell git status", Always: true}},
		{"exec_shell", `{"command":"ls"}`, tools.Verdict{Kind: tools.VerdictRun}},
		{"web_fetch", `{"url":"https://Example.org/a?b=c#d"}`, tools.Verdict{Kind: tools.VerdictAsk, Scope: "web_fetch https://example.org/a?b=c"}},
	} {
		if diff := cmp.Diff(c.want, h.box.Judge(c.name, json.RawMessage(c.args), h.env)); diff != "" {
			t.Errorf("%s(%s) (-want +got):\n%s", c.name, c.args, diff)
		}
	}
}

func TestTheOwnersListDecides(t *testing.T) {
	h := newDeployment(t, func(c *tools.Config) { c.AutoApprove = []string{"write_file", "exec_shell"} })
	for _, c := range []struct{ name, args, want string }{
		{"write_file", `{"path":"x","content":""}`, tools.VerdictRun},
		{"read_file", `{"path":"x"}`, tools.VerdictAsk},
		{"exec_shell", `{"command":"ls"}`, tools.VerdictAsk}, // reads, and reading asks
		{"exec_shell", `{"command":"curl x"}`, tools.VerdictAsk},
		{"exec_shell", `{"command":"rm x"}`, tools.VerdictDeny},
		{"web_fetch", `{"url":"http://127.0.0.1"}`, tools.VerdictDeny},
	} {
		if got := h.box.Judge(c.name, json.RawMessage(c.args), h.env); got.Kind != c.want {
			t.Errorf("%s(%s) is judged %+v, want %s", c.name, c.args, got, c.want)
		}
	}
}

func TestHostsThatTheUserNamedOrTheOwnerListed(t *testing.T) {
	h := newDeployment(t, func(c *tools.Config) { c.WebHosts = []string{"docs.listed.org"} })
	for _, c := range []struct{ user, url, want string }{
		{"read https://example.org/x please", "https://example.org/y", tools.VerdictRun},
		{"看https://example.org的首页", "https://www.example.org/", tools.VerdictRun},
		{"", "https://docs.listed.org/", tools.VerdictRun},
		{"", "https://listed.org/", tools.VerdictAsk},
		{"read https://example.org", "https://evil-example.org/", tools.VerdictAsk},
		{"read https://example.org", "https://example.org.evil.com/", tools.VerdictAsk},
		{"read https://example.org", "https://sub.example.org/", tools.VerdictAsk},
		{"read my notes", "https://example.org/", tools.VerdictAsk},
		{"go to 例子.中国", "https://例子.中国/", tools.VerdictAsk}, // a name is no address
		{"go to http://例子.中国/a", "https://例子.中国/", tools.VerdictRun},
	} {
		env := h.env
		env.UserText = c.user
		if got := h.box.Judge("web_fetch", arguments(t, "url", c.url), env); got.Kind != c.want {
			t.Errorf("user %q: web_fetch(%s) is judged %+v, want %s", c.user, c.url, got, c.want)
		}
	}
}

func TestDefect6TheFileToolsWork(t *testing.T) {
	h := newDeployment(t, nil)
	out, err := h.box.Run(t.Context(), "write_file", arguments(t, "path", "workspace/new/x.txt", "content", "<hi>"), h.env)
	if want := `{"success":true,"path":"./workspace/new/x.txt"}`; out != want || err != nil {
		t.Errorf("write_file = %s, %v, want %s", out, err, want)
	}
	out, err = h.box.Run(t.Context(), "read_file", arguments(t, "path", "new/x.txt"), h.env)
	if out != "<hi>" || err != nil {
		t.Errorf("read_file = %q, %v", out, err)
	}
	out, err = h.box.Run(t.Context(), "list_directory", nil, h.env)
	want := `[{"name":"a.txt","type":"file"},{"name":"data.csv","type":"file"},{"name":"new","type":"directory"},{"name":"notes","type":"directory"},{"name":"笔记","type":"directory"}]`
	if out != want || err != nil {
		t.Errorf("list_directory = %s, %v, want %s", out, err, want)
	}
}

func TestALongFileIsReadInParts(t *testing.T) {
	h := newDeployment(t, nil)
	whole := strings.Repeat("熊大写了很长的一行。\n", 5000)
	if err := h.alice.Write(t.Context(), "long.txt", []byte(whole)); err != nil {
		t.Fatal(err)
	}
	got, offset := "", 0
	for range 20 {
		out, err := h.box.Run(t.Context(), "read_file", arguments(t, "path", "long.txt", "offset", offset), h.env)
		if err != nil || len(out) > 32<<10 {
			t.Fatalf("read_file from %d: %d bytes, %v", offset, len(out), err)
		}
		part, mark, more := strings.Cut(out, "\n[cut: ")
		got += part
		if !more {
			break
		}
		if !strings.Contains(mark, "offset=") {
			t.Fatalf("the mark %q does not say how to go on", mark)
		}
		offset += len(part)
	}
	if got != whole {
		t.Errorf("the parts join to %d bytes, want %d", len(got), len(whole))
	}
}

func TestBinaryFilesAreReadAsBase64(t *testing.T) {
	h := newDeployment(t, nil)
	if _, err := h.box.Run(t.Context(), "write_file", arguments(t, "path", "b", "content", "/wAB", "encoding", "base64"), h.env); err != nil {
		t.Fatal(err)
	}
	if _, err := h.box.Run(t.Context(), "read_file", arguments(t, "path", "b"), h.env); err == nil || !strings.Contains(err.Error(), "base64") {
		t.Errorf("reading bytes as text: %v, want an error that says how", err)
	}
	if out, err := h.box.Run(t.Context(), "read_file", arguments(t, "path", "b", "encoding", "base64"), h.env); out != "/wAB" || err != nil {
		t.Errorf("read_file = %q, %v, want /wAB", out, err)
	}
}

func TestTime(t *testing.T) {
	h := newDeployment(t, func(c *tools.Config) {
		c.Now = func() time.Time { return time.Date(2026, 1, 2, 20, 4, 5, 6e6, time.UTC) }
	})
	got, err := h.box.Run(t.Context(), "get_current_time", nil, h.env)
	want := `{"iso":"2026-01-02T20:04:05.006Z","unix":1767384245,"timezone":"Asia/Shanghai","formatted":"2026/1/3 04:04:05"}`
	if got != want || err != nil {
		t.Errorf("get_current_time = %s, %v, want %s", got, err, want)
	}
}

func TestMemory(t *testing.T) {
	h := newDeployment(t, nil)
	out, err := h.box.Run(t.Context(), "memory_save", arguments(t, "content", "likes honey"), h.env)
	if err != nil || !strings.Contains(out, `"id":"mem_1"`) || !strings.Contains(out, `"source":"s"`) || !strings.Contains(out, `"type":"fact"`) {
		t.Errorf("memory_save = %s, %v", out, err)
	}
	if out, err = h.box.Run(t.Context(), "memory_search", arguments(t, "query", "honey"), h.env); err != nil || !strings.Contains(out, "likes honey") {
		t.Errorf("memory_search = %s, %v", out, err)
	}
	if _, err = h.box.Run(t.Context(), "memory_forget", arguments(t, "id", "mem_1"), h.env); err != nil {
		t.Error(err)
	}
	if out, err = h.box.Run(t.Context(), "memory_search", nil, h.env); err != nil || out != "[]" {
		t.Errorf("memory_search after forgetting = %s, %v, want []", out, err)
	}
}

// bomb panics in one of its methods.
type bomb struct{ in string }

func (b bomb) Spec() loop.Spec { return loop.Spec{Name: "bomb_" + b.in} }
func (bomb) ReadOnly() bool    { return true }
func (bomb) Foreign() bool     { return false }
func (b bomb) Judge(json.RawMessage, tools.Env) tools.Verdict {
	if b.in == "judge" {
		panic("secret inside")
	}
	return tools.Verdict{Kind: tools.VerdictRun}
}

func (bomb) Run(context.Context, json.RawMessage, tools.Env) (string, error) { panic("secret inside") }

func TestAPanicIsAnErrorWithoutItsText(t *testing.T) {
	box := tools.New(tools.Config{}, bomb{"judge"}, bomb{"run"})
	if v := box.Judge("bomb_judge", nil, tools.Env{}); v.Kind != tools.VerdictDeny {
		t.Errorf("a judgement that panics = %+v, want deny", v)
	}
	for _, name := range []string{"bomb_judge", "bomb_run"} {
		if out, err := box.Run(t.Context(), name, nil, tools.Env{}); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s = %q, %v, want an error without the panic's text", name, out, err)
		}
	}
	// A tool that is used without what it needs fails, too, and does not panic.
	if _, err := box.Run(t.Context(), "read_file", arguments(t, "path", "x"), tools.Env{}); err == nil {
		t.Error("read_file without files: no error")
	}
}

func TestErrorsKeepTheirCauseInside(t *testing.T) {
	h := newDeployment(t, nil)
	_, err := h.box.Run(t.Context(), "read_file", arguments(t, "path", "none"), h.env)
	if got := fault.CodeOf(err); got != fault.CodeNotFound {
		t.Errorf("code = %s, want not_found for the caller", got)
	}
}
