//go:build !js

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/gateway/edge"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/pass"
)

// clean gives the test an environment without the machine's own settings.
func clean(t *testing.T, pairs ...string) {
	t.Helper()
	for _, name := range []string{
		"LISTEN_ADDR", "HOST", "PORT", "PUBLIC_URL", "AGENT_URL", "AGENT_URL_FILE", "LOONGCLAW_TOKENS", "LOONGCLAW_LOGIN_CODE", "LOONGCLAW_CANARY", "JWT_ISSUER", "JWT_AUDIENCE", "JWT_PUBLIC_KEYS", "JWT_USER_CLAIM", "JWT_SCOPE_CLAIM", "ACCESS_TEAM_DOMAIN", "ACCESS_AUD", "ALLOWED_ORIGINS", "TRUSTED_PROXIES",
		"RATE_LIMIT_CHAT", "RATE_LIMIT_API", "RATE_LIMIT_AUTH", "REDIS_URL", "MAX_CONCURRENT_RUNS", "MAX_OPEN_BODY_BYTES", "MAX_OPEN_STREAMS", "MAX_OPEN_SOCKETS", "PASS_PRIVATE_KEY", "LOG_LEVEL", "LOG_FORMAT", "LOG_FILE", "ENV_FILE", "PID_FILE", "ADMIN_LISTEN_ADDR", "OTEL_EXPORTER_OTLP_ENDPOINT",
		"WS_PORT", "DEV_MODE", "HOT_RELOAD",
	} {
		t.Setenv(name, "") // notes the old value, to be put back
		_ = os.Unsetenv(name)
	}
	for i := 0; i < len(pairs); i += 2 {
		t.Setenv(pairs[i], pairs[i+1])
	}
}

// keys runs keygen and gives its two values.
func keys(t *testing.T) (private, public string) {
	t.Helper()
	var out strings.Builder
	if err := run(t.Context(), []string{"keygen"}, nil, &out, io.Discard, nil); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if len(lines) != 2 {
		t.Fatalf("keygen printed %q", out.String())
	}
	private, ok1 := strings.CutPrefix(lines[0], "PASS_PRIVATE_KEY=")
	public, ok2 := strings.CutPrefix(lines[1], "PASS_PUBLIC_KEYS=")
	if !ok1 || !ok2 {
		t.Fatalf("keygen printed %q", out.String())
	}
	return private, public
}

func TestServe(t *testing.T) {
	private, public := keys(t)
	known, err := pass.ParsePublic(public)
	if err != nil {
		t.Fatal(err)
	}
	agent := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p, err := pass.Verify(known, r.Header.Get(chat.HeaderPass), r.Method, r.URL.EscapedPath(), time.Now())
		if err != nil {
			t.Error(err)
		}
		_, _ = io.WriteString(w, p.User)
	}))
	defer agent.Close()
	clean(t, "LISTEN_ADDR", "127.0.0.1:0", "PASS_PRIVATE_KEY", private, "AGENT_URL", agent.URL, "LOONGCLAW_TOKENS", "alice:alice-secret-1", "WS_PORT", "3001", "LOG_LEVEL", "debug")

	logs, logWriter := io.Pipe()
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- run(ctx, nil, nil, io.Discard, logWriter, nil); _ = logWriter.Close() }()
	lines := bufio.NewScanner(logs)
	address, said := "", ""
	for address == "" && lines.Scan() {
		var line struct{ Msg, Address, Variable string }
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Fatalf("log line %q: %v", lines.Text(), err)
		}
		said += line.Variable
		if line.Msg == "listening" {
			address = line.Address
		}
	}
	rest := make(chan string, 1)
	go func() { b, _ := io.ReadAll(logs); rest <- string(b) }()
	if said != "WS_PORT" {
		t.Errorf("variables without effect: %q", said)
	}
	req, _ := http.NewRequestWithContext(ctx, "GET", "http://"+address+"/api/stats?secret=query", nil)
	req.Header.Set("Authorization", "Bearer alice-secret-1")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	b, _ := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if resp.StatusCode != 200 || string(b) != "alice" {
		t.Errorf("got %d %q", resp.StatusCode, b)
	}
	stop()
	if err := <-done; err != nil {
		t.Errorf("run: %v", err)
	}
	log := <-rest
	if !strings.Contains(log, `"path":"/api/stats"`) || strings.Contains(log, "secret") {
		t.Errorf("the log: %s", log)
	}
}

