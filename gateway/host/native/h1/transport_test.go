package h1

import (
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
)

func TestConnectionsAreKept(t *testing.T) {
	s, rt := says(t, hello), fresh()
	for range 20 {
		if got := ask(t, rt, s.url); got.body != "hello" {
			t.Fatalf("got %+v", got)
		}
	}
	if n := s.conns.Load(); n != 1 {
		t.Errorf("%d connections for 20 requests, want 1", n)
	}
}

// What comes after an answer, at once or later, is nobody's: taken for the next answer
// it would be another user's.
func TestWhatNobodyAskedForIsNoAnswer(t *testing.T) {
	const stray = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nstray"
	for name, wait := range map[string]time.Duration{"at once": 0, "later": 20 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			sent := make(chan struct{}, 64)
			s := serve(t, func(_, _ int64, c net.Conn, _ *http.Request) bool {
				if wait == 0 {
					_, _ = io.WriteString(c, hello+stray)
				} else {
					_, _ = io.WriteString(c, hello)
					time.Sleep(wait)
					_, _ = io.WriteString(c, stray)
				}
				sent <- struct{}{}
				return true
			})
			rt := fresh()
			for i := range 5 {
				if got := ask(t, rt, s.url); got.body != "hello" {
					t.Fatalf("request %d: got %+v", i, got)
				}
				<-sent
			}
			if n := s.conns.Load(); n != 5 {
				t.Errorf("%d connections for 5 requests, want 5", n)
			}
		})
	}
}

func TestConnectionsThatCannotServeAgainAreNotKept(t *testing.T) {
	for name, text := range map[string]string{
		"it said so":    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello",
		"HTTP/1.0":      "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello",
		"no body at it": "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			s, rt := says(t, text), fresh()
			for range 3 {
				if got := ask(t, rt, s.url); got.failed {
					t.Fatalf("got %+v", got)
				}
			}
			if n := s.conns.Load(); n != 3 {
				t.Errorf("%d connections for 3 requests, want 3", n)
			}
		})
	}
	t.Run("the body was not read", func(t *testing.T) {
		s, rt := says(t, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"+strings.Repeat("a", 100000)), fresh()
		for range 3 {
			resp, err := rt.RoundTrip(newRequest(t.Context(), t, http.MethodGet, s.url, ""))
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			if _, err := resp.Body.Read(make([]byte, 1)); err == nil || errors.Is(err, io.EOF) {
				t.Errorf("reading on after Close: %v", err)
			}
		}
		if n := s.conns.Load(); n != 3 {
			t.Errorf("%d connections for 3 requests, want 3", n)
		}
	})
}

// The rest of an answer that its caller left is still to come.
func TestAConnectionWithAnAnswerUnderWayIsNotKept(t *testing.T) {
	rest := make(chan struct{})
	s := serve(t, func(n, _ int64, c net.Conn, _ *http.Request) bool {
		if n > 1 {
			_, _ = io.WriteString(c, hello)
			return true
		}
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
		<-rest
		_, _ = io.WriteString(c, "other")
		return true
	})
	rt := fresh()
	resp, err := rt.RoundTrip(newRequest(t.Context(), t, http.MethodGet, s.url, ""))
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	time.AfterFunc(20*time.Millisecond, func() { close(rest) })
	if got := ask(t, rt, s.url); got.body != "hello" || s.conns.Load() != 2 {
		t.Errorf("got %+v over %d connections", got, s.conns.Load())
	}
}

