package mcp

import "testing"

// The Worker makes the same of an entry (wrangler/test/mcp.test.mjs): by it a container
// and the egress proxy know that they mean the same server.
func TestAnIdentityIsTheSameAtTheEdge(t *testing.T) {
	for _, c := range []struct {
		entry Entry
		want  string
	}{
		{Entry{URL: "https://例子.example.org/a?b=<c>&d=\u2028\"\\"}, "32dd9ce42fe04366c610f97458ebe5aa8072728b95bbb604e29b40833020e564"},
		{Entry{Command: "node", Args: []string{"a", "é"}, Cwd: "/x"}, "a78b1751a67f985dc79e2b4826b8e948cb0d76183e8b89103cd9cbe358f5be10"},
	} {
		if got := c.entry.identity(); got != c.want {
			t.Errorf("%+v: got %s, want %s", c.entry, got, c.want)
		}
	}
}
