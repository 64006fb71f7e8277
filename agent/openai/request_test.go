package openai

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loongclaw/loongclaw/pkg/fault"
)

func TestParse(t *testing.T) {
	for _, tt := range []struct {
		name, body string
		want       Request
	}{
		{"one message", `{"messages":[{"role":"user","content":"hi"}]}`, Request{Model: Model, Message: "hi"}},
		{
			"a conversation", `{"model":"gpt-x","stream":true,"stream_options":{"include_usage":true},"temperature":0,"messages":[
				{"role":"system","content":"be brief"},{"role":"developer","content":[{"type":"text","text":"be "},{"type":"text","text":"kind"}]},
				{"role":"user","content":"one"},{"role":"assistant","content":"eins"},{"role":"user","content":"two"}]}`,
			Request{Model: "gpt-x", Stream: true, WantUsage: true, Instructions: "be brief\n\nbe kind", Earlier: []Exchange{{"one", "eins"}}, Message: "two"},
		},
		{
			"one side in a row", `{"messages":[{"role":"user","content":"a"},{"role":"user","content":"b"},{"role":"assistant","content":"c"},{"role":"assistant","content":null},{"role":"assistant","content":"d"},{"role":"user","content":"e"}]}`,
			Request{Model: Model, Earlier: []Exchange{{"a\n\nb", "c\n\n\n\nd"}}, Message: "e"},
		},
		{"a greeting", `{"messages":[{"role":"assistant","content":"Hello"},{"role":"user","content":"hi"}]}`, Request{Model: Model, Instructions: "You began the conversation with: Hello", Message: "hi"}},
		{"empty asks for nothing", `{"n":1,"tools":[],"stop":null,"logprobs":false,"response_format":{"type":"text"},"messages":[{"role":"user","content":"hi"}]}`, Request{Model: Model, Message: "hi"}},
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
		`{`:                 fault.CodeInvalidJSON,
		`[]`:                fault.CodeInvalidRequest,
		`{"messages":"hi"}`: fault.CodeInvalidRequest,
		`{}`:                fault.CodeMissingMessage,
		`{"messages":[]}`:   fault.CodeMissingMessage,
		`{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]}`: fault.CodeMissingMessage,
		`{"messages":[{"role":"tool","content":"a"}]}`:                                    fault.CodeUnsupported,
		`{"messages":[{"role":"user","content":[{"type":"image_url"}]}]}`:                 fault.CodeUnsupported,
		`{"messages":[{"role":"user","content":7}]}`:                                      fault.CodeUnsupported,
		`{"n":2,` + user + `}`:                                    fault.CodeUnsupported,
		`{"tools":[{"type":"function"}],` + user + `}`:            fault.CodeUnsupported,
		`{"functions":[{}],` + user + `}`:                         fault.CodeUnsupported,
		`{"stop":"x",` + user + `}`:                               fault.CodeUnsupported,
		`{"logprobs":true,` + user + `}`:                          fault.CodeUnsupported,
		`{"audio":{},` + user + `}`:                               fault.CodeUnsupported,
		`{"response_format":{"type":"json_schema"},` + user + `}`: fault.CodeUnsupported,
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
		for _, b := range []json.RawMessage{(Answer{Model: q.Model}).Whole(q.Message, nil), (Answer{}).Piece(q.Message)} {
			if !json.Valid(b) {
				t.Errorf("no JSON: %q", b)
			}
		}
	})
}
