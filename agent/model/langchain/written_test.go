package langchain

import (
	"strings"
	"testing"

	"github.com/loongclaw/loongclaw/pkg/chat"
)

// Calls that a model wrote in its own notation, each in the form of the family that
// is named. Whatever the pieces are in which it comes, it is a call and no text.
func TestCallsWrittenAsText(t *testing.T) {
	const utc = `get_time {"zone":"UTC"}`
	for name, c := range map[string]struct{ text, want string }{
		"hermes":           {"<tool_call>\n{\"name\":\"get_time\",\"arguments\":{\"zone\":\"UTC\"}}\n</tool_call>", utc},
		"hermes, two":      {"<tool_call>{\"name\":\"get_time\",\"arguments\":{\"zone\":\"UTC\"}}</tool_call>\n<tool_call>{\"name\":\"read_file\",\"arguments\":{\"path\":\"x\"}}</tool_call>", utc + `; read_file {"path":"x"}`},
		"hermes, no end":   {"<tool_call>\n{\"name\":\"get_time\",\"arguments\":{\"zone\":\"UTC\"}}", utc},
		"its end within":   {`<tool_call>{"name":"read_file","arguments":{"path":"</tool_call>"}}</tool_call>`, `read_file {"path":"</tool_call>"}`},
		"qwen3-coder":      {"<tool_call>\n<function=get_time>\n<parameter=zone>\nUTC\n</parameter>\n</function>\n</tool_call>", utc},
		"a number's text":  {"<function=get_time><parameter=zone>5</parameter><parameter=n>5</parameter></function>", `get_time {"zone":"5","n":5}`},
		"glm":              {"<tool_call>get_time\n<arg_key>zone</arg_key>\n<arg_value>UTC</arg_value>\n</tool_call>", utc},
		"minimax":          {"<minimax:tool_call>\n<invoke name=\"get_time\">\n<parameter name=\"zone\">UTC</parameter>\n</invoke>\n</minimax:tool_call>", utc},
		"deepseek's DSML":  {"<｜DSML｜function_calls>\n<｜DSML｜invoke name=\"get_time\">\n<｜DSML｜parameter name=\"zone\" string=\"true\">UTC</｜DSML｜parameter>\n</｜DSML｜invoke>\n</｜DSML｜function_calls>", utc},
		"deepseek v3":      {"<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>get_time\n```json\n{\"zone\":\"UTC\"}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>", utc},
		"kimi":             {"<|tool_calls_section_begin|><|tool_call_begin|>functions.get_time:0<|tool_call_argument_begin|>{\"zone\":\"UTC\"}<|tool_call_end|><|tool_calls_section_end|>", utc},
		"gpt-oss":          {"<|channel|>commentary to=functions.get_time <|constrain|>json<|message|>{\"zone\":\"UTC\"}<|call|>", utc},
		"mistral":          {`[TOOL_CALLS]get_time[ARGS]{"zone":"UTC"}`, utc},
		"mistral, a list":  {`[TOOL_CALLS][{"name":"get_time","arguments":{"zone":"UTC"}}]`, utc},
		"llama":            {`<|python_tag|>{"name":"get_time","parameters":{"zone":"UTC"}}`, utc},
		"marks at the end": {"<tool_call>{\"name\":\"get_time\",\"arguments\":{\"zone\":\"UTC\"}}</tool_call><|im_end|>\n", utc},
	} {
		t.Run(name, func(t *testing.T) {
			for _, before := range []string{"", "Let me look it up.\n\n", "Such as:\n```\n<tool_call>x</tool_call>\n```\n"} {
				for _, size := range []int{1, 7, 1 << 20} {
					var body strings.Builder
					for s := []rune(before + c.text); len(s) > 0; s = s[min(size, len(s)):] {
						body.WriteString(said(string(s[:min(size, len(s))])))
					}
					a, err := heardStream(t, body.String()+ends("stop"))
					if got := called(a.Calls); err != nil || got != c.want || strings.TrimSpace(a.Text) != strings.TrimSpace(before) || a.Finish != chat.FinishToolCalls {
						t.Errorf("after %q, %d at once: %s, text %q, %q, %v; want %s", before, size, got, a.Text, a.Finish, err, c.want)
					}
				}
			}
		})
	}
}

// What speaks of a call, or shows one, is text to the letter.
func TestTextThatSpeaksOfCalls(t *testing.T) {
	const block = "<tool_call>{\"name\":\"get_time\",\"arguments\":{}}</tool_call>"
	for name, text := range map[string]string{
		"in a fence":              "Write:\n```\n" + block + "\n```",
		"in a fence without end":  "Write:\n```xml\n" + block,
		"in a fence of tildes":    "~~~\n" + block + "\n~~~\n",
		"in a line of code":       "Write `" + block + "`",
		"in a sentence":           "Write " + block,
		"in quotes":               "Write \"" + block,
		"in a quotation":          "> " + block,
		"indented as code":        "So:\n\n    " + block,
		"text follows":            block + "\nThat is how it looks.",
		"no declared tool":        "<tool_call>{\"name\":\"rm\",\"arguments\":{}}</tool_call>",
		"one tool not declared":   block + "<tool_call>{\"name\":\"rm\",\"arguments\":{}}</tool_call>",
		"no JSON":                 "<tool_call>get the time</tool_call>",
		"a field that is unknown": "<tool_call>{\"name\":\"get_time\",\"arguments\":{},\"x\":1}</tool_call>",
		"only a beginning":        "<tool_call>",
		"less than a beginning":   "<tool_c",
		"bare JSON":               "{\"name\":\"get_time\",\"arguments\":{}}",
		"a list of Markdown":      "[TOOL_CALLS] is a token of Mistral's.",
	} {
		t.Run(name, func(t *testing.T) {
			for _, size := range []int{1, 1 << 20} {
				var body strings.Builder
				for s := text; s != ""; s = s[min(size, len(s)):] {
					body.WriteString(said(s[:min(size, len(s))]))
				}
				a, err := heardStream(t, body.String()+ends("stop"))
				if err != nil || a.Text != text || len(a.Calls) > 0 {
					t.Errorf("%d at once: %q, calls %s, %v", size, a.Text, called(a.Calls), err)
				}
			}
		})
	}
}

// A call that its server has read, and left in the text all the same, is one call.
func TestACallThatIsAlsoText(t *testing.T) {
	a, err := heardStream(t, said("<tool_call>{\"name\":\"get_time\",\"arguments\":{\"n\":1}}</tool_call>")+piece(`"index":0,"id":"a"`, "get_time", `{"n":1}`)+ends("tool_calls"))
	if got := called(a.Calls); err != nil || got != `get_time {"n":1}` || a.Text != "" {
		t.Errorf("%s, %q, %v", got, a.Text, err)
	}
}
