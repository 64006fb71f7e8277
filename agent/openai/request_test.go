package openai

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

func TestParse(t *testing.T) {
	for _, tt := range []struct {
		name, body string
		want       Request
	}{
		{
			"images", `{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,aGk="}},{"type":"text","text":"one"}]},{"role":"assistant","content":"eins"},
				{"role":"user","content":[{"type":"image_url","image_url":{"url":"DATA:;charset=x;BASE64,aG8=","detail":"low"}},{"type":"input_image","image_url":"data:image/webp;base64,aGEK"}]}]}`,
			Request{Model: Model, Earlier: []Exchange{{User: "one", Assistant: "eins", Images: [][]byte{[]byte("hi")}}}, Message: "(image)", Images: [][]byte{[]byte("ho"), []byte("ha\n")}},
		},
		{"one message", `{"messages":[{"role":"user","content":"hi"}]}`, Request{Model: Model, Message: "hi"}},
		{
			"a conversation", `{"model":"gpt-x","stream":true,"stream_options":{"include_usage":true},"temperature":0,"messages":[
				{"role":"system","content":"be brief"},{"role":"developer","content":[{"type":"text","text":"be "},{"type":"text","text":"kind"}]},
				{"role":"user","content":"one"},{"role":"assistant","content":"eins"},{"role":"user","content":"two"}]}`,
			Request{Model: "gpt-x", Stream: true, WantUsage: true, Instructions: "be brief\n\nbe kind", Earlier: []Exchange{{User: "one", Assistant: "eins"}}, Message: "two"},
		},
		{
			"one side in a row", `{"messages":[{"role":"user","content":"a"},{"role":"user","content":"b"},{"role":"assistant","content":"c"},{"role":"assistant","content":null},{"role":"assistant","content":"d"},{"role":"user","content":"e"}]}`,
			Request{Model: Model, Earlier: []Exchange{{User: "a\n\nb", Assistant: "c\n\n\n\nd"}}, Message: "e"},
		},
		{"a greeting", `{"messages":[{"role":"assistant","content":"Hello"},{"role":"user","content":"hi"}]}`, Request{Model: Model, Greeting: "Hello", Message: "hi"}},
		{"empty asks for nothing", `{"n":1.0,"modalities":["text"],"tools":[],"tool_choice":null,"functions":null,"stop":null,"logprobs":false,"response_format":{"type":"text"},"messages":[{"role":"user","content":"hi"}]}`, Request{Model: Model, Message: "hi"}},
		{"any JSON", `{"response_format":{"type":"json_object"},"messages":[{"role":"user","content":"hi"}]}`, Request{Model: Model, Message: "hi", Format: &Format{}}},
		{"no format", `{"response_format":null,"messages":[{"role":"user","content":"hi"}]}`, Request{Model: Model, Message: "hi"}},
		{
			"JSON by a schema", `{"response_format":{"type":"json_schema","json_schema":{"name":"n","strict":true,"schema":{ "type": "object" }}},"messages":[{"role":"user","content":"hi"}]}`,
			Request{Model: Model, Message: "hi", Format: &Format{Name: "n", Strict: true, Schema: json.RawMessage(`{"type":"object"}`)}},
		},
		{
			"JSON by a schema without a name", `{"response_format":{"type":"json_schema","json_schema":{"schema":{}}},"messages":[{"role":"user","content":"hi"}]}`,
			Request{Model: Model, Message: "hi", Format: &Format{Name: "answer", Schema: json.RawMessage(`{}`)}},
		},
		{
			"the one tool that must be called", `{"tools":[{"type":"function","function":{"name":"extract","parameters":{"type":"object"}}}],"tool_choice":{"type":"function","function":{"name":"extract"}},"messages":[{"role":"user","content":"hi"}]}`,
			Request{
				Model: Model, Message: "hi", Format: &Format{Name: "extract", Schema: json.RawMessage(`{"type":"object"}`), Call: true},
				Tools: []Tool{{Name: "extract", Parameters: json.RawMessage(`{"type":"object"}`)}}, Choice: Choice{Name: "extract"},
			},
		},
		{
			"the one tool there is, and some tool must be called", `{"tools":[{"type":"function","function":{"name":"extract"}}],"tool_choice":"required","messages":[{"role":"user","content":"hi"}]}`,
			Request{Model: Model, Message: "hi", Format: &Format{Name: "extract", Call: true}, Tools: []Tool{{Name: "extract"}}, Choice: Choice{Word: ChoiceRequired}},
		},
		{
			"what it is for", `{"max_tokens":9,"max_completion_tokens":4.0,"metadata":{"task":"title_generation","chat":7},"store":true,"messages":[{"role":"user","content":"hi"}]}`,
			Request{Model: Model, Message: "hi", Limit: 4, Task: "title_generation", Store: true},
		},
		{
			"what it is for, in odd forms", `{"max_tokens":"many","metadata":[1],"store":null,"messages":[{"role":"user","content":"hi"}]}`,
			Request{Model: Model, Message: "hi"},
		},
	} {
		got, err := Parse([]byte(tt.body))
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if len(got.Earlier) == 0 {
			got.Earlier = nil
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	user := `"messages":[{"role":"user","content":"hi"}]`
	for body, want := range map[string]fault.Code{
		`{"modalities":["text","audio"],` + user + `}`:                                                                   fault.CodeUnsupported,
		`{"web_search_options":{"search_context_size":"low"},` + user + `}`:                                              fault.CodeUnsupported,
		`{"attachments":[{"path":"a.png"}],` + user + `}`:                                                                fault.CodeUnsupported,
		`{"messages":[{"role":"user","content":"hi","images":["aGk="]}]}`:                                                fault.CodeUnsupported,
		`{"messages":[{"role":"user","content":"hi","attachments":[{"path":"a.png"}]}]}`:                                 fault.CodeUnsupported,
		`{"messages":[{"role":"user","content":[{"type":"text","text":"hi"},{"type":"file","file":{"file_id":"f"}}]}]}`:  fault.CodeUnsupported,
		`{"messages":[{"role":"user","content":[{"type":"text","text":"hi"},{"type":"input_audio","input_audio":{}}]}]}`: fault.CodeUnsupported,
		`{"messages":[{"role":"user","content":"hi","tool_calls":[{"id":"c"}]}]}`:                                        fault.CodeUnsupported,
		`{"messages":[{"role":"assistant","content":null,"function_call":{"name":"x"}},{"role":"user","content":"hi"}]}`: fault.CodeUnsupported,
		`{"messages":[{"role":"assistant","content":"","audio":{"id":"a"}},{"role":"user","content":"hi"}]}`:             fault.CodeUnsupported,
		`{`:                 fault.CodeInvalidJSON,
		`[]`:                fault.CodeInvalidRequest,
		`{"messages":"hi"}`: fault.CodeInvalidRequest,
		`{}`:                fault.CodeMissingMessage,
		`{"messages":[]}`:   fault.CodeMissingMessage,
		`{"messages":[{"role":"user","content":" \n"}]}`:                                                                                                       fault.CodeMissingMessage,
		`{"messages":[{"role":"user","content":null}]}`:                                                                                                        fault.CodeMissingMessage,
		"{\"messages\":[{\"role\":\"user\",\"content\":\"\xff\"}]}":                                                                                            fault.CodeInvalidJSON,
		`{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]}`:                                                                      fault.CodeMissingMessage,
		`{"messages":[{"role":"function","name":"a","content":"a"}]}`:                                                                                          fault.CodeUnsupported,
		`{"messages":[{"role":"user","content":[{"type":"image_url"}]}]}`:                                                                                      fault.CodeUnsupported,
		`{"messages":[{"role":"user","content":7}]}`:                                                                                                           fault.CodeUnsupported,
		`{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://example.com/a.png"}}]}]}`:                                      fault.CodeUnsupported,
		`{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"file:///etc/passwd"}}]}]}`:                                             fault.CodeUnsupported,
		`{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png,hi"}}]}]}`:                                              fault.CodeUnsupported,
		`{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,!!"}}]}]}`:                                       fault.CodeUnsupported,
		`{"messages":[{"role":"assistant","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,aGk="}}]},{"role":"user","content":"hi"}]}`: fault.CodeUnsupported,
		`{"n":2,` + user + `}`:                                    fault.CodeUnsupported,
		`{"tools":[{"type":"function"}],` + user + `}`:            fault.CodeUnsupported,
		`{"functions":[{}],` + user + `}`:                         fault.CodeUnsupported,
		`{"tool_choice":"auto",` + user + `}`:                     fault.CodeUnsupported,
		`{"tool_choice":{"type":"function"},` + user + `}`:        fault.CodeUnsupported,
		`{"function_call":"none",` + user + `}`:                   fault.CodeUnsupported,
		`{"n":1.5,` + user + `}`:                                  fault.CodeUnsupported,
		`{"n":"1",` + user + `}`:                                  fault.CodeInvalidRequest,
		`{"stop":"x",` + user + `}`:                               fault.CodeUnsupported,
		`{"logprobs":true,` + user + `}`:                          fault.CodeUnsupported,
		`{"audio":{},` + user + `}`:                               fault.CodeUnsupported,
		`{"response_format":{"type":"json_schema"},` + user + `}`: fault.CodeInvalidRequest,
		`{"response_format":{"type":"json_schema","json_schema":{"name":"a b","schema":{}}},` + user + `}`:                             fault.CodeInvalidRequest,
		`{"response_format":{"type":"json_schema","json_schema":{"schema":[]}},` + user + `}`:                                          fault.CodeInvalidRequest,
		`{"response_format":{"type":"json_schema","json_schema":{"schema":"x"}},` + user + `}`:                                         fault.CodeInvalidRequest,
		`{"response_format":{"type":"json_schema","json_schema":{"schema":{"a":"` + strings.Repeat("x", 64<<10) + `"}}},` + user + `}`: fault.CodeInvalidRequest,
		`{"response_format":"json",` + user + `}`:                                                                                      fault.CodeInvalidRequest,
		`{"response_format":{"type":"grammar"},` + user + `}`:                                                                          fault.CodeUnsupported,
		`{"tools":[{"type":"function","function":{"name":"a b"}}],"tool_choice":"required",` + user + `}`:                              fault.CodeInvalidRequest,
	} {
		_, err := Parse([]byte(body))
		f := fault.From(err)
		if err == nil || f.Code != want || f.Hint == "" {
			t.Errorf("%s: got %v, want %s with a hint", body, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"messages":[{"role":"system","content":"s"},{"role":"user","content":[{"type":"text","text":"hi"}]}]}`))
	f.Add([]byte(`{"messages":[{"role":"user","content":null},{"role":"assistant"},{"role":"user","content":"x"}],"tools":[{}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		q, err := Parse(raw)
		if err != nil {
			if f := fault.From(err); f.Status() >= 500 {
				t.Errorf("a bad request is the client's: %v", err)
			}
			return
		}
		for _, b := range []json.RawMessage{(Answer{Model: q.Model}).Whole(q.Message, "why", "", nil), (Answer{}).Piece(q.Message)} {
			if !json.Valid(b) {
				t.Errorf("no JSON: %q", b)
			}
		}
	})
}

// OpenAI's clients know four reasons why an answer ends, and no others.
func TestFinishReasons(t *testing.T) {
	for finish, want := range map[chat.Finish]string{
		"": "stop", chat.FinishStop: "stop", chat.FinishLength: "length", chat.FinishToolCalls: "tool_calls",
		chat.FinishContentFilter: "content_filter", chat.FinishRefusal: "content_filter", "a later version's": "stop",
	} {
		for _, b := range []json.RawMessage{(Answer{}).Whole("x", "", finish, nil), (Answer{}).Last(finish)} {
			var got struct {
				Choices []struct {
					FinishReason string `json:"finish_reason"`
				}
			}
			if err := json.Unmarshal(b, &got); err != nil || len(got.Choices) != 1 || got.Choices[0].FinishReason != want {
				t.Errorf("%q: got %s (%v), want %q", finish, b, err, want)
			}
		}
	}
}

func TestUsage(t *testing.T) {
	b := (Answer{}).Count(&chat.Usage{PromptTokens: 9, CompletionTokens: 5, TotalTokens: 14, CachedTokens: 4, ReasoningTokens: 2})
	want := `"usage":{"prompt_tokens":9,"completion_tokens":5,"total_tokens":14,"prompt_tokens_details":{"cached_tokens":4},"completion_tokens_details":{"reasoning_tokens":2}}`
	if !strings.Contains(string(b), want) {
		t.Errorf("got %s, want %s in it", b, want)
	}
}
