package cloudflare

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/deploy/internal/client"
	"github.com/loongclaw/loongclaw/deploy/internal/testenv"
)

// TestTheScheduledCheckCalls: in workerd, with the real objects, requests that fail
// are counted, and the scheduled check tells the webhook once. The agent is an
// address where nobody listens: nothing is there to be woken.
func TestTheScheduledCheckCalls(t *testing.T) {
	called := make(chan string, 8)
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var q struct {
			Alerts []struct{ Name, State string }
		}
		if err := json.NewDecoder(r.Body).Decode(&q); err != nil || len(q.Alerts) != 1 {
			t.Errorf("the webhook got %v, %v", q, err)
			return
		}
		called <- q.Alerts[0].Name + " " + q.Alerts[0].State
	}))
	defer hook.Close()
	nobody, err := testenv.FreeAddr()
	if err != nil {
		t.Fatal(err)
	}
	const token = "a-token-of-alice"
	w, err := testenv.StartWorker(t.Context(), testenv.WorkerOptions{Dir: t.TempDir(), Vars: map[string]string{
		"LOONGCLAW_TOKENS": "alice:" + token, "AGENT_URL": "http://" + nobody, "ALERT_WEBHOOK_URL": hook.URL + "/a-secret-path",
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		w.Down()
		if t.Failed() {
			t.Logf("what wrangler said:\n%s", w.Log())
		}
		if strings.Contains(w.Log(), "a-secret-path") && !strings.Contains(w.Log(), "ALERT_WEBHOOK_URL") {
			t.Error("the webhook's address is in the log")
		}
	}()
	alice := client.New(w.Base, token, client.Transport())
	check := func() {
		t.Helper()
		if a, err := alice.Do(t.Context(), http.MethodGet, "/cdn-cgi/handler/scheduled", nil); err != nil || a.Status != http.StatusOK {
			t.Fatalf("the check: %v, %v", a, err)
		}
	}
	check()
	if len(called) != 0 {
		t.Fatalf("a deployment that is well called: %s", <-called)
	}
	// What an isolate has counted comes to the watch after a while, with a request.
	for end := time.Now().Add(time.Minute); len(called) == 0 && time.Now().Before(end); time.Sleep(time.Second) {
		if a, err := alice.Do(t.Context(), http.MethodGet, "/api/stats", nil); err != nil || a.Status < 500 {
			t.Fatalf("%v, %v; want an agent that is not there", a, err)
		}
		check()
	}
	check()
	select {
	case got := <-called:
		if want := "LoongClawErrorBudgetBurnsFast firing"; got != want || len(called) != 0 {
			t.Errorf("called with %q and %d more, want once %q", got, len(called), want)
		}
	default:
		t.Error("nobody was called")
	}
}
