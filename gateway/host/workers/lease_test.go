package workers_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loongclaw/loongclaw/pkg/chat"
)

// TestKeptAnswersAreTheCores: what the host answers without the core differs from what the
// core decides in its time and its id alone.
func TestKeptAnswersAreTheCores(t *testing.T) {
	w := startWorkerd(t, production(t), variables("http://127.0.0.1:1"))
	ask := func(method, id string) (http.Header, string, string) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, method, w.url+chat.PathHealth, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		if id != "" {
			req.Header.Set(chat.HeaderRequestID, id)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		_ = res.Body.Close()
		got := res.Header.Get(chat.HeaderRequestID)
		res.Header.Del(chat.HeaderRequestID)
		res.Header.Del("Date")
		return res.Header, regexp.MustCompile(`"timestamp":"[^"]*"`).ReplaceAllString(string(body), ""), got
	}
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		ask(method, "")
		kept, keptBody, id := ask(method, "")
		_, _, next := ask(method, "")
		decided, decidedBody, mine := ask(method, "mine")
		if diff := cmp.Diff(decided, kept); diff != "" || keptBody != decidedBody {
			t.Errorf("%s: (-decided +kept):\n%s%s\n%s", method, diff, decidedBody, keptBody)
		}
		if id == "" || id == next || mine != "mine" {
			t.Errorf("%s: got the ids %q, %q and %q", method, id, next, mine)
		}
	}
}

// TestReadsCostFewCalls: a user's reads are counted within shares of the limit, so the
// user's object is asked, and writes, once for many of them; all together pass no more
// often than the limit says. What is more than a read is asked for each time, and a
// stranger costs the object nothing.
func TestReadsCostFewCalls(t *testing.T) {
	agent := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) }))
	t.Cleanup(agent.Close)
	vars := variables(agent.URL)
	vars["RATE_LIMIT_API"] = "600/h" // so slow that nothing comes back meanwhile
	w := startWorkerd(t, production(t), vars)
	const all = 600
	ask := func(method, path, secret string) (int, http.Header) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, method, w.url+path, strings.NewReader(""))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+secret)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, res.Body)
		_ = res.Body.Close()
		return res.StatusCode, res.Header
	}
	for range 20 {
		ask(http.MethodGet, chat.PathStats, token+"x")
		ask(http.MethodGet, chat.PathHealth, "")
	}
	if p := w.probe(); p.UserCalls != 0 || p.UserRows != 0 {
		t.Errorf("strangers: got %d calls of users' objects and %d rows, want none", p.UserCalls, p.UserRows)
	}
	for i := range 100 {
		status, header := ask(http.MethodGet, chat.PathStats, token)
		if left, err := strconv.Atoi(header.Get("RateLimit-Remaining")); status != http.StatusOK || err != nil || left >= all-i || left == 0 {
			t.Fatalf("read %d: got %d with %q remaining, want 200 with at most %d and not 0", i, status, header.Get("RateLimit-Remaining"), all-i-1)
		}
	}
	reads := w.probe()
	t.Logf("100 reads: %d calls of the user's object, %d rows written", reads.UserCalls, reads.UserRows)
	if reads.UserCalls > 10 || reads.UserRows > 10 {
		t.Errorf("100 reads: got %d calls and %d rows, want at most 10 of each", reads.UserCalls, reads.UserRows)
	}
	for range 10 {
		if status, _ := ask(http.MethodDelete, chat.PathHistory, token); status != http.StatusOK {
			t.Fatalf("a deletion: got %d", status)
		}
	}
	if p := w.probe(); p.UserCalls != reads.UserCalls+10 || p.UserRows != reads.UserRows+10 {
		t.Errorf("10 deletions: got %d calls and %d rows more, want 10 of each", p.UserCalls-reads.UserCalls, p.UserRows-reads.UserRows)
	}
	passed := 110
	for ; passed <= all; passed++ {
		status, header := ask(http.MethodGet, chat.PathStats, token)
		if status != http.StatusOK {
			if status != http.StatusTooManyRequests || header.Get("RateLimit-Remaining") != "0" || header.Get("Retry-After") == "" {
				t.Errorf("got %d with %v", status, header)
			}
			break
		}
	}
	// One comes back every 6 s, and a share whose time ran out is lost to its holder for a while.
	if passed > all+20 || passed < all-100 {
		t.Errorf("%d passed, want about %d", passed, all)
	}
	t.Logf("%d passed before the first refusal", passed)
}