func TestEveryFaultIsToldAtOnceAndNoSecret(t *testing.T) {
	clean(t, "LISTEN_ADDR", "nowhere", "PUBLIC_URL", "https://u:url-secret@x", "AGENT_URL", "ftp://u:url-secret@x", "LOONGCLAW_TOKENS", "a:tiny-secret,:x", "LOONGCLAW_LOGIN_CODE", "secret", "JWT_PUBLIC_KEYS", "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----", "ACCESS_TEAM_DOMAIN", "http://team.example.com", "ALLOWED_ORIGINS", "*", "TRUSTED_PROXIES", "proxy",
		"RATE_LIMIT_CHAT", "x", "RATE_LIMIT_API", "y", "RATE_LIMIT_AUTH", "z", "REDIS_URL", "http://:redis-secret@x", "MAX_CONCURRENT_RUNS", "0", "MAX_OPEN_BODY_BYTES", "64MiB", "MAX_OPEN_STREAMS", "-1", "MAX_OPEN_SOCKETS", "0", "PASS_PRIVATE_KEY", "key-secret", "LOG_LEVEL", "loud", "LOG_FORMAT", "xml")
	for _, command := range []string{"check", "serve"} {
		err := run(t.Context(), []string{command}, nil, io.Discard, io.Discard, nil)
		if err == nil {
			t.Fatal("no fault")
		}
		for _, name := range []string{"LISTEN_ADDR", "PUBLIC_URL", "AGENT_URL", "LOONGCLAW_TOKENS: entry 1", "LOONGCLAW_TOKENS: entry 2", "LOONGCLAW_LOGIN_CODE: is shorter", "JWT_ISSUER", "JWT_AUDIENCE", "JWT_PUBLIC_KEYS: holds a secret", "ACCESS_TEAM_DOMAIN", "ACCESS_AUD", "ALLOWED_ORIGINS", "TRUSTED_PROXIES", "RATE_LIMIT_CHAT", "RATE_LIMIT_API", "RATE_LIMIT_AUTH", "REDIS_URL", "MAX_CONCURRENT_RUNS", "MAX_OPEN_BODY_BYTES", "MAX_OPEN_STREAMS", "MAX_OPEN_SOCKETS", "PASS_PRIVATE_KEY", "LOG_LEVEL", "LOG_FORMAT", "\nNext: "} {
			if !strings.Contains(err.Error(), name) {
				t.Errorf("%s: %s is not told:\n%v", command, name, err)
			}
		}
		if strings.Contains(strings.Replace(err.Error(), "holds a secret or", "", 1), "secret") || strings.Contains(err.Error(), "c2Vj") {
			t.Errorf("a secret is told:\n%v", err)
		}
	}
}

// What follows from a fault that is told is no news, and everything else is told beside it.
func TestWhatFollowsFromAFaultIsNotTold(t *testing.T) {
	private, _ := keys(t)
	for name, tc := range map[string]struct {
		env        []string
		told, left []string
	}{
		"tokens that cannot be read":   {[]string{"LISTEN_ADDR", "0.0.0.0:0", "LOONGCLAW_TOKENS", "a:tiny", "LOONGCLAW_LOGIN_CODE", "long-enough-code", "PASS_PRIVATE_KEY", private}, []string{"LOONGCLAW_TOKENS: entry 1"}, []string{"without a way in", "is set without"}},
		"another way in, half set":     {[]string{"LISTEN_ADDR", "0.0.0.0:0", "JWT_ISSUER", "https://id.example.com", "PASS_PRIVATE_KEY", private}, []string{"JWT_AUDIENCE"}, []string{"without a way in"}},
		"an address that is none":      {[]string{"LISTEN_ADDR", "nowhere", "PASS_PRIVATE_KEY", private}, []string{"LISTEN_ADDR: "}, []string{"without a way in"}},
		"a key that is none":           {[]string{"PASS_PRIVATE_KEY", "short"}, []string{"PASS_PRIVATE_KEY: "}, []string{"PASS_PRIVATE_KEY: is not set"}},
		"no key, and no agent":         {[]string{"AGENT_URL", "ftp://x"}, []string{"PASS_PRIVATE_KEY: is not set", "AGENT_URL: "}, []string{"AGENT_URL: is not set"}},
		"a rate, and a log level":      {[]string{"RATE_LIMIT_API", "x", "LOG_LEVEL", "loud", "PASS_PRIVATE_KEY", private}, []string{"RATE_LIMIT_API: ", "LOG_LEVEL: "}, []string{"a rate limit is not set"}},
		"a way in that is not there":   {[]string{"LISTEN_ADDR", "0.0.0.0:0", "LOG_LEVEL", "loud"}, []string{"without a way in", "LOG_LEVEL: ", "PASS_PRIVATE_KEY: is not set"}, nil},
		"spaces are nothing":           {[]string{"LISTEN_ADDR", " 0.0.0.0:0 ", "LOONGCLAW_TOKENS", "  ", "PASS_PRIVATE_KEY", " " + private + " "}, []string{"without a way in"}, []string{"PASS_PRIVATE_KEY"}},
		"a code for nobody, too short": {[]string{"LOONGCLAW_LOGIN_CODE", "short", "PASS_PRIVATE_KEY", private}, []string{"LOGIN_CODE: is set without", "LOGIN_CODE: is shorter"}, nil},
	} {
		clean(t, tc.env...)
		_, err := loadConfig("v")
		if err == nil {
			t.Errorf("%s: no fault", name)
			continue
		}
		for _, want := range tc.told {
			if strings.Count(err.Error(), want) != 1 {
				t.Errorf("%s: %q is not told once:\n%v", name, want, err)
			}
		}
		for _, not := range tc.left {
			if strings.Contains(err.Error(), not) {
				t.Errorf("%s: %q is told, too:\n%v", name, not, err)
			}
		}
	}
}

