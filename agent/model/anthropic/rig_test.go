package anthropic

import (
	"context"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/model/anthropic/anthropictest"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

const key = "sk-ant-canary-0123456789"

// start gives a model of a server that plays Anthropic.
func start(t testing.TB, s *anthropictest.Server, c Config) *Model {
	t.Helper()
	h := httptest.NewServer(s)
	t.Cleanup(h.Close)
	if c.Key == "" {
		c.Key = key
	}
	if c.Model == "" {
		c.Model = "claude-sonnet-4-5" // it takes a temperature, and a budget for its thinking
	}
	c.URL = h.URL + c.URL
	m, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// asked is an answer with what was shown of it.
type asked struct {
	thought string // as it came
	loop.Answer
	shown []string
	err   error
}

func ask(ctx context.Context, m loop.Model, q loop.Question) asked {
	var a asked
	q.OnReasoning = func(s string) { a.thought += s }
	a.Answer, a.err = m.Answer(ctx, q, func(s string) { a.shown = append(a.shown, s) })
	return a
}

// fine asks, and checks what must hold of any answer.
func fine(t *testing.T, m loop.Model, q loop.Question) asked {
	t.Helper()
	a := ask(t.Context(), m, q)
	if a.thought != a.Reasoning {
		t.Errorf("thought %q, and the reasoning is %q", a.thought, a.Reasoning)
	}
	if a.err != nil {
		t.Fatalf("no answer: %v", a.err)
	}
	if got := strings.Join(a.shown, ""); got != a.Text {
		t.Errorf("shown %q, and the text is %q", got, a.Text)
	}
	if a.Finish == "" || (len(a.Calls) > 0) != (a.Finish == chat.FinishToolCalls || (a.Finish == chat.FinishLength && len(a.Calls) > 0)) {
		t.Errorf("it ended by %q with %d calls", a.Finish, len(a.Calls))
	}
	return a
}

func user(text string) loop.Message { return loop.Message{Role: chat.RoleUser, Text: text} }

func answered(text string) loop.Message { return loop.Message{Role: chat.RoleAssistant, Text: text} }

func called(text string, calls ...loop.Call) loop.Message {
	return loop.Message{Role: chat.RoleAssistant, Text: text, Calls: calls}
}

func call(id, name, args string) loop.Call {
	return loop.Call{ID: id, Name: name, Arguments: json.RawMessage(args)}
}

func result(id, name, text string) loop.Message {
	return loop.Message{Role: loop.RoleTool, CallID: id, Name: name, Text: text}
}

func ofOne(text string) loop.Question {
	return loop.Question{System: "Be kind.", Messages: []loop.Message{user(text)}, Tools: specs}
}

var specs = []loop.Spec{
	{Name: "look", Description: "Looks.", Parameters: json.RawMessage(`{"type":"object","properties":{"at":{"type":"string"}}}`)},
	{Name: "wait", Description: "Waits."},
}

func isFault(t *testing.T, err error, code fault.Code, hint ...string) *fault.Error {
	t.Helper()
	var f *fault.Error
	if !errors.As(err, &f) || f.Code != code {
		t.Fatalf("error %v, want %s", err, code)
	}
	for _, want := range hint {
		if !strings.Contains(f.Message+" "+f.Hint, want) {
			t.Errorf("%q, %q: want %q in it", f.Message, f.Hint, want)
		}
	}
	if all := f.Error() + f.Hint; strings.Contains(all, "canary") {
		t.Errorf("the key is in %q", all)
	}
	return f
}

const soon = 300 * time.Millisecond
