package tools

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/loongclaw/loongclaw/pkg/chat"
)

func TestTodoWriteTakesAWholeList(t *testing.T) {
	var tool todoWrite
	for args, want := range map[string]string{
		`{"items":[{"text":" find the bear ","state":"doing"},{"text":"bring honey"}]}`: `{"items":[{"text":"find the bear","state":"doing"},{"text":"bring honey","state":"open"}]}`,
		`{"items":[]}`: `{"items":[]}`,
	} {
		if v := tool.Judge(json.RawMessage(args), Env{}); v.Kind != VerdictRun {
			t.Errorf("%s: %+v", args, v)
		}
		if out, err := tool.Run(t.Context(), json.RawMessage(args), Env{}); err != nil || out != want {
			t.Errorf("%s: %s, %v, want %s", args, out, err, want)
		}
	}
	item := `{"text":"a","state":"open"}`
	for args, want := range map[string]string{
		`{}`:                           `"items"`,
		`{"items":null}`:               `"items"`,
		`{"items":[{"state":"open"}]}`: "item 1 has no text",
		`{"items":[` + item + `,{"text":"a","state":"later"}]}`:                  "the state of item 2",
		`{"items":[{"text":"a\nb"}]}`:                                            "one line",
		`{"items":[{"text":"` + strings.Repeat("长", chat.MaxTodoText+1) + `"}]}`: "longer than 200 characters",
		`{"items":[` + strings.Repeat(item+",", chat.MaxTodoItems) + item + `]}`: "may have 50",
	} {
		if v := tool.Judge(json.RawMessage(args), Env{}); v.Kind != VerdictDeny || !strings.Contains(v.Reason, want) {
			t.Errorf("%.60s: %+v, want %q", args, v, want)
		}
		if _, err := tool.Run(t.Context(), json.RawMessage(args), Env{}); err == nil {
			t.Errorf("%.60s: it was written", args)
		}
	}
	longest := make([]chat.TodoItem, chat.MaxTodoItems)
	for i := range longest {
		longest[i] = chat.TodoItem{Text: "a" + strings.Repeat("\u2028", chat.MaxTodoText-2) + "b", State: chat.TodoDoing}
	}
	args, err := json.Marshal(chat.Todo{Items: longest})
	if err != nil {
		t.Fatal(err)
	}
	if out, err := tool.Run(t.Context(), args, Env{}); err != nil || len(out) > tool.MaxOutput() {
		t.Errorf("the longest list takes %d bytes of %d: %v", len(out), tool.MaxOutput(), err)
	}
}