// A kept connection that the other side closes just when it is written to: what does no
// harm twice is sent again, once, and nothing else is.
func TestWhatAKeptConnectionLostIsSentAgainWhereThatIsHarmless(t *testing.T) {
	for _, tc := range []struct {
		name, method, key, last string
		answered                bool
	}{
		{"a GET", http.MethodGet, "", "", true},
		{"a POST", http.MethodPost, "", "", false},
		{"a POST with a key", http.MethodPost, "k", "", true},
		{"an answer that had begun", http.MethodGet, "", "HTTP/1.1 200", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := serve(t, func(n, _ int64, c net.Conn, r *http.Request) bool {
				if n == 2 { // read, and then left without an answer
					_, _ = io.WriteString(c, tc.last)
					return false
				}
				_, _ = io.WriteString(c, hello)
				return true
			})
			rt := fresh()
			if got := ask(t, rt, s.url); got.body != "hello" {
				t.Fatalf("got %+v", got)
			}
			r := newRequest(t.Context(), t, tc.method, s.url, "body")
			if tc.key != "" {
				r.Header.Set("Idempotency-Key", tc.key)
			}
			got := do(rt, r)
			want := int64(2)
			if tc.answered {
				want = 3
			}
			if got.failed == tc.answered || s.asked.Load() != want {
				t.Errorf("got %+v after %d requests, want %d", got, s.asked.Load(), want)
			}
		})
	}
	t.Run("one that is never answered", func(t *testing.T) {
		s := serve(t, func(n, _ int64, c net.Conn, _ *http.Request) bool {
			if n == 1 {
				_, _ = io.WriteString(c, hello)
			}
			return n == 1
		})
		rt := fresh()
		ask(t, rt, s.url)
		if got := ask(t, rt, s.url); !got.failed || s.asked.Load() != 3 {
			t.Errorf("got %+v after %d requests, want a failure after 3", got, s.asked.Load())
		}
	})
}

// A connection that was closed while it waited is seen to be, so that even what must not
// be sent twice is answered.
func TestAClosedConnectionIsNotUsed(t *testing.T) {
	closed := make(chan struct{}, 64)
	s := serve(t, func(_, _ int64, c net.Conn, _ *http.Request) bool {
		_, _ = io.WriteString(c, hello)
		_ = c.Close()
		closed <- struct{}{}
		return false
	})
	rt := fresh()
	for i := range 20 {
		if got := do(rt, newRequest(t.Context(), t, http.MethodPost, s.url, "body")); got.body != "hello" {
			t.Fatalf("request %d: got %+v", i, got)
		}
		<-closed
	}
}

func TestItsContextEndsARequest(t *testing.T) {
	left := make(chan struct{}, 4)
	for name, text := range map[string]string{
		"before the head": "", "in the head": "HTTP/1.1 200 OK\r\nContent", "in the body": "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello",
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, func(_, _ int64, c net.Conn, _ *http.Request) bool {
				_, _ = io.WriteString(c, text)
				_, _ = c.Read(make([]byte, 1)) // returns when the other side goes
				left <- struct{}{}
				return false
			})
			ctx, cancel := context.WithCancelCause(t.Context())
			r := newRequest(ctx, t, http.MethodGet, s.url, "")
			time.AfterFunc(30*time.Millisecond, func() { cancel(errGone) })
			resp, err := fresh().RoundTrip(r)
			if err == nil {
				_, err = io.ReadAll(resp.Body)
				_ = resp.Body.Close()
			}
			if !errors.Is(err, errGone) {
				t.Errorf("got %v, want the cause", err)
			}
			select {
			case <-left:
			case <-time.After(10 * time.Second):
				t.Error("the server was not left")
			}
		})
	}
	t.Run("before it began", func(t *testing.T) {
		s := says(t, hello)
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(errGone)
		if _, err := fresh().RoundTrip(newRequest(ctx, t, http.MethodGet, s.url, "")); !errors.Is(err, errGone) || s.conns.Load() != 0 {
			t.Errorf("got %v after %d connections", err, s.conns.Load())
		}
	})
	t.Run("while it dials", func(t *testing.T) {
		rt := plain()
		rt.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, &net.OpError{Op: "dial", Err: ctx.Err()}
		}
		Register(rt)
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(10*time.Millisecond, func() { cancel(errGone) })
		if _, err := rt.RoundTrip(newRequest(ctx, t, http.MethodGet, "http://127.0.0.1:1/", "")); !errors.Is(err, errGone) {
			t.Errorf("got %v, which says something about the agent", err)
		}
	})
}

// A context that ends after its answer leaves the connection to others.
func TestALateContextEndsNobodyElse(t *testing.T) {
	s, rt := says(t, hello), fresh()
	for range 200 {
		ctx, cancel := context.WithCancel(t.Context())
		if got := do(rt, newRequest(ctx, t, http.MethodGet, s.url, "")); got.body != "hello" {
			t.Fatalf("got %+v", got)
		}
		go cancel()
		if got := ask(t, rt, s.url); got.body != "hello" {
			t.Fatalf("another's: got %+v", got)
		}
	}
}

