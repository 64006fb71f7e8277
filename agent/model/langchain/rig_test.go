package langchain

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// tools are what the tests of this package declare.
func tools() loop.Question {
	q := hello()
	q.Tools = []loop.Spec{
		{Name: "get_time", Parameters: json.RawMessage(`{"type":"object","properties":{"zone":{"type":"string"},"n":{"type":"integer"}}}`)},
		{Name: "read_file", Parameters: json.RawMessage(`{"type":"object","properties":{"path":{"type":"string"}}}`)},
	}
	return q
}

// heardOnce asks once, with a provider whose answer has this body.
func heardOnce(t *testing.T, body io.Reader, kind string, q loop.Question) (a loop.Answer, err *fault.Error) {
	t.Helper()
	m, bad := New(Config{Provider: OpenAI, Key: "k", Client: &http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {kind}}, Body: io.NopCloser(body)}, nil
	})}})
	if bad != nil {
		t.Fatal(bad)
	}
	var pieces strings.Builder
	var thoughts strings.Builder
	q.OnReasoning = func(s string) { thoughts.WriteString(s) }
	x := m.attempt(t.Context(), q, func(s string) {
		if s == "" || !utf8.ValidString(s) {
			t.Errorf("piece %q is not whole", s)
		}
		pieces.WriteString(s)
	})
	a = x.answer(m.Name())
	if pieces.String() != a.Text {
		t.Errorf("pieces join to %q, the answer's text is %q", pieces.String(), a.Text)
	}
	if thoughts.String() != a.Reasoning {
		t.Errorf("pieces of reasoning join to %q, the answer's is %q", thoughts.String(), a.Reasoning)
	}
	return a, x.err
}

func heardStream(t *testing.T, body string) (loop.Answer, *fault.Error) {
	t.Helper()
	return heardOnce(t, strings.NewReader(body), "text/event-stream", tools())
}

// event is an event of a stream with one choice.
func event(delta, finish string) string {
	if finish != "null" {
		finish = `"` + finish + `"`
	}
	return `data: {"choices":[{"index":0,"delta":` + delta + `,"finish_reason":` + finish + "}]}\n\n"
}

// said is an event with a text.
func said(text string) string {
	b, _ := json.Marshal(text) // a string can always be written
	return event(`{"content":`+string(b)+`}`, "null")
}

func ends(finish string) string { return event("{}", finish) + "data: [DONE]\n\n" }

// called are calls in short: "name {…}; name {…}".
func called(calls []loop.Call) string {
	var out []string
	for _, c := range calls {
		out = append(out, c.Name+" "+string(c.Arguments))
	}
	return strings.Join(out, "; ")
}
