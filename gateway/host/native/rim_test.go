package native

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/gateway/edge"
)

// halfClose sends a request, waits until a text has come back (none is there at once),
// closes the sending side, and returns all that came.
func (r *rig) halfClose(t *testing.T, request, until string) []byte {
	t.Helper()
	conn := r.connect(t)
	_, _ = io.WriteString(conn, request)
	var answer []byte
	for piece := make([]byte, 4096); !bytes.Contains(answer, []byte(until)); {
		n, err := conn.Read(piece)
		if err != nil {
			t.Fatalf("%q came, and then %v; want %q in it", answer, err, until)
		}
		answer = append(answer, piece[:n]...)
	}
	_ = conn.(*net.TCPConn).CloseWrite()
	rest, _ := io.ReadAll(conn) // a cut is an answer, too: none
	return append(answer, rest...)
}

// A client that closes its sending side gets the agent's answer or none: never one
// that the agent did not give.
func TestHalfClosedClientsGetTheAnswerOrNone(t *testing.T) {
	for _, route := range []string{
		"PUT /api/files/x.txt", "DELETE /api/files/x.txt", "POST /api/memory", "POST /api/chat", "POST /api/sessions/b/runs", "PATCH /api/sessions/b",
		"DELETE /api/history", "POST /api/approvals/x", "GET /api/history/a", "GET /api/sessions/b/events", "POST /v1/chat/completions", "GET /v1/models",
	} {
		t.Run(route, func(t *testing.T) {
			r := newRig(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				select { // as an agent that has something to do
				case <-r.Context().Done():
				case <-time.After(300 * time.Millisecond):
				}
				w.WriteHeader(http.StatusAccepted)
				_, _ = io.WriteString(w, "taken")
			}))
			got := r.halfClose(t, route+" HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "+aliceToken+"\r\nContent-Length: 2\r\n\r\n{}", "")
			if len(got) > 0 && (!bytes.HasPrefix(got, []byte("HTTP/1.1 202")) || !bytes.HasSuffix(got, []byte("taken"))) {
				t.Errorf("got %q, want the agent's answer or none", got)
			}
		})
	}
}

// Half an answer must not look whole to a client that closed its sending side while
// it came.
func TestHalfClosedClientsGetNoHalfAnswers(t *testing.T) {
	for name, kind := range map[string]string{"a list": "application/json", "a stream": "text/event-stream"} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", kind)
				_, _ = io.WriteString(w, "data: [1,\n\n")
				_ = http.NewResponseController(w).Flush()
				select {
				case <-r.Context().Done():
				case <-time.After(time.Second):
				}
				_, _ = io.WriteString(w, "data: 2]\n\n")
			}))
			got := r.halfClose(t, "GET /api/sessions/b/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "+aliceToken+"\r\n\r\n", "[1,")
			whole := bytes.HasSuffix(got, []byte("\r\n0\r\n\r\n"))
			if whole && !bytes.Contains(got, []byte("2]")) {
				t.Errorf("got %q: half an answer with an end in order", got)
			}
		})
	}
}

// The rim holds for every handler, whatever it forgets.
func TestTheRimCutsWhoGivesNoAnswer(t *testing.T) {
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		want    string // the beginning of the answer; empty for none
	}{
		"nothing":         {func(http.ResponseWriter, *http.Request) {}, ""},
		"only headers":    {func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X-Y", "z") }, ""},
		"only on the way": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusEarlyHints) }, "HTTP/1.1 103"},
		"a head":          {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }, "HTTP/1.1 204"},
		"a body":          {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "x") }, "HTTP/1.1 200"},
		"an empty body":   {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(nil) }, "HTTP/1.1 200"},
		"through a wrapping": {func(w http.ResponseWriter, r *http.Request) {
			http.TimeoutHandler(http.NotFoundHandler(), time.Minute, "").ServeHTTP(w, r)
		}, "HTTP/1.1 404"},
		"by hand": {func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			_, _ = io.WriteString(conn, "HTTP/1.1 418 \r\n\r\n")
			_ = conn.Close()
		}, "HTTP/1.1 418"},
	} {
		t.Run(name, func(t *testing.T) {
			srv := httptest.NewServer(answering(c.handler))
			defer srv.Close()
			conn, err := net.Dial("tcp", srv.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.Close() }()
			_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
			got, _ := io.ReadAll(conn)
			if !strings.HasPrefix(string(got), c.want) || c.want == "" && len(got) > 0 || strings.Count(string(got), "HTTP/1.1 200") > 0 && c.want != "HTTP/1.1 200" {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// A decision that says nothing is an error, not a success.
func TestADecisionWithoutAnythingIsAnError(t *testing.T) {
	r := newRig(t, http.NotFoundHandler())
	w := httptest.NewRecorder()
	if got := r.host.carry(w, httptest.NewRequest(http.MethodGet, "/", http.NoBody), edge.Decision{RequestID: "r"}); got != 500 || w.Code != 500 {
		t.Errorf("got %d and %d, want 500", got, w.Code)
	}
}
