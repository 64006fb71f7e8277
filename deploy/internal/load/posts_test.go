package load

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/loongclaw/loongclaw/deploy/internal/client"
)

func TestPostsCountEveryEvent(t *testing.T) {
	stub, err := StartStub(5)
	if err != nil {
		t.Fatal(err)
	}
	defer stub.Close()
	cs := []*client.Client{client.New(stub.URL, "", nil)}
	if res := Posts(t.Context(), cs, 50, 8, 5); res.Whole != 50 || len(res.Failures) != 0 {
		t.Errorf("got %+v, want 50 whole", res)
	}
	// An event more than there is shows as cut short.
	if res := Posts(t.Context(), cs, 3, 2, 6); res.Whole != 0 || len(res.Failures) != 3 {
		t.Errorf("got %+v, want 3 cut short", res)
	}
}

// TestPostsSeeACut puts a proxy between that ends every third stream early, in
// good order, as golang/go#40747 does.
func TestPostsSeeACut(t *testing.T) {
	n := 0
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		n++
		events := 4
		if n%3 == 0 {
			events = 3
		}
		for i := range events {
			_, _ = w.Write(stubEvent(i, 4))
		}
	}))
	defer proxy.Close()
	res := Posts(t.Context(), []*client.Client{client.New(proxy.URL, "", nil)}, 9, 1, 4)
	if res.Whole != 6 || len(res.Failures) != 3 || !strings.Contains(res.Failures[0].Error(), "cut short after 3 of 4") {
		t.Errorf("got %+v, want 6 whole and 3 cut short", res)
	}
}
