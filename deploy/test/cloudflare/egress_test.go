package cloudflare

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/deploy/internal/testenv"
)

// egressToken is alice's, made of the key that wrangler/test/egress.mjs has.
const egressToken = "alice.fdd2f1d12f26df070f6ce2f0526f1fa7e9bd5e9ae143ba0c4821c7a06893fcc8"

// provider answers each request as the test says.
type provider struct {
	*httptest.Server
	mu     sync.Mutex
	seen   []*http.Request
	bodies []string
	answer http.HandlerFunc
	read   http.HandlerFunc // instead of answer, where a body is not kept
}

func newProvider(t *testing.T) *provider {
	t.Helper()
	p := &provider{}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		read := p.read
		p.mu.Unlock()
		if read != nil {
			read(w, r)
			return
		}
		b, _ := io.ReadAll(r.Body)
		p.mu.Lock()
		p.seen, p.bodies = append(p.seen, r), append(p.bodies, string(b))
		answer := p.answer
		p.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(p.Close)
	return p
}

func (p *provider) answers(h http.HandlerFunc) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen, p.bodies, p.answer, p.read = nil, nil, h, nil
}

func (p *provider) reads(h http.HandlerFunc) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.read = h
}

// only is the one request that came since answers.
func (p *provider) only(t *testing.T) (*http.Request, string) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.seen) != 1 {
		t.Fatalf("the provider got %d requests, want 1", len(p.seen))
	}
	return p.seen[0], p.bodies[0]
}

// asking asks the proxy.
type asking func(ctx context.Context, method, path, token, body string, header http.Header) *http.Response

// egressTo starts the egress proxy alone, in workerd.
func egressTo(t *testing.T, vars map[string]string) asking {
	t.Helper()
	w, err := testenv.StartWorker(t.Context(), testenv.WorkerOptions{Dir: t.TempDir(), Vars: vars, Config: "test/egress.jsonc"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		w.Down()
		if t.Failed() {
			t.Logf("what wrangler said:\n%s", w.Log())
		}
	})
	return func(ctx context.Context, method, path, token, body string, header http.Header) *http.Response {
		t.Helper()
		q, err := http.NewRequestWithContext(ctx, method, w.Base+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if b, ok := ctx.Value(long).(longBody); ok {
			q.Body, q.ContentLength = b.Reader, b.length
		}
		q.Header = header.Clone()
		if q.Header == nil {
			q.Header = http.Header{}
		}
		q.Header.Set("X-Test-Egress", "llm.internal")
		q.Header.Set("X-LoongClaw-Door", token)
		res, err := http.DefaultTransport.RoundTrip(q)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = res.Body.Close() })
		return res
	}
}

