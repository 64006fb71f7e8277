package e2e

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
)

// askInGo asks with OpenAI's client for Go.
func askInGo(t *testing.T, s sayings) heard {
	t.Helper()
	ctx := limited(t)
	as := func(token string) openai.Client {
		return openai.NewClient(option.WithBaseURL(s.Base+"/v1/"), option.WithAPIKey(token), option.WithMaxRetries(0))
	}
	ai := as(s.Token)
	var out heard
	page, err := ai.Models.List(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range page.Data {
		out.Models = append(out.Models, m.ID)
	}
	m, err := ai.Models.Get(ctx, "loongclaw")
	if err != nil {
		t.Fatal(err)
	}
	out.Model = m.ID
	_, err = ai.Models.Get(ctx, "no-such-model")
	out.NoModel = refusalOf(err)

	q := openai.ChatCompletionNewParams{Model: "loongclaw", Messages: []openai.ChatCompletionMessageParamUnion{openai.SystemMessage("be brief"), openai.UserMessage(s.First)}}
	whole, err := ai.Chat.Completions.New(ctx, q)
	if err != nil {
		t.Fatal(err)
	}
	out.Answer, out.Finish, out.Tokens = whole.Choices[0].Message.Content, whole.Choices[0].FinishReason, int(whole.Usage.TotalTokens)

	q.Messages = append(q.Messages, openai.AssistantMessage(out.Answer), openai.UserMessage(s.Second))
	q.StreamOptions.IncludeUsage = openai.Bool(true)
	stream := ai.Chat.Completions.NewStreaming(ctx, q)
	var all openai.ChatCompletionAccumulator
	for stream.Next() {
		chunk := stream.Current()
		if len(chunk.Choices) > 0 && chunk.Choices[0].Delta.Content != "" {
			out.Pieces++
		}
		if !all.AddChunk(chunk) {
			t.Errorf("a chunk that does not belong: %s", chunk.RawJSON())
		}
	}
	if err := stream.Err(); err != nil {
		t.Fatal(err)
	}
	out.Streamed, out.StreamedFinish, out.StreamedTokens = all.Choices[0].Message.Content, all.Choices[0].FinishReason, int(all.Usage.TotalTokens)

	out.Titles = titlesInGo(t, ai, s.Label)
	q.StreamOptions = openai.ChatCompletionStreamOptionsParam{}
	bad := q
	bad.Stop.OfString = openai.String("x")
	_, err = ai.Chat.Completions.New(ctx, bad)
	out.Bad = refusalOf(err)
	q.Messages = []openai.ChatCompletionMessageParamUnion{openai.UserMessage(s.Busy)}
	_, err = ai.Chat.Completions.New(ctx, q)
	out.Busy = refusalOf(err)
	q.Messages = []openai.ChatCompletionMessageParamUnion{openai.UserMessage(s.Cut)}
	cut := ai.Chat.Completions.NewStreaming(ctx, q)
	for cut.Next() {
	}
	out.Cut = refusalOf(cut.Err())
	stranger := as("not-a-token-at-all")
	_, err = stranger.Models.List(ctx)
	out.Stranger = refusalOf(err)
	return out
}

// titlesInGo asks for JSON by a schema, and by a tool that must be called.
func titlesInGo(t *testing.T, ai openai.Client, message string) []string {
	t.Helper()
	schema := map[string]any{"type": "object", "properties": map[string]any{"title": map[string]any{"type": "string"}}}
	q := openai.ChatCompletionNewParams{Model: "loongclaw", Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage(message)}}
	byTool := q
	q.ResponseFormat.OfJSONSchema = &openai.ResponseFormatJSONSchemaParam{JSONSchema: openai.ResponseFormatJSONSchemaJSONSchemaParam{Name: "label", Schema: schema, Strict: openai.Bool(true)}}
	byTool.Tools = []openai.ChatCompletionToolUnionParam{openai.ChatCompletionFunctionTool(openai.FunctionDefinitionParam{Name: "label", Parameters: schema})}
	byTool.ToolChoice = openai.ToolChoiceOptionFunctionToolChoice(openai.ChatCompletionNamedToolChoiceFunctionParam{Name: "label"})
	var titles []string
	for _, q := range []openai.ChatCompletionNewParams{q, byTool} {
		whole, err := ai.Chat.Completions.New(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		text := whole.Choices[0].Message.Content
		if calls := whole.Choices[0].Message.ToolCalls; len(calls) > 0 {
			text = calls[0].Function.Arguments
		}
		var label struct{ Title string }
		if err := json.Unmarshal([]byte(text), &label); err != nil {
			t.Fatalf("%v: %q", err, text)
		}
		titles = append(titles, label.Title)
	}
	return titles
}

func refusalOf(err error) refusal {
	if err == nil {
		return refusal{}
	}
	out := refusal{Refused: true, Message: err.Error()}
	var e *openai.Error
	if errors.As(err, &e) {
		out.Message, out.Status, out.Code, out.Type, out.Param = e.Message, e.StatusCode, e.Code, e.Type, e.Param
		if e.Response != nil {
			out.RetryAfter = e.Response.Header.Get("Retry-After")
		}
	}
	return out
}
