package httpapi

import (
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// fail writes an error as the contract has it, and logs what is ours to mend.
func (s *Server) fail(err error, c echo.Context) {
	f := s.fault(err, c)
	if f.Status() >= 500 && f.Code != fault.CodeDraining && f.Code != fault.CodeUnavailable { // these two are no trouble
		s.Log.Error("request failed", slog.String("requestId", requestID(c)), slog.String("method", c.Request().Method), slog.String("route", c.Path()), slog.Any("error", err))
	}
	if c.Response().Committed {
		return // a stream that broke off: the client sees that it has no end
	}
	if err := writeFault(c.Response(), c.Request(), f); err != nil {
		s.Log.Debug("error not sent", slog.Any("error", err))
	}
}

// writeFault answers with an error, in the dialect of the path. It is the only place
// that does.
func writeFault(w http.ResponseWriter, r *http.Request, f *fault.Error) error {
	w.Header().Set("Content-Type", echo.MIMEApplicationJSON)
	if n := f.RetrySeconds(); n > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(n))
	}
	w.WriteHeader(f.Status())
	_, err := w.Write(f.With(r.Header.Get(chat.HeaderRequestID)).JSON(fault.DialectOf(r.URL.Path))) //nolint:gosec // JSON, with its content type
	return err
}

func (s *Server) fault(err error, c echo.Context) *fault.Error {
	var he *echo.HTTPError
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return fault.New(fault.CodeTooLarge, "the body is larger than this path takes", "send less at once")
	case errors.As(err, &he) && he.Code == http.StatusNotFound:
		return fault.New(fault.CodeNotFound, "Not found", "docs/PROTOCOL.md lists the paths")
	case errors.As(err, &he):
		return fault.New(fault.CodeForStatus(he.Code), strings.ToLower(http.StatusText(he.Code)), "docs/PROTOCOL.md lists paths and methods")
	case c.Request().Context().Err() != nil && !errors.As(err, new(*fault.Error)):
		return fault.Wrap(err, fault.CodeCancelled, "the request was ended by its sender", "")
	}
	return fault.From(err)
}
