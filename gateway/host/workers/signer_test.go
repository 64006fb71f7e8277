package workers_test

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/pass"
)

// TestPassesAreSignedOutside: what JavaScript signs for Go is what Go would have signed, each
// pass for its own request.
func TestPassesAreSignedOutside(t *testing.T) {
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))
	public, _ := key.Public().(ed25519.PublicKey)
	agent := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p, err := pass.Verify([]ed25519.PublicKey{public}, r.Header.Get(chat.HeaderPass), r.Method, r.URL.Path, time.Now())
		if err != nil || p.User != "alice" {
			t.Errorf("%s: got the pass of %q: %v", r.URL.Path, p.User, err)
		}
	}))
	t.Cleanup(agent.Close)
	w := startWorkerd(t, production(t), variables(agent.URL))
	if p := w.probe(); p.Signed != 0 {
		t.Errorf("%d signed outside a request, want none", p.Signed)
	}
	const all = 5
	for i := range all {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, fmt.Sprintf("%s/api/history/s%d", w.url, i), http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+token)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != http.StatusOK {
			t.Errorf("got %d", res.StatusCode)
		}
	}
	if p := w.probe(); p.Signed != all {
		t.Errorf("JavaScript signed %d passes, want %d", p.Signed, all)
	}
}
