package native

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loongclaw/loongclaw/gateway/edge"
	"github.com/loongclaw/loongclaw/pkg/sse"
)

func TestForwardCarriesThePassAndDropsWhatIsPrivate(t *testing.T) {
	type seen struct{ User, Target, Auth, Cookie, Forwarded, Forged, Body, Type, Hop string }
	got := make(chan seen, 1)
	r := newRig(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		u, err := user(r)
		if err != nil {
			t.Errorf("pass: %v", err)
		}
		b, _ := io.ReadAll(r.Body)
		h := r.Header
		got <- seen{u, r.RequestURI, h.Get("Authorization"), h.Get("Cookie"), h.Get("X-Forwarded-For"), h.Get("X-LoongClaw-User"), string(b), h.Get("Content-Type"), h.Get("X-Hop")}
		w.Header().Set("X-Agent", "yes")
		w.Header().Set("X-Request-Id", "the agent's")
		w.WriteHeader(http.StatusAccepted)
		_, _ = io.WriteString(w, `{"runId":"r"}`)
	}))
	path := "/api/sessions/%e7%86%8a%20x/runs?a=1&b=%2F"
	resp, body := r.do(t, "POST", path, `{"message":"hi"}`, "Content-Type", "application/json", "Cookie", "c=1",
		"X-Forwarded-For", "1.2.3.4", "X-LoongClaw-User", "root", "X-Request-Id", "req-1", "Connection", "X-Hop", "X-Hop", "1")
	want := seen{User: "alice", Target: path, Body: `{"message":"hi"}`, Type: "application/json"}
	if diff := cmp.Diff(want, <-got); diff != "" {
		t.Errorf("the agent saw (-want +got):\n%s", diff)
	}
	if resp.StatusCode != 202 || body != `{"runId":"r"}` || resp.Header.Get("X-Agent") != "yes" || resp.Header.Get("X-Request-Id") != "req-1" {
		t.Errorf("got %d %q %v", resp.StatusCode, body, resp.Header)
	}
	if resp.Header.Get("RateLimit-Limit") != "1000000" || resp.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("missing headers: %v", resp.Header)
	}
}

func TestHeadGoesAsGetAndKeepsItsBodyHere(t *testing.T) {
	r := newRig(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := user(r); err != nil || r.Method != http.MethodGet {
			t.Errorf("%s: %v", r.Method, err)
		}
		_, _ = io.WriteString(w, `{"sessions":[]}`)
	}))
	resp, body := r.do(t, "HEAD", "/api/sessions", "")
	if resp.StatusCode != 200 || body != "" || resp.ContentLength != 15 {
		t.Errorf("got %d %q length %d", resp.StatusCode, body, resp.ContentLength)
	}
}

func TestEventsArriveAtOnce(t *testing.T) {
	next := make(chan struct{})
	r := newRig(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for i := range 3 {
			_, _ = w.Write(sse.Append(nil, sse.Event{Data: fmt.Appendf(nil, "%d", i)}))
			_ = http.NewResponseController(w).Flush()
			select {
			case <-next:
			case <-r.Context().Done():
				return
			}
		}
	}))
	resp := r.open(t, "GET", "/api/sessions/s/events", nil)
	defer func() { _ = resp.Body.Close() }()
	events := sse.NewReader(resp.Body, 1<<20)
	for i := range 3 { // each is only made once the one before has arrived
		e, err := events.Next()
		if err != nil || string(e.Data) != fmt.Sprint(i) {
			t.Fatalf("event %d: %q, %v", i, e.Data, err)
		}
		next <- struct{}{}
	}
}

func TestClientGoneCancelsTheAgentsRequest(t *testing.T) {
	for _, streaming := range []bool{true, false} {
		started, gone := make(chan struct{}), make(chan struct{})
		r := newRig(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if streaming {
				w.Header().Set("Content-Type", "text/event-stream")
				_ = http.NewResponseController(w).Flush()
			}
			_, _ = io.Copy(io.Discard, r.Body)
			close(started)
			<-r.Context().Done()
			close(gone)
		}))
		ctx, cancel := context.WithCancel(t.Context())
		req, _ := http.NewRequestWithContext(ctx, "POST", r.url+"/api/chat", strings.NewReader(`{"message":"x"}`))
		req.Header.Set("Authorization", "bearer "+aliceToken)
		go func() { <-started; cancel() }()
		resp, err := r.client.Do(req)
		if err == nil {
			_, err = io.ReadAll(resp.Body)
			_ = resp.Body.Close()
		}
		if !errors.Is(err, context.Canceled) {
			t.Errorf("streaming %v: got %v", streaming, err)
		}
		select {
		case <-gone:
		case <-time.After(5 * time.Second):
			t.Errorf("streaming %v: the agent's request went on", streaming)
		}
	}
}

func TestAgentTroubleIsTold(t *testing.T) {
	hang := func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	}
	for name, tc := range map[string]struct {
		agent   http.HandlerFunc
		options []option
		path    string
		status  int
		code    string
	}{
		"not there":        {nil, []option{func(e *edge.Config, _ *Config) { e.Agents = []string{"http://127.0.0.1:1"} }}, "/api/stats", 503, "unavailable"},
		"breaks off":       {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, nil, "/api/stats", 502, "agent_failed"},
		"hangs":            {hang, []option{func(_ *edge.Config, h *Config) { h.Timeouts.Agent = 50 * time.Millisecond }}, "/api/stats", 504, "agent_timeout"},
		"refuses the pass": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(401) }, nil, "/api/stats", 502, "agent_failed"},
		"its own error": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(409)
			_, _ = io.WriteString(w, `{"error":"busy","code":"session_busy"}`)
		}, nil, "/api/stats", 409, "session_busy"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, tc.agent, tc.options...)
			resp, body := r.do(t, "GET", tc.path, "")
			if resp.StatusCode != tc.status || !strings.Contains(body, `"code":"`+tc.code+`"`) {
				t.Errorf("got %d %s, want %d %s", resp.StatusCode, body, tc.status, tc.code)
			}
			if tc.status == 503 && resp.Header.Get("Retry-After") == "" {
				t.Error("no Retry-After")
			}
		})
	}
}

