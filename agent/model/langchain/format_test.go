package langchain

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/loongclaw/loongclaw/agent/loop"
)

// A model that is not held to JSON by its provider is asked again without, since it
// has been told in words; nothing else that is refused is asked twice.
func TestAFormatThatIsRefused(t *testing.T) {
	for name, tt := range map[string]struct {
		status int
		format bool
		asked  []bool // with the format
		text   string
	}{
		"taken":              {0, true, []bool{true}, "{}"},
		"refused":            {400, true, []bool{true, false}, "{}"},
		"not understood":     {422, true, []bool{true, false}, "{}"},
		"another refusal":    {401, true, []bool{true}, ""},
		"a refusal of text":  {400, false, []bool{false}, ""},
		"refused both times": {-400, true, []bool{true, false}, ""},
	} {
		var asked []bool
		m, err := New(Config{Provider: OpenAI, Key: "k", Client: &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			var body map[string]json.RawMessage
			if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
				return nil, err
			}
			_, with := body["response_format"]
			asked = append(asked, with)
			resp := &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"text/event-stream"}}, Body: io.NopCloser(strings.NewReader(said("{}") + ends("stop")))}
			if with && tt.status > 0 || !tt.format && tt.status > 0 || tt.status < 0 {
				resp.StatusCode = max(tt.status, -tt.status)
				resp.Body = io.NopCloser(strings.NewReader(`{"error":{"message":"'response_format' of this kind is not supported with this model."}}`))
			}
			return resp, nil
		})}})
		if err != nil {
			t.Fatal(err)
		}
		q := hello()
		if tt.format {
			q.Format = &loop.Format{Name: "x", Schema: json.RawMessage(`{"type":"object"}`)}
		}
		a, _ := m.Answer(t.Context(), q, func(string) {})
		if a.Text != tt.text || len(asked) != len(tt.asked) {
			t.Errorf("%s: got %q after %v, want %q after %v", name, a.Text, asked, tt.text, tt.asked)
			continue
		}
		for i := range asked {
			if asked[i] != tt.asked[i] {
				t.Errorf("%s: the format was sent %v, want %v", name, asked, tt.asked)
			}
		}
	}
}
