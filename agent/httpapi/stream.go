package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/loongclaw/loongclaw/agent/runs"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
	"github.com/loongclaw/loongclaw/pkg/sse"
)

// Proxies cut streams that say nothing for one to two minutes.
const keepAlive = 15 * time.Second

// writeTimeout bounds one write to a reader that does not read. Nothing is lost
// by it: the reader comes back with its cursor.
const writeTimeout = 30 * time.Second

// maxPage is how many events a JSON page holds.
const maxPage = 1000

// events replays a session after a cursor, then stays for what comes.
func (s *Server) events(c echo.Context) error {
	id, err := session(c)
	if err != nil {
		return err
	}
	after := c.QueryParam("after")
	if last := c.Request().Header.Get(chat.HeaderLastEventID); last != "" {
		after = last
	}
	f, err := s.Runs.Follow(c.Request().Context(), user(c), id, after)
	if err != nil {
		return err
	}
	defer f.Close()
	switch until := c.QueryParam("until"); until {
	case "":
	case "idle":
		f.UntilIdle = true
	default:
		return fault.New(fault.CodeInvalidRequest, "until can only be idle", "leave it out to follow the session for as long as you like")
	}
	if accept := c.Request().Header.Get("Accept"); strings.Contains(accept, "application/json") && !wantsStream(c) {
		return s.page(c, f)
	}
	return s.stream(c, f, func(chat.Event) bool { return true }, func(chat.Event) bool { return false })
}

// page gives what is there now, and where to go on.
func (s *Server) page(c echo.Context, f *runs.Follower) error {
	limit, err := number(c, "limit", maxPage)
	if err != nil {
		return err
	}
	limit = min(max(limit, 1), maxPage)
	events, err := f.Poll()
	if err != nil {
		return err
	}
	next := f.Cursor()
	if len(events) > limit {
		events = events[:limit]
		next = events[limit-1].Cursor
	}
	if events == nil {
		events = []chat.Event{}
	}
	return c.JSON(http.StatusOK, map[string]any{"events": events, "next": next})
}

// stream writes events as they come, those that only lets through, until last.
func (s *Server) stream(c echo.Context, f *runs.Follower, only, last func(chat.Event) bool) error {
	out := s.openStream(c)
	// The head goes out at once: the client sees that it is connected.
	if err := out.write(sse.Comment); err != nil {
		return nil // the client has gone
	}
	for {
		ctx, cancel := context.WithTimeout(c.Request().Context(), keepAlive)
		events, err := f.Next(ctx)
		cancel()
		switch {
		case errors.Is(err, context.DeadlineExceeded) && c.Request().Context().Err() == nil:
			if out.write(sse.Comment) != nil {
				return nil
			}
			continue
		case c.Request().Context().Err() != nil:
			return nil
		case errors.Is(err, runs.ErrIdle):
			_ = out.write(sse.Idle) // it is the end either way
			return nil
		case err != nil:
			return s.endStream(&out, err)
		}
		var b []byte
		for _, e := range events {
			if !only(e) {
				continue
			}
			data, err := json.Marshal(e)
			if err != nil {
				return err
			}
			b = sse.Append(b, sse.Event{ID: e.Cursor, Type: e.Type, Data: data})
			if last(e) {
				_ = out.write(b) // it is the end either way
				return nil
			}
		}
		if out.write(b) != nil {
			return nil
		}
	}
}

// openStream begins an answer of events.
func (s *Server) openStream(c echo.Context) streamWriter {
	h := c.Response().Header()
	h.Set("Content-Type", "text/event-stream; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
	c.Response().WriteHeader(http.StatusOK)
	return streamWriter{rc: http.NewResponseController(c.Response()), c: c}
}

// endStream tells a reader why its stream ends; it may come back with its cursor.
func (s *Server) endStream(out *streamWriter, cause error) error {
	f := fault.From(cause)
	if f.Code == fault.CodeDraining {
		return nil
	}
	data, err := json.Marshal(chat.ErrorFrame{Error: f.With(requestID(out.c))})
	if err != nil {
		return err
	}
	_ = out.write(sse.Append(nil, sse.Event{Type: chat.TypeError, Data: data}))
	return cause
}

type streamWriter struct {
	rc *http.ResponseController
	c  echo.Context
}

func (w *streamWriter) write(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	if err := w.rc.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return err
	}
	if _, err := w.c.Response().Write(b); err != nil {
		return err
	}
	return w.rc.Flush()
}
