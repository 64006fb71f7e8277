package langchain

import (
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// FuzzStream: whatever a provider sends, with whatever content type and in whatever
// pieces,
//   - nothing panics, neither here nor in the library;
//   - the pieces that are streamed are whole characters and join to the text;
//   - there is an error of ours, or an answer that says how it ended;
//   - no call is without a name, none is given on where a filter or a refusal ended
//     the answer, and arguments are whole characters;
//   - what is kept for the provider is JSON, and for no more calls than there are;
//   - it makes no difference in which pieces the bytes came.
func FuzzStream(f *testing.F) {
	for _, s := range []string{
		"data: {\"choices\":[{\"delta\":{\"content\":\"a\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n",
		"data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":1,\"id\":\"x\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]}}]}\r\n\r\n",
		"data: {\"error\":{\"code\":1,\"message\":\"x\"}}\n", "{\"choices\":null}", ": x\ndata: [\ndata: ]\n\n",
		"data: {\"choices\":[{\"message\":{\"content\":[{\"text\":\"\\ud83d\"}]},\"finish_reason\":\"length\"}],\"usage\":{\"prompt_tokens\":\"1\"}}\n\n",
		"\ufeffdata: {\"choices\":[{\"delta\":{\"content\":\"a\"},\"finish_reason\":\"function_call\"}]}\r\rdata: [DONE]\r\r",
		"{\"data\":{\"choices\":[{\"message\":{\"content\":\"a\",\"function_call\":{\"name\":\"get_time\",\"arguments\":{}}}}]}}",
		event(`{"reasoning_details":[{"type":"reasoning.encrypted","data":"s","index":0}],"tool_calls":{"function":{"name":"get_time"},"extra_content":{"google":1}}}`, "length"),
		said("<tool_call>\n{\"name\":\"get_time\",\"arguments\":{}}\n</tool_call>") + ends("stop"),
		said("x</think>y") + event(`{"refusal":"no","tool_calls":[null,{},[],{"id":""}]}`, "refusal"),
		said("[TOOL_CALLS]get_time{\"n\":NaN}") + ends("content_filter"),
		"data: {\"choices\":{\"delta\":[],\"message\":null,\"index\":null,\"finish_reason\":{}}}\n\n\x00data:null\n\n",
	} {
		f.Add(s, uint8(0))
		f.Add(s, uint8(1))
	}
	f.Fuzz(func(t *testing.T, body string, kind uint8) {
		as := []string{"text/event-stream", "application/json", "", "text/plain; charset=x"}[kind%4]
		a, err := heardOnce(t, strings.NewReader(body), as, tools())
		switch {
		case err != nil && err.Code == fault.CodeInternal:
			t.Fatalf("it panicked: %v", err)
		case err == nil && a.Finish == "":
			t.Errorf("an answer without an end: %q", body)
		}
		if len(a.Calls) > 0 && (a.Finish == chat.FinishRefusal || a.Finish == chat.FinishContentFilter) {
			t.Errorf("calls beside %s", a.Finish)
		}
		for _, c := range a.Calls {
			if c.Name == "" || len(c.Arguments) == 0 || !utf8.Valid(c.Arguments) {
				t.Errorf("call %q with arguments %q", c.Name, c.Arguments)
			}
		}
		if !utf8.ValidString(a.Reasoning) {
			t.Errorf("reasoning %q", a.Reasoning)
		}
		checkNative(t, a.Native, len(a.Calls))
		// Only what it says of its time can differ, and no time passes here.
		again, err2 := heardOnce(t, iotest.OneByteReader(strings.NewReader(body)), as, tools())
		if again.Text != a.Text || called(again.Calls) != called(a.Calls) || again.Finish != a.Finish || (err == nil) != (err2 == nil) {
			t.Errorf("in one piece %q, %s, %q, %v; byte by byte %q, %s, %q, %v",
				a.Text, called(a.Calls), a.Finish, err, again.Text, called(again.Calls), again.Finish, err2)
		}
	})
}
