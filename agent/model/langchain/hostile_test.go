package langchain

import (
	"strings"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/pkg/fault"
)

// A stream that was made to cost much costs about what its length does: each of
// these once took minutes, much memory, or the whole process.
func TestHostileStreams(t *testing.T) {
	const n = 1 << 20
	many := func(s string) string { return strings.Repeat(s, n/len(s)) }
	args := func(s string) string {
		return event(`{"tool_calls":[{"index":0,"function":{"name":"get_time","arguments":`+string(quoted(s))+`}}]}`, "null")
	}
	for name, body := range map[string]string{
		"many values on a line":         "data: " + many("{}") + "\n\n",
		"many values in a list":         "data: [" + many("{},") + "{}]\n\n",
		"many values, no data":          many("{} ") + "\n",
		"many choices":                  `data: {"choices":[` + many("{},") + "{}]}\n\n",
		"deep":                          `data: {"error":` + strings.Repeat(`{"a":`, 5000) + `"` + many("x") + `"` + strings.Repeat("}", 5001) + "\n\n",
		"deep content":                  event(`{"content":`+strings.Repeat(`{"text":`, 5000)+`"x"`+strings.Repeat("}", 5000)+`}`, "null"),
		"never closed":                  "data: " + many("[") + "\n\n",
		"arguments of many objects":     args(many("{}")),
		"arguments of many others":      args(many(`{"n":1}`)),
		"arguments of many nulls":       args(many("null")),
		"arguments nested":              args(many("[")),
		"many deltas of one call":       strings.Repeat(piece(`"index":0`, "get_time", "{}"), 5000),
		"many deltas of unknown calls":  strings.Repeat(piece("", "", "{"), 5000),
		"ends of a written call":        said("<tool_call>" + many("x") + strings.Repeat("</tool_call>", 200)),
		"beginnings of written calls":   said(many("<tool_call>")),
		"written objects":               said("<tool_call>" + many(`{"name":"get_time","arguments":{}}`) + "</tool_call>"),
		"functions":                     said(many("<function=get_time></function>")),
		"ends of thoughts":              said("The user `" + many("</think>")),
		"thoughts":                      said(many("<think></think>")),
		"blanks":                        said(many(" ")),
		"details":                       strings.Repeat(event(`{"reasoning_details":[`+strings.TrimSuffix(strings.Repeat(`{"data":"`+"x"+`","id":1},{"data":"y"},`, 100), ",")+`]}`, "null"), 200),
		"kept lists":                    strings.Repeat(event(`{"extra":[1]}`, "null"), 5000),
		"kept texts":                    strings.Repeat(event(`{"x_signature":"abc"}`, "null"), 5000),
		"many names":                    event("{"+strings.TrimSuffix(many(`"a":1,`), ",")+"}", "null"),
		"backslashes":                   args(`{"a":"` + many(`\`)),
		"an endless line":               "data: {\"a\":\"" + many("x"),
		"empty lines":                   many("\n"),
		"comments":                      many(":\n"),
		"bare lines of an endless body": "{\n" + many("1\n"),
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			a, err := heardStream(t, body+ends("stop"))
			if err != nil && err.Code == fault.CodeInternal {
				t.Error(err)
			}
			if took := time.Since(start); took > 20*time.Second {
				t.Errorf("it took %v", took)
			}
			checkNative(t, a.Native, len(a.Calls))
		})
	}
}
