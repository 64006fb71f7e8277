package mcp_test

import (
	"strings"
	"testing"

	"github.com/loongclaw/loongclaw/agent/tools/mcp"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

func TestAConfigurationSaysOneThing(t *testing.T) {
	for text, want := range map[string]string{
		`{"mcpServers":{"a":{"url":"https://a.example.org"},"b":{"command":"b","env":{"X":"1"}}}}`: "",
		`{"mcpServers":{"a":{"url":"https://a.example.org"},"a":{"command":"b"}}}`:                 `"a" stands twice`,
		`{"mcpServers":{"a":{"url":"https://a.example.org","url":"https://b.example.org"}}}`:       `"url" stands twice`,
		`{"mcpServers":{"a":{"url":"https://a.example.org","headers":{"X-Key":"1","X-Key":"2"}}}}`: `"X-Key" stands twice`,
		`{"mcpServers":{"A":{"url":"https://a.example.org"}}}`:                                     "not the name",
		`{"mcpServers":{"` + strings.Repeat("a", 33) + `":{"url":"https://a.example.org"}}}`:       "not the name",
		`{"mcpServers":[]}`: "not JSON of the form",
		`nothing`:           "not JSON of the form",
	} {
		_, err := mcp.ParseFile([]byte(text))
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

func TestHeadersThatCannotBeMeant(t *testing.T) {
	r := newRig(t)
	r.open(func(*mcp.Config) {})
	for _, headers := range []map[string]string{
		{"Authorization": "Bearer a", "authorization": "Bearer b"}, // which one would be sent?
		{"x-key": "a", "X-KEY": "b"},
		{"Host": "a"},
		{"mcp-session-id": "a"},
		{"Content-Length": "1"},
		{"X Y": "a"},
		{"": "a"},
		{"X\r\nY": "a"},
		{"X": "a\r\nY: b"},
		{"X": "a\x00"},
		{"X": strings.Repeat("a", 9<<10)},
	} {
		if _, err := r.source.Put(t.Context(), "alice", "mine", mcp.Entry{URL: "https://tools.loongclaw.dev/mcp", Headers: headers}); fault.CodeOf(err) != fault.CodeInvalidRequest {
			t.Errorf("%.60q: %v", headers, err)
		}
	}
}
