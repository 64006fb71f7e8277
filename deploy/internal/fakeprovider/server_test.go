package fakeprovider

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// post asks as a provider's client does.
func post(ctx context.Context, t *testing.T, s *Server, message string) (*http.Response, error) {
	t.Helper()
	body := `{"model":"m","stream":true,"messages":[{"role":"system","content":"s"},{"role":"user","content":` + quote(message) + `}]}`
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+"/chat/completions", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return http.DefaultClient.Do(req)
}

func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

func TestTheScriptIsSaid(t *testing.T) {
	s, err := Start()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	script := Say("one", Round{Text: []string{"he", "llo"}, Calls: []Call{{ID: "c", Name: "f", Args: `{"a":1}`}}})
	res, err := post(t.Context(), t, s, script.Message())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"content":"he"`, `"content":"llo"`, `"name":"f"`, `"finish_reason":"tool_calls"`, `"total_tokens":12`, "data: [DONE]"} {
		if !strings.Contains(string(b), want) {
			t.Errorf("the stream lacks %s:\n%s", want, b)
		}
	}
	if rs := s.Requests("one"); len(rs) != 1 || !rs[0].Finished || rs[0].Cancelled || rs[0].Written != 2 || rs[0].System() != "s\n" {
		t.Errorf("got %+v", rs)
	}
}

func TestFaultsAndCancellation(t *testing.T) {
	s, err := Start()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()

	res, err := post(ctx, t, s, Say("busy", Round{Status: 429, RetryAfter: 3}).Message())
	if err != nil || res.StatusCode != 429 || res.Header.Get("Retry-After") != "3" {
		t.Errorf("got %v, %v", res, err)
	}
	_ = res.Body.Close()

	res, err = post(ctx, t, s, Say("cut", Round{Text: []string{"x"}, End: EndCut}).Message())
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(res.Body); err == nil {
		t.Errorf("a cut ends in good order: %s", b)
	}
	_ = res.Body.Close()

	gone, leave := context.WithCancel(ctx)
	res, err = post(gone, t, s, Say("hang", Round{Text: []string{"x"}, End: EndHang}).Message())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := bufio.NewReader(res.Body).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	leave()
	_ = res.Body.Close()
	if err := s.Wait(ctx, "hang", func(rs []Request) bool { return len(rs) == 1 && rs[0].Cancelled }); err != nil {
		t.Error(err)
	}
}

func TestAGateHoldsBack(t *testing.T) {
	s, err := Start()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	res, err := post(t.Context(), t, s, Say("g", Round{Text: []string{"a", "b"}, Gate: "g", GateAt: 1}).Message())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if err := s.Begun(t.Context(), "g", 1); err != nil {
		t.Fatal(err)
	}
	if rs := s.Requests("g"); rs[0].Written != 1 {
		t.Errorf("got %d pieces before the gate, want 1", rs[0].Written)
	}
	s.Open("g")
	s.Open("g")
	if b, err := io.ReadAll(res.Body); err != nil || !strings.Contains(string(b), `"content":"b"`) {
		t.Errorf("after the gate: %s, %v", b, err)
	}
}
