package mcp

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/loongclaw/loongclaw/agent/bucket/disk"
)

// What can go on beside the renewal of a token.
func TestWhatARenewalMeets(t *testing.T) {
	for name, c := range map[string]struct {
		beside func(cancel context.CancelFunc, write func(access string)) // while the token is asked for
		before string                                                     // what another agent has written before
		status int
		want   string
		asked  int
	}{
		"nothing":                           {nil, "", 200, "new", 1},
		"who waited goes away":              {func(cancel context.CancelFunc, _ func(string)) { cancel() }, "", 200, "new", 1},
		"another agent was faster":          {nil, "of-the-other", 200, "of-the-other", 0},
		"another agent is faster":           {func(_ context.CancelFunc, write func(string)) { write("of-the-other") }, "", 400, "of-the-other", 1},
		"the server refuses":                {nil, "", 400, "", 1},
		"the server is broken":              {nil, "", 503, "", 1},
		"the server is broken, another not": {nil, "of-the-other", 503, "of-the-other", 0},
	} {
		t.Run(name, func(t *testing.T) {
			store, err := disk.Open(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = store.Close() }()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			asked := 0
			var write func(string)
			as := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				asked++
				if c.beside != nil {
					c.beside(cancel, write)
					time.Sleep(50 * time.Millisecond)
				}
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(c.status)
				body := `{"access_token":"new","token_type":"Bearer","expires_in":3600}`
				if c.status != 200 {
					body = `{"error":"invalid_grant"}`
				}
				_, _ = w.Write([]byte(body))
			}))
			defer as.Close()
			g := &grants{bucket: store, key: grantKey("", "x"), identity: "id", client: as.Client(), log: slog.New(slog.DiscardHandler), now: time.Now}
			put := func(access string, life time.Duration) {
				b, _ := json.Marshal(Grant{Of: "id", TokenURL: as.URL, Style: oauth2.AuthStyleInParams, Access: access, Refresh: "r", Expires: time.Now().Add(life)})
				if _, err := store.Put(context.Background(), g.key, b); err != nil {
					t.Error(err)
				}
			}
			write = func(access string) { put(access, time.Hour) }
			put("old", -time.Minute)
			if g.have, err = g.stored(ctx); err != nil || g.have == nil {
				t.Fatal(g.have, err)
			}
			if c.before != "" {
				write(c.before)
			}
			got, err := g.token(ctx)
			if got != c.want || (err == nil) != (c.want != "") || asked != c.asked {
				t.Errorf("%q, %v, asked %d times", got, err, asked)
			}
			if kept, err := g.stored(t.Context()); c.want != "" && (err != nil || kept.Access != c.want || kept.Refresh != "r") {
				t.Errorf("kept %+v, %v", kept, err)
			}
		})
	}
}

// Whatever an authorization server is called, it is reached as a server of tools is.
func TestWhereAuthorizationServersAreNotReached(t *testing.T) {
	s := New(Config{Private: map[string]bool{"127.0.0.1:1": true}})
	defer s.Close()
	for address, want := range map[string]string{
		"http://as.loongclaw.dev/token": "is not reached", "https://as.internal/token": "is not reached", "https://localhost/token": "is not reached",
		"https://169.254.169.254/": "is not reached", "https://[::1]/": "is not reached", "https://u:p@as.loongclaw.dev/": "is not reached",
		"http://127.0.0.1:2/": "is not reached", "http://127.0.0.1:1/": "nothing listens",
	} {
		answer, err := s.oauthClient().Get(address)
		if err == nil {
			_ = answer.Body.Close()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", address, err)
		}
	}
}
