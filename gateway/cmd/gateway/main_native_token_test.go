//go:build !js

package main

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/gateway/access"
)

// say runs a command and gives what it prints.
func say(t *testing.T, stdin string, args ...string) (string, error) {
	t.Helper()
	var out strings.Builder
	err := run(t.Context(), args, strings.NewReader(stdin), &out, io.Discard, nil)
	return strings.TrimSpace(out.String()), err
}

func TestTokenMint(t *testing.T) {
	clean(t)
	for scope, want := range map[string]string{"": "read, chat, admin", "read": "read", "chat": "read, chat"} {
		args := []string{"token", "mint", "alice@example.com"}
		if scope != "" {
			args = append(args, scope)
		}
		entry, err := say(t, "", args...)
		if err != nil {
			t.Fatal(err)
		}
		all, err := access.ParseTokens(entry)
		if err != nil || len(all) != 1 || all[0].User != "alice@example.com" || strings.Join(all[0].Scopes, ", ") != want {
			t.Errorf("%q: got %+v, %v", entry, all, err)
		}
	}
	for _, args := range [][]string{{"mint"}, {"mint", "a/b"}, {"mint", ""}, {"mint", "a", "root"}, {"mint", "a", "read", "x"}, {"dance"}, {"inspect", "x"}} {
		if out, err := say(t, "", append([]string{"token"}, args...)...); err == nil || out != "" || !strings.Contains(err.Error(), "\nNext: ") {
			t.Errorf("%v: got %q, %v", args, out, err)
		}
	}
}

func TestTokenSession(t *testing.T) {
	private, _ := keys(t)
	clean(t, "PASS_PRIVATE_KEY", private, "LOONGCLAW_TOKENS", "alice:alice-secret-1,bob:bob-secret-123:read")
	for _, tc := range []struct {
		args   []string
		user   string
		scopes string
		life   time.Duration
	}{
		{[]string{"alice"}, "alice", "read, chat, admin", sessionFor},
		{[]string{"alice", "30m"}, "alice", "read, chat, admin", 30 * time.Minute},
		{[]string{"alice", "1h", "read"}, "alice", "read", time.Hour},
		{[]string{"bob"}, "bob", "read", sessionFor},
	} {
		text, err := say(t, "", append([]string{"token", "session"}, tc.args...)...)
		if err != nil {
			t.Fatal(err)
		}
		told, err := say(t, text, "token", "inspect")
		if err != nil || !strings.Contains(told, "user: "+tc.user+"\n") || !strings.Contains(told, "scopes: "+tc.scopes+"\n") {
			t.Errorf("%v: inspect says %q, %v", tc.args, told, err)
		}
		_, end, _ := strings.Cut(told, "expires: ")
		if at, err := time.Parse(time.RFC3339, end); err != nil || time.Until(at) > tc.life || time.Until(at) < tc.life-time.Minute {
			t.Errorf("%v: ends at %s, %v", tc.args, end, err)
		}
	}
	for _, args := range [][]string{{}, {"carol"}, {"alice", "soon"}, {"alice", "-1h"}, {"alice", "8760h"}, {"bob", "1h", "chat"}, {"alice", "1h", "root"}, {"alice", "1h", "read", "x"}} {
		if out, err := say(t, "", append([]string{"token", "session"}, args...)...); err == nil || out != "" || !strings.Contains(err.Error(), "\nNext: ") {
			t.Errorf("%v: got %q, %v", args, out, err)
		}
	}
}
