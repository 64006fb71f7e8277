package edge

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/loongclaw/loongclaw/pkg/chat"
)

var (
	alice  = Identity{User: "alice", Scopes: []string{"read", "chat", "admin"}}
	reader = Identity{User: "bob", Scopes: []string{"read"}}
)

// sent reads the one frame of a decision.
func sent(t testing.TB, d FrameDecision) map[string]any {
	t.Helper()
	if len(d.Send) != 1 || d.Call != nil || d.Ask != nil {
		t.Fatalf("got %+v, want one frame", d)
	}
	var f map[string]any
	if err := json.Unmarshal(d.Send[0], &f); err != nil {
		t.Fatal(err)
	}
	return f
}

func TestFramesBecomeSignedCalls(t *testing.T) {
	c := newCore(t, nil)
	for frame, want := range map[string]Call{
		`{"type":"chat","data":{"message":"你好","sessionId":"a b","idempotencyKey":"k1","parentId":"p"}}`: {Method: "POST", Target: "/api/sessions/a%20b/runs", Body: []byte(`{"message":"你好","parentId":"p"}`), Session: "a b", Then: ThenFollow},
		`{"type":"chat","message":"hi","attachments":[{"path":"a.png"}]}`:                                {Method: "POST", Target: "/api/sessions/default/runs", Body: []byte(`{"message":"hi","attachments":[{"path":"a.png"}]}`), Session: "default", Then: ThenFollow},
		`{"type":"chat","message":"hi"}`:                                 {Method: "POST", Target: "/api/sessions/default/runs", Body: []byte(`{"message":"hi"}`), Session: "default", Then: ThenFollow},
		`{"type":"get_history","data":{"sessionId":"s?x"}}`:              {Method: "GET", Target: "/api/history/s%3Fx", Session: "s?x", Then: ThenHistory},
		`{"type":"clear_history","data":{"sessionId":"s"}}`:              {Method: "DELETE", Target: "/api/history/s", Session: "s", Then: ThenCleared},
		`{"type":"cancel","data":{"sessionId":"s"}}`:                     {Method: "POST", Target: "/api/sessions/s/cancel", Body: []byte(`{}`), Session: "s", Then: ThenNothing},
		`{"type":"approve","data":{"approvalId":"a","decision":"deny"}}`: {Method: "POST", Target: "/api/approvals/a", Body: []byte(`{"decision":"deny"}`), Then: ThenNothing},
		`{"type":"subscribe","data":{"sessionId":"s","after":"c&d"}}`:    {Method: "GET", Target: "/api/sessions/s/events?after=c%26d", Session: "s", Then: ThenRelay},
	} {
		d := c.Frame(alice, false, []byte(frame), generous())
		if d.Call == nil {
			t.Errorf("%s: got %+v", frame, d)
			continue
		}
		want.Upstreams = Upstreams{Agent: "http://agent", Repeat: want.Method == "GET" || strings.Contains(frame, "k1")}
		if diff := cmp.Diff(want, *d.Call, cmpopts.IgnoreFields(Call{}, "Set")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", frame, diff)
		}
		path, _, _ := strings.Cut(d.Call.Target, "?")
		if p := verify(t, d.Call.Set, d.Call.Method, path); p.User != "alice" {
			t.Errorf("%s: pass for %s", frame, p.User)
		}
		if got := d.Call.Set.Get(chat.HeaderIdempotencyKey); (got == "k1") != strings.Contains(frame, "k1") {
			t.Errorf("%s: idempotency key %q", frame, got)
		}
		if got := d.Call.Set.Get("Content-Type"); (got == "application/json") != (d.Call.Body != nil) {
			t.Errorf("%s: content type %q", frame, got)
		}
	}
}

func TestFollowBindsThePathWithoutTheQuery(t *testing.T) {
	k := newCore(t, nil).Follow(alice, "熊 大", Facts{})
	if k.Method != "GET" || k.Target != "/api/sessions/%E7%86%8A%20%E5%A4%A7/events" || k.Then != ThenRelay || k.Session != "熊 大" || k.Set.Get("Accept") != "text/event-stream" {
		t.Errorf("got %+v", k)
	}
	verify(t, k.Set, "GET", k.Target)
}

