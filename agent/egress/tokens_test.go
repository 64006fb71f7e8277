package egress_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/agent/egress"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

const token = "canary-door-token-0123456789"

func bring(t *egress.Tokens, method, body string) (int, string) {
	err := t.Take(httptest.NewRecorder(), httptest.NewRequest(method, egress.Path, strings.NewReader(body)))
	if err != nil {
		return fault.CodeOf(err).Status(), err.Error() + string(fault.From(err).JSON(fault.Own))
	}
	return http.StatusNoContent, ""
}

func TestTheTokenComesOnce(t *testing.T) {
	d := egress.Expect("http://r2.internal")
	for _, bad := range []struct {
		method, body string
		status       int
	}{
		{"GET", `{"token":"` + token + `"}`, 405},
		{"POST", "", 400},
		{"POST", `{"token":"short"}`, 400},
		{"POST", `{"token":7}`, 400},
		{"POST", `{"token":"with a space in the middle"}`, 400},
		{"POST", `{"token":"` + token + `","users":{"alice":"short"}}`, 400},
		{"POST", `{"token":"` + token + `","users":["alice"]}`, 400},
		{"POST", `{"token":"` + token + strings.Repeat("x", 1<<20) + `"}`, 413},
	} {
		status, body := bring(d, bad.method, bad.body)
		if status != bad.status || strings.Contains(body, "canary") {
			t.Errorf("%s %.40s: got %d %s, want %d and nothing repeated", bad.method, bad.body, status, body, bad.status)
		}
	}
	if status, body := bring(d, "POST", `{"token":"`+token+`"}`); status != 204 {
		t.Fatalf("got %d %s, want 204", status, body)
	}
	if err := d.Wait(t.Context()); err != nil {
		t.Error(err)
	}
	if status, body := bring(d, "POST", `{"token":"`+token+`-another"}`); status != 409 || strings.Contains(body, "canary") {
		t.Errorf("a second token: got %d %s, want 409", status, body)
	}
}

func TestTheTokenIsShownToTheDoorsOnly(t *testing.T) {
	var seen []string
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen = append(seen, r.Header.Get(egress.Header)) }))
	defer other.Close()
	own := httptest.NewServer(other.Config.Handler)
	defer own.Close()
	d := egress.Expect(own.URL, "", ":bad")
	client := http.Client{Transport: d.Transport(http.DefaultTransport)}
	get := func(url string) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		res, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if req.Header.Get(egress.Header) != "" {
			t.Error("the caller's request was changed")
		}
	}
	get(own.URL)
	bring(d, "POST", `{"token":"`+token+`"}`)
	get(own.URL)
	get(other.URL)
	if want := []string{"", token, ""}; strings.Join(seen, "|") != strings.Join(want, "|") {
		t.Errorf("got %q, want %q", seen, want)
	}
}

// Each request to the store shows the token of the user whose part it is about: the
// door opens to no other. Everything else shows the first.
func TestEachUserHasATokenOfTheirOwn(t *testing.T) {
	const first, alice, bear, late = "canary-of-the-first-user", "canary-of-alice-000", "canary-of-the-bear-0", "canary-of-who-came-late"
	d := egress.Expect("http://r2.internal", "http://llm.internal")
	if status, body := bring(d, "POST", `{"token":"`+first+`","users":{"alice":"`+alice+`","熊大":"`+bear+`"}}`); status != 204 {
		t.Fatalf("got %d %s", status, body)
	}
	if got := strings.Join(d.Users(), " "); got != "alice 熊大" {
		t.Errorf("users %q", got)
	}
	d.Bring("late", late)
	d.Bring("late", "canary-of-a-second-one") // the first counts: nobody can shut another out
	d.Bring("short", "short")
	for url, want := range map[string]string{
		"http://r2.internal/store/u/alice/log/000000000001":                   alice,
		"http://r2.internal/store/u/" + bucket.Segment("熊大") + "/files/a%20b": bear,
		"http://r2.internal/store?list-type=2&prefix=u%2Falice%2Fopen%2F":     alice,
		"http://r2.internal/store/?list-type=2&prefix=u/alice/":               alice,
		"http://r2.internal/store/u/late/files/x":                             late,
		"http://r2.internal/store/u/short/files/x":                            first,
		"http://r2.internal/store/u/nobody/files/x":                           first,
		"http://r2.internal/store/config/SOUL.md":                             first,
		"http://r2.internal/store?list-type=2&prefix=":                        first,
		"http://llm.internal/openai/chat/completions":                         first,
		"http://elsewhere.internal/store/u/alice/log/000000000001":            "",
		"http://r2.internal/store/config/u/alice/x":                           first,
	} {
		r := httptest.NewRequest(http.MethodGet, url, http.NoBody)
		d.Mark(r)
		if got := r.Header.Get(egress.Header); got != want {
			t.Errorf("%s: got %q, want %q", url, got, want)
		}
	}
}

func TestAStartDoesNotWaitForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		err := egress.Expect().Wait(context.Background())
		if err == nil || !strings.Contains(err.Error(), "DOOR_TOKEN_WAIT") {
			t.Errorf("got %v, want an error that names the variable", err)
		}
	})
}