func TestALargeAnswerMayTakeLongerThanASlowAgent(t *testing.T) {
	const parts = 6
	r := newRig(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for range parts {
			_, _ = io.WriteString(w, "part")
			_ = http.NewResponseController(w).Flush()
			time.Sleep(250 * time.Millisecond)
		}
	}), func(_ *edge.Config, h *Config) { h.Timeouts.Agent = time.Second })
	if resp, body := r.do(t, "GET", "/api/files/large.bin", ""); resp.StatusCode != 200 || body != strings.Repeat("part", parts) {
		t.Errorf("got %d %q", resp.StatusCode, body)
	}
}

func TestCutStreamIsNoCleanEnd(t *testing.T) {
	for name, tc := range map[string]struct {
		sent string
		told bool
	}{
		"at an event's end": {"data: 1\n\n", true},
		"inside an event":   {"data: {\"half\":", false},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/event-stream")
				_, _ = io.WriteString(w, tc.sent)
				_ = http.NewResponseController(w).Flush()
				panic(http.ErrAbortHandler)
			}))
			resp := r.open(t, "GET", "/api/sessions/s/events", nil)
			defer func() { _ = resp.Body.Close() }()
			b, err := io.ReadAll(resp.Body)
			if err == nil {
				t.Errorf("the stream ended as if it were whole: %q", b)
			}
			if got := strings.Contains(string(b), "event: error\n"); got != tc.told {
				t.Errorf("error event: got %v in %q, want %v", got, b, tc.told)
			}
		})
	}
}

func TestBodies(t *testing.T) {
	reached := make(chan struct{}, 10)
	r := newRig(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		reached <- struct{}{}
	}), func(_ *edge.Config, h *Config) { h.Timeouts.Body = 100 * time.Millisecond })

	t.Run("declared too long", func(t *testing.T) {
		resp, body := r.do(t, "POST", "/api/chat", strings.Repeat("x", 3<<20))
		if resp.StatusCode != 413 || !strings.Contains(body, `"code":"too_large"`) {
			t.Errorf("got %d %s", resp.StatusCode, body)
		}
	})
	t.Run("chunked too long", func(t *testing.T) {
		resp := r.open(t, "POST", "/api/approvals/a", io.MultiReader(strings.NewReader(strings.Repeat("x", 100<<10))))
		b, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if resp.StatusCode != 413 || !strings.Contains(string(b), `"code":"too_large"`) {
			t.Errorf("got %d %s", resp.StatusCode, b)
		}
	})
	t.Run("never ends", func(t *testing.T) {
		for _, head := range []string{"Content-Length: 100", "Transfer-Encoding: chunked"} {
			answer := r.raw(t, "POST /api/approvals/a HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "+aliceToken+"\r\n"+head+"\r\n\r\n")
			if !bytes.HasPrefix(answer, []byte("HTTP/1.1 408 ")) || !bytes.Contains(answer, []byte(`"code":"request_timeout"`)) {
				t.Errorf("%s: got %q", head, answer)
			}
		}
	})
	t.Run("never ends and nobody reads it", func(t *testing.T) {
		answer := r.raw(t, "POST /api/chat HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n")
		if !bytes.HasPrefix(answer, []byte("HTTP/1.1 401 ")) {
			t.Errorf("got %q", answer)
		}
	})
	if len(reached) != 0 {
		t.Errorf("%d bad bodies reached the agent", len(reached))
	}
}

// raw sends text and reads until the gateway closes.
func (r *rig) raw(t *testing.T, text string) []byte {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(r.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(bufio.NewReader(conn))
	if err != nil && !errors.Is(err, net.ErrClosed) {
		t.Errorf("the gateway did not close: %v", err)
	}
	return b
}

// golang/go#40747: a proxy that reads the body late loses ends of answers.
func TestStreamedPostsAreWhole(t *testing.T) {
	const streams, perStream, workers = 2000, 50, 16
	r := newRig(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for i := range perStream {
			_, _ = w.Write(sse.Append(nil, sse.Event{Data: fmt.Appendf(nil, "%d", i)}))
			_ = http.NewResponseController(w).Flush()
		}
		_, _ = io.Copy(io.Discard, r.Body)
	}))
	body := `{"message":"` + strings.Repeat("x", 8<<10) + `"}`
	jobs := make(chan struct{})
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for range jobs {
				resp := r.open(t, "POST", "/api/chat", strings.NewReader(body))
				events := sse.NewReader(resp.Body, 1<<20)
				n := 0
				for ; ; n++ {
					e, err := events.Next()
					if errors.Is(err, io.EOF) {
						break
					}
					if err != nil || string(e.Data) != fmt.Sprint(n) {
						t.Errorf("event %d: %q, %v", n, e.Data, err)
						break
					}
				}
				_ = resp.Body.Close()
				if n != perStream {
					t.Errorf("got %d events, want %d", n, perStream)
				}
			}
		})
	}
	for range streams {
		jobs <- struct{}{}
	}
	close(jobs)
	wg.Wait()
}
