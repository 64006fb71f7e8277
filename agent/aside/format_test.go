package aside_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/agent/aside"
	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

func TestAnAnswerInJSON(t *testing.T) {
	var asked []loop.Question
	var answers []loop.Answer
	m := with(t, answering(func(_ context.Context, q loop.Question, onText func(string)) (loop.Answer, error) {
		a := answers[min(len(asked), len(answers)-1)]
		asked = append(asked, q)
		for _, piece := range strings.SplitAfter(a.Text, " ") {
			onText(piece)
		}
		return a, nil
	}))
	defer stop(t, m, time.Second)
	schema := &loop.Format{Name: "label", Schema: json.RawMessage(`{"type":"object","required":["title"]}`)}
	for name, tt := range map[string]struct {
		said   []string
		format *loop.Format
		want   string
		code   fault.Code
		asked  int
	}{
		"as it should be":      {[]string{`{"title":"Boats and oars"}`}, schema, `{"title":"Boats and oars"}`, "", 1},
		"in a fence":           {[]string{"```json\n{\"title\": \"Boats\"}\n```"}, schema, `{"title": "Boats"}`, "", 1},
		"with words around it": {[]string{`Here it is: {"title": "{Boats}"} as you wished.`}, schema, `{"title": "{Boats}"}`, "", 1},
		"any JSON":             {[]string{` [1] `}, &loop.Format{}, `[1]`, "", 1},
		"no JSON":              {[]string{"Boats and oars"}, schema, "Boats and oars", "", 1},
		"half of it":           {[]string{`{"title": "Boats`}, schema, `{"title": "Boats`, "", 1},
		"two of them":          {[]string{`{"a":1} or {"b":2}`}, schema, `{"a":1} or {"b":2}`, "", 1},
		"nothing at first":     {[]string{"", `{"title":"Boats"}`}, schema, `{"title":"Boats"}`, "", 2},
		"nothing":              {[]string{"", ""}, schema, "", fault.CodeEmptyAnswer, 2},
		"text":                 {[]string{"a {b} c"}, nil, "a {b} c", "", 1},
	} {
		asked, answers = nil, nil
		for _, text := range tt.said {
			answers = append(answers, loop.Answer{Text: text, Finish: chat.FinishStop})
		}
		pieces := 0
		shown := ""
		a, err := m.Asides().Ask(t.Context(), "alice", aside.Question{Instructions: "name it", Turns: said("x").Turns, Format: tt.format}, func(s string) { shown += s; pieces++ })
		if a.Text != tt.want || shown != tt.want || fault.CodeOf(err) != tt.code || len(asked) != tt.asked {
			t.Errorf("%s: got %q, shown %q, %v after %d questions; want %q, %q after %d", name, a.Text, shown, err, len(asked), tt.want, tt.code, tt.asked)
		}
		first := asked[0]
		if (tt.format == nil) != (first.System == "name it") || first.Format != tt.format {
			t.Errorf("%s: the model was asked %+v", name, first)
		}
		if tt.format != nil && (pieces > 1 || !strings.HasPrefix(first.System, "name it\n\n") || !strings.Contains(first.System, "JSON") || !strings.Contains(first.System, string(tt.format.Schema))) {
			t.Errorf("%s: %d pieces, told %q", name, pieces, first.System)
		}
		if tt.asked == 2 && (asked[1].Format != nil || asked[1].System != first.System) {
			t.Errorf("%s: the second question is %+v", name, asked[1])
		}
	}
}
