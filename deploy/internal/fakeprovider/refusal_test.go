package fakeprovider

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestWhatTheRealOnesRefuse(t *testing.T) {
	const (
		user   = `{"role":"user","content":"q"}`
		calls  = `{"role":"assistant","content":null,"tool_calls":[{"id":"a","function":{"name":"f"}},{"id":"b","function":{"name":"f"}}]}`
		a, b   = `{"role":"tool","tool_call_id":"a","content":"1"}`, `{"role":"tool","tool_call_id":"b","content":"2"}`
		tools  = `"tools":[{"function":{"name":"f"}}],`
		answer = `{"role":"assistant","content":"x"}`
	)
	for name, c := range map[string]struct {
		more     string
		messages []string
		refused  bool
	}{
		"whole":                    {tools, []string{user, calls, a, b}, false},
		"in the other order":       {tools, []string{user, calls, b, a, user}, false},
		"one result is missing":    {tools, []string{user, calls, a}, true},
		"missing in the middle":    {tools, []string{user, calls, a, user}, true},
		"none":                     {tools, []string{user, calls, answer}, true},
		"a result too many":        {tools, []string{user, calls, a, b, a}, true},
		"a result without a call":  {tools, []string{user, a}, true},
		"two calls of one id":      {tools, []string{user, strings.ReplaceAll(calls, `"b"`, `"a"`), a}, true},
		"a choice":                 {tools + `"tool_choice":{"type":"function","function":{"name":"f"}},`, []string{user}, false},
		"a choice of no tool":      {tools + `"tool_choice":{"type":"function","function":{"name":"g"}},`, []string{user}, true},
		"a choice without tools":   {`"tool_choice":"required",`, []string{user}, true},
		"a word":                   {tools + `"tool_choice":"required",`, []string{user}, false},
		"two tools of one name":    {`"tools":[{"function":{"name":"f"}},{"function":{"name":"f"}}],`, []string{user}, true},
		"a name that is not legal": {`"tools":[{"function":{"name":"f g"}}],`, []string{user}, true},
	} {
		var q body
		if err := json.Unmarshal([]byte(`{`+c.more+`"messages":[`+strings.Join(c.messages, ",")+`]}`), &q); err != nil {
			t.Fatal(err)
		}
		if got := q.refusal(); (got != "") != c.refused {
			t.Errorf("%s: got %q", name, got)
		}
	}
}
