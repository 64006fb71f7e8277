package openai

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loongclaw/loongclaw/pkg/fault"
)

const hi = `"messages":[{"role":"user","content":"hi"}]`

// declared declares tools of these names.
func declared(names ...string) string {
	var all []string
	for _, n := range names {
		all = append(all, fmt.Sprintf(`{"type":"function","function":{"name":%q}}`, n))
	}
	return `"tools":[` + strings.Join(all, ",") + `]`
}

func TestToolsOfAClient(t *testing.T) {
	schema := json.RawMessage(`{"type":"object","properties":{"city":{"type":"string"}}}`)
	two := []Tool{{Name: "a"}, {Name: "b-2_C"}}
	for name, tt := range map[string]struct {
		body string
		want Request
	}{
		"one, whole": {
			`"tools":[{"type":"function","function":{"name":"get_weather","description":"the weather","strict":true,"parameters": {"type":"object", "properties":{"city":{"type":"string"}}} }}]`,
			Request{Tools: []Tool{{"get_weather", "the weather", schema}}},
		},
		"without parameters":   {declared("a", "b-2_C"), Request{Tools: two}},
		"parameters null":      {`"tools":[{"type":"function","function":{"name":"a","parameters":null}}]`, Request{Tools: two[:1]}},
		"auto":                 {declared("a", "b-2_C") + `,"tool_choice":"auto"`, Request{Tools: two}},
		"none":                 {declared("a", "b-2_C") + `,"tool_choice":"none"`, Request{Tools: two, Choice: Choice{Word: ChoiceNone}}},
		"required":             {declared("a", "b-2_C") + `,"tool_choice":"required"`, Request{Tools: two, Choice: Choice{Word: ChoiceRequired}}},
		"a named one":          {declared("a", "b-2_C") + `,"tool_choice":{"type":"function","function":{"name":"a"}}`, Request{Tools: two, Choice: Choice{Name: "a"}}},
		"one call at a time":   {declared("a", "b-2_C") + `,"parallel_tool_calls":false`, Request{Tools: two, OneCall: true}},
		"many calls at a time": {declared("a", "b-2_C") + `,"parallel_tool_calls":true`, Request{Tools: two}},
		"a hint without tools": {`"parallel_tool_calls":false`, Request{}},
		"names of 64":          {declared(strings.Repeat("n", 64), "b-2_C"), Request{Tools: []Tool{{Name: strings.Repeat("n", 64)}, two[1]}}},
	} {
		got, err := Parse([]byte("{" + tt.body + "," + hi + "}"))
		tt.want.Model, tt.want.Message, tt.want.Earlier = Model, "hi", []Exchange{}
		if diff := cmp.Diff(tt.want, got); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
	}
}

// schemas are tools whose schemas take so many bytes together.
func schemas(bytes int) string {
	const frame = `{"description":""}`
	first := bytes / 2
	of := func(name string, n int) string {
		return fmt.Sprintf(`{"type":"function","function":{"name":%q,"parameters":{"description":%q}}}`, name, strings.Repeat("x", n-len(frame)))
	}
	return `"tools":[` + of("a", first) + "," + of("b", bytes-first) + `]`
}

