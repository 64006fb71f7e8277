package tools_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loongclaw/loongclaw/agent/bucket/disk"
	"github.com/loongclaw/loongclaw/agent/files"
	"github.com/loongclaw/loongclaw/agent/tools"
)

const canary = "CANARY-7f3a"

type attack struct {
	Want     string `json:"want"`
	Input    string `json:"input"`
	Resolves bool   `json:"resolves"`
}

func load(t *testing.T, name string, into any) {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("testdata", name))
	if err == nil {
		err = json.Unmarshal(body, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// deployment is a box over real stores: alice's workspace with honest files, bob's
// and the machine's with canaries beside it.
type deployment struct {
	box     *tools.Box
	env     tools.Env
	alice   *files.Workspace
	outside string // a folder around the working copies
}

func newDeployment(t *testing.T, change func(*tools.Config)) deployment {
	t.Helper()
	dir := t.TempDir()
	d, err := disk.Open(filepath.Join(dir, "store"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	for name, body := range map[string]string{"work/bob/secret.txt": canary, "secret": canary, "work/secret": canary} {
		name = filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o700), os.WriteFile(name, []byte(canary+"\n"+body), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("SECRET_KEY", canary)
	t.Setenv("OPENAI_API_KEY", canary)
	alice := files.New(d, "u/alice/files/")
	for name, body := range map[string]string{
		"a.txt": "alpha\nbeta\ngamma\n", "notes/today.md": "milk\n", "data.csv": "one:two:three\n", "笔记/今天.md": "牛奶\n",
	} {
		if err := alice.Write(t.Context(), name, []byte(body)); err != nil {
			t.Fatal(err)
		}
	}
	if err := files.New(d, "u/bob/files/").Write(t.Context(), "secret", []byte(canary)); err != nil {
		t.Fatal(err)
	}
	config := tools.Config{WorkspaceDir: filepath.Join(dir, "work"), ShellTimeout: 5 * time.Second, Worker: tools.OwnWorker(t)}
	if change != nil {
		change(&config)
	}
	return deployment{
		box: tools.New(config), alice: alice, outside: dir,
		env: tools.Env{User: "alice", Session: "s", Files: alice, Memory: &notes{}},
	}
}

// state is everything that an attack could change, by name and content.
func (h deployment) state(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(h.outside, func(p string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.Contains(p, "/work/alice/") {
			return err
		}
		body, err := os.ReadFile(p)
		found[p] = string(body)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func arguments(t *testing.T, kv ...any) json.RawMessage {
	t.Helper()
	m := map[string]any{"approval": "once", "approved": true} // what no model may decide
	for i := 0; i < len(kv); i += 2 {
		m[kv[i].(string)] = kv[i+1]
	}
	b, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestDefect7NoPathLeavesTheWorkspace(t *testing.T) {
	h := newDeployment(t, nil)
	before := h.state(t)
	var attacks []attack
	load(t, "attacks_files.json", &attacks)
	for _, a := range attacks {
		for tool, args := range map[string]json.RawMessage{
			"read_file":      arguments(t, "path", a.Input),
			"write_file":     arguments(t, "path", a.Input, "content", "owned"),
			"list_directory": arguments(t, "path", a.Input),
		} {
			if v := h.box.Judge(tool, args, h.env); v.Kind != tools.VerdictDeny || v.Reason == "" {
				t.Errorf("%s(%q) is judged %+v, want deny", tool, a.Input, v)
			}
			if out, err := h.box.Run(t.Context(), tool, args, h.env); err == nil || strings.Contains(out+err.Error(), canary) {
				t.Errorf("%s(%q) = %q, %v, want an error", tool, a.Input, out, err)
			}
		}
	}
	if diff := cmp.Diff(before, h.state(t)); diff != "" {
		t.Errorf("something was written (-before +after):\n%s", diff)
	}
}

func TestDefects8And9NoCommandEscapes(t *testing.T) {
	h := newDeployment(t, nil)
	before := h.state(t)
	var attacks []attack
	load(t, "attacks_shell.json", &attacks)
	for _, a := range attacks {
		args := arguments(t, "command", a.Input)
		want := map[string]string{"deny": tools.VerdictDeny, "ask": tools.VerdictAsk, "held": tools.VerdictRun}[a.Want]
		v := h.box.Judge("exec_shell", args, h.env)
		if v.Kind != want {
			t.Errorf("exec_shell(%.80q) is judged %+v, want %s", a.Input, v, want)
		}
		if v.Kind == tools.VerdictAsk {
			if v.Scope != "exec_shell "+a.Input {
				t.Errorf("scope = %q, want the exact command", v.Scope)
			}
			continue // nothing runs
		}
		out, err := h.box.Run(t.Context(), "exec_shell", args, h.env)
		if text := out + fmt.Sprint(err); strings.Contains(text, canary) || strings.Contains(text, "CANARY\\n\"") || strings.Contains(text, "root:") {
			t.Errorf("exec_shell(%q) = %s, which leaks", a.Input, text)
		}
	}
	if diff := cmp.Diff(before, h.state(t)); diff != "" {
		t.Errorf("something was written (-before +after):\n%s", diff)
	}
}

// What the user approves still cannot leave through the interpreter's own doors.
func TestApprovedRedirectionsStayInside(t *testing.T) {
	h := newDeployment(t, nil)
	before := h.state(t)
	for _, command := range []string{
		"echo x > ../bob/secret.txt", "echo x >> ../secret", "echo x > $HOME/../owned", "cp a.txt ../owned", "touch ../owned",
		"mkdir ../owned", "echo x | tee ../owned", "x=rm; $x a.txt", "{rm,a.txt}", "x=eval; $x 'echo hi > ../owned'",
		"cat < ../secret > a.txt; cat a.txt", "cd ..; echo x > owned", "$'\\x72m' a.txt",
	} {
		out, err := h.box.Run(t.Context(), "exec_shell", arguments(t, "command", command), h.env)
		if strings.Contains(out+fmt.Sprint(err), canary) {
			t.Errorf("%q = %s, %v, which leaks", command, out, err)
		}
	}
	after := h.state(t)
	for p, body := range before {
		if !strings.Contains(p, "/store/") && after[p] != body {
			t.Errorf("%s changed from %q to %q", p, body, after[p])
		}
	}
	for p := range after {
		if _, ok := before[p]; !ok && !strings.Contains(p, "/store/") {
			t.Errorf("%s was made", p)
		}
	}
}

// web stands in for the network: names resolve as an attacker would have them,
// and nothing is ever connected to.
type web struct {
	t      *testing.T
	answer func(request string) string
	dialed []string
}

func (w *web) config(c *tools.Config) {
	c.Resolve = func(_ context.Context, host string) ([]netip.Addr, error) {
		inside := map[string][]string{
			"rebind.evil.org": {"127.0.0.1"}, "mapped.evil.org": {"::ffff:10.0.0.1"}, "meta.evil.org": {"169.254.169.254"},
			"mixed.evil.org": {"93.184.216.34", "192.168.0.1"}, "six.evil.org": {"fd00::1"}, "nat64.evil.org": {"64:ff9b::a00:1"},
			"zero.evil.org": {"0.0.0.0"}, "cgn.evil.org": {"100.64.1.1"},
		}
		names, ok := inside[host]
		if !ok {
			names = []string{"93.184.216.34"}
		}
		var out []netip.Addr
		for _, n := range names {
			out = append(out, netip.MustParseAddr(n))
		}
		return out, nil
	}
	c.Dial = func(_ context.Context, _, address string) (net.Conn, error) {
		w.dialed = append(w.dialed, address)
		host, _, _ := net.SplitHostPort(address)
		if a, err := netip.ParseAddr(host); err != nil || host != "93.184.216.34" && host != "2606:2800:220:1::1" {
			w.t.Errorf("dialled %v", a)
		}
		if w.answer == nil {
			return nil, errors.New("connects nowhere")
		}
		near, far := net.Pipe()
		go func() {
			defer func() { _ = far.Close() }()
			buffer := make([]byte, 4096)
			n, err := far.Read(buffer)
			if err == nil {
				_, _ = far.Write([]byte(w.answer(string(buffer[:n]))))
			}
		}()
		return near, nil
	}
}

func TestNoAddressLeadsInside(t *testing.T) {
	net := &web{t: t, answer: func(request string) string {
		for name, to := range map[string]string{
			"redirect-inside": "http://127.0.0.1/", "redirect-meta": "http://169.254.169.254/latest", "redirect-file": "file:///etc/passwd",
			"redirect-octal": "http://0177.1/", "redirect-name": "http://rebind.evil.org/", "redirect-other": "http://elsewhere.org/", "redirect-loop": "/again",
		} {
			if strings.Contains(request, "Host: "+name+".") {
				return "HTTP/1.1 302 Found\r\nLocation: " + to + "\r\nContent-Length: 0\r\n\r\n"
			}
		}
		return "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 11\r\n\r\n" + canary
	}}
	h := newDeployment(t, net.config)
	var attacks []attack
	load(t, "attacks_urls.json", &attacks)
	for _, a := range attacks {
		args := arguments(t, "url", a.Input)
		env := h.env
		env.UserText = "please read " + a.Input // even when the user named it
		v := h.box.Judge("web_fetch", args, env)
		if !a.Resolves && v.Kind != tools.VerdictDeny {
			t.Errorf("web_fetch(%.80q) is judged %+v, want deny", a.Input, v)
		}
		if out, err := h.box.Run(t.Context(), "web_fetch", args, env); err == nil {
			t.Errorf("web_fetch(%.80q) = %q, want an error", a.Input, out)
		}
	}
}

// A name may be an honest host's when it is checked and this machine's when it is
// dialled, and be moved between one redirect and the next.
func TestANameThatChangesItsAddressLeadsNowhere(t *testing.T) {
	for name, answers := range map[string][][]string{
		"at the second look":          {{"93.184.216.34"}, {"127.0.0.1"}},
		"at every other":              {{"93.184.216.34"}, {"10.0.0.1"}, {"93.184.216.34"}, {"169.254.169.254"}},
		"to one among others":         {{"93.184.216.34"}, {"93.184.216.34", "::ffff:127.0.0.1"}},
		"to IPv6":                     {{"93.184.216.34"}, {"::1"}},
		"to what stands for IPv4":     {{"93.184.216.34"}, {"64:ff9b::7f00:1"}},
		"to nothing, then to itself":  {{"93.184.216.34"}, {}, {"127.0.0.1"}},
		"before anything was checked": {{"127.0.0.1"}, {"93.184.216.34"}},
	} {
		looks := 0
		net := &web{t: t, answer: func(string) string {
			return "HTTP/1.1 302 Found\r\nLocation: /again\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
		}}
		h := newDeployment(t, func(c *tools.Config) {
			net.config(c)
			c.Resolve = func(context.Context, string) ([]netip.Addr, error) {
				var out []netip.Addr
				for _, a := range answers[min(looks, len(answers)-1)] {
					out = append(out, netip.MustParseAddr(a))
				}
				looks++
				return out, nil
			}
		})
		env := h.env
		env.UserText = "read http://moving.example.org/"
		out, err := h.box.Run(t.Context(), "web_fetch", arguments(t, "url", "http://moving.example.org/"), env)
		if err == nil || looks == 0 {
			t.Errorf("%s: %q after %d looks, want an error", name, out, looks)
		}
		// What was dialled, web itself has judged: one address, and no other.
	}
}

func TestTheCorpusIsLarge(t *testing.T) {
	attacks := 0
	for _, name := range []string{"attacks_files.json", "attacks_shell.json", "attacks_urls.json"} {
		var all []attack
		load(t, name, &all)
		attacks += len(all)
	}
	if attacks < 150 {
		t.Errorf("%d attacks, want at least 150", attacks)
	}
}

func TestHonestUsesWork(t *testing.T) {
	net := &web{t: t, answer: func(string) string {
		return "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 28\r\n\r\n<h1>Hello</h1><p><b>you</b>\n"
	}}
	h := newDeployment(t, func(c *tools.Config) {
		net.config(c)
		c.ShellPath = t.TempDir() // as in our image: there is no program at all
	})
	var honest struct {
		Files []string `json:"files"`
		Shell []attack `json:"shell"`
		URLs  []string `json:"urls"`
	}
	load(t, "honest.json", &honest)
	if n := len(honest.Files) + len(honest.Shell) + len(honest.URLs); n < 60 {
		t.Errorf("%d honest uses, want at least 60", n)
	}
	for _, s := range honest.Shell {
		args := arguments(t, "command", s.Input)
		if v := h.box.Judge("exec_shell", args, h.env); v.Kind != tools.VerdictRun {
			t.Errorf("exec_shell(%q) is judged %+v, want run", s.Input, v)
		}
		out, err := h.box.Run(t.Context(), "exec_shell", args, h.env)
		var got struct{ Stdout, Stderr string }
		if err == nil {
			err = json.Unmarshal([]byte(out), &got)
		}
		if err != nil || !strings.Contains(got.Stdout+got.Stderr, s.Want) {
			t.Errorf("exec_shell(%q) = %s, %v, want %q in it", s.Input, out, err, s.Want)
		}
	}
	for _, p := range honest.Files {
		if _, err := h.box.Run(t.Context(), "write_file", arguments(t, "path", p, "content", "in "+p), h.env); err != nil {
			t.Errorf("write_file(%q): %v", p, err)
		}
		if got, err := h.box.Run(t.Context(), "read_file", arguments(t, "path", p), h.env); err != nil || got != "in "+p {
			t.Errorf("read_file(%q) = %q, %v", p, got, err)
		}
	}
	for _, u := range honest.URLs {
		env := h.env
		env.UserText = "看看 " + u + "，谢谢"
		address := u[strings.Index(u, "http"):]
		address, _, _ = strings.Cut(address, " ")
		if strings.HasPrefix(address, "https") { // no TLS on the wire of this test
			if v := h.box.Judge("web_fetch", arguments(t, "url", address), env); v.Kind != tools.VerdictRun && !strings.Contains(u, "[") {
				t.Errorf("web_fetch(%q) is judged %+v, want run", address, v)
			}
			continue
		}
		if out, err := h.box.Run(t.Context(), "web_fetch", arguments(t, "url", address), env); err != nil || !strings.Contains(out, "# Hello\n\n**you**") {
			t.Errorf("web_fetch(%q) = %q, %v", address, out, err)
		}
	}
}
