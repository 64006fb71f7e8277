package langchain

import (
	"strings"
	"testing"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// Each body is in the form of the service that is named; the words are our own.
func TestFormsOfAStream(t *testing.T) {
	whole := `{"choices":[{"index":0,"message":{"role":"assistant","content":"AB"},"finish_reason":"stop"}]}`
	ab := said("A") + said("B") + ends("stop")
	for name, c := range map[string]struct {
		body, text string
		finish     chat.Finish
	}{
		"openai":                              {ab, "AB", chat.FinishStop},
		"byte order mark":                     {"\uFEFF" + ab, "AB", chat.FinishStop},
		"byte order mark in each event":       {strings.ReplaceAll(ab, "data: ", "data: \uFEFF"), "AB", chat.FinishStop},
		"CR alone":                            {strings.ReplaceAll(ab, "\n", "\r"), "AB", chat.FinishStop},
		"CR LF":                               {strings.ReplaceAll(ab, "\n", "\r\n"), "AB", chat.FinishStop},
		"no empty lines":                      {strings.ReplaceAll(ab, "\n\n", "\n"), "AB", chat.FinishStop},
		"no space behind data":                {strings.ReplaceAll(ab, "data: ", "data:"), "AB", chat.FinishStop},
		"data twice":                          {strings.ReplaceAll(ab, "data: ", "data: data: "), "AB", chat.FinishStop},
		"an event over several lines":         {strings.ReplaceAll(ab, `,"delta"`, ",\ndata: \"delta\""), "AB", chat.FinishStop},
		"an event with its lines bare":        {strings.ReplaceAll(ab, `,"delta"`, ",\n\"delta\""), "AB", chat.FinishStop},
		"comments, ids and retries":           {": hi\nid: 1\nretry: 5\nevent: message\n" + ab, "AB", chat.FinishStop},
		"JSON lines":                          {strings.NewReplacer("data: ", "", "\n\n", "\n").Replace(ab), "AB", chat.FinishStop},
		"a list of events":                    {"data: [" + strings.Trim(strings.NewReplacer("data: ", "", "\n\n", ",").Replace(said("A")+said("B")+event("{}", "stop")), ",") + "]\n\ndata: [DONE]\n\n", "AB", chat.FinishStop},
		"two events on one line":              {strings.Replace(ab, "\n\ndata: ", "", 1), "AB", chat.FinishStop},
		"no stream":                           {whole, "AB", chat.FinishStop},
		"no stream, over lines":               {strings.ReplaceAll(whole, ",", ",\n\n"), "AB", chat.FinishStop},
		"no stream, no finish":                {strings.Replace(whole, `,"finish_reason":"stop"`, "", 1), "AB", chat.FinishStop},
		"all of it once more":                 {said("A") + said("B") + "data: " + whole + "\n\ndata: [DONE]\n\n", "AB", chat.FinishStop},
		"all of it, and the rest":             {said("A") + "data: " + whole + "\n\ndata: [DONE]\n\n", "AB", chat.FinishStop},
		"each piece is a message":             {strings.ReplaceAll(ab, "delta", "message"), "AB", chat.FinishStop},
		"an envelope":                         {strings.ReplaceAll(strings.ReplaceAll(ab, "data: {", `data: {"result":{`), "}]}\n", "}]}}\n"), "AB", chat.FinishStop},
		"an empty error in each event":        {strings.ReplaceAll(ab, `{"choices"`, `{"error":{"code":0,"message":""},"choices"`), "AB", chat.FinishStop},
		"a status that is fine in each event": {strings.ReplaceAll(ab, `{"choices"`, `{"base_resp":{"status_code":0,"status_msg":"success"},"code":200,"message":"OK","choices"`), "AB", chat.FinishStop},
		"choice 1":                            {strings.ReplaceAll(ab, `"index":0`, `"index":1`), "AB", chat.FinishStop},
		"a second choice":                     {said("A") + strings.Replace(said("x"), `"index":0`, `"index":1`, 1) + said("B") + ends("stop"), "AB", chat.FinishStop},
		"index null":                          {strings.ReplaceAll(ab, `"index":0`, `"index":null`), "AB", chat.FinishStop},
		"choices as one object":               {strings.NewReplacer("[{", "{", "}]", "}").Replace(ab), "AB", chat.FinishStop},
		"content as a part":                   {event(`{"content":{"type":"text","text":"AB"}}`, "stop"), "AB", chat.FinishStop},
		"mistral, parts with thinking":        {event(`{"content":[{"type":"thinking","thinking":[{"type":"text","text":"hm"}]},{"type":"text","text":"AB"}]}`, "stop"), "AB", chat.FinishStop},
		"content null, delta [] and null":     {said("A") + event(`{"content":null}`, "null") + event(`[]`, "null") + event(`null`, "null") + said("B") + ends("stop"), "AB", chat.FinishStop},
		"raw newline in a string":             {event("{\"content\":\"A\tB\"}", "stop"), "A\tB", chat.FinishStop},
		"NaN":                                 {strings.ReplaceAll(ab, `{"choices"`, `{"logprob":NaN,"choices"`), "AB", chat.FinishStop},
		"a finish in each event":              {event(`{"content":"A"}`, "stop") + event(`{"content":"B"}`, "stop") + "data: [DONE]\n\n", "AB", chat.FinishStop},
		"finish \"\" in each event":           {event(`{"content":"A"}`, "") + event(`{"content":"B"}`, "") + ends("stop"), "AB", chat.FinishStop},
		"done without a finish (snowflake)":   {said("A") + said("B") + "data: [DONE]\n\n", "AB", chat.FinishStop},
		"finish without done":                 {said("A") + event(`{"content":"B"}`, "stop"), "AB", chat.FinishStop},
		"a refusal in parts":                  {event(`{"refusal":"A"}`, "null") + event(`{"refusal":"B"}`, "null") + ends("stop"), "AB", chat.FinishRefusal},
		"a refusal and a filter":              {event(`{"refusal":"AB"}`, "content_filter"), "AB", chat.FinishContentFilter},
		"a part that is a refusal":            {event(`{"content":[{"type":"refusal","refusal":"AB"}]}`, "stop"), "AB", chat.FinishRefusal},
		"a word that says nothing":            {said("AB") + ends("end_turn"), "AB", chat.FinishStop},
		"the limit":                           {said("AB") + ends("MAX_TOKENS"), "AB", chat.FinishLength},
		"the window is full":                  {said("AB") + ends("model_context_window_exceeded"), "AB", chat.FinishLength},
		"gemini's filter":                     {said("AB") + ends("content_filter: RECITATION"), "AB", chat.FinishContentFilter},
		"openrouter, limit behind stop":       {strings.Replace(said("AB")+ends("stop"), `"finish_reason":"stop"`, `"finish_reason":"stop","native_finish_reason":"max_tokens"`, 1), "AB", chat.FinishLength},
		"only thoughts, then the limit":       {event(`{"reasoning_content":"hm"}`, "null") + ends("length"), "", chat.FinishLength},
		"nothing":                             {ends("stop"), "", chat.FinishStop},
	} {
		t.Run(name, func(t *testing.T) {
			a, err := heardStream(t, c.body)
			if err != nil || a.Text != c.text || a.Finish != c.finish || len(a.Calls) > 0 {
				t.Errorf("%q, %q, calls %s, %v; want %q, %q", a.Text, a.Finish, called(a.Calls), err, c.text, c.finish)
			}
		})
	}
}

// What is no answer is an error, with what had come before it.
func TestStreamsThatAreNoAnswer(t *testing.T) {
	for name, c := range map[string]struct{ body, text, says string }{
		"no end":                          {said("A"), "A", "broke off"},
		"half an event":                   {said("A") + `data: {"choices":[{"del`, "A", "broke off"},
		"half an event, then done":        {said("A") + "data: {\"choices\":[{\"del\n\ndata: [DONE]\n\n", "A", "broke off"},
		"nested without measure":          {said("A") + event(`{"content":`+strings.Repeat(`{"text":`, maxNested)+`"x"`+strings.Repeat("}", maxNested)+`}`, "null"), "A", "broke off"},
		"nothing at all":                  {"", "", "broke off"},
		"a web page":                      {"<!doctype html><p>hi", "", "web page"},
		"an error in the stream":          {said("A") + "data: {\"error\":{\"message\":\"m\",\"code\":\"x\"}}\n\n", "A", "answered with an error"},
		"an error without data":           {said("A") + "{\"error\":{\"message\":\"m\",\"code\":\"x\"}}\n", "A", "answered with an error"},
		"an error event":                  {said("A") + "event: error\ndata: {\"message\":\"m\"}\n\n", "A", "answered with an error"},
		"groq, in x_groq":                 {said("A") + "data: {\"choices\":[],\"x_groq\":{\"error\":\"m\"}}\n\n", "A", "answered with an error"},
		"openrouter, in a choice":         {said("A") + "data: {\"choices\":[{\"error\":{\"code\":502,\"message\":\"m\"},\"delta\":{},\"finish_reason\":\"error\"}]}\n\n", "A", "answered with an error"},
		"minimax, to be paid":             {`{"choices":null,"base_resp":{"status_code":1008,"status_msg":"insufficient balance"}}`, "", "wants to be paid"},
		"siliconflow, in a 200":           {`{"code":50505,"message":"Model service overloaded","data":null}`, "", "overloaded"},
		"too long, as an event":           {"data: {\"error\":{\"code\":\"context_length_exceeded\",\"message\":\"m\"}}\n\n", "", "too long"},
		"too long, as a finish":           {ends("model_context_window_exceeded"), "", "too long"},
		"the provider broke":              {said("A") + ends("network_error"), "A", "broke off"},
		"a call that is cut":              {event(`{"tool_calls":[{"index":0,"function":{"name":"get_time","arguments":"{\"n"}}]}`, "null"), "", "broke off"},
		"a written call that is cut":      {said("<tool_call>\n{\"name\":\"get_time\""), "", "broke off"},
		"more calls than an answer holds": {strings.Repeat(event(`{"tool_calls":[{"function":{"name":"get_time","arguments":"{}"}}]}`, "null"), maxCalls+1), "", "more than an answer may hold"},
	} {
		t.Run(name, func(t *testing.T) {
			a, err := heardStream(t, c.body)
			if err == nil || err.Code == fault.CodeInternal || !strings.Contains(err.Message, c.says) {
				t.Fatalf("%q, %q, calls %s, %v; want an error that says %q", a.Text, a.Finish, called(a.Calls), err, c.says)
			}
			if a.Text != c.text {
				t.Errorf("text %q, want %q", a.Text, c.text)
			}
		})
	}
}

// An answer with more text than one may hold ends there, as at a limit.
func TestAnswersAreBounded(t *testing.T) {
	a, err := heardStream(t, strings.Repeat(said(strings.Repeat("x", 1<<20)), 6))
	if err != nil || len(a.Text) != maxText || a.Finish != chat.FinishLength {
		t.Errorf("%d bytes, %q, %v", len(a.Text), a.Finish, err)
	}
}

// A finish reason is read whatever its notation, and no word of it is an error of
// ours.
func TestEveryEnd(t *testing.T) {
	for reason, want := range map[string]ending{
		"stop": endStop, "STOP": endStop, "end_turn": endStop, "eos": endStop, "stop_sequence": endStop, "COMPLETE": endStop, "something new": endStop,
		"length": endLength, "max_tokens": endLength, "MAX_TOKENS": endLength, "max-output-tokens": endLength, "incomplete": endLength, "token limit": endLength,
		"tool_calls": endCalls, "function_call": endCalls, "tool_use": endCalls, "function_call_filter: MALFORMED_FUNCTION_CALL": endCalls, "UNEXPECTED_TOOL_CALL": endCalls,
		"content_filter": endFilter, "SAFETY": endFilter, "sensitive": endFilter, "PROHIBITED_CONTENT": endFilter, "refusal": endRefusal,
		"model_context_window_exceeded": endContext, "error": endBroken, "network_error": endBroken, "insufficient_system_resource": endBroken, "abort": endBroken,
		"": endNone, "null": endNone, " None ": endNone, "FINISH_REASON_UNSPECIFIED": endNone,
	} {
		if got := endingOf(reason); got != want {
			t.Errorf("%q is %d, want %d", reason, got, want)
		}
	}
}

// Thoughts without their beginning are taken out, and no text that only looks so.
func TestThoughtsWithoutABeginning(t *testing.T) {
	for name, c := range map[string]struct {
		pieces          []string
		text, reasoning string
	}{
		"only the end":          {[]string{"The user says hi.\n", "</think>\n\nHello!"}, "Hello!", "The user says hi.\n"},
		"only the end, chinese": {[]string{"好的，用户", "说了你好。</th", "ink>你好！"}, "你好！", "好的，用户说了你好。"},
		"twice":                 {[]string{"<think>a</think><think>b</think>Hello"}, "Hello", "ab"},
		"seed's marks":          {[]string{"<seed:think>a</seed:th", "ink>Hello"}, "Hello", "a"},
		"mistral's marks":       {[]string{"[THINK]a[/THINK]Hello"}, "Hello", "a"},
		"never ended":           {[]string{"Okay, so this ", "is it."}, "Okay, so this is it.", ""},
		"spoken of":             {[]string{"Write `</think>` there."}, "Write `</think>` there.", ""},
		"later in the text":     {[]string{"It is a tag: ", "<think>x</think>."}, "It is a tag: <think>x</think>.", ""},
	} {
		t.Run(name, func(t *testing.T) {
			var body strings.Builder
			for _, p := range c.pieces {
				body.WriteString(said(p))
			}
			a, err := heardStream(t, body.String()+ends("stop"))
			if err != nil || a.Text != c.text || a.Reasoning != c.reasoning {
				t.Errorf("%q, reasoning %q, %v; want %q, %q", a.Text, a.Reasoning, err, c.text, c.reasoning)
			}
		})
	}
}

// Usage is read under every name, and the fullest count is the answer's.
func TestUsageOfServices(t *testing.T) {
	use := func(s string) string { return `data: {"choices":[],"usage":` + s + "}\n\n" }
	for name, c := range map[string]struct {
		body string
		want chat.Usage
	}{
		"openai":              {use(`{"prompt_tokens":9,"completion_tokens":3,"total_tokens":12,"prompt_tokens_details":{"cached_tokens":4},"completion_tokens_details":{"reasoning_tokens":2}}`), chat.Usage{PromptTokens: 9, CompletionTokens: 3, TotalTokens: 12, CachedTokens: 4, ReasoningTokens: 2}},
		"deepseek":            {use(`{"prompt_tokens":9,"completion_tokens":3,"total_tokens":12,"prompt_cache_hit_tokens":4}`), chat.Usage{PromptTokens: 9, CompletionTokens: 3, TotalTokens: 12, CachedTokens: 4}},
		"kimi, in the choice": {strings.Replace(event("{}", "null"), `"index":0`, `"index":0,"usage":{"prompt_tokens":9,"completion_tokens":3,"total_tokens":12}`, 1), chat.Usage{PromptTokens: 9, CompletionTokens: 3, TotalTokens: 12}},
		"groq":                {"data: {\"choices\":[],\"x_groq\":{\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":3}}}\n\n", chat.Usage{PromptTokens: 9, CompletionTokens: 3, TotalTokens: 12}},
		"xai":                 {use(`{"prompt_tokens":9,"completion_tokens":3,"total_tokens":17,"completion_tokens_details":{"reasoning_tokens":5}}`), chat.Usage{PromptTokens: 9, CompletionTokens: 8, TotalTokens: 17, ReasoningTokens: 5}},
		"so far, each time":   {use(`{"prompt_tokens":9,"completion_tokens":1}`) + use(`{"prompt_tokens":9,"completion_tokens":3}`) + use("null") + use("{}"), chat.Usage{PromptTokens: 9, CompletionTokens: 3, TotalTokens: 12}},
		"other names":         {use(`{"input_tokens":"9","output_tokens":3.0}`), chat.Usage{PromptTokens: 9, CompletionTokens: 3, TotalTokens: 12}},
	} {
		t.Run(name, func(t *testing.T) {
			a, err := heardStream(t, said("hi")+event("{}", "stop")+c.body+"data: [DONE]\n\n")
			if err != nil || a.Usage == nil || *a.Usage != c.want {
				t.Errorf("%+v, %v; want %+v", a.Usage, err, c.want)
			}
		})
	}
}

// A provider that may not be called hears no tools, and its written call is no text.
func TestAForbiddenCallIsNoText(t *testing.T) {
	q := tools()
	q.Messages = append(q.Messages, loop.Message{Role: chat.RoleAssistant, Calls: []loop.Call{{ID: "a", Name: "get_time", Arguments: []byte("{}")}}}, loop.Message{Role: loop.RoleTool, CallID: "a", Text: "now"})
	q.Tools, q.NoCalls = nil, true
	a, err := heardOnce(t, strings.NewReader(said("<tool_call>{\"name\":\"get_time\",\"arguments\":{}}</tool_call>")+ends("stop")), "text/event-stream", q)
	if err != nil || a.Text != "" {
		t.Errorf("text %q, %v", a.Text, err)
	}
}
