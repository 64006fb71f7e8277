package httpapi

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/agent/egress"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
	"github.com/loongclaw/loongclaw/pkg/pass"
)

// openEntrance is the agent's port: the rig's server behind its entrance.
func openEntrance(t *testing.T, r *rig, stranger time.Duration) *httptest.Server {
	t.Helper()
	e := &Startup{Keys: r.Keys, stranger: stranger}
	e.Open(r.Server)
	srv := httptest.NewServer(e)
	t.Cleanup(srv.Close)
	return srv
}

func dial(t *testing.T, srv *httptest.Server) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	return conn
}

// strangers are requests without a pass whose body never comes.
var strangers = map[string]string{
	"a chat":          "POST /api/chat HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{",
	"in chunks":       "POST /api/chat HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
	"a file":          "PUT /api/files/x HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n",
	"of a GET":        "GET /api/stats HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n",
	"with no route":   "POST /no/such/path HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n",
	"after a wait":    "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 10\r\n\r\n",
	"to the keeper's": "GET /active HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n",
}

// Their refusal does not wait for the body, which may never come.
func TestStrangersAreRefusedAtOnce(t *testing.T) {
	srv := openEntrance(t, newRig(t), time.Hour)
	for name, head := range strangers {
		conn := dial(t, srv)
		_, _ = io.WriteString(conn, head)
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil || resp.StatusCode != 401 && resp.StatusCode != 404 {
			t.Errorf("%s: got %v, %v, want a refusal", name, resp, err)
		}
		_ = conn.Close()
	}
}

// They are gone soon after.
func TestStrangersAreNotHeld(t *testing.T) {
	srv := openEntrance(t, newRig(t), 300*time.Millisecond)
	for name, head := range strangers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn := dial(t, srv)
			_, _ = io.WriteString(conn, head)
			if _, err := io.Copy(io.Discard, conn); err != nil && strings.Contains(err.Error(), "timeout") {
				t.Error("the connection is still there")
			}
		})
	}
}

// Who was let in has time: the deadline for strangers does not reach into a body
// that is being read, nor into what comes after it.
func TestWhoWasLetInHasTime(t *testing.T) {
	r := newRig(t)
	srv := openEntrance(t, r, 300*time.Millisecond)
	conn := dial(t, srv)
	q := r.request(http.MethodPost, "/api/chat", "")
	_, _ = io.WriteString(conn, "POST /api/chat HTTP/1.1\r\nHost: x\r\nContent-Length: 16\r\n"+chat.HeaderPass+": "+q.Header.Get(chat.HeaderPass)+"\r\n\r\n")
	time.Sleep(100 * time.Millisecond) // it is let in and reads
	for _, piece := range []string{`{"mess`, `age":"`, `wo"}`} {
		_, _ = io.WriteString(conn, piece)
		time.Sleep(250 * time.Millisecond)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	if b, _ := io.ReadAll(resp.Body); resp.StatusCode != 200 {
		t.Errorf("got %d %s, want 200", resp.StatusCode, b)
	}
}

// A handler that forgets its answer has none: 200 would be a promise.
// TestARefusalReachesWhoStillSends sends far more than the agent needs to see that it
// cannot take it, at the pace of a slow line. The answer comes all the same, once all
// is sent; it was lost when the connection was closed meanwhile.
func TestARefusalReachesWhoStillSends(t *testing.T) {
	r := newRig(t)
	srv := openEntrance(t, r, 10*time.Second)
	for name, c := range map[string]struct {
		path string
		byte byte
		want int
	}{
		"no tar":                    {chat.PathMemory + "/import", 'x', 400},
		"a tar that ends at once":   {chat.PathMemory + "/import", 0, 400},
		"a file that is too large":  {chat.PathFiles + "/a.bin", 'x', 413},
		"a message that is no JSON": {chat.PathChat, 'x', 413},
	} {
		t.Run(name, func(t *testing.T) {
			method := http.MethodPost
			if c.want == 413 && c.path != chat.PathChat {
				method = http.MethodPut
			}
			body := bytes.Repeat([]byte{c.byte}, 10<<20)
			request := r.request(method, c.path, "")
			conn := dial(t, srv)
			head := method + " " + c.path + " HTTP/1.1\r\nHost: x\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n"
			for k := range request.Header {
				head += k + ": " + request.Header.Get(k) + "\r\n"
			}
			if _, err := io.WriteString(conn, head+"\r\n"); err != nil {
				t.Fatal(err)
			}
			for len(body) > 0 {
				n, err := conn.Write(body[:min(len(body), 1<<20)])
				if err != nil {
					t.Fatalf("the connection was closed while %d bytes were still to be sent: %v", len(body), err)
				}
				body = body[n:]
				time.Sleep(100 * time.Millisecond) // longer in all than net/http leaves a connection open
			}
			resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil || resp.StatusCode != c.want {
				t.Errorf("got %v, %v, want %d", resp, err, c.want)
			}
		})
	}
}

func TestNoAnswerIsNoSuccess(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		serveWhole(func(w http.ResponseWriter, _ *http.Request) {
			if r.URL.Path == "/early" {
				w.WriteHeader(http.StatusEarlyHints)
			}
		}, w, r, time.Second)
	}))
	defer srv.Close()
	for _, path := range []string{"/", "/early"} {
		conn := dial(t, srv)
		_, _ = io.WriteString(conn, "GET "+path+" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
		if got, _ := io.ReadAll(conn); bytes.Contains(got, []byte("HTTP/1.1 200")) {
			t.Errorf("%s: got %q, want no answer", path, got)
		}
	}
}