func TestFramesAreScopedAndLimited(t *testing.T) {
	c := newCore(t, nil)
	for frame, allowed := range map[string]bool{
		`{"type":"chat","data":{"message":"x","sessionId":"s"}}`: false, `{"type":"clear_history","data":{"sessionId":"s"}}`: false, `{"type":"cancel","data":{"sessionId":"s"}}`: false,
		`{"type":"approve","data":{"approvalId":"a","decision":"once"}}`: false, `{"type":"get_history","data":{"sessionId":"s"}}`: true, `{"type":"subscribe","data":{"sessionId":"s"}}`: true,
	} {
		d := c.Frame(reader, false, []byte(frame), generous())
		if (d.Call != nil) != allowed {
			t.Errorf("%s: got %+v", frame, d)
		}
		if !allowed && sent(t, d)["code"] != "forbidden" {
			t.Errorf("%s: got %s", frame, d.Send)
		}
		class := "api"
		if strings.Contains(frame, `"chat"`) {
			class = "chat"
		}
		if d = c.Frame(alice, false, []byte(frame), Facts{}); d.Ask == nil || d.Ask.Limit.Key != class+":alice" {
			t.Errorf("%s: got %+v, want a question for %s", frame, d, class)
		}
		d = c.Frame(alice, false, []byte(frame), Facts{Limits: map[string]LimitAnswer{class + ":alice": {}}})
		if f := sent(t, d); f["code"] != "rate_limited" || f["retryAfter"] != 1.0 || d.Close != nil {
			t.Errorf("%s: got %v", frame, f)
		}
	}
	if d := c.Frame(alice, false, []byte(`{"type":"ping"}`), Facts{}); string(d.Send[0]) != `{"type":"pong"}` {
		t.Errorf("ping: %+v", d)
	}
}

func TestRefusedFramesNameTheirSession(t *testing.T) {
	c := newCore(t, nil)
	for frame, want := range map[string][2]string{
		`{"type":"chat","data":{"message":" ","sessionId":"s1"}}`: {"missing_message", "s1"},
		`{"type":"chat"}`: {"missing_message", "default"},
		`{"type":"chat","data":{"message":"x","sessionId":"` + strings.Repeat("x", 300) + `"}}`: {"invalid_session", ""},
		`{"type":"approve","data":{"approvalId":"../x","decision":"once"}}`:                     {"invalid_request", ""},
		`{"type":"chat","data":{"message":"x","idempotencyKey":"a\nb"}}`:                        {"invalid_request", "default"},
		`{"type":"dance"}`: {"unknown_type", ""},
		`nonsense`:         {"invalid_json", ""},
	} {
		f := sent(t, c.Frame(alice, false, []byte(frame), generous()))
		session, _ := f["sessionId"].(string)
		if f["type"] != "error" || f["code"] != want[0] || session != want[1] || f["requestId"] != "id-0123456789" {
			t.Errorf("%.80s: got %v, want %v", frame, f, want)
		}
	}
	if f := sent(t, c.Frame(alice, true, []byte(`{"type":"ping"}`), generous())); f["code"] != "unsupported" {
		t.Errorf("binary: got %v", f)
	}
}

func TestFramesThatEndTheSocket(t *testing.T) {
	c := newCore(t, nil)
	for name, frame := range map[string]string{
		"message too long": `{"type":"chat","data":{"message":"` + strings.Repeat("x", chat.MaxMessage+1) + `"}}`,
		"frame too long":   strings.Repeat(" ", MaxFrame+1),
	} {
		d := c.Frame(alice, false, []byte(frame), generous())
		if f := sent(t, d); f["code"] != "too_large" || d.Close == nil || d.Close.Code != 1009 {
			t.Errorf("%s: got %v, %+v", name, f, d.Close)
		}
	}
	old := alice
	old.Expires = start.Unix()
	if d := c.Frame(old, false, []byte(`{"type":"ping"}`), generous()); d.Close == nil || d.Close.Code != 4401 || d.Send != nil {
		t.Errorf("expired: %+v", d)
	}
	old.Expires++
	if d := c.Frame(old, false, []byte(`{"type":"ping"}`), generous()); d.Close != nil {
		t.Errorf("not yet expired: %+v", d)
	}
}

func FuzzFrame(f *testing.F) {
	c := newCore(f, nil)
	f.Add(false, []byte(`{"type":"chat","data":{"message":"x"}}`))
	f.Add(true, []byte(`{"type":"approve","data":{"approvalId":"%2e","decision":"once"}}`))
	f.Fuzz(func(t *testing.T, binary bool, frame []byte) {
		d := c.Frame(alice, binary, frame, generous())
		if d.Ask != nil || (d.Call == nil) == (len(d.Send) == 0) {
			t.Errorf("got %+v", d)
		}
		if d.Call != nil {
			path, _, _ := strings.Cut(d.Call.Target, "?")
			verify(t, d.Call.Set, d.Call.Method, path)
		}
	})
}