func TestTheWayToTheModels(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: -short")
	}
	p := newProvider(t)
	const nobody = "127.0.0.1:1" // nobody listens there
	ask := egressTo(t, map[string]string{
		"OPENAI_API_KEY": modelKey, "OPENAI_BASE_URL": p.URL + "/v1",
		"GLM_API_KEY": otherKey, "GLM_API_URL": p.URL + "/api/paas/v4/chat/completions",
		"KIMI_API_KEY": otherKey, "KIMI_API_URL": "http://user:password@" + nobody + "/v1",
		"OLLAMA_URL": p.URL,
	})
	const chat = "/openai/chat/completions"
	const sent = `{"model":"m","messages":[{"role":"user","content":"熊"}]}`
	asks := http.Header{
		"Content-Type": {"application/json"}, "Accept": {"text/event-stream"}, "Authorization": {"Bearer the-container's"}, "Cookie": {"a=b"},
		"X-Api-Key": {"mine"}, "Openai-Organization": {"mine"}, "Forwarded": {"for=1"}, "User-Agent": {"agent"},
	}

	t.Run("the key is added, and nothing else of the container's passes", func(t *testing.T) {
		p.answers(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Set-Cookie", "a=b")
			w.Header().Set("X-Request-Id", "r1")
			w.Header().Set("X-Ratelimit-Remaining-Tokens", "7")
			w.Header().Set("Openai-Organization", "the owner's")
			_, _ = io.WriteString(w, `{"ok":true}`)
		})
		for _, tt := range []struct{ path, auth, at string }{
			{chat, "Bearer " + modelKey, "/v1/chat/completions"},
			{"/glm/chat/completions", "Bearer " + otherKey, "/api/paas/v4/chat/completions"},
			{"/ollama/chat/completions", "", "/v1/chat/completions"},
		} {
			p.answers(p.answer)
			res := ask(t.Context(), http.MethodPost, tt.path, egressToken, sent, asks)
			body, _ := io.ReadAll(res.Body)
			if res.StatusCode != http.StatusOK || string(body) != `{"ok":true}` {
				t.Fatalf("%s: got %d %s", tt.path, res.StatusCode, body)
			}
			q, got := p.only(t)
			if got != sent || q.URL.Path != tt.at || q.Header.Get("Authorization") != tt.auth || q.Method != http.MethodPost {
				t.Errorf("%s: the provider got %s %s with %q and %s", tt.path, q.Method, q.URL.Path, q.Header.Get("Authorization"), got)
			}
			for _, name := range []string{"Cookie", "X-Api-Key", "Openai-Organization", "Forwarded", "X-Loongclaw-Door", "X-Test-Egress"} {
				if v := q.Header.Get(name); v != "" {
					t.Errorf("%s: the provider got %s: %s", tt.path, name, v)
				}
			}
			if res.Header.Get("X-Request-Id") != "r1" || res.Header.Get("X-Ratelimit-Remaining-Tokens") != "7" || res.Header.Get("Set-Cookie") != "" || res.Header.Get("Openai-Organization") != "" {
				t.Errorf("%s: the agent got %v", tt.path, res.Header)
			}
		}
	})

	t.Run("a stream passes piece by piece, and byte for byte", func(t *testing.T) {
		next := make(chan struct{})
		p.answers(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			for _, piece := range []string{"data: 熊\n\n", "data: 大\r\n\r\n", ": \x00\xff\n"} {
				_, _ = io.WriteString(w, piece)
				_ = http.NewResponseController(w).Flush()
				select {
				case <-next:
				case <-r.Context().Done():
					return
				}
			}
		})
		res := ask(t.Context(), http.MethodPost, chat, egressToken, sent, asks)
		for _, want := range []string{"data: 熊\n\n", "data: 大\r\n\r\n", ": \x00\xff\n"} {
			got := make([]byte, len(want))
			if _, err := io.ReadFull(res.Body, got); err != nil || string(got) != want {
				t.Fatalf("got %q, %v, want %q before the next piece is sent", got, err, want)
			}
			next <- struct{}{}
		}
		if rest, err := io.ReadAll(res.Body); err != nil || len(rest) != 0 {
			t.Errorf("then %q and %v", rest, err)
		}
	})

	t.Run("a stream that breaks off does not look whole", func(t *testing.T) {
		p.answers(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "data: 1\n\n")
			_ = http.NewResponseController(w).Flush()
			time.Sleep(100 * time.Millisecond)
			panic(http.ErrAbortHandler)
		})
		res := ask(t.Context(), http.MethodPost, chat, egressToken, sent, asks)
		if b, err := io.ReadAll(res.Body); err == nil {
			t.Errorf("got %q as a whole answer", b)
		}
	})

	t.Run("a provider's error comes as it is", func(t *testing.T) {
		p.answers(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "7")
			w.Header().Set("Location", "http://169.254.169.254/")
			w.WriteHeader(http.StatusTooManyRequests)
			_, _ = io.WriteString(w, `{"error":{"message":"slow down"}}`)
		})
		res := ask(t.Context(), http.MethodPost, chat, egressToken, sent, asks)
		if b, _ := io.ReadAll(res.Body); res.StatusCode != http.StatusTooManyRequests || res.Header.Get("Retry-After") != "7" || !strings.Contains(string(b), "slow down") {
			t.Errorf("got %d, %v, %s", res.StatusCode, res.Header, b)
		}
	})

	t.Run("a redirect is not followed: the key would go with it", func(t *testing.T) {
		p.answers(func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		})
		res := ask(t.Context(), http.MethodPost, chat, egressToken, sent, asks)
		if _, _ = p.only(t); res.StatusCode != http.StatusTemporaryRedirect || res.Header.Get("Location") != "" {
			t.Errorf("got %d, %v", res.StatusCode, res.Header)
		}
	})

	t.Run("a long request passes while it is sent, and one that is too long is refused with what to do", func(t *testing.T) { longRequests(t, p, ask) })

	t.Run("other paths, providers, methods and tokens do not get through", func(t *testing.T) {
		p.answers(func(http.ResponseWriter, *http.Request) { t.Error("the provider was asked") })
		for _, tt := range []struct {
			method, path, token string
			status              int
		}{
			{"POST", chat, "", 403},
			{"POST", chat, egressToken + "x", 403},
			{"GET", chat, "", 403},
			{"GET", chat, egressToken, 405},
			{"DELETE", chat, egressToken, 405},
			{"POST", "/", egressToken, 404},
			{"POST", "/openai", egressToken, 404},
			{"POST", "/openai/models", egressToken, 404},
			{"POST", "/openai/chat/completions/", egressToken, 404},
			{"POST", "/openai//chat/completions", egressToken, 404},
			{"POST", "/openai/x/../files", egressToken, 404},
			{"POST", "/openai/%63hat/completions", egressToken, 404},
			{"POST", "/deepseek/chat/completions", egressToken, 404},
			{"POST", "/anthropic/chat/completions", egressToken, 404},
			{"POST", "/constructor/chat/completions", egressToken, 404},
			{"POST", "/__proto__/chat/completions", egressToken, 404},
		} {
			res := ask(t.Context(), tt.method, tt.path, tt.token, "", nil)
			if b, _ := io.ReadAll(res.Body); res.StatusCode != tt.status || holdsSecret(string(b)) {
				t.Errorf("%s %s with the token %.5q: got %d %s, want %d", tt.method, tt.path, tt.token, res.StatusCode, b, tt.status)
			}
		}
	})

	t.Run("a provider that cannot be reached is told without its address", func(t *testing.T) {
		res := ask(t.Context(), http.MethodPost, "/kimi/chat/completions", egressToken, sent, asks)
		b, _ := io.ReadAll(res.Body)
		var e struct {
			Error struct{ Message, Code, Hint string }
		}
		if err := json.Unmarshal(b, &e); err != nil || res.StatusCode != http.StatusBadGateway || e.Error.Code != "provider_failed" || e.Error.Hint == "" || holdsSecret(string(b)) || strings.Contains(string(b), nobody) {
			t.Errorf("got %d %s", res.StatusCode, b)
		}
	})
}

