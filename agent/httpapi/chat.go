package httpapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/loongclaw/loongclaw/agent/runs"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// maxBody is the largest JSON body: a message with every byte escaped, and the paths of
// as many files as one may bring along.
const maxBody = 6*chat.MaxMessage + 128<<10

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
		return fault.New(fault.CodeInvalidRequest, fmt.Sprintf("the field %s has the wrong type: %s", fieldOf(typ.Field, into), typ.Value), "docs/PROTOCOL.md shows the body")
	case errors.As(err, &typ):
		return fault.New(fault.CodeInvalidRequest, "the body is not a JSON object", `send {"message":"…"}`)
	}
	return fault.New(fault.CodeInvalidJSON, "the body is not JSON", `send {"message":"…"} as UTF-8`)
}

// fieldOf returns the path of a field as JSON has it: encoding/json names embedded
// types in it, too.
func fieldOf(path string, into any) string {
	for t := reflect.TypeOf(into).Elem(); t.Kind() == reflect.Struct; {
		name, rest, _ := strings.Cut(path, ".")
		f, ok := t.FieldByName(name)
		if !ok || !f.Anonymous {
			break
		}
		path, t = rest, f.Type
	}
	return path
}

// session is the path's session id, decoded and checked.
func sessionOf(c echo.Context) (string, error) {
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
func (s *Server) chat(c echo.Context, q chatBody) (chatAnswer, error) {
	if q.SessionID == "" {
		q.SessionID = chat.DefaultSession
	}
	stream := q.Stream || wantsStream(c)
	run, err := s.submit(c, q.SessionID, q.messageBody, stream)
	if err != nil {
		return chatAnswer{}, err
	}
	f, err := s.Runs.Follow(c.Request().Context(), user(c), run.SessionID, run.Cursor)
	if err != nil {
		return chatAnswer{}, err
	}
	defer f.Close()
	if !stream {
		return s.answer(c, f, run)
	}
	only := func(e chat.Event) bool { return e.RunID == run.RunID }
	return chatAnswer{}, s.follow(c, f, only, func(e chat.Event) bool { return e.Type == chat.TypeRunFinished && only(e) })
}

// submit has a message stored. interactive says that somebody can answer an approval.
func (s *Server) submit(c echo.Context, session string, q messageBody, interactive bool) (chat.Run, error) {
	if err := q.Refuse(); err != nil {
		return chat.Run{}, err
	}
	if err := q.Attachments.Check(); err != nil {
		return chat.Run{}, err
	}
	if err := s.checkModel(q.Model); err != nil {
		return chat.Run{}, err
	}
	return s.Runs.Start(c.Request().Context(), user(c), session, runs.Request{
		Message: q.Message, ParentID: q.ParentID, Model: q.Model, Key: c.Request().Header.Get(chat.HeaderIdempotencyKey),
		Interactive: interactive, RequestID: requestID(c), Attachments: fromWorkspace(q.Attachments),
	})
}

func fromWorkspace(refs chat.AttachmentRefs) []runs.Attachment {
	out := make([]runs.Attachment, len(refs))
	for i := range refs {
		out[i].Path = refs[i].Path
	}
	return out
}

func wantsStream(c echo.Context) bool {
	return accepts(c, "text/event-stream")
}

// answer waits for a run's end and gives its last answer.
func (s *Server) answer(c echo.Context, f *runs.Follower, run chat.Run) (chatAnswer, error) {
	a := chatAnswer{SessionID: run.SessionID, RunID: run.RunID, MessageID: run.MessageID}
	for {
		events, err := f.Next(c.Request().Context())
		if err != nil {
			return a, err
		}
		for _, e := range events {
			switch {
			case e.Type == chat.TypeHistoryCleared:
				return a, clearedFault()
			case e.RunID != run.RunID:
			case e.Type == chat.TypeMessageComplete:
				a.Message, a.Finish = e.Text(), e.Finish
			case e.Type == chat.TypeRunFinished && e.Status == chat.RunDone:
				a.Timestamp, a.Usage = e.Timestamp, e.Usage
				return a, nil
			case e.Type == chat.TypeRunFinished:
				return a, ended(e)
			}
		}
	}
}

// clearedFault is what becomes of an answer whose session is gone.
func clearedFault() error {
	return fault.New(fault.CodeCancelled, "the session was cleared before the answer was complete", "send the message again")
}

// start stores a message; its events are read elsewhere.
func (s *Server) start(c echo.Context, q messageBody) (run chat.Run, err error) {
	id, err := sessionOf(c)
	if err != nil {
		return run, err
	}
	return s.submit(c, id, q, true)
}

func (s *Server) regenerate(c echo.Context, q regenerateBody) (run chat.Run, err error) {
	id, err := sessionOf(c)
	if err != nil {
		return run, err
	}
	return s.Runs.Regenerate(c.Request().Context(), user(c), id, q.MessageID, c.Request().Header.Get(chat.HeaderIdempotencyKey), requestID(c))
}

func (s *Server) cancel(c echo.Context, q cancelBody) (cancelAnswer, error) {
	id, err := sessionOf(c)
	if err != nil {
		return cancelAnswer{}, err
	}
	ended, err := s.Runs.Cancel(c.Request().Context(), user(c), id, q.RunID)
	return cancelAnswer{SessionID: id, Cancelled: ended}, err
}

func (s *Server) approve(c echo.Context, q decisionBody) (decisionAnswer, error) {
	id := c.Param("id")
	err := s.Runs.Approve(c.Request().Context(), user(c), id, q.Decision)
	return decisionAnswer{ApprovalID: id, Decision: q.Decision}, err
}
