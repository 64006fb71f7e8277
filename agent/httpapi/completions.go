package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/loongclaw/loongclaw/agent/openai"
	"github.com/loongclaw/loongclaw/agent/runs"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
	"github.com/loongclaw/loongclaw/pkg/sse"
)

// maxConversation is the largest body: these clients send all that was said.
const maxConversation = 8 << 20

// openAIModels lists the one model.
func (s *Server) openAIModels(c echo.Context) error {
	return c.JSON(http.StatusOK, openai.Models(s.began))
}

// complete answers an OpenAI client. Its conversation is kept as a session like
// any other; nobody there can answer an approval.
func (s *Server) complete(c echo.Context) error {
	raw, err := io.ReadAll(http.MaxBytesReader(c.Response(), c.Request().Body, maxConversation))
	if err != nil {
		return err
	}
	q, err := openai.Parse(raw)
	if err != nil {
		return err
	}
	run, err := s.converse(c, q)
	if err != nil {
		return err
	}
	f, err := s.Runs.Follow(c.Request().Context(), user(c), run.SessionID, run.Cursor)
	if err != nil {
		return err
	}
	defer f.Close()
	t := telling{run: run, answer: openai.Answer{ID: "chatcmpl-" + run.RunID, Model: q.Model, Created: s.Now()}}
	if q.Stream {
		err = s.streamCompletion(c, f, &t, q.WantUsage)
	} else {
		err = s.wholeCompletion(c, f, &t)
	}
	if t.end != nil && t.end.Status == chat.RunDone {
		s.threads.keep(threadKey(user(c), q.Instructions, append(q.Earlier, openai.Exchange{User: q.Message, Assistant: t.text.String()})), thread{run.SessionID, t.last})
	}
	return err
}

// converse starts the run: in the session that this conversation has here, or
// else in a new one that begins with what the client says was said.
func (s *Server) converse(c echo.Context, q openai.Request) (chat.Run, error) {
	ctx := c.Request().Context()
	r := runs.Request{
		Message: q.Message, Instructions: q.Instructions, Key: c.Request().Header.Get(chat.HeaderIdempotencyKey), RequestID: requestID(c),
	}
	for _, e := range q.Earlier {
		r.Earlier = append(r.Earlier, runs.Exchange(e))
	}
	if known, ok := s.threads.find(threadKey(user(c), q.Instructions, q.Earlier)); ok {
		r.ParentID = &known.message
		run, err := s.Runs.Start(ctx, user(c), known.session, r)
		// A session that was cleared since knows the message no more.
		if f := (*fault.Error)(nil); !errors.As(err, &f) || f.Code != fault.CodeInvalidRequest {
			return run, err
		}
		r.ParentID = nil
	}
	return s.Runs.Start(ctx, user(c), newThread(user(c), r.Key), r)
}

// telling is an answer on its way to an OpenAI client: all stretches of text of
// one run, as one.
type telling struct {
	run    chat.Run
	answer openai.Answer

	text    strings.Builder
	between bool   // the next piece begins another stretch
	last    string // the last message of the run
	end     *chat.Event
}

// take takes an event in and gives what is new of the text.
func (t *telling) take(e chat.Event) (piece string, err error) {
	switch {
	case e.Type == chat.TypeHistoryCleared:
		return "", fault.New(fault.CodeCancelled, "the session was cleared before the answer was complete", "send the message again")
	case e.RunID != t.run.RunID:
	case e.Type == chat.TypeRunStarted && e.Restarted && t.text.Len() > 0:
		return "", fault.New(fault.CodeAgentFailed, "the agent was restarted in the middle of the answer", "send the message again")
	case e.Type == chat.TypeMessageChunk:
		if piece = e.Text(); t.between && piece != "" {
			piece, t.between = "\n\n"+piece, false
		}
		t.text.WriteString(piece)
	case e.Type == chat.TypeMessageComplete:
		t.between, t.last = t.text.Len() > 0, e.MessageID
	case e.Type == chat.TypeRunFinished:
		t.end = &e
		if e.Status != chat.RunDone {
			return "", ended(e)
		}
	}
	return piece, nil
}

// ended is the error of a run that did not end well.
func ended(e chat.Event) error {
	if e.Error != nil {
		return e.Error
	}
	return fault.New(fault.CodeCancelled, "the run was cancelled before its answer was complete", "its partial answer is in the history")
}

func (s *Server) wholeCompletion(c echo.Context, f *runs.Follower, t *telling) error {
	for t.end == nil {
		events, err := f.Next(c.Request().Context())
		if err != nil {
			return err
		}
		for _, e := range events {
			if _, err := t.take(e); err != nil {
				return err
			}
		}
	}
	return c.JSONBlob(http.StatusOK, t.answer.Whole(t.text.String(), t.end.Usage))
}

func (s *Server) streamCompletion(c echo.Context, f *runs.Follower, t *telling, count bool) error {
	out := s.openStream(c)
	data := func(b []byte) []byte { return sse.Append(nil, sse.Event{Data: b}) }
	if out.write(data(t.answer.First())) != nil {
		return nil // the client has gone; the run goes on
	}
	for t.end == nil {
		ctx, cancel := context.WithTimeout(c.Request().Context(), keepAlive)
		events, err := f.Next(ctx)
		cancel()
		if errors.Is(err, context.DeadlineExceeded) && c.Request().Context().Err() == nil {
			if out.write(sse.Comment) != nil {
				return nil
			}
			continue
		}
		if c.Request().Context().Err() != nil {
			return nil
		}
		var b []byte
		for _, e := range events {
			piece := ""
			if piece, err = t.take(e); err != nil {
				break
			}
			if piece != "" {
				b = append(b, data(t.answer.Piece(piece))...)
			}
		}
		if err != nil {
			_ = out.write(append(b, data(openai.Failure(fault.From(err).With(requestID(c))))...)) // it is the end either way
			return err
		}
		if out.write(b) != nil {
			return nil
		}
	}
	b := data(t.answer.Last())
	if count {
		b = append(b, data(t.answer.Count(t.end.Usage))...)
	}
	_ = out.write(append(b, data(json.RawMessage(openai.Done))...)) // it is the end either way
	return nil
}