func holdsSecret(text string) bool {
	for _, c := range append(canaries(), "password") {
		if strings.Contains(text, c) {
			return true
		}
	}
	return false
}

// longBody is a body that a request's context brings, with the length that is said of it;
// -1 says none.
type longBody struct {
	Reader io.ReadCloser
	length int64
}

type contextKey int

const long contextKey = iota

const (
	ofPictures = 19_000_000 // what 14 MiB of pictures are as base64, and some text
	tooLong    = 32<<20 + 1
)

func longRequests(t *testing.T, p *provider, ask asking) {
	const piece = 1 << 20
	begun := make(chan struct{}, 4)
	var got int64
	var length int64
	p.reads(func(w http.ResponseWriter, r *http.Request) {
		length = r.ContentLength
		_, _ = io.CopyN(io.Discard, r.Body, 1)
		begun <- struct{}{}
		n, err := io.Copy(io.Discard, r.Body)
		if got = n + 1; err == nil {
			_, _ = io.WriteString(w, "whole")
		}
	})
	for _, c := range []struct {
		size, said int64
		status     int
	}{
		{ofPictures, ofPictures, 200},
		{ofPictures, -1, 200},
		{tooLong - 1, tooLong - 1, 200},
		{tooLong, tooLong, 413},
		{tooLong, -1, 413},
		{60 << 20, 60 << 20, 413},
	} {
		read, write := io.Pipe()
		go func() {
			passes := c.status == 200
			for left := c.size; left > 0; left -= piece {
				if _, err := write.Write(make([]byte, min(left, piece))); err != nil {
					return
				}
				if passes && c.said > 0 { // nothing more is sent before the provider has the first of it
					select {
					case <-begun:
					case <-time.After(patience):
						_ = write.CloseWithError(errors.New("it is held back"))
						return
					}
					passes = false
				}
			}
			_ = write.Close()
		}()
		began := time.Now()
		ctx := context.WithValue(t.Context(), long, longBody{read, c.said})
		res := ask(ctx, http.MethodPost, "/openai/chat/completions", egressToken, "", http.Header{"Content-Type": {"application/json"}})
		b, err := io.ReadAll(res.Body)
		_ = read.Close()
		switch {
		case res.StatusCode != c.status:
			t.Errorf("%d bytes, %d said: got %d %s, want %d", c.size, c.said, res.StatusCode, b, c.status)
		case c.status == 200 && (string(b) != "whole" || got != c.size || length != c.size):
			t.Errorf("%d bytes, %d said: the provider got %d, and %d said", c.size, c.said, got, length)
		case c.status == 413 && (!strings.Contains(string(b), "32 MiB") || !strings.Contains(string(b), "hint")):
			t.Errorf("%d bytes, %d said: refused with %s", c.size, c.said, b)
		}
		t.Logf("%d bytes, %d said: %d %v after %v", c.size, c.said, res.StatusCode, err, time.Since(began).Round(time.Millisecond))
	}
}
