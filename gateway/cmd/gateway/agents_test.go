package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loongclaw/loongclaw/gateway/edge"
)

func TestReadAgents(t *testing.T) {
	now := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	path := filepath.Join(t.TempDir(), "agents")
	read := func(text string) ([]edge.Agent, error) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return readAgents(path, now)
	}
	got, err := read(`# two and a trial
http://a:1/
 http://b:2	spare  # the old one
http://c:3 only=canary,alice
http://d:4 until=2026-01-31T12:00:01Z
http://e:5 until=2026-01-31T12:00:00Z
http://f:6 share=5 until=2026-01-31T12:00:01Z
`)
	want := []edge.Agent{{URL: "http://a:1"}, {URL: "http://b:2", Backup: true}, {URL: "http://c:3", Users: []string{"canary", "alice"}}, {URL: "http://d:4"}, {URL: "http://f:6", Weight: 5}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	for text, say := range map[string]string{
		"":                                      "names no agent that serves everybody",
		"http://a:1 only=x\n":                   "names no agent that serves everybody",
		"http://a:1 until=1999-01-01T00:00:00Z": "names no agent that serves everybody",
		"http://a:1\nhttp://a:1 spare":          "line 2 names an agent a second time",
		"http://a:1\nftp://b:1":                 "line 2: is not an agent's address",
		"http://a:1 only=":                      "line 1",
		"http://a:1 until=tomorrow":             "line 1",
		"http://a:1 share=0":                    "line 1",
		"http://a:1 share=101":                  "line 1",
		"http://a:1 sparse":                     `"sparse" is not understood`,
		strings.Repeat("# x\n", 1<<15):          "too long",
	} {
		if got, err := read(text); err == nil || !strings.Contains(err.Error(), say) {
			t.Errorf("%.40q: got %v, %v, want %s", text, got, err, say)
		}
	}
}
