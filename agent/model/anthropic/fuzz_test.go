package anthropic

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"
	"unicode/utf8"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/model/anthropic/anthropictest"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

// bodies answers every request with one body, byte by byte where it is slow.
type bodies struct {
	body string
	slow bool
}

// RoundTrip answers without a network.
func (b bodies) RoundTrip(r *http.Request) (*http.Response, error) {
	body := io.Reader(strings.NewReader(b.body))
	if b.slow {
		body = iotest.OneByteReader(body)
	}
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"text/event-stream"}}, Body: io.NopCloser(body), Request: r}, nil
}

// recorded is the stream of a reply, as the test server sends it.
func recorded(r reply) string {
	s := &anthropictest.Server{Lenient: true}
	s.Script(r)
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/v1/messages", strings.NewReader(`{"model":"m"}`)))
	return w.Body.String()
}

// FuzzStream reads any body: it ends, what is shown is the text, however the bytes
// are cut, and what is kept of it makes a conversation that Anthropic takes.
func FuzzStream(f *testing.F) {
	for _, r := range []reply{
		{Blocks: all},
		{Blocks: all, Fault: anthropictest.CRLF},
		{Blocks: all, Fault: anthropictest.Unknown},
		{Blocks: all, Whole: true},
		{Blocks: all, Stop: "max_tokens"},
		{Blocks: []block{{Text: "x"}, {Raw: `{"type":"server_tool_use","id":"s","name":"n","input":{}}`}}, Stop: "refusal"},
		{Fault: anthropictest.Error},
	} {
		f.Add(recorded(r))
	}
	f.Add("data: {\"type\":\"content_block_delta\",\"index\":9,\"delta\":{\"type\":\"text_delta\",\"text\":\"\\ud83d\"}}\n\n")
	f.Add("data: {\"type\":\"message\",\"content\":[{\"type\":\"tool_use\",\"input\":[]},7,null,{}]}\n\n")
	f.Add(`{"Content":[{"tYpe":"other","x":{}},{"TYPE":"thinking","Thinking":"t","type":"text","text":"x"}]}`)
	strict := &anthropictest.Server{}
	f.Fuzz(func(t *testing.T, body string) {
		if strings.Contains(body, "pause_turn") {
			return // it is asked for more, and gets the same again
		}
		var both [2]loop.Answer
		for i := range both {
			m, err := New(Config{Key: "k", Client: &http.Client{Transport: bodies{body, i == 1}}})
			if err != nil {
				t.Fatal(err)
			}
			q := ofOne("hi")
			c := converse(&q, m.recipient(), true)
			var shown strings.Builder
			a := &answer{m: m, names: c.names, prefix: c.prefix(), onText: func(s string) { shown.WriteString(s) }}
			x := a.exchange()
			failed := m.ask(t.Context(), x, "", m.request(c, false, nil))
			got := a.partial()
			if failed == nil {
				got, err = a.done(x.stop)
				if err == nil && got.Finish == "" {
					t.Fatal("an answer without an end")
				}
			}
			if shown.String() != got.Text || !utf8.ValidString(got.Text) || !utf8.ValidString(got.Reasoning) {
				t.Fatalf("shown %q, kept %q, reasoned %q", shown.String(), got.Text, got.Reasoning)
			}
			both[i] = got
			if failed == nil && i == 0 {
				goesOn(t, strict, q, got)
			}
		}
		if both[0].Text != both[1].Text || len(both[0].Calls) != len(both[1].Calls) || string(both[0].Native) != string(both[1].Native) {
			t.Fatalf("cut in bytes it is another answer:\n%+v\n%+v", both[0], both[1])
		}
	})
}

// goesOn sends what was kept of an answer back to a server that refuses what
// Anthropic refuses. It cannot know the signatures of any body, so thinking stays out.
func goesOn(t *testing.T, strict *anthropictest.Server, q loop.Question, a loop.Answer) {
	t.Helper()
	if a.Native != nil && !json.Valid(a.Native) {
		t.Fatalf("kept %s", a.Native)
	}
	q.Messages = append(q.Messages, a.Message(), user("more"))
	m, err := New(Config{Key: "k"})
	if err != nil {
		t.Fatal(err)
	}
	sent := m.request(converse(&q, m.recipient(), false), false, nil)
	r := httptest.NewRequest(http.MethodPost, "/v1/messages", strings.NewReader(string(sent)))
	m.head(r.Header, "")
	w := httptest.NewRecorder()
	if strict.ServeHTTP(w, r); w.Code != http.StatusOK {
		t.Fatalf("refused: %s\n%s", w.Body.String(), sent)
	}
}

// TestManyAtOnce: answers beside each other keep apart, and leave nothing running.
func TestManyAtOnce(t *testing.T) {
	s := &anthropictest.Server{}
	s.Fallback(func(r *anthropictest.Request) anthropictest.Reply {
		said, _ := r.Body.Messages[0].Content[0]["text"].(string)
		return reply{Blocks: []block{{Thinking: said}, {Text: said}}}
	})
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	m := start(t, s, Config{Client: client})
	before := runtime.NumGoroutine()
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			said := strings.Repeat(string(rune('a'+i%26)), 20+i)
			a, err := m.Answer(t.Context(), ofOne(said), func(string) {})
			if err != nil || a.Text != said || a.Reasoning != said || a.Finish != chat.FinishStop {
				t.Errorf("asked %q: %q, %v", said, a.Text, err)
			}
		})
	}
	wg.Wait()
	client.CloseIdleConnections()
	for range 100 {
		if runtime.NumGoroutine() <= before+2 {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Errorf("%d goroutines, there were %d before", runtime.NumGoroutine(), before)
}