func TestToolsHaveBounds(t *testing.T) {
	var many []string
	for i := range 129 {
		many = append(many, fmt.Sprintf("t%d", i))
	}
	for name, body := range map[string]string{"128 tools": declared(many[:128]...), "64 KiB of schemas": schemas(64 << 10)} {
		if _, err := Parse([]byte("{" + body + "," + hi + "}")); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, tt := range map[string]struct {
		body string
		want fault.Code
	}{
		"129 tools":                  {declared(many...), fault.CodeInvalidRequest},
		"more than 64 KiB":           {schemas(64<<10 + 1), fault.CodeInvalidRequest},
		"descriptions without end":   {`"tools":[{"type":"function","function":{"name":"a","description":"` + strings.Repeat("x", 64<<10+1) + `"}}]`, fault.CodeInvalidRequest},
		"a name of 65":               {declared(strings.Repeat("n", 65)), fault.CodeInvalidRequest},
		"a name with a blank":        {declared("a b", "c"), fault.CodeInvalidRequest},
		"a name in Chinese":          {declared("天气", "c"), fault.CodeInvalidRequest},
		"a name with a line end":     {declared("a\n", "c"), fault.CodeInvalidRequest},
		"no name":                    {declared("", "c"), fault.CodeInvalidRequest},
		"two of one name":            {declared("a", "a"), fault.CodeInvalidRequest},
		"parameters that are a list": {`"tools":[{"type":"function","function":{"name":"a","parameters":[]}}]`, fault.CodeInvalidRequest},
		"a tool of another type":     {`"tools":[{"type":"web_search"}]`, fault.CodeUnsupported},
		"no function":                {`"tools":[{"type":"function"}]`, fault.CodeUnsupported},
		"tools that are no list":     {`"tools":{"a":1}`, fault.CodeInvalidRequest},
		"an unknown word":            {declared("a", "b") + `,"tool_choice":"sometimes"`, fault.CodeInvalidRequest},
		"another tool":               {declared("a", "b") + `,"tool_choice":{"type":"function","function":{"name":"c"}}`, fault.CodeInvalidRequest},
		"a choice of another type":   {declared("a", "b") + `,"tool_choice":{"type":"allowed_tools"}`, fault.CodeUnsupported},
		"a choice that is a number":  {declared("a", "b") + `,"tool_choice":7`, fault.CodeInvalidRequest},
		"JSON beside tools":          {declared("a", "b") + `,"response_format":{"type":"json_object"}`, fault.CodeUnsupported},
		"functions":                  {`"functions":[{"name":"a"}]`, fault.CodeUnsupported},
		"a choice without tools":     {`"tool_choice":"none"`, fault.CodeUnsupported},
	} {
		_, err := Parse([]byte("{" + tt.body + "," + hi + "}"))
		if f := fault.From(err); err == nil || f.Code != tt.want || f.Hint == "" || f.Param == "" {
			t.Errorf("%s: got %v about %q, want %s", name, err, f.Param, tt.want)
		}
	}
}

// made is a message of the assistant with calls of a.
func made(text string, ids ...string) string {
	var calls []string
	for _, id := range ids {
		calls = append(calls, fmt.Sprintf(`{"id":%q,"type":"function","function":{"name":"a","arguments":"{\"n\":1}"}}`, id))
	}
	content := "null"
	if text != "" {
		content = fmt.Sprintf("%q", text)
	}
	return `{"role":"assistant","content":` + content + `,"tool_calls":[` + strings.Join(calls, ",") + `]}`
}

func gave(id, text string) string {
	return fmt.Sprintf(`{"role":"tool","tool_call_id":%q,"content":%q}`, id, text)
}

func says(role, text string) string { return fmt.Sprintf(`{"role":%q,"content":%q}`, role, text) }

func ofA(id string) Call { return Call{id, "a", `{"n":1}`} }

func TestCallsInWhatWasSaid(t *testing.T) {
	for name, tt := range map[string]struct {
		messages []string
		want     Request
	}{
		"results": {
			[]string{says("system", "s"), says("user", "q"), made("I look.", "c1", "c2"), gave("c2", "zwei"), gave("c1", "eins")},
			Request{Instructions: "s", Message: "q", Said: "I look.", Results: []Result{{"c2", "zwei"}, {"c1", "eins"}}, Begun: []Step{
				{Text: "I look.", Calls: []Call{ofA("c1"), ofA("c2")}, Results: []Result{{"c2", "zwei"}, {"c1", "eins"}}},
			}},
		},
		"results of a second round": {
			[]string{says("user", "q"), made("", "c1"), gave("c1", "eins"), made("", "c2"), `{"role":"tool","tool_call_id":"c2","content":[{"type":"text","text":"zw"},{"type":"text","text":"ei"}]}`},
			Request{Message: "q", Results: []Result{{"c2", "zwei"}}, Begun: []Step{
				{Calls: []Call{ofA("c1")}, Results: []Result{{"c1", "eins"}}}, {Calls: []Call{ofA("c2")}, Results: []Result{{"c2", "zwei"}}},
			}},
		},
		"an exchange with calls": {
			[]string{says("user", "q"), made("I look.", "c1"), gave("c1", "eins"), says("assistant", "One."), says("user", "and?")},
			Request{Message: "and?", Earlier: []Exchange{{
				User: "q", Assistant: "I look.\n\nOne.", Last: "One.",
				Steps: []Step{{Text: "I look.", Calls: []Call{ofA("c1")}, Results: []Result{{"c1", "eins"}}}},
			}}},
		},
		"calls that nothing came of": {
			[]string{says("user", "q"), made("", "c1"), says("user", "never mind")},
			Request{Message: "never mind", Earlier: []Exchange{{User: "q", Steps: []Step{{Calls: []Call{ofA("c1")}}}}}},
		},
		"a window that begins with the calls": {
			[]string{made("", "c1"), gave("c1", "eins")},
			Request{Results: []Result{{"c1", "eins"}}, Begun: []Step{{Calls: []Call{ofA("c1")}, Results: []Result{{"c1", "eins"}}}}},
		},
		"a window that begins with the results": {
			[]string{says("system", "s"), gave("c1", "eins"), gave("c2", "zwei")},
			Request{Instructions: "s", Results: []Result{{"c1", "eins"}, {"c2", "zwei"}}},
		},
		"a window that begins with old results": {
			[]string{gave("c1", "eins"), says("assistant", "One."), says("user", "and?")},
			Request{Greeting: "One.", Message: "and?"},
		},
		"arguments as an object, and none": {
			[]string{says("user", "q"), `{"role":"assistant","tool_calls":[{"id":"c1","function":{"name":"a","arguments":{"n":1}}},{"id":"c2","type":"function","function":{"name":"a","arguments":""}},{"id":"c3","type":"function","function":{"name":"a"}}]}`, says("user", "and?")},
			Request{Message: "and?", Earlier: []Exchange{{User: "q", Steps: []Step{{Calls: []Call{ofA("c1"), {"c2", "a", "{}"}, {"c3", "a", "{}"}}}}}}},
		},
	} {
		got, err := Parse([]byte(`{"messages":[` + strings.Join(tt.messages, ",") + `]}`))
		tt.want.Model = Model
		if len(got.Earlier) == 0 {
			got.Earlier = nil
		}
		if diff := cmp.Diff(tt.want, got); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
	}
}

func TestCallsThatAreRefused(t *testing.T) {
	for name, tt := range map[string]struct {
		messages []string
		says     string
	}{
		"a result is missing":          {[]string{says("user", "q"), made("", "c1", "c2", "c3"), gave("c2", "x")}, "c1, c3"},
		"a result of no call":          {[]string{says("user", "q"), made("", "c1"), gave("c1", "x"), gave("c9", "x")}, "c9"},
		"a result of an earlier round": {[]string{says("user", "q"), made("", "c1"), gave("c1", "x"), made("", "c2"), gave("c2", "x"), gave("c1", "x")}, "c1"},
		"two results of one call":      {[]string{says("user", "q"), made("", "c1"), gave("c1", "x"), gave("c1", "y")}, "two tool messages"},
		"results without calls":        {[]string{says("user", "q"), gave("c1", "x")}, "tool_calls"},
		"a result without an id":       {[]string{says("user", "q"), made("", "c1"), says("tool", "x")}, "tool_call_id"},
		"two calls of one id":          {[]string{says("user", "q"), made("", "c1", "c1"), gave("c1", "x")}, "two calls"},
		"a call without an id":         {[]string{says("user", "q"), made("", ""), gave("", "x")}, "no id"},
		"a call of another type":       {[]string{says("user", "q"), `{"role":"assistant","tool_calls":[{"id":"c","type":"custom","custom":{}}]}`, says("user", "x")}, "custom"},
		"arguments that are a number":  {[]string{says("user", "q"), `{"role":"assistant","tool_calls":[{"id":"c","function":{"name":"a","arguments":7}}]}`, says("user", "x")}, "arguments"},
		"calls that are no list":       {[]string{says("user", "q"), `{"role":"assistant","tool_calls":"c"}`, says("user", "x")}, "tool_calls"},
		"an assistant's last word":     {[]string{says("user", "q"), made("", "c1")}, "last message"},
		"a picture as a result":        {[]string{says("user", "q"), made("", "c1"), `{"role":"tool","tool_call_id":"c1","content":[{"type":"image_url"}]}`}, "image_url"},
	} {
		_, err := Parse([]byte(`{"messages":[` + strings.Join(tt.messages, ",") + `]}`))
		f := fault.From(err)
		if err == nil || f.Code.Status() != 400 || f.Hint == "" || f.Param == "" || !strings.Contains(f.Error(), tt.says) {
			t.Errorf("%s: got %v, want 400 that names %s", name, err, tt.says)
		}
	}
}

func TestAnAnswerWithCalls(t *testing.T) {
	a := Answer{ID: "chatcmpl-1", Model: "m"}
	calls := []Call{{"c1", "a", `{"n":1}`}, {"c2", "b", "{}"}}
	for text, content := range map[string]string{"": `"content":null`, "I look.": `"content":"I look."`} {
		got := string(a.Calling(text, "", calls, nil))
		for _, want := range []string{content, `"finish_reason":"tool_calls"`, `{"id":"c1","type":"function","function":{"name":"a","arguments":"{\"n\":1}"}}`, `{"id":"c2","type":"function","function":{"name":"b","arguments":"{}"}}`} {
			if !strings.Contains(got, want) {
				t.Errorf("got %s, want %s in it", got, want)
			}
		}
	}
	if got := string(a.Called(1, calls[1])); !strings.Contains(got, `"delta":{"tool_calls":[{"index":1,"id":"c2","type":"function"`) {
		t.Errorf("in a stream: got %s", got)
	}
}
