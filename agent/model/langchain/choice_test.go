package langchain

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/loongclaw/loongclaw/agent/loop"
)

// A model that its provider cannot hold to a call is asked again in words; nothing else
// that is refused is asked twice.
func TestAChoiceThatIsRefused(t *testing.T) {
	for name, tt := range map[string]struct {
		status int
		choice loop.Choice
		single bool
		asked  []string // tool_choice and parallel_tool_calls as they were sent
	}{
		"taken":            {0, loop.Choice{Kind: loop.ChooseAny}, false, []string{`"required"`}},
		"refused":          {400, loop.Choice{Kind: loop.ChooseAny}, true, []string{`"required"false`, ""}},
		"not understood":   {422, loop.Choice{Kind: loop.ChooseOne, Name: "get_time"}, false, []string{`{"type":"function","function":{"name":"get_time"}}`, ""}},
		"one at a time":    {400, loop.Choice{}, true, []string{"false", ""}},
		"another refusal":  {401, loop.Choice{Kind: loop.ChooseAny}, false, []string{`"required"`}},
		"nothing is asked": {400, loop.Choice{}, false, []string{""}},
	} {
		var asked []string
		told := false
		m, err := New(Config{Provider: OpenAI, Key: "k", Client: &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			raw, err := io.ReadAll(r.Body)
			if err != nil {
				return nil, err
			}
			var body map[string]json.RawMessage
			if err := json.Unmarshal(raw, &body); err != nil {
				return nil, err
			}
			with := string(body["tool_choice"]) + string(body["parallel_tool_calls"])
			asked, told = append(asked, with), strings.Contains(string(raw), "Answer with a call of ")
			resp := &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"text/event-stream"}}, Body: io.NopCloser(strings.NewReader(said("{}") + ends("stop")))}
			if tt.status != 0 && (with != "" || len(tt.asked) == 1) {
				resp.StatusCode = tt.status
				resp.Body = io.NopCloser(strings.NewReader(`{"error":{"message":"tool_choice is not supported with this model."}}`))
			}
			return resp, nil
		})}})
		if err != nil {
			t.Fatal(err)
		}
		q := tools()
		q.Choice, q.OneCall = tt.choice, tt.single
		_, err = m.Answer(t.Context(), q, func(string) {})
		if !slices.Equal(asked, tt.asked) || (err == nil) != (tt.status == 0 || len(tt.asked) == 2) {
			t.Errorf("%s: asked with %q, %v, want %q", name, asked, err, tt.asked)
		}
		if want := len(tt.asked) == 2 && tt.choice.Kind != ""; told != want {
			t.Errorf("%s: told in words: %v", name, told)
		}
	}
}