func TestBeyondLoopbackNeedsAWayIn(t *testing.T) {
	private, _ := keys(t)
	for _, address := range []string{"0.0.0.0:0", ":0", "[::]:0", "10.0.0.1:1"} {
		clean(t, "LISTEN_ADDR", address, "PASS_PRIVATE_KEY", private)
		if err := run(t.Context(), nil, nil, io.Discard, io.Discard, nil); err == nil || !strings.Contains(err.Error(), "LOONGCLAW_TOKENS=alice:TOKEN") {
			t.Errorf("%s: got %v", address, err)
		}
		t.Setenv("PASS_PRIVATE_KEY", "bad") // the missing way in is told beside other faults
		if err := run(t.Context(), nil, nil, io.Discard, io.Discard, nil); err == nil || strings.Count(err.Error(), "LOONGCLAW_TOKENS=alice:TOKEN") != 1 || !strings.Contains(err.Error(), "PASS_PRIVATE_KEY") {
			t.Errorf("%s: got %v", address, err)
		}
	}
	for _, pair := range [][2]string{{"LISTEN_ADDR", "127.0.0.1:1"}, {"PORT", "3000"}, {"HOST", "localhost"}, {"HOST", "::1"}, {"RATE_LIMIT_API", ""}} {
		clean(t, pair[0], pair[1], "PASS_PRIVATE_KEY", private)
		var out strings.Builder
		if err := run(t.Context(), []string{"check"}, nil, &out, io.Discard, nil); err != nil || !strings.Contains(out.String(), "only this machine") {
			t.Errorf("%v: got %q, %v", pair, out.String(), err)
		}
	}
}

// The address under which people reach the gateway: scheme and host, or none, which
// check tells.
func TestThePublicAddress(t *testing.T) {
	private, _ := keys(t)
	for text, want := range map[string]string{
		"":                           "PUBLIC_URL is not set",
		"https://AI.example.com:443": "people reach it at https://ai.example.com\n",
		" https://ai.example.com/ ":  "people reach it at https://ai.example.com\n",
		"http://192.168.1.5:8787":    "people reach it at http://192.168.1.5:8787\n",
	} {
		clean(t, "PASS_PRIVATE_KEY", private, "PUBLIC_URL", text)
		var out strings.Builder
		if err := run(t.Context(), []string{"check"}, nil, &out, io.Discard, nil); err != nil || !strings.Contains(out.String(), want) {
			t.Errorf("%q: got %q, %v, want %q", text, out.String(), err, want)
		}
	}
	for _, text := range []string{"ai.example.com", "https://ai.example.com/chat", "https://u:pw@ai.example.com", "ws://ai.example.com", "https://*.example.com", "https://ai.example.com#x"} {
		clean(t, "PASS_PRIVATE_KEY", private, "PUBLIC_URL", text)
		if err := run(t.Context(), []string{"check"}, nil, io.Discard, io.Discard, nil); err == nil || !strings.Contains(err.Error(), "PUBLIC_URL: is not the address of a gateway") || strings.Contains(err.Error(), "pw") {
			t.Errorf("%q: got %v", text, err)
		}
	}
}

