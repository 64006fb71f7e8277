package mcp_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/agent/auditlog"
	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/agent/bucket/disk"
	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/tools"
	"github.com/loongclaw/loongclaw/agent/tools/mcp"
	"github.com/loongclaw/loongclaw/agent/tools/process"
)

// rig is a store, a server's folder, and a source of tools that comes and goes.
type rig struct {
	t      *testing.T
	store  bucket.Bucket
	dir    string // of the server
	source *mcp.Source
	box    *tools.Box

	mu  sync.Mutex
	log []auditlog.Entry
}

func newRig(t *testing.T) *rig {
	t.Helper()
	store, err := disk.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	r := &rig{t: t, store: store, dir: t.TempDir()}
	r.define("echo", "says it again")
	return r
}

// open starts an agent's source. Whatever an earlier one started has ended before.
func (r *rig) open(change func(*mcp.Config)) {
	r.t.Helper()
	r.close()
	c := mcp.Config{
		Bucket: r.store, Lookup: func(string) (string, bool) { return "", false }, Timeout: 2 * time.Second,
		Programs: &mcp.Programs{Path: os.Getenv("PATH")}, Version: "test", Now: time.Now,
		Note: func(_ context.Context, _ string, entries ...auditlog.Entry) error {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.log = append(r.log, entries...)
			return nil
		},
	}
	change(&c)
	r.source = mcp.New(c)
	r.source.Start()
	r.box = tools.New(tools.Config{Catalogs: []tools.Catalog{r.source}})
	r.t.Cleanup(r.close)
}

func (r *rig) close() {
	if r.source != nil {
		r.source.Close()
		if n := process.Running(); n != 0 {
			r.t.Errorf("%d programs still run", n)
		}
		r.source = nil
	}
}

// stdio is the entry of a fake server with a mode.
func (r *rig) stdio(mode string) mcp.Entry {
	r.t.Helper()
	self, err := os.Executable()
	if err != nil {
		r.t.Fatal(err)
	}
	return mcp.Entry{Command: self, Args: []string{"-test.run=^$"}, Env: map[string]string{"FAKE_MODE": mode, "FAKE_DIR": r.dir}}
}

func (r *rig) serve(mode string, allow ...string) {
	r.t.Helper()
	r.open(func(c *mcp.Config) {
		e := r.stdio(mode)
		e.Allow = allow
		c.Servers = map[string]mcp.Entry{"fake": e}
	})
}

// define writes the definitions: pairs of a name and a description.
func (r *rig) define(pairs ...string) { r.t.Helper(); r.write("tools", pairs...) }

// prepare writes what the definitions become when poke is called.
func (r *rig) prepare(pairs ...string) { r.t.Helper(); r.write("next", pairs...) }

func (r *rig) write(file string, pairs ...string) {
	r.t.Helper()
	var list []map[string]any
	for i := 0; i < len(pairs); i += 2 {
		list = append(list, map[string]any{"name": pairs[i], "description": pairs[i+1], "inputSchema": map[string]any{"type": "object"}})
	}
	b, err := json.Marshal(list)
	if err == nil {
		err = os.WriteFile(filepath.Join(r.dir, file), b, 0o600)
	}
	if err != nil {
		r.t.Fatal(err)
	}
}

// calls is what the server was called for.
func (r *rig) calls() []string { return strings.Fields(r.noted("calls")) }

// noted is what the server has written into a file.
func (r *rig) noted(file string) string {
	b, _ := os.ReadFile(filepath.Join(r.dir, file))
	return string(b)
}

// await waits until the first server is in a state.
func (r *rig) await(want mcp.State) mcp.Server {
	r.t.Helper()
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		list, err := r.source.List(r.t.Context(), "alice")
		if err != nil {
			r.t.Fatal(err)
		}
		if len(list) > 0 && list[0].State == want {
			return list[0]
		}
		if time.Now().After(end) {
			r.t.Fatalf("it is not %s: %+v", want, list)
		}
	}
}

func (r *rig) approve() {
	r.t.Helper()
	s := r.await(mcp.Unapproved)
	if _, err := r.source.Approve(r.t.Context(), "alice", true, s.Name, s.Hash); err != nil {
		r.t.Fatal(err)
	}
}

// call judges and runs a call as a turn does.
func (r *rig) call(name string, args ...string) (string, error) {
	r.t.Helper()
	raw := json.RawMessage(strings.Join(append(args, "{}")[:1], ""))
	return r.box.Run(r.t.Context(), name, raw, toolEnv())
}

func toolEnv() tools.Env { return tools.Env{User: "alice", Sight: &tools.Sight{}} }

func (r *rig) verdict(name string) tools.Verdict {
	r.t.Helper()
	return r.box.Judge(name, json.RawMessage(`{}`), tools.Env{User: "alice", Sight: &tools.Sight{}})
}

func callOf(name, args string) loop.Call {
	return loop.Call{ID: "1", Name: name, Arguments: json.RawMessage(args)}
}
