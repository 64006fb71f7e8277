package httpapi

import (
	"context"
	"io"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/loongclaw/loongclaw/agent/openai"
	"github.com/loongclaw/loongclaw/agent/runs"
	"github.com/loongclaw/loongclaw/agent/thread"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
	"github.com/loongclaw/loongclaw/pkg/sse"
)

// maxConversation is the largest body: these clients send all that was said.
const maxConversation = 8 << 20

// openAIModels lists the one model.
func (s *Server) openAIModels(echo.Context) (openai.ModelList, error) {
	return openai.Models(s.began), nil
}

// openAIModel tells of one model.
func (s *Server) openAIModel(c echo.Context) (m openai.ModelEntry, err error) {
	id, err := param(c, "*") // names such as openai/gpt-4o come with their slash as it is, too
	if err != nil {
		return m, err
	}
	return openai.ModelOf(strings.TrimSuffix(id, "/"), s.began)
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
	// What has a key must give the same answer again, and only a run is kept.
	task := c.Request().Header.Get(chat.HeaderIdempotencyKey) == ""
	if q.Format != nil {
		if !task || q.Store {
			return fault.New(fault.CodeUnsupported, "an answer in JSON is given by the model alone and is not kept", "leave store and "+chat.HeaderIdempotencyKey+" out, or ask for the format in a message").About("response_format")
		}
		return s.aside(c, q)
	}
	if task && thread.IsTask(q, func(text string) bool { return s.threads.Knows(user(c), text) }) {
		return s.aside(c, q)
	}
	choice, found, err := s.place(c.Request().Context(), user(c), q)
	if err != nil {
		return err
	}
	var known *thread.Choice
	if found {
		if known = &choice; task && thread.AsksForLabel(q, choice.Streamed) {
			return s.aside(c, q)
		}
	}
	run, err := s.converse(c, q, known)
	if err != nil {
		return err
	}
	f, err := s.Runs.Follow(c.Request().Context(), user(c), run.SessionID, run.Cursor)
	if err != nil {
		return err
	}
	defer f.Close()
	t := telling{run: run, answer: openai.Answer{ID: "chatcmpl-" + run.RunID, Model: q.Model, Created: s.Now()}}
	t.done = func() { s.threads.Note(user(c), run.SessionID, t.text.String(), q) }
	if q.Stream {
		return s.streamCompletion(c, f, &t, q.WantUsage)
	}
	return s.wholeCompletion(c, f, &t)
}

// telling is an answer on its way to an OpenAI client: all stretches of text of
// one run, as one.
type telling struct {
	run    chat.Run
	answer openai.Answer

	text    strings.Builder
	thought strings.Builder // the reasoning of all stretches
	source  string          // the message that the reasoning is of
	between bool            // the next piece begins another stretch
	finish  chat.Finish
	end     *chat.Event
	done    func() // called once the whole answer is there, before the client has it
}

// reason takes a piece of reasoning in and gives what is new of it.
func (t *telling) reason(e chat.Event) (piece string) {
	if e.Type != chat.TypeReasoningChunk || e.RunID != t.run.RunID {
		return ""
	}
	piece = e.Text()
	if t.source != "" && t.source != e.MessageID {
		piece = "\n\n" + piece
	}
	t.source = e.MessageID
	t.thought.WriteString(piece)
	return piece
}

// take takes an event in and gives what is new of the text.
func (t *telling) take(e chat.Event) (piece string, err error) {
	switch {
	case e.Type == chat.TypeHistoryCleared:
		return "", clearedFault()
	case e.RunID != t.run.RunID:
	case e.Type == chat.TypeRunStarted && e.Restarted && t.text.Len() > 0:
		return "", fault.New(fault.CodeAgentFailed, "the agent was restarted in the middle of the answer", "send the message again")
	case e.Type == chat.TypeMessageChunk:
		if piece = e.Text(); t.between && piece != "" {
			piece, t.between = "\n\n"+piece, false
		}
		t.text.WriteString(piece)
	case e.Type == chat.TypeMessageComplete:
		t.between, t.finish = t.text.Len() > 0, e.Finish
	case e.Type == chat.TypeRunFinished:
		t.end = &e
		if e.Status != chat.RunDone {
			return "", ended(e)
		}
		t.done()
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
			t.reason(e)
			if _, err := t.take(e); err != nil {
				return err
			}
		}
	}
	return c.JSONBlob(http.StatusOK, t.answer.Whole(t.text.String(), t.thought.String(), t.finish, t.end.Usage))
}

func (s *Server) streamCompletion(c echo.Context, f *runs.Follower, t *telling, count bool) error {
	// A client that goes away ends the stream; the run goes on.
	return s.stream(c, stream{first: data(t.answer.First()), broken: openAIFrame, next: func(ctx context.Context) (b []byte, end bool, err error) {
		events, err := f.Next(ctx)
		if err != nil {
			return nil, false, err
		}
		for _, e := range events {
			if thought := t.reason(e); thought != "" {
				b = append(b, data(t.answer.Thought(thought))...)
			}
			piece, err := t.take(e)
			if err != nil {
				return b, true, err
			}
			if piece != "" {
				b = append(b, data(t.answer.Piece(piece))...)
			}
		}
		if t.end == nil {
			return b, false, nil
		}
		return append(b, lastOf(t.answer, t.finish, t.end.Usage, count)...), true, nil
	}})
}

// data is an event of a stream for OpenAI's clients.
func data(b []byte) []byte { return sse.Append(nil, sse.Event{Data: b}) }

// openAIFrame tells an OpenAI client why its stream ends.
func openAIFrame(f *fault.Error) []byte { return data(f.JSON(fault.OpenAI)) }

// lastOf ends a stream for OpenAI's clients, with the tokens where they want them.
func lastOf(answer openai.Answer, finish chat.Finish, usage *chat.Usage, count bool) []byte {
	b := data(answer.Last(finish))
	if count {
		b = append(b, data(answer.Count(usage))...)
	}
	return append(b, data([]byte(openai.Done))...)
}