func TestWhatAUserMayHaveOpen(t *testing.T) {
	private, _ := keys(t)
	for _, tc := range []struct {
		bytes, streams, sockets string
		want                    edge.Most
	}{
		{"", "", "", edge.UsualMost()},
		{"1000", " 2 ", "3", edge.Most{BodyBytes: 1000, Streams: 2, Sockets: 3}},
	} {
		clean(t, "PASS_PRIVATE_KEY", private, "MAX_OPEN_BODY_BYTES", tc.bytes, "MAX_OPEN_STREAMS", tc.streams, "MAX_OPEN_SOCKETS", tc.sockets)
		if c, err := loadConfig("v"); err != nil || c.most != tc.want {
			t.Errorf("got %+v, %v, want %+v", c.most, err, tc.want)
		}
	}
}

func TestCommands(t *testing.T) {
	clean(t)
	var a, b strings.Builder
	if err := errors.Join(run(t.Context(), []string{"token"}, nil, &a, io.Discard, nil), run(t.Context(), []string{"token"}, nil, &b, io.Discard, nil)); err != nil || a.String() == b.String() || len(a.String()) < 33 {
		t.Errorf("tokens %q and %q, %v", a.String(), b.String(), err)
	}
	for _, args := range [][]string{{"version"}, {"help"}} {
		var out strings.Builder
		if err := run(t.Context(), args, nil, &out, io.Discard, nil); err != nil || out.String() == "" {
			t.Errorf("%v: %q, %v", args, out.String(), err)
		}
	}
	for _, args := range [][]string{{"dance"}, {"serve", "now"}} {
		if err := run(t.Context(), args, nil, io.Discard, io.Discard, nil); err == nil || !strings.Contains(err.Error(), "Next: ") {
			t.Errorf("%v: got %v", args, err)
		}
	}
}

func TestLogFile(t *testing.T) {
	private, _ := keys(t)
	path := filepath.Join(t.TempDir(), "gateway.log")
	clean(t, "LISTEN_ADDR", "127.0.0.1:0", "PASS_PRIVATE_KEY", private, "LOG_FILE", path, "LOG_FORMAT", "text")
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := run(ctx, nil, nil, io.Discard, io.Discard, nil); err != nil && !strings.Contains(err.Error(), "canceled") {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the log file: %v, %v", info, err)
	}
}

// The canary comes in beside others, and opens nothing by itself.
func TestCanary(t *testing.T) {
	private, _ := keys(t)
	for _, tt := range []struct {
		name   string
		pairs  []string
		users  int
		reason string
	}{
		{"beside others", []string{"LOONGCLAW_TOKENS", "alice:alice-secret-1", "LISTEN_ADDR", "0.0.0.0:1"}, 2, ""},
		{"alone", []string{"LISTEN_ADDR", "0.0.0.0:1"}, 0, "LOONGCLAW_TOKENS"},
		{"alone on loopback: everybody is let in anyway", nil, 0, ""},
		{"under another's name", []string{"LOONGCLAW_TOKENS", "canary:alice-secret-1"}, 1, "LOONGCLAW_CANARY: names a user"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			clean(t, append(tt.pairs, "PASS_PRIVATE_KEY", private, "LOONGCLAW_CANARY", "canary:canary-secret-1")...)
			c, err := loadConfig("test")
			if (err == nil) != (tt.reason == "") || err != nil && !strings.Contains(err.Error(), tt.reason) {
				t.Errorf("got %v, want %q", err, tt.reason)
			}
			if got := len(c.edge.Tokens); got != tt.users {
				t.Errorf("%d tokens count, want %d", got, tt.users)
			}
		})
	}
}

// Whatever logs, and however it came to know a secret, the log does not show it.
func TestTheLogHasNoSecrets(t *testing.T) {
	private, _ := keys(t)
	secrets := []string{private, "canary-of-alice-01", "canary-of-bob-0002", "canary-of-the-canary", "canary-login-code-1", "canary-of-redis"}
	clean(t, "LOONGCLAW_TOKENS", "alice:"+secrets[1]+", bob:"+secrets[2]+":read", "LOONGCLAW_CANARY", "probe:"+secrets[3],
		"LOONGCLAW_LOGIN_CODE", secrets[4], "PASS_PRIVATE_KEY", private, "REDIS_URL", "redis://me:"+secrets[5]+"@127.0.0.1:6379/0")
	c, err := loadConfig("v")
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	log, done, err := openLog(c, &b)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range secrets {
		log.Error("it said "+secret, "error", errors.New("refused: "+secret))
	}
	if err := done(); err != nil {
		t.Fatal(err)
	}
	for _, secret := range secrets {
		if strings.Contains(b.String(), secret) {
			t.Errorf("the log has %q", secret)
		}
	}
	if n := strings.Count(b.String(), "[secret]"); n != 2*len(secrets) {
		t.Errorf("%d places are marked, want %d:\n%s", n, 2*len(secrets), b.String())
	}
}
