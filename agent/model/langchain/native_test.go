package langchain

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/model/modeltest"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

// checkNative: what is kept is an object, with no more calls than the answer has.
func checkNative(t *testing.T, raw json.RawMessage, calls int) {
	t.Helper()
	if raw == nil {
		return
	}
	var n struct {
		Message map[string]json.RawMessage   `json:"message"`
		Calls   []map[string]json.RawMessage `json:"calls"`
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&n); err != nil || len(n.Calls) > calls || len(n.Message) == 0 && len(n.Calls) == 0 {
		t.Errorf("kept %s beside %d calls: %v", raw, calls, err)
	}
}

// What a provider adds to its message and its calls is kept, whole and by position.
func TestWhatIsKeptForTheProvider(t *testing.T) {
	call := `{"index":0,"id":"a","function":{"name":"get_time","arguments":"{}"}`
	for name, c := range map[string]struct{ body, want string }{
		"gemini, signature in a call":       {event(`{"tool_calls":[`+call+`,"extra_content":{"google":{"thought_signature":"S1"}}}]}`, "tool_calls"), `{"calls":[{"extra_content":{"google":{"thought_signature":"S1"}}}]}`},
		"gemini, only the second is signed": {event(`{"tool_calls":[`+call+`},{"index":1,"id":"b","function":{"name":"read_file","arguments":"{}"},"extra_content":{"google":{"thought_signature":"S2"}}}]}`, "tool_calls"), `{"calls":[null,{"extra_content":{"google":{"thought_signature":"S2"}}}]}`},
		"gemini, signature after the text":  {said("hi") + event(`{"extra_content":{"google":{"thought_signature":"S3"}}}`, "stop"), `{"message":{"extra_content":{"google":{"thought_signature":"S3"}}}}`},
		"openrouter, encrypted":             {event(`{"reasoning_details":[{"type":"reasoning.encrypted","data":"D","id":"a","index":0}]}`, "null") + said("hi") + ends("stop"), `{"message":{"reasoning_details":[{"data":"D","id":"a","index":0,"type":"reasoning.encrypted"}]}}`},
		"openrouter, in pieces": {
			event(`{"reasoning_details":[{"type":"reasoning.text","text":"a","index":0}]}`, "null") + event(`{"reasoning_details":[{"type":"reasoning.text","text":"b","index":0}]}`, "null") +
				event(`{"reasoning_details":[{"type":"reasoning.text","signature":"S","index":0}]}`, "null") + said("hi") + ends("stop"),
			`{"message":{"reasoning_details":[{"index":0,"signature":"S","text":"ab","type":"reasoning.text"}]}}`,
		},
		"the same once more":       {strings.Repeat(event(`{"reasoning_details":[{"type":"reasoning.encrypted","data":"D","index":0}]}`, "null"), 2) + said("hi") + ends("stop"), `{"message":{"reasoning_details":[{"data":"D","index":0,"type":"reasoning.encrypted"}]}}`},
		"notes for whoever shows":  {event(`{"content":"hi","annotations":[{"a":1}],"provider_metadata":{"x":1},"audio":{"id":1}}`, "stop"), ""},
		"names in capitals":        {event(`{"content":"hi","Role":"user","CONTENT":"no","Tool_Calls":[{"id":"x"}],"resume_token":"R"}`, "stop"), `{"message":{"resume_token":"R"}}`},
		"names in capitals, call":  {event(`{"tool_calls":[{"index":0,"id":"a","Id":"b","Type":"x","function":{"name":"get_time","arguments":"{}"}}]}`, "tool_calls"), ""},
		"a field nobody has known": {event(`{"content":"hi","resume_token":"R"}`, "stop"), `{"message":{"resume_token":"R"}}`},
		"too much":                 {event(`{"content":"hi","resume_token":"`+strings.Repeat("x", maxNative)+`"}`, "stop"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			a, err := heardStream(t, c.body)
			if err != nil {
				t.Fatal(err)
			}
			checkNative(t, a.Native, len(a.Calls))
			if string(a.Native) != c.want {
				t.Errorf("kept %s, want %s", a.Native, c.want)
			}
		})
	}
}

// What was kept goes back to the one who gave it, where it stood.
func TestWhatIsKeptGoesBack(t *testing.T) {
	bubble(t, Config{Provider: OpenAI, Upstream: "https://openrouter.ai/api/v1"}, func(t *testing.T, s *modeltest.Server, m *Model) {
		s.Script(modeltest.Reply{Raw: event(`{"resume_token":"R","tool_calls":[{"index":0,"id":"a","function":{"name":"add","arguments":"{}"},"extra_content":{"google":{"thought_signature":"S"}}}]}`, "tool_calls"), Type: "text/event-stream"}, modeltest.Reply{Text: "ok"})
		q := hello()
		first := ask(t, t.Context(), m, q)
		q.Messages = append(q.Messages, first.Message(), loop.Message{Role: loop.RoleTool, CallID: "a", Name: "add", Text: "3"})
		if got := ask(t, t.Context(), m, q); got.err != nil || got.Finish != chat.FinishStop {
			t.Fatalf("%q, %v", got.Finish, got.err)
		}
		sent := string(s.Requests()[1].Raw)
		for _, want := range []string{`"resume_token":"R"`, `"extra_content":{"google":{"thought_signature":"S"}}`} {
			if !strings.Contains(sent, want) {
				t.Errorf("%s is not in %s", want, sent)
			}
		}
	})
}

// A long thought comes in thousands of pieces, and its signature at the end.
func TestALongThoughtKeepsItsSignature(t *testing.T) {
	body := strings.Repeat(event(`{"reasoning_details":[{"type":"reasoning.text","text":"think ","format":"anthropic-claude-v1","index":0}]}`, "null"), 20000)
	a, err := heardStream(t, body+event(`{"reasoning_details":[{"type":"reasoning.text","signature":"SIG","format":"anthropic-claude-v1","index":0}]}`, "null")+said("hi")+ends("stop"))
	if err != nil || !strings.Contains(string(a.Native), `"signature":"SIG"`) || strings.Count(string(a.Native), "think ") != 20000 {
		t.Errorf("%d bytes are kept, %v", len(a.Native), err)
	}
}
