package langchain

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/loongclaw/loongclaw/agent/model/modeltest"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

func TestThoughtsInTheText(t *testing.T) {
	for name, c := range map[string]struct {
		pieces          []string
		reasoning, text string
	}{
		"whole":              {[]string{"<think>a b</think>\n\nHi."}, "a b", "Hi."},
		"cut in the marks":   {[]string{"\n<th", "ink>a", " b</", "think", ">\n", "\nHi", "."}, "a b", "Hi."},
		"not at the start":   {[]string{"see <think>", "x</think>"}, "", "see <think>x</think>"},
		"like a mark":        {[]string{"<thi", "s>"}, "", "<this>"},
		"only a beginning":   {[]string{"<thi"}, "", "<thi"},
		"less than in one":   {[]string{"<think>1 </ 2", "</think>3"}, "1 </ 2", "3"},
		"never closed":       {[]string{"<think>1</thin"}, "1</thin", ""},
		"blank at the start": {[]string{" ", "x"}, "", " x"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, Config{}, func(t *testing.T, s *modeltest.Server, m *Model) {
				s.Script(modeltest.Reply{Pieces: c.pieces})
				got := ask(t, t.Context(), m, hello())
				if got.err != nil || got.Reasoning != c.reasoning || got.Text != c.text {
					t.Errorf("reasoning %q, text %q, error %v; want %q, %q", got.Reasoning, got.Text, got.err, c.reasoning, c.text)
				}
			})
		})
	}
}

// TestCutWithinACharacter: what was streamed before the failure is the answer's
// text, also when the failure comes within a mark or a character.
func TestCutWithinACharacter(t *testing.T) {
	bubble(t, Config{}, func(t *testing.T, s *modeltest.Server, m *Model) {
		s.Script(modeltest.Reply{Pieces: []string{"ok \xe4\xbd", "\xa0"}, Fault: modeltest.FaultEnd, After: 1})
		got := ask(t, t.Context(), m, hello())
		if fault.CodeOf(got.err) != fault.CodeProviderFailed || got.Text != "ok " {
			t.Errorf("text %q, error %v", got.Text, got.err)
		}
	})
}

// FuzzStream: whatever a provider sends, an answer is whole characters that join
// to its text, or an error of ours.
func FuzzStream(f *testing.F) {
	for _, s := range []string{
		"data: {\"choices\":[{\"delta\":{\"content\":\"a\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n",
		"data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":1,\"id\":\"x\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]}}]}\r\n\r\n",
		"data: {\"error\":{\"code\":1,\"message\":\"x\"}}\n", "{\"choices\":null}", ": x\ndata: [\ndata: ]\n\n",
		"data: {\"choices\":[{\"message\":{\"content\":[{\"text\":\"\\ud83d\"}]},\"finish_reason\":\"length\"}],\"usage\":{\"prompt_tokens\":\"1\"}}\n\n",
	} {
		f.Add(s, true)
		f.Add(s, false)
	}
	f.Fuzz(func(t *testing.T, body string, asJSON bool) {
		m, err := New(Config{Provider: GLM, Key: "k", Client: &http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) {
			kind := "text/event-stream"
			if asJSON {
				kind = "application/json"
			}
			return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {kind}}, Body: io.NopCloser(strings.NewReader(body))}, nil
		})}})
		if err != nil {
			t.Fatal(err)
		}
		var pieces strings.Builder
		x := m.attempt(t.Context(), hello(), func(s string) {
			if !utf8.ValidString(s) {
				t.Errorf("piece %q is not whole", s)
			}
			pieces.WriteString(s)
		})
		a := x.answer(m.Name())
		if d := cmp.Diff(pieces.String(), a.Text); d != "" {
			t.Error(d)
		}
		if x.err == nil && x.parts.finish == "" {
			t.Errorf("an answer without an end: %q", body)
		}
		for _, c := range a.Calls {
			if len(c.Arguments) == 0 || !utf8.Valid(c.Arguments) {
				t.Errorf("arguments %q", c.Arguments)
			}
		}
	})
}
