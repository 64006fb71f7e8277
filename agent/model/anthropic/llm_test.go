package anthropic

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tmc/langchaingo/llms"

	"github.com/loongclaw/loongclaw/agent/model/anthropic/anthropictest"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

func says(role llms.ChatMessageType, parts ...llms.ContentPart) llms.MessageContent {
	return llms.MessageContent{Role: role, Parts: parts}
}

// TestTheFaceOfLangchaingo: whoever speaks langchaingo gets the text as it streams,
// the calls, the end and the counts.
func TestTheFaceOfLangchaingo(t *testing.T) {
	s := &anthropictest.Server{}
	s.Script(reply{
		Blocks: []block{{Thinking: "hm"}, {Text: "I look."}, {Call: &anthropictest.Call{ID: "toolu_1", Name: "look", Input: `{"at":"owl"}`}}},
		Usage:  anthropictest.Usage{Input: 3, Read: 4, Output: 5},
	})
	m := start(t, s, Config{})
	history := []llms.MessageContent{
		says(llms.ChatMessageTypeSystem, llms.TextPart("Be kind.")), says(llms.ChatMessageTypeSystem, llms.TextPart("Be brief.")),
		says(llms.ChatMessageTypeHuman, llms.TextPart("hi"), llms.TextPart("there")),
		says(llms.ChatMessageTypeAI, llms.TextPart("I look."), llms.ToolCall{ID: "a", Type: "function", FunctionCall: &llms.FunctionCall{Name: "look", Arguments: `{"at":"x"}`}}),
		says(llms.ChatMessageTypeTool, llms.ToolCallResponse{ToolCallID: "a", Name: "look", Content: "nothing"}),
	}
	tools := llms.WithTools([]llms.Tool{{Type: "function", Function: &llms.FunctionDefinition{Name: "look", Description: "Looks.", Parameters: map[string]any{"type": "object"}}}})
	var streamed strings.Builder
	got, err := m.GenerateContent(t.Context(), history, tools, llms.WithMaxTokens(77), llms.WithStreamingFunc(func(_ context.Context, piece []byte) error {
		streamed.Write(piece)
		return nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	c := got.Choices[0]
	if c.Content != "I look." || streamed.String() != c.Content || c.StopReason != "tool_calls" || c.ReasoningContent != "hm" || len(c.ToolCalls) != 1 || c.ToolCalls[0].FunctionCall.Arguments != `{"at":"owl"}` {
		t.Errorf("%+v, streamed %q", c, streamed.String())
	}
	if c.GenerationInfo["TotalTokens"] != 12 || c.GenerationInfo["PromptCachedTokens"] != 4 {
		t.Errorf("counted %v", c.GenerationInfo)
	}
	b := s.Last().Body
	if b.MaxTokens != 77 || b.System[0]["text"] != "Be kind.\n\nBe brief." || m.maxTokens == 77 {
		t.Errorf("asked for %d tokens with %v", b.MaxTokens, b.System)
	}
	q, err := question(history, &llms.CallOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{`u: "hi\n\nthere"`, `a: "I look." a=look{"at":"x"}`, `u: a>"nothing"`}, shape(converse(&q, recipient{model: "m"}, true))); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if text, err := m.Call(t.Context(), "hi"); err != nil || text != "ok" {
		t.Errorf("%q, %v", text, err)
	}
}

func TestWhatLangchaingoCannotAsk(t *testing.T) {
	s := &anthropictest.Server{}
	m := start(t, s, Config{})
	hi := []llms.MessageContent{says(llms.ChatMessageTypeHuman, llms.TextPart("hi"))}
	for name, ask := range map[string]func() error{
		"an image": func() error {
			_, err := m.GenerateContent(t.Context(), []llms.MessageContent{says(llms.ChatMessageTypeHuman, llms.ImageURLPart("https://x"))})
			return err
		},
		"a forced tool": func() error {
			_, err := m.GenerateContent(t.Context(), hi, llms.WithToolChoice("required"))
			return err
		},
		"a tool of no use": func() error {
			_, err := m.GenerateContent(t.Context(), hi, llms.WithTools([]llms.Tool{{}}))
			return err
		},
	} {
		if err := ask(); fault.CodeOf(err) != fault.CodeUnsupported {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := len(s.Requests()); n != 0 {
		t.Errorf("asked %d times all the same", n)
	}
}

func TestAReaderThatHasEnough(t *testing.T) {
	s := &anthropictest.Server{}
	s.Script(reply{Blocks: []block{{Text: strings.Repeat("word ", 200)}}})
	enough := errors.New("enough")
	_, err := start(t, s, Config{}).GenerateContent(t.Context(), []llms.MessageContent{says(llms.ChatMessageTypeHuman, llms.TextPart("hi"))},
		llms.WithStreamingFunc(func(context.Context, []byte) error { return enough }))
	if fault.CodeOf(err) != fault.CodeCancelled {
		t.Errorf("%v, want cancelled", err)
	}
}
