package anthropic

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/tmc/langchaingo/llms"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// GenerateContent is the face of a Model towards langchaingo. Its messages have no
// place for thinking, so that none goes back; what cannot be asked here is an error
// and not left out in silence.
func (m *Model) GenerateContent(ctx context.Context, messages []llms.MessageContent, options ...llms.CallOption) (*llms.ContentResponse, error) {
	var o llms.CallOptions
	for _, set := range options {
		set(&o)
	}
	q, err := question(messages, &o)
	if err != nil {
		return nil, err
	}
	own := m
	if o.MaxTokens > 0 {
		own = m.withMost(o.MaxTokens)
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	a, err := own.Answer(ctx, q, func(piece string) {
		if o.StreamingFunc != nil {
			if err := o.StreamingFunc(ctx, []byte(piece)); err != nil {
				stop(err)
			}
		}
	})
	if err != nil {
		return nil, err
	}
	choice := &llms.ContentChoice{Content: a.Text, StopReason: string(a.Finish), ReasoningContent: a.Reasoning, GenerationInfo: map[string]any{}}
	if u := a.Usage; u != nil {
		choice.GenerationInfo = map[string]any{
			"PromptTokens": u.PromptTokens, "CompletionTokens": u.CompletionTokens, "TotalTokens": u.TotalTokens,
			"PromptCachedTokens": u.CachedTokens, "ReasoningTokens": u.ReasoningTokens,
		}
	}
	for _, c := range a.Calls {
		choice.ToolCalls = append(choice.ToolCalls, llms.ToolCall{ID: c.ID, Type: "function", FunctionCall: &llms.FunctionCall{Name: c.Name, Arguments: string(c.Arguments)}})
	}
	if len(choice.ToolCalls) > 0 {
		choice.FuncCall = choice.ToolCalls[0].FunctionCall
	}
	return &llms.ContentResponse{Choices: []*llms.ContentChoice{choice}}, nil
}

// Call asks with one text.
//
// Deprecated: langchaingo's interface wants it; use GenerateContent.
func (m *Model) Call(ctx context.Context, prompt string, options ...llms.CallOption) (string, error) {
	return llms.GenerateFromSinglePrompt(ctx, m, prompt, options...)
}

// question makes a question out of langchaingo's messages.
func question(messages []llms.MessageContent, o *llms.CallOptions) (loop.Question, error) {
	var q loop.Question
	switch choice := o.ToolChoice.(type) {
	case nil:
	case string:
		q.NoCalls = choice == "none"
		if choice != "none" && choice != "auto" && choice != "" {
			return q, unsupported("the tool choice " + choice)
		}
	default:
		return q, unsupported("a forced tool")
	}
	for _, t := range o.Tools {
		if t.Function == nil {
			return q, unsupported("a tool that is no function")
		}
		params, err := json.Marshal(t.Function.Parameters)
		if err != nil {
			return q, unsupported("a tool whose parameters are no JSON")
		}
		q.Tools = append(q.Tools, loop.Spec{Name: t.Function.Name, Description: t.Function.Description, Parameters: params})
	}
	for i := range messages {
		if err := addMessage(&q, &messages[i]); err != nil {
			return q, err
		}
	}
	return q, nil
}

func addMessage(q *loop.Question, c *llms.MessageContent) error {
	var said []string
	msg := loop.Message{Role: chat.RoleUser}
	for _, p := range c.Parts {
		switch p := p.(type) {
		case llms.TextContent:
			said = append(said, p.Text)
		case llms.ToolCall:
			if p.FunctionCall == nil {
				return unsupported("a call of no function")
			}
			msg.Calls = append(msg.Calls, loop.Call{ID: p.ID, Name: p.FunctionCall.Name, Arguments: json.RawMessage(p.FunctionCall.Arguments)})
		case llms.ToolCallResponse:
			q.Messages = append(q.Messages, loop.Message{Role: loop.RoleTool, CallID: p.ToolCallID, Name: p.Name, Text: p.Content})
		default:
			return unsupported("a part of a message that is neither text nor a tool's")
		}
	}
	msg.Text = strings.Join(said, "\n\n")
	switch c.Role {
	case llms.ChatMessageTypeSystem:
		q.System = strings.TrimPrefix(q.System+"\n\n"+msg.Text, "\n\n")
		return nil
	case llms.ChatMessageTypeTool, llms.ChatMessageTypeFunction:
		return nil
	case llms.ChatMessageTypeAI:
		msg.Role = chat.RoleAssistant
	}
	q.Messages = append(q.Messages, msg)
	return nil
}

func unsupported(what string) error {
	return fault.New(fault.CodeUnsupported, what+" cannot be sent to anthropic from here", "leave it out")
}

var _ llms.Model = (*Model)(nil)
