package main

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/loongclaw/loongclaw/deploy/internal/client"
	"github.com/loongclaw/loongclaw/pkg/sse"
)

// choices are what OpenAI's clients read of an answer or of a piece of it.
type choices struct {
	Object  string
	Choices []struct {
		Message, Delta struct{ Content string }
		Finish         string `json:"finish_reason"`
	}
}

// completionBody asks as such a client does. The session that becomes of it has a
// name of the agent's, and is found by the nonce.
func (v *visit) completionBody(stream bool) map[string]any {
	return map[string]any{"model": "loongclaw", "stream": stream, "messages": []map[string]string{{"role": "user", "content": v.greeting()}}}
}

func completion(ctx context.Context, v *visit) error {
	var a choices
	if err := v.user.Want(ctx, http.StatusOK, http.MethodPost, "/v1/chat/completions", v.completionBody(false), &a); err != nil {
		return err
	}
	if a.Object != "chat.completion" || len(a.Choices) != 1 || a.Choices[0].Message.Content == "" || a.Choices[0].Finish == "" {
		return unlike("one choice with content and finish_reason", "%d choices of a %q", len(a.Choices), a.Object)
	}
	return nil
}

func completionStream(ctx context.Context, v *visit) error {
	a, err := v.user.Do(ctx, http.MethodPost, "/v1/chat/completions", v.completionBody(true))
	if err != nil {
		return err
	}
	stream := client.Expectation{Status: http.StatusOK, Has: map[string]string{"Content-Type": "text/event-stream"}}
	if err := stream.Check(a); err != nil {
		return err
	}
	var text, finish string
	for r := sse.NewReader(strings.NewReader(string(a.Body)), maxAnswer); ; {
		e, err := r.Next()
		if err != nil {
			return unlike("data: [DONE] at the end", "the stream ended without")
		}
		if string(e.Data) == "[DONE]" {
			break
		}
		var c choices
		if json.Unmarshal(e.Data, &c) != nil || c.Object != "chat.completion.chunk" {
			return unlike("pieces that are a chat.completion.chunk", "another one")
		}
		for _, one := range c.Choices {
			text += one.Delta.Content
			if one.Finish != "" {
				finish = one.Finish
			}
		}
	}
	if text == "" || finish == "" {
		return unlike("content and a finish_reason in the pieces", "%d bytes, %q", len(text), finish)
	}
	return nil
}
