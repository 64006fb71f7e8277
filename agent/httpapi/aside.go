package httpapi

import (
	"context"
	"crypto/rand"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/loongclaw/loongclaw/agent/aside"
	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/openai"
)

// questionOf hands a client's question on.
func questionOf(q openai.Request, requestID string) aside.Question {
	out := aside.Question{Instructions: q.Instructions, RequestID: requestID}
	for _, e := range q.Earlier {
		t := aside.Turn{User: e.User, Assistant: e.Assistant, Images: e.Images}
		if len(e.Steps) > 0 {
			t.Assistant = e.Last
		}
		out.Turns = append(out.Turns, t)
	}
	out.Turns = append(out.Turns, aside.Turn{User: q.Message, Images: q.Images})
	if f := q.Format; f != nil {
		out.Format = &loop.Format{Name: f.Name, Schema: f.Schema, Strict: f.Strict}
	}
	return out
}

// aside answers a chat client's own question about a conversation, and what is to be
// JSON: without a session, tools and memory.
func (s *Server) aside(c echo.Context, q openai.Request) error {
	ctx, cancel := context.WithCancel(c.Request().Context())
	defer cancel()
	ask := func(onText func(string)) (aside.Answer, error) {
		return s.Asides.Ask(ctx, user(c), questionOf(q, requestID(c)), onText)
	}
	answer := openai.Answer{ID: "chatcmpl-" + strings.ToLower(rand.Text()), Model: q.Model, Created: s.Now()}
	if q.Format != nil && q.Format.Call {
		answer.Call = q.Format.Name
	}
	if !q.Stream {
		a, err := ask(func(string) {})
		if err == nil {
			err = answer.Check(a.Text, a.Finish)
		}
		if err != nil {
			return err
		}
		return c.JSONBlob(http.StatusOK, answer.Whole(a.Text, a.Reasoning, a.Finish, a.Usage))
	}
	return s.streamAside(c, ask, answer, q.WantUsage, cancel)
}

// streamAside gives the answer piece by piece. Only this goroutine writes.
func (s *Server) streamAside(c echo.Context, ask func(func(string)) (aside.Answer, error), answer openai.Answer, count bool, stop func()) error {
	type end struct {
		aside.Answer
		err error
	}
	pieces, ended := make(chan string), make(chan end, 1)
	gone := make(chan struct{})
	defer close(gone)
	defer stop()
	go func() {
		answer, err := ask(func(piece string) {
			select {
			case pieces <- piece:
			case <-gone:
			}
		})
		ended <- end{answer, err}
	}()
	return s.stream(c, stream{first: data(answer.First()), broken: openAIFrame, next: func(ctx context.Context) (b []byte, last bool, err error) {
		select {
		case piece := <-pieces:
			if answer.Check(piece, "") != nil {
				return nil, false, nil // the end tells of it
			}
			return data(answer.Piece(piece)), false, nil
		case e := <-ended:
			if e.err == nil {
				e.err = answer.Check(e.Text, e.Finish)
			}
			if e.err != nil {
				return nil, true, e.err
			}
			if e.Reasoning != "" {
				b = data(answer.Thought(e.Reasoning))
			}
			return append(b, lastOf(answer, e.Finish, e.Usage, count)...), true, nil
		case <-ctx.Done():
			return nil, false, ctx.Err()
		}
	}})
}
