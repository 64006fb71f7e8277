package langchain

import (
	"strings"
	"testing"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

// piece is a delta of a call: fields beside the function, its name, its arguments.
func piece(beside, name, args string) string {
	var f []string
	if name != "" {
		f = append(f, `"name":"`+name+`"`)
	}
	if args != "" {
		f = append(f, `"arguments":`+string(quoted(args)))
	}
	if beside != "" {
		beside += ","
	}
	return event(`{"tool_calls":[{`+beside+`"function":{`+strings.Join(f, ",")+`}}]}`, "null")
}

// Deltas of calls, in the orders of services as reported. A call is put together
// where there is one way to do so.
func TestDeltasOfCalls(t *testing.T) {
	const utc, tokyo = `{"zone":"UTC"}`, `{"zone":"Tokyo"}`
	for name, c := range map[string]struct{ body, want string }{
		"openai":                            {piece(`"index":0,"id":"a"`, "get_time", "") + piece(`"index":0`, "", `{"zone":`) + piece(`"index":0`, "", `"UTC"}`), "get_time " + utc},
		"two, interleaved":                  {piece(`"index":0,"id":"a"`, "get_time", `{"zone":`) + piece(`"index":1,"id":"b"`, "get_time", `{"zone":`) + piece(`"index":0`, "", `"UTC"}`) + piece(`"index":1`, "", `"Tokyo"}`), "get_time " + utc + "; get_time " + tokyo},
		"all at index 0":                    {piece(`"index":0,"id":"a"`, "get_time", utc) + piece(`"index":0,"id":"b"`, "get_time", tokyo), "get_time " + utc + "; get_time " + tokyo},
		"no index, by id":                   {piece(`"id":"a"`, "get_time", `{"zone":`) + piece(`"id":"b"`, "get_time", `{"zone":`) + piece(`"id":"a"`, "", `"UTC"}`) + piece(`"id":"b"`, "", `"Tokyo"}`), "get_time " + utc + "; get_time " + tokyo},
		"neither index nor id":              {piece("", "get_time", utc) + piece("", "read_file", `{"path":"x"}`), "get_time " + utc + `; read_file {"path":"x"}`},
		"another id in each delta":          {piece(`"index":0,"id":"a1"`, "get_time", "") + piece(`"index":0,"id":"b2"`, "", `{"zone":`) + piece(`"index":0,"id":"c3"`, "", `"UTC"}`), "get_time " + utc},
		"another index in each delta":       {piece(`"index":0,"id":"a"`, "get_time", `{"zone":`) + piece(`"index":1`, "", `"U`) + piece(`"index":2`, "", `TC"}`), "get_time " + utc},
		"begins at 0, goes on at 1":         {piece(`"index":0,"id":"a"`, "get_time", utc) + piece(`"index":0,"id":"b"`, "get_time", "") + piece(`"index":1`, "", tokyo), "get_time " + utc + "; get_time " + tokyo},
		"the name in each delta":            {piece(`"index":0,"id":"a"`, "get_time", `{"zone":`) + piece(`"index":0,"id":"a"`, "get_time", `"UTC"}`), "get_time " + utc},
		"the name in pieces":                {piece(`"index":0,"id":"a"`, "get_", "") + piece(`"index":0`, "time", "") + piece(`"index":0`, "", utc), "get_time " + utc},
		"the name so far, each time":        {piece(`"index":0,"id":"a"`, "get", "") + piece(`"index":0`, "get_time", "") + piece(`"index":0`, "", utc), "get_time " + utc},
		"the id first":                      {piece(`"index":0,"id":"a"`, "", "") + piece(`"index":0`, "get_time", "") + piece(`"index":0`, "", utc), "get_time " + utc},
		"arguments before the name":         {piece(`"index":0,"id":"a"`, "", `{"zone":`) + piece(`"index":0`, "get_time", `"UTC"}`), "get_time " + utc},
		"{} first":                          {piece(`"index":0,"id":"a"`, "get_time", "{}") + piece(`"index":0`, "", utc), "get_time " + utc},
		"{} last":                           {piece(`"index":0,"id":"a"`, "get_time", utc) + piece(`"index":0`, "", "{}"), "get_time " + utc},
		"all of it once more":               {piece(`"index":0,"id":"a"`, "get_time", `{"zone":`) + piece(`"index":0`, "", `"UTC"}`) + piece(`"index":0`, "", utc), "get_time " + utc},
		"all of it once more, other blanks": {piece(`"index":0,"id":"a"`, "get_time", utc) + piece(`"index":0`, "", `{ "zone": "UTC" }`), "get_time " + utc},
		"what was so far, each time":        {piece(`"index":0,"id":"a"`, "get_time", `{"zone"`) + piece(`"index":0`, "", `{"zone":"U`) + piece(`"index":0`, "", utc), "get_time " + utc},
		"several in one string":             {piece(`"index":0,"id":"a"`, "get_time", utc+tokyo), "get_time " + utc + "; get_time " + tokyo},
		"null":                              {piece(`"index":0,"id":"a"`, "get_time", "null"), "get_time {}"},
		"no arguments":                      {piece(`"index":0,"id":"a"`, "get_time", ""), "get_time {}"},
		"the object itself":                 {event(`{"tool_calls":[{"function":{"name":"get_time","arguments":`+utc+`}}]}`, "null"), "get_time " + utc},
		"flat":                              {event(`{"tool_calls":[{"id":"a","name":"get_time","arguments":`+utc+`}]}`, "null"), "get_time " + utc},
		"parameters":                        {event(`{"tool_calls":[{"function":{"name":"get_time","parameters":`+utc+`}}]}`, "null"), "get_time " + utc},
		"not in a list":                     {event(`{"tool_calls":{"function":{"name":"get_time","arguments":`+utc+`}}}`, "null"), "get_time " + utc},
		"function_call":                     {event(`{"function_call":{"name":"get_time","arguments":"{\"zone\":"}}`, "null") + event(`{"function_call":{"arguments":"\"UTC\"}"}}`, "null"), "get_time " + utc},
		"an empty delta at the end":         {piece(`"index":0,"id":"a"`, "get_time", utc) + piece(`"index":1`, "", ""), "get_time " + utc},
		"no name at all":                    {piece(`"index":0,"id":"a"`, "", utc), ""},
		"a call and a nameless one":         {piece(`"index":0,"id":"a"`, "get_time", utc) + piece(`"index":1,"id":"b"`, "", tokyo), "get_time " + utc},
	} {
		for _, finish := range []string{"tool_calls", "stop", "function_call"} {
			t.Run(name+", "+finish, func(t *testing.T) {
				a, err := heardStream(t, c.body+ends(finish))
				if got := called(a.Calls); err != nil || got != c.want || a.Text != "" {
					t.Errorf("%s, %q, %v; want %s", got, a.Text, err, c.want)
				}
			})
		}
	}
}

// Where arguments may be those of either of two calls, neither call is run.
func TestCallsInDoubtAreNotRun(t *testing.T) {
	for name, body := range map[string]string{
		"arguments at no open call's index": piece(`"index":0,"id":"a"`, "get_time", `{"zone":`) + piece(`"index":1,"id":"b"`, "get_time", `{"zone":`) + piece(`"index":7`, "", `"UTC"}`),
		"one with two, one with none":       piece(`"index":0,"id":"a"`, "get_time", `{"zone":"UTC"}`) + piece(`"index":0`, "", `{"zone":"Tokyo"}`) + piece(`"index":1,"id":"b"`, "get_time", ""),
		"one that grew, or two":             piece(`"index":0,"id":"a"`, "get_time", `{"zone":"UTC"}{"zone":"UTC","n":1}`),
		"{} and another's":                  piece(`"index":0,"id":"a"`, "get_time", `{}`) + piece(`"index":1`, "", `{"zone":"UTC"}`),
	} {
		t.Run(name, func(t *testing.T) {
			a, err := heardStream(t, body+ends("tool_calls"))
			if err != nil || len(a.Calls) == 0 {
				t.Fatalf("%s, %v", called(a.Calls), err)
			}
			for _, c := range a.Calls {
				if loop.IsObject(c.Arguments) {
					t.Errorf("%s would be run", called(a.Calls))
				}
			}
		})
	}
}

// Of an answer that was cut off, calls that are whole are given on and the rest is
// told; of one that a filter or a refusal ended there are none.
func TestCallsOfACutAnswer(t *testing.T) {
	whole := piece(`"index":0,"id":"a"`, "get_time", `{"n":1}`)
	for name, c := range map[string]struct {
		body   string
		want   string
		finish chat.Finish
	}{
		"whole":          {whole + ends("length"), `get_time {"n":1}`, chat.FinishLength},
		"half":           {whole + piece(`"index":1,"id":"b"`, "read_file", `{"path":"x`) + ends("length"), `get_time {"n":1}; read_file {"path":"x`, chat.FinishLength},
		"only a name":    {whole + piece(`"index":1,"id":"b"`, "read_file", "") + ends("max_tokens"), `get_time {"n":1}; read_file ""`, chat.FinishLength},
		"within a block": {said("<tool_call>\n{\"name\":\"get_time\",\"arguments\":{\"n\":1}}") + ends("length"), "", chat.FinishLength},
		"filter":         {whole + ends("content_filter"), "", chat.FinishContentFilter},
		"refusal":        {whole + ends("refusal"), "", chat.FinishRefusal},
	} {
		t.Run(name, func(t *testing.T) {
			a, err := heardStream(t, c.body)
			if got := called(a.Calls); err != nil || got != c.want || a.Finish != c.finish {
				t.Errorf("%s, %q, %v; want %s, %q", got, a.Finish, err, c.want, c.finish)
			}
		})
	}
}

// Arguments are mended where they have one reading, and left for the model to hear
// of where they have none or two.
func TestArgumentsThatAreNoJSON(t *testing.T) {
	for in, want := range map[string]string{
		"```json\n{\"n\":1}\n```":         `{"n":1}`,
		`"{\"n\":1}"`:                     `{"n":1}`,
		`[{"n":1}]`:                       `{"n":1}`,
		`{'zone': 'it\'s', 'n': None}`:    `{"zone":"it's","n":null}`,
		"{\"zone\":\"a\nb\"}":             `{"zone":"a\nb"}`,
		`{"n":1,}`:                        `{"n":1}`,
		`{n: 1}`:                          `{"n":1}`,
		`{"n":1}</tool_call>`:             `{"n":1}`,
		`{"n":1}<|im_end|>`:               `{"n":1}`,
		`{"zone":"C:\Windows"}`:           `{"zone":"C:\\Windows"}`,
		`{"zone":"C:\new\Windows"}`:       "", // a new line, or a folder
		`{"n":1`:                          "",
		`{"zone":"UTC`:                    "",
		`{"n":1,"zone":}`:                 "",
		`[{"n":1},{"n":2}]`:               "",
		`n=1`:                             "",
		`{"n":1} and then {"n":2}`:        "",
		strings.Repeat(`{"a":`, 10000):    "",
		strings.Repeat("[", maxNesting*9): "",
	} {
		got, ok := mend(in)
		if string(got) != want && (want != "" || ok) {
			t.Errorf("%.60q gives %s, %v; want %q", in, got, ok, want)
		}
	}
}
