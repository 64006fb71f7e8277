package workers

import (
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loongclaw/loongclaw/gateway/edge"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// join builds a message as message.mjs does.
func join(fields ...string) string { return strings.Join(fields, sep) }

func TestDecodeDecide(t *testing.T) {
	in := join("POST", "/api/chat?x=1", "host:1", "1", "192.0.2.1", "17", "id-1",
		"2", "chat:alice", "1", "-1", "60000", "0", "auth:a", "", "0", "60000", "1500",
		"1", "login:k", "1",
		"1", "1", `{"keys":[]}`, "asleep",
		"3", "accept", "a", "accept", "b, c", "x-empty", "",
		"1", "body with a \x00 in it")
	head, facts, err := decodeDecide(in)
	if err != nil {
		t.Fatal(err)
	}
	wantHead := edge.Head{
		Method: "POST", Target: "/api/chat?x=1", Host: "host:1", TLS: true, RemoteAddr: "192.0.2.1", Length: 17, RequestID: "id-1",
		Header: http.Header{"Accept": {"a", "b, c"}, "X-Empty": {""}}, Body: []byte("body with a \x00 in it"),
	}
	if diff := cmp.Diff(wantHead, head); diff != "" {
		t.Errorf("head (-want +got):\n%s", diff)
	}
	wantLimits := map[string]edge.LimitAnswer{
		"chat:alice": {Allowed: true, Remaining: -1, Reset: time.Minute},
		"auth:a":     {Reset: time.Minute, RetryAfter: 1500 * time.Millisecond},
	}
	if diff := cmp.Diff(wantLimits, facts.Limits); diff != "" {
		t.Errorf("limits (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]bool{"login:k": true}, facts.Spent); diff != "" {
		t.Errorf("spent (-want +got):\n%s", diff)
	}
	if facts.Agent != "asleep" {
		t.Errorf("agent: got %q, want asleep", facts.Agent)
	}
	if diff := cmp.Diff(&edge.KeysAnswer{JSON: `{"keys":[]}`, Refreshed: true}, facts.AccessKeys); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
}

// TestDecodeNoBody: no body and an empty one differ, since the core asks for a
// body until it has one.
func TestDecodeNoBody(t *testing.T) {
	for flag, want := range map[string]bool{"": false, "1": true} {
		head, _, err := decodeDecide(join("GET", "/", "h", "", "", "0", "", "0", "0", "", "", "0", flag, ""))
		if err != nil {
			t.Fatal(err)
		}
		if got := head.Body != nil; got != want {
			t.Errorf("flag %q: got a body %v, want %v", flag, got, want)
		}
	}
}

func TestDecodeCutShort(t *testing.T) {
	whole := join("GET", "/", "h", "", "", "0", "", "1", "k", "1", "1", "1", "1", "1", "k", "1", "1", "1", "{}", "ready", "1", "n", "v", "")
	if _, _, err := decodeDecide(whole); err != nil {
		t.Fatalf("whole: %v", err)
	}
	fields := strings.Split(whole, sep)
	for n := range fields {
		if _, _, err := decodeDecide(join(fields[:n]...)); err == nil {
			t.Errorf("%d fields of %d: got no error", n, len(fields))
		}
	}
}

func TestEncode(t *testing.T) {
	h := http.Header{"Set-Cookie": {"a=1, x", "b=2"}}
	tests := []struct {
		name string
		in   edge.Decision
		want string
	}{
		{"respond", edge.Decision{RequestID: "i", Route: "/r/:id", Header: h, Respond: &edge.Respond{Status: 201, Body: []byte("a\x00b"), Stamp: "t"}}, join("respond", "i", "/r/:id", "2", "Set-Cookie", "a=1, x", "Set-Cookie", "b=2", "201", "t", "a", "b")},
		{"asset", edge.Decision{Asset: &edge.Asset{Name: "index.html", Status: 200}}, join("asset", "", "", "0", "index.html", "200")},
		{
			"forward",
			edge.Decision{User: "u", Forward: &edge.Forward{Upstreams: edge.Upstreams{Agent: "http://a"}, Method: "GET", Target: "/t?q", Drop: []string{"X-A", "X-B"}, Set: http.Header{"P": {"v"}}, MaxBody: 9, Stream: true, Pausable: true, Admin: true}},
			join("forward", "", "", "0", "http://a", "u", "GET", "/t?q", "9", "1", "1", "1", "1", "P", "v", "2", "X-A", "X-B"),
		},
		{
			"socket",
			edge.Decision{Socket: &edge.Socket{Identity: edge.Identity{User: "u", Scopes: []string{"read"}}, Subprotocol: "p", MaxFrame: 5}},
			join("socket", "", "", "0", `{"user":"u","scopes":["read"]}`, "p", "5"),
		},
		{"limit", edge.Decision{Ask: &edge.Question{Limit: &edge.LimitQuestion{Key: "chat:u", Class: "chat", N: 30, Per: 60}}}, join("limit", "", "", "0", "chat:u", "chat", "30", "60", "")},
		{"limit of a request that only reads", edge.Decision{Ask: &edge.Question{Limit: &edge.LimitQuestion{Key: "api:u", Class: "api", N: 600, Per: 60, OnlyReads: true}}}, join("limit", "", "", "0", "api:u", "api", "600", "60", "1")},
		{"body", edge.Decision{Ask: &edge.Question{Body: 4096}}, join("body", "", "", "0", "4096")},
		{"spend", edge.Decision{Ask: &edge.Question{Spend: &edge.SpendQuestion{Key: "login:k", User: "u", Until: 9}}}, join("spend", "", "", "0", "login:k", "u", "9")},
		{"keys", edge.Decision{Ask: &edge.Question{AccessKeys: &edge.KeysQuestion{URL: "https://t/k", Refresh: true}}}, join("keys", "", "", "0", "https://t/k", "1")},
		{"ready", edge.Decision{Ask: &edge.Question{Ready: true}}, join("ready", "", "", "0")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, encode(tt.in)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// coreFunc is a core of a test, for requests only.
func coreFunc(decide func(edge.Head, edge.Facts) edge.Decision) Core { return decider{decide: decide} }

type decider struct {
	Core
	decide func(edge.Head, edge.Facts) edge.Decision
}

func (d decider) Decide(h edge.Head, facts edge.Facts) edge.Decision { return d.decide(h, facts) }

func newBridge(c Core, err error) *bridge {
	return &bridge{
		log:       slog.New(slog.NewTextHandler(io.Discard, nil)),
		configure: func(map[string]string) (Core, error) { return c, err },
		requestID: func() string { return "new-id" },
	}
}

// wantFault reads an encoded error and checks its code and id.
func wantFault(t *testing.T, got string, code fault.Code, id string) {
	t.Helper()
	_, body, ok := strings.Cut(got, "{")
	var e fault.Error
	if err := json.Unmarshal([]byte("{"+body), &e); !ok || err != nil {
		t.Fatalf("got %q, want an error as JSON", got)
	}
	if e.Code != code || e.RequestID != id || e.Hint == "" {
		t.Errorf("got %+v, want %s with the id %s and a hint", e, code, id)
	}
}

var plainRequest = join(opDecide, "GET", "/", "h", "", "", "0", "", "0", "0", "", "", "0", "")

func TestCallsBeforeConfiguration(t *testing.T) {
	b := newBridge(nil, errors.New("LOONGCLAW_TOKENS is missing"))
	wantFault(t, b.call(plainRequest), fault.CodeUnavailable, "new-id")
	if got := b.call(opConfigure); got != "LOONGCLAW_TOKENS is missing" {
		t.Errorf("configure: got %q, want what is wrong", got)
	}
	got := b.call(plainRequest)
	wantFault(t, got, fault.CodeUnavailable, "new-id")
	if !strings.Contains(got, "LOONGCLAW_TOKENS is missing") || !strings.Contains(got, "Retry-After") {
		t.Errorf("got %q, want what is wrong, and when to try again", got)
	}
}

func TestPanicIsOneRequests(t *testing.T) {
	b := newBridge(coreFunc(func(h edge.Head, _ edge.Facts) edge.Decision {
		if h.RequestID == "" {
			panic("on demand")
		}
		return edge.Decision{Respond: &edge.Respond{Status: 200}}
	}), nil)
	b.call(opConfigure)
	wantFault(t, b.call(plainRequest), fault.CodeInternal, "new-id")
	next := join(opDecide, "GET", "/", "h", "", "", "0", "id", "0", "0", "", "", "0", "")
	if got, want := b.call(next), join("respond", "", "", "0", "200", "", ""); got != want {
		t.Errorf("the next: got %q, want %q", got, want)
	}
}

func TestFailuresKeepTheRequestsID(t *testing.T) {
	b := newBridge(nil, nil)
	for kind, code := range map[string]fault.Code{
		failTooLarge: fault.CodeTooLarge, failBroken: fault.CodeAgentFailed, failTimeout: fault.CodeAgentTimeout,
		failPass: fault.CodeAgentFailed, failHandshake: fault.CodeUnsupported, failWaking: fault.CodeUnavailable, failStart: fault.CodeUnavailable, failObject: fault.CodeUnavailable, failAsset: fault.CodeNotFound,
		failBinding: fault.CodeUnavailable, failBody: fault.CodeInvalidRequest, failSockets: fault.CodeRateLimited, failStreams: fault.CodeRateLimited, "another": fault.CodeInternal,
	} {
		wantFault(t, b.call(join(opFail, kind, "mine")), code, "mine")
	}
	wantFault(t, b.call("dance"), fault.CodeInternal, "new-id")
}

// FuzzCall: no message makes a call panic or answer with nothing.
func FuzzCall(f *testing.F) {
	f.Add(plainRequest)
	f.Add(join(opConfigure, "NAME", "value"))
	f.Add(join(opFail, failBroken, "id"))
	f.Add(join(opDecide, "GET", "/", "h", "", "", "0", "", "999999999999", "k"))
	f.Fuzz(func(t *testing.T, in string) {
		b := newBridge(coreFunc(func(edge.Head, edge.Facts) edge.Decision { return edge.Decision{Asset: &edge.Asset{}} }), nil)
		b.call(opConfigure)
		op, _, _ := strings.Cut(in, sep)
		if got := b.call(in); got == "" && op != opConfigure && op != opWarm {
			t.Errorf("%q: got no answer", in)
		}
	})
}
