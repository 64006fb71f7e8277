package modeltest

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// post asks the server; messages alternate between user and assistant.
func post(t *testing.T, ctx context.Context, c *http.Client, url string, stream bool, messages ...string) (*http.Response, error) { //nolint:revive // the test comes first
	t.Helper()
	var list []map[string]string
	for i, m := range messages {
		list = append(list, map[string]string{"role": []string{"user", "assistant"}[i%2], "content": m})
	}
	body, err := json.Marshal(map[string]any{"model": "m", "stream": stream, "messages": list})
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/chat/completions", strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	return c.Do(req)
}

// heard reads a stream: its contents, and whether it said [DONE].
func heard(t *testing.T, r io.Reader) (pieces []string, done bool) {
	t.Helper()
	for s := bufio.NewScanner(r); s.Scan(); {
		data, ok := strings.CutPrefix(s.Text(), "data:")
		if !ok {
			continue
		}
		if strings.TrimSpace(data) == "[DONE]" {
			return pieces, true
		}
		var c struct {
			Choices []struct {
				Delta struct {
					Content string `json:"content"`
				} `json:"delta"`
			} `json:"choices"`
		}
		if json.Unmarshal([]byte(data), &c) == nil && len(c.Choices) > 0 && c.Choices[0].Delta.Content != "" {
			pieces = append(pieces, c.Choices[0].Delta.Content)
		}
	}
	return pieces, false
}

func get(t *testing.T, url string, messages ...string) (pieces []string, done bool) {
	t.Helper()
	resp, err := post(t, t.Context(), http.DefaultClient, url, true, messages...)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	return heard(t, resp.Body)
}

func TestEchoHas50Chunks(t *testing.T) {
	s := New()
	url := s.Start(t)
	pieces, done := get(t, url, "hello bear")
	if len(pieces) != 50 || !done || !strings.HasPrefix(strings.Join(pieces, ""), "echo: hello bear ") {
		t.Errorf("%d chunks, done %v: %q", len(pieces), done, pieces)
	}
	r := s.Last()
	<-r.Done()
	if r.LastUser() != "hello bear" || r.Model != "m" || r.Cancelled() || r.Path != "/v1/chat/completions" {
		t.Errorf("recorded %+v", r)
	}
}

func TestScriptsInMessages(t *testing.T) {
	s := New()
	url := s.Start(t)
	one := `please {"modeltest":{"text":"a b","chunks":3}} thanks`
	many := `{"modeltest":[{"text":"first"},{"text":"second"}]}`
	for _, c := range []struct {
		messages []string
		want     string
	}{
		{[]string{one}, "a b"},
		{[]string{many}, "first"},
		{[]string{many, "first"}, "second"},
		{[]string{many, "first", "other"}, "echo: other"},
		{[]string{`{"modeltest":`}, `echo: {"modeltest":`},
		{[]string{`{"modeltest":7}`}, `echo: {"modeltest":7}`},
	} {
		pieces, done := get(t, url, c.messages...)
		if got := strings.Join(pieces, ""); !strings.HasPrefix(got, c.want) || !done {
			t.Errorf("%v: got %q, done %v; want %q", c.messages, got, done, c.want)
		}
	}
}

func TestFaultsInTheStream(t *testing.T) {
	for fault, want := range map[string]struct {
		pieces []string
		done   bool
	}{
		FaultCut:         {[]string{"one "}, false},
		FaultEnd:         {[]string{"one "}, false},
		FaultError:       {[]string{"one "}, false},
		FaultNoDone:      {[]string{"one ", "two"}, false},
		FaultNoFinish:    {[]string{"one ", "two"}, true},
		FaultHuge:        {[]string{"one two"}, true},
		FaultSticky:      {[]string{"one ", "two"}, true},
		FaultAfterFinish: {[]string{"one ", "two"}, true},
	} {
		s := New()
		url := s.Start(t)
		s.Script(Reply{Text: "one two", Fault: fault, After: 1})
		pieces, done := get(t, url, "hi")
		if d := cmp.Diff(want.pieces, pieces); d != "" || done != want.done {
			t.Errorf("%s: done %v, pieces (-want +got):\n%s", fault, done, d)
		}
	}
}

func TestRecordsWhoCancelled(t *testing.T) {
	for _, reply := range []Reply{{Fault: FaultHang}, {Text: "a b c", Fault: FaultStall, After: 1}, {Text: "a b c", Delay: 60_000}, {FirstDelay: 60_000}} {
		synctest.Test(t, func(t *testing.T) {
			s := New()
			c, stop := s.Client()
			defer stop()
			s.Script(reply)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			resp, err := post(t, ctx, c, "http://anywhere/v1", true, "hi")
			if err == nil {
				heard(t, resp.Body)
				_ = resp.Body.Close()
			}
			r := s.Wait(t.Context(), 1)
			<-r.Done()
			if !r.Cancelled() {
				t.Errorf("%+v: not recorded as cancelled", reply)
			}
		})
	}
}

func TestStatusAndWholeAnswers(t *testing.T) {
	s := New()
	url := s.Start(t)
	s.Script(Reply{Status: 429, RetryAfter: "7"}, Reply{Text: "whole", Calls: []Call{{ID: "a", Name: "f", Arguments: json.RawMessage(`{}`)}}})
	resp, err := post(t, t.Context(), http.DefaultClient, url, true, "hi")
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != 429 || resp.Header.Get("Retry-After") != "7" {
		t.Errorf("status %d, Retry-After %q", resp.StatusCode, resp.Header.Get("Retry-After"))
	}
	resp, err = post(t, t.Context(), http.DefaultClient, url, false, "hi")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var whole struct {
		Choices []struct {
			Message Message `json:"message"`
		} `json:"choices"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&whole); err != nil {
		t.Fatal(err)
	}
	if m := whole.Choices[0].Message; m.Content != "whole" || len(m.Calls) != 1 || m.Calls[0].Function.Name != "f" {
		t.Errorf("message %+v", m)
	}
	if n := len(s.Requests()); n != 2 {
		t.Errorf("%d requests, want 2", n)
	}
	s.Reset()
	if s.Last() != nil {
		t.Error("requests are left after Reset")
	}
}

func TestRefusesWhatIsNoRequest(t *testing.T) {
	url := New().Start(t)
	for path, want := range map[string]int{"/models": 200, "/chat/completions": 404, "/else": 404} {
		resp, err := http.Get(url + path) //nolint:noctx // a test
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("GET %s is %d, want %d", path, resp.StatusCode, want)
		}
	}
	resp, err := http.Post(url+"/chat/completions", "application/json", strings.NewReader("{")) //nolint:noctx // a test
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusBadRequest {
		t.Errorf("half a body is %d, want 400", resp.StatusCode)
	}
}
