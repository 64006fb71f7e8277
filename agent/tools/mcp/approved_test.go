package mcp_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loongclaw/loongclaw/agent/tools/mcp"
)

// defineFully writes definitions whose schemas are told, too.
func (r *rig) defineFully(list ...map[string]any) {
	r.t.Helper()
	b, err := json.Marshal(list)
	if err == nil {
		err = os.WriteFile(filepath.Join(r.dir, "tools"), b, 0o600)
	}
	if err != nil {
		r.t.Fatal(err)
	}
}

func definition(name, description, property string) map[string]any {
	return map[string]any{"name": name, "description": description, "inputSchema": map[string]any{"type": "object", "properties": map[string]any{property: map[string]any{"type": "string"}}}}
}

// changed lists what the first server's changes say, with the texts before and now.
func changed(s mcp.Server) (out []string) {
	for _, c := range s.Changes {
		line := c.Tool + " " + c.What
		if c.Was != nil {
			line += " was " + c.Was.Name + " " + c.Was.Description + " " + string(c.Was.InputSchema)
		}
		out = append(out, line)
	}
	return out
}

func TestAChangeIsShownBesideWhatWasApproved(t *testing.T) {
	r := newRig(t)
	r.defineFully(definition("both", "one", "a"), definition("gone", "goes\u200b", "b"), definition("same", "stays", "c"), definition("words", "old words", "d"))
	r.serve("plain")
	r.approve()
	r.defineFully(definition("both", "two", "z"), definition("new", "comes", "e"), definition("same", "stays", "c"), definition("words", "new words", "d"))
	schema := func(property string) string {
		return `{"properties":{"` + property + `":{"type":"string"}},"type":"object"}`
	}
	want := []string{
		"both description was both one " + schema("a"), "both schema was both one " + schema("a"),
		`gone removed was gone "goes\u200b" ` + schema("b"), "new added", "words description was words old words " + schema("d"),
	}
	for range 2 { // the second process has it from the store alone
		r.serve("plain")
		if diff := cmp.Diff(want, changed(r.await(mcp.Changed))); diff != "" {
			t.Fatal(diff)
		}
	}
	// What is approved now is what the next change is compared with.
	s := r.await(mcp.Changed)
	if _, err := r.source.Approve(t.Context(), "alice", true, s.Name, s.Hash); err != nil {
		t.Fatal(err)
	}
	r.defineFully(definition("both", "two", "z"), definition("new", "comes", "e"), definition("same", "stays", "c"), definition("words", "newest", "d"))
	r.serve("plain")
	if diff := cmp.Diff([]string{"words description was words new words " + schema("d")}, changed(r.await(mcp.Changed))); diff != "" {
		t.Error(diff)
	}
}

// An approval of another agent, and one that this store has no texts of, leave a
// change without them, and never with those of something else.
func TestAChangeWithoutWhatWasApproved(t *testing.T) {
	r := newRig(t)
	r.defineFully(definition("a", "one", "a"))
	r.serve("plain")
	r.approve()
	keys := keysBelow(t, r.store, "config/mcp-approved/")
	if len(keys) != 1 {
		t.Fatalf("kept are %q", keys)
	}
	r.defineFully(definition("a", "two", "a"))
	for name, body := range map[string]string{"another's": `{"hash":"00","tools":{"a":{"name":"a","description":"never approved"}}}`, "nothing": `{}`, "no JSON": `{`} {
		o, err := r.store.Get(t.Context(), keys[0])
		if err == nil {
			_, err = r.store.Replace(t.Context(), keys[0], []byte(body), o.ETag)
		}
		if err != nil {
			t.Fatal(err)
		}
		r.serve("plain")
		if diff := cmp.Diff([]string{"a description"}, changed(r.await(mcp.Changed))); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestWhatIsKeptOfAnApprovalIsBounded(t *testing.T) {
	r := newRig(t)
	var list []map[string]any
	for _, name := range strings.Split("abcdefghijklmnopqrstuvwxyz", "") {
		list = append(list, definition(name, "one", strings.Repeat("x", 60<<10)))
	}
	r.defineFully(list...)
	r.serve("plain")
	r.approve()
	o, err := r.store.Get(t.Context(), keysBelow(t, r.store, "config/mcp-approved/")[0])
	if err != nil || len(o.Body) > 1100<<10 || len(o.Body) < 500<<10 {
		t.Fatalf("%d bytes are kept, %v", len(o.Body), err)
	}
	for _, one := range list {
		one["description"] = "two"
	}
	r.defineFully(list...)
	r.serve("plain")
	got := r.await(mcp.Changed).Changes
	if len(got) != 26 || got[0].Was == nil || got[25].Was != nil {
		t.Errorf("%d changes", len(got))
	}
}

func TestAServerShowsItsHostAndNoMoreOfItsAddress(t *testing.T) {
	w := newWeb(t)
	r := newRig(t)
	r.open(func(c *mcp.Config) { c.Private = map[string]bool{address(w.Server): true} })
	s, err := r.source.Put(t.Context(), "alice", "mine", mcp.Entry{URL: w.URL + "/canary-path?key=canary-query#canary"})
	if err != nil || s.Host != address(w.Server) {
		t.Fatalf("%+v, %v", s, err)
	}
	r.approve()
	list, err := r.source.List(t.Context(), "alice")
	if shown, _ := json.Marshal(list); err != nil || strings.Contains(string(shown), "canary") {
		t.Errorf("%s, %v", shown, err)
	}
	if keys := keysBelow(t, r.store, "u/alice/config/mcp-approved/"); len(keys) != 1 {
		t.Fatalf("kept are %q", keys)
	}
	if err := r.source.Remove(t.Context(), "alice", "mine"); err != nil {
		t.Fatal(err)
	}
	if keys := keysBelow(t, r.store, "u/alice/config/mcp-approved/"); len(keys) != 0 {
		t.Errorf("after its removal: %q", keys)
	}
}
