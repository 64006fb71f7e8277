package httpapi

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/loongclaw/loongclaw/agent/runs"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// maxBody is the largest JSON body: a message with every byte escaped.
const maxBody = 6*chat.MaxMessage + 16<<10

// body reads a JSON object and nothing after it.
func body(c echo.Context, into any) error {
	raw, err := readBody(c)
	if err != nil {
		return err
	}
	return understand(raw, into)
}

// optionalBody takes an empty body as an empty object.
func optionalBody(c echo.Context, into any) error {
	raw, err := readBody(c)
	if err != nil || len(raw) == 0 {
		return err
	}
	return understand(raw, into)
}

func readBody(c echo.Context) ([]byte, error) {
	return io.ReadAll(http.MaxBytesReader(c.Response(), c.Request().Body, maxBody))
}

func understand(raw []byte, into any) error {
	err := json.Unmarshal(raw, into)
	var typ *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &typ) && typ.Field != "":
		return fault.New(fault.CodeInvalidRequest, fmt.Sprintf("the field %s has the wrong type: %s", typ.Field, typ.Value), "docs/PROTOCOL.md shows the body")
	case errors.As(err, &typ):
		return fault.New(fault.CodeInvalidRequest, "the body is not a JSON object", `send {"message":"…"}`)
	}
	return fault.New(fault.CodeInvalidJSON, "the body is not JSON", `send {"message":"…"} as UTF-8`)
}

// session is the path's session id, decoded and checked.
func session(c echo.Context) (string, error) {
	id, err := param(c, "session")
	if err != nil {
		return "", err
	}
	if id == "" {
		id = chat.DefaultSession
	}
	return id, chat.CheckSession(id)
}

// param is a part of the path, decoded once: echo matches the escaped path only
// where it differs from the decoded one.
func param(c echo.Context, name string) (string, error) {
	if c.Request().URL.RawPath == "" {
		return c.Param(name), nil
	}
	value, err := url.PathUnescape(c.Param(name))
	if err != nil {
		return "", fault.New(fault.CodeInvalidRequest, "the path is not URL-encoded", "encode it once")
	}
	return value, nil
}

// chat is the original's way: send a message, get the answer.
func (s *Server) chat(c echo.Context) error {
	var q struct {
		Message   string  `json:"message"`
		SessionID string  `json:"sessionId"`
		ParentID  *string `json:"parentId"`
		Model     *string `json:"model"`
		Stream    bool    `json:"stream"`
		chat.Unserved
	}
	if err := body(c, &q); err != nil {
		return err
	}
	if err := cmp.Or(q.Refuse(), s.checkModel(q.Model)); err != nil {
		return err
	}
	if q.SessionID == "" {
		q.SessionID = chat.DefaultSession
	}
	stream := q.Stream || wantsStream(c)
	run, err := s.Runs.Start(c.Request().Context(), user(c), q.SessionID, runs.Request{
		Message: q.Message, ParentID: q.ParentID, Model: q.Model, Key: c.Request().Header.Get(chat.HeaderIdempotencyKey),
		Interactive: stream, RequestID: requestID(c),
	})
	if err != nil {
		return err
	}
	f, err := s.Runs.Follow(c.Request().Context(), user(c), run.SessionID, run.Cursor)
	if err != nil {
		return err
	}
	defer f.Close()
	only := func(e chat.Event) bool { return e.RunID == run.RunID }
	if stream {
		return s.stream(c, f, only, func(e chat.Event) bool { return e.Type == chat.TypeRunFinished && only(e) })
	}
	return s.answer(c, f, run)
}

func wantsStream(c echo.Context) bool {
	return strings.Contains(c.Request().Header.Get("Accept"), "text/event-stream")
}

// answer waits for a run's end and gives its last answer.
func (s *Server) answer(c echo.Context, f *runs.Follower, run chat.Run) error {
	text, finish := "", chat.Finish("")
	for {
		events, err := f.Next(c.Request().Context())
		if err != nil {
			return err
		}
		for _, e := range events {
			switch {
			case e.Type == chat.TypeHistoryCleared:
				return fault.New(fault.CodeCancelled, "the session was cleared before the answer was complete", "send the message again")
			case e.RunID != run.RunID:
			case e.Type == chat.TypeMessageComplete:
				text, finish = e.Text(), e.Finish
			case e.Type == chat.TypeRunFinished && e.Status == chat.RunDone:
				return c.JSON(http.StatusOK, map[string]any{
					"message": text, "sessionId": run.SessionID, "timestamp": e.Timestamp,
					"runId": run.RunID, "messageId": run.MessageID, "usage": e.Usage, "finish": finish,
				})
			case e.Type == chat.TypeRunFinished:
				return ended(e)
			}
		}
	}
}

// start stores a message; its events are read elsewhere.
func (s *Server) start(c echo.Context) error {
	id, err := session(c)
	if err != nil {
		return err
	}
	var q struct {
		Message  string  `json:"message"`
		ParentID *string `json:"parentId"`
		Model    *string `json:"model"`
		chat.Unserved
	}
	if err := body(c, &q); err != nil {
		return err
	}
	if err := cmp.Or(q.Refuse(), s.checkModel(q.Model)); err != nil {
		return err
	}
	run, err := s.Runs.Start(c.Request().Context(), user(c), id, runs.Request{
		Message: q.Message, ParentID: q.ParentID, Model: q.Model, Key: c.Request().Header.Get(chat.HeaderIdempotencyKey),
		Interactive: true, RequestID: requestID(c),
	})
	if err != nil {
		return err
	}
	return c.JSON(http.StatusAccepted, run)
}

func (s *Server) regenerate(c echo.Context) error {
	id, err := session(c)
	if err != nil {
		return err
	}
	var q struct {
		MessageID string `json:"messageId"`
	}
	if err := optionalBody(c, &q); err != nil {
		return err
	}
	run, err := s.Runs.Regenerate(c.Request().Context(), user(c), id, q.MessageID, c.Request().Header.Get(chat.HeaderIdempotencyKey), requestID(c))
	if err != nil {
		return err
	}
	return c.JSON(http.StatusAccepted, run)
}

func (s *Server) cancel(c echo.Context) error {
	id, err := session(c)
	if err != nil {
		return err
	}
	var q struct {
		RunID string `json:"runId"`
	}
	if err := optionalBody(c, &q); err != nil {
		return err
	}
	ended, err := s.Runs.Cancel(c.Request().Context(), user(c), id, q.RunID)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, map[string]any{"sessionId": id, "cancelled": ended})
}

func (s *Server) approve(c echo.Context) error {
	var q struct {
		Decision string `json:"decision"`
	}
	if err := body(c, &q); err != nil {
		return err
	}
	id := c.Param("id")
	if err := s.Runs.Approve(c.Request().Context(), user(c), id, q.Decision); err != nil {
		return err
	}
	return c.JSON(http.StatusOK, map[string]any{"approvalId": id, "decision": q.Decision})
}