// What runs, and whose, is told to whoever keeps the agent and to nobody else.
func TestActiveNeedsACredential(t *testing.T) {
	const keeper = "keeper-token-0123456789"
	r := newRig(t)
	_, other, _ := ed25519.GenerateKey(nil)
	handed := func(body string) *egress.Tokens {
		d := egress.Expect("http://r2.internal")
		if err := d.Take(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, egress.Path, strings.NewReader(body))); err != nil {
			t.Fatal(err)
		}
		return d
	}
	kept := handed(`{"token":"first-token-0123456789","users":{"alice":"alice-token-0123456789"},"keeper":"` + keeper + `"}`)
	old := handed(`{"token":"first-token-0123456789"}`)
	signed := func(key ed25519.PrivateKey, path string, at time.Time) string {
		text, err := pass.Sign(key, pass.Pass{User: "alice", Scopes: []string{"read"}, Method: http.MethodGet, Path: path}, at)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	for name, c := range map[string]struct {
		egress *egress.Tokens
		token  string
		pass   string
		status int
	}{
		"a stranger":                         {nil, "", "", 401},
		"a token where none was handed":      {nil, keeper, "", 401},
		"a pass":                             {nil, "", signed(r.key, "/active", time.Now()), 200},
		"a pass for something else":          {nil, "", signed(r.key, "/api/stats", time.Now()), 401},
		"an old pass":                        {nil, "", signed(r.key, "/active", time.Now().Add(-time.Hour)), 401},
		"another key's pass":                 {nil, "", signed(other, "/active", time.Now()), 401},
		"a stranger in a container":          {kept, "", "", 401},
		"a user's token in a container":      {kept, "alice-token-0123456789", "", 401},
		"the keeper":                         {kept, keeper, "", 200},
		"an older object, which brings none": {old, "", "", 200},
		"a container without its tokens yet": {egress.Expect("http://r2.internal"), "", "", 401},
	} {
		e := &Startup{Egress: c.egress, Keys: r.Keys}
		e.Open(r.Server)
		for _, target := range []string{"/active", "/active?user=alice", "/%61ctive"} {
			q := httptest.NewRequest(http.MethodGet, target, http.NoBody)
			q.Header.Set(egress.Header, c.token)
			q.Header.Set(chat.HeaderPass, c.pass)
			w := httptest.NewRecorder()
			e.ServeHTTP(w, q)
			if target == "/%61ctive" {
				if w.Code == 200 && c.status != 200 {
					t.Errorf("%s, %s: got %d", name, target, w.Code)
				}
				continue
			}
			if w.Code != c.status {
				t.Errorf("%s, %s: got %d %s, want %d", name, target, w.Code, w.Body, c.status)
			}
			if w.Code == 401 && strings.Contains(w.Body.String(), "active\":") {
				t.Errorf("%s: %s tells what runs", name, w.Body)
			}
		}
	}
}

// The entrance speaks the dialect of the path, before there is a server, too.
func TestTheEntranceSpeaksBothDialects(t *testing.T) {
	for _, path := range []string{chat.PathCompletions, chat.PathOpenAIModels, "/v1/no/such"} {
		w := httptest.NewRecorder()
		new(Startup).ServeHTTP(w, httptest.NewRequest(http.MethodPost, path, http.NoBody))
		var got struct {
			Error struct{ Message, Type, Code string }
		}
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != 503 || got.Error.Type != "server_error" || got.Error.Code != string(fault.CodeUnavailable) || got.Error.Message == "" {
			t.Errorf("%s: got %d %s, %v", path, w.Code, w.Body, err)
		}
	}
}
