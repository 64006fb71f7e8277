package langchain

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// Events as providers send them, most of them plain.
var events = []string{
	`{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1764000000,"model":"m","service_tier":"default","system_fingerprint":null,"choices":[{"index":0,"delta":{"content":" a"},"logprobs":null,"finish_reason":null}],"usage":null,"obfuscation":"x"}`,
	`{"choices":[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"finish_reason":null}]}`,
	`{"choices":[{"delta":{"content":null,"reasoning_content":"hm"},"index":3}]}`,
	`{"choices":[{"delta":{"content":"","reasoning":"\ud83d\ude00 \"x\" \\u","reasoning_content":""}}]}`,
	" {\t\"choices\" : [ { \"delta\" : { \"content\" : \"\\ud83d\" } } ] } ",
	"{\"choices\":[{\"delta\":{\"content\":\"\xe4\xbd\"}}]}",
	`{"choices":[{"delta":{}}]}`,
}

// Events that are none, or say more than a text.
var notPlain = []string{
	`{"choices":[{"delta":{"content":"a"},"finish_reason":"stop"}]}`,
	`{"choices":[{"delta":{"content":"a"}}],"usage":{"prompt_tokens":1}}`,
	`{"choices":[{"delta":{"content":"a"}}],"error":{"message":"x"}}`,
	`{"choices":[{"delta":{"content":"a"}},{"delta":{"content":"b"}}]}`,
	`{"choices":[{"delta":{"content":"a","content":"b"}}]}`,
	`{"choices":[{"delta":{"content":"a"},"delta":{"content":"b"}}]}`,
	`{"choices":[{"delta":{"content":"a"}}],"choices":[]}`,
	`{"choices":[{"index":0,"delta":{"content":"a"},"index":1}]}`,
	`{"choices":[{"delta":{"content":["a"]}}]}`, `{"choices":[{"delta":{"content":"a","x":1}}]}`, `{"choices":[{"delta":{"Content":"a"}}]}`,
	`{"choices":[{"delta":{"tool_calls":[{"index":0}]}}]}`, `{"choices":[{"delta":{"refusal":"no"}}]}`, `{"choices":[{"message":{"content":"a"}}]}`,
	`{"choices":[]}`, `{"choices":null}`, `{"id":"a"}`, `{}`, `[]`, ``, `{"choices":[{"index":00,"delta":{}}]}`, `{"choices":[{"index":-1,"delta":{}}]}`,
	`{"choices":[{"delta":{"content":"a"},}]}`, `{"choices":[{"delta":{"content":"a"}}]`, `{"choices":[{"delta":{"content":"\x"}}]}`,
	`{"choices":[{"delta":{"content":"\u12g4"}}]}`, "{\"choices\":[{\"delta\":{\"content\":\"\n\"}}]}", `{,"choices":[{"delta":{}}]}`,
}

func TestPlainEvents(t *testing.T) {
	for _, e := range events {
		if _, n, ok := readPlain([]byte(e)); !ok || strings.TrimSpace(e[n:]) != "" {
			t.Errorf("%s is plain", e)
		}
		samePlain(t, []byte(e))
	}
	for _, e := range notPlain {
		if _, _, ok := readPlain([]byte(e)); ok {
			t.Errorf("%s is not plain", e)
		}
	}
}

// samePlain checks that a plain event is JSON, and read as any other would be.
func samePlain(t *testing.T, b []byte) {
	t.Helper()
	p, n, ok := readPlain(b)
	if !ok {
		return
	}
	if !json.Valid(b[:n]) {
		t.Fatalf("%q is no JSON", b[:n])
	}
	var s scan
	if end, complete := s.feed(b); !complete || end != n {
		t.Errorf("%q ends at %d, was read to %d", b, end, n)
	}
	want := readChunk(b[:n], false)
	for i := range want.choices {
		if want.choices[i].Index == nil {
			want.choices[i].Index = new(number) // as whoever takes it does
		}
	}
	var r plainChunk
	if d := cmp.Diff(want, r.of(p), cmp.AllowUnexported(chunk{}, choice{}, delta{}, content{}, object[delta]{}, object[usage]{}), cmpopts.EquateEmpty()); d != "" {
		t.Errorf("%q: want -, got +\n%s", b[:n], d)
	}
}

func FuzzPlain(f *testing.F) {
	for _, e := range events {
		f.Add([]byte(e))
	}
	for _, e := range notPlain {
		f.Add([]byte(e))
	}
	f.Fuzz(func(t *testing.T, b []byte) { samePlain(t, b) })
}

func TestPlainEventsTakeNoMemory(t *testing.T) {
	b := []byte(strings.Replace(events[0], `" a"`, `""`, 1))
	if n := testing.AllocsPerRun(100, func() {
		if _, _, ok := readPlain(b); !ok {
			t.Error("it is plain")
		}
	}); n > 0 {
		t.Errorf("reading takes %v allocations", n)
	}
}