func TestKeptConnectionsAreForgotten(t *testing.T) {
	s := says(t, hello)
	rt := plain()
	rt.IdleConnTimeout, rt.MaxIdleConnsPerHost = 40*time.Millisecond, 2
	h := &transport{dial: rt.DialContext, head: maxHead, kept: kept{most: 2, wait: 40 * time.Millisecond}}
	var all sync.WaitGroup
	held := make(chan struct{})
	for range 5 { // open at once
		resp, err := h.RoundTrip(newRequest(t.Context(), t, http.MethodGet, s.url, ""))
		if err != nil {
			t.Fatal(err)
		}
		all.Go(func() {
			<-held
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		})
	}
	close(held)
	all.Wait()
	count := func() (n int) {
		h.kept.mu.Lock()
		defer h.kept.mu.Unlock()
		for _, all := range h.kept.by {
			n += len(all)
		}
		return n
	}
	if n := count(); n > 2 {
		t.Errorf("%d are kept, want at most 2", n)
	}
	until(t, "forgotten", func() bool { return count() == 0 })
	h.kept.mu.Lock()
	defer h.kept.mu.Unlock()
	if len(h.kept.by) != 0 {
		t.Errorf("addresses are left: %v", h.kept.by)
	}
}

func TestWhatIsNotSmallGoesTheOrdinaryWay(t *testing.T) {
	for name, change := range map[string]func(*http.Request){
		"a long body":         func(r *http.Request) { r.ContentLength = maxBody + 1 },
		"a body of no length": func(r *http.Request) { r.ContentLength = -1 },
		"a body that is had once": func(r *http.Request) {
			r.GetBody = nil
		},
		"an upgrade":          func(r *http.Request) { r.Header.Set("Upgrade", "websocket") },
		"a connection option": func(r *http.Request) { r.Header.Set("Connection", "upgrade") },
		"an expectation":      func(r *http.Request) { r.Header.Set("Expect", "100-continue") },
		"a last one":          func(r *http.Request) { r.Close = true },
		"a trailer":           func(r *http.Request) { r.Trailer = http.Header{"X-Sum": nil} },
		"no host":             func(r *http.Request) { r.URL.Host = "" },
		"a host of letters":   func(r *http.Request) { r.URL.Host = "例子.example" },
		"a host of two words": func(r *http.Request) { r.URL.Host = "two words" },
		"a method of its own": func(r *http.Request) { r.Method = "GET /x" },
		"a tunnel":            func(r *http.Request) { r.Method = http.MethodConnect },
	} {
		r := newRequest(t.Context(), t, http.MethodPost, "http://127.0.0.1:1/", "body")
		if !isSmall(r) {
			t.Fatal("a small one is not")
		}
		if change(r); isSmall(r) {
			t.Errorf("%s is small", name)
		}
	}
	// A header that net/http refuses is refused.
	r := newRequest(t.Context(), t, http.MethodGet, "http://127.0.0.1:1/", "")
	r.Header["X-A"] = []string{"a\r\nX-B: c"}
	if _, err := fresh().RoundTrip(r); err == nil || !strings.Contains(err.Error(), "invalid header") {
		t.Errorf("got %v", err)
	}
}

// Whatever happens to others, everybody gets the answer to his own request.
func TestEverybodyGetsHisOwnAnswer(t *testing.T) {
	s := serve(t, func(n, _ int64, c net.Conn, r *http.Request) bool {
		body := r.URL.Path
		switch n % 7 {
		case 0:
			return false
		case 1:
			_, _ = fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(body), body)
		case 2:
			_, _ = fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s/stray", len(body), body)
		default:
			_, _ = fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
		}
		return true
	})
	rt := fresh()
	var all sync.WaitGroup
	for who := range 16 {
		all.Go(func() {
			for i := range 100 {
				ctx, cancel := context.WithCancel(t.Context())
				path := fmt.Sprintf("/%d/%d", who, i)
				r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+path, nil)
				if err != nil {
					t.Error(err)
				}
				if i%5 == 0 {
					time.AfterFunc(time.Duration(i)*10*time.Microsecond, cancel)
				}
				if got := do(rt, r); !got.failed && !got.cut && got.body != path {
					t.Errorf("%s got %+v", path, got)
				}
				cancel()
			}
		})
	}
	all.Wait()
}
