package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strconv"
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
	tail, err := turns(c)
	if err != nil {
		return err
	}
	accept := c.Request().Header.Get("Accept")
	asJSON := strings.Contains(accept, "application/json") && !wantsStream(c)
	before := c.QueryParam("before")
	switch {
	case before != "" && (!asJSON || tail == nil || c.QueryParam("after") != ""):
		return fault.New(fault.CodeInvalidRequest, "before gives a page of earlier turns", "send it with tail=N and Accept: application/json, and without after")
	case asJSON && tail != nil && (before != "" || after == ""):
		return s.turns(c, id, before, *tail)
	}
	f, err := s.Runs.Follow(c.Request().Context(), user(c), id, after)
	if err != nil {
		return err
	}
	defer f.Close()
	if f.UntilIdle, err = untilIdle(c); err != nil {
		return err
	}
	if tail != nil {
		f.Tail(*tail)
	}
	if asJSON {
		return s.page(c, f)
	}
	return s.stream(c, f, func(chat.Event) bool { return true }, func(chat.Event) bool { return false })
}

// untilIdle reports whether a stream is to end when nothing runs.
func untilIdle(c echo.Context) (bool, error) {
	switch until := c.QueryParam("until"); until {
	case "":
		return false, nil
	case "idle":
		return true, nil
	}
	return false, fault.New(fault.CodeInvalidRequest, "until can only be idle", "leave it out to follow for as long as you like")
}

// turns is how many of the last turns were asked for; nil where all were.
func turns(c echo.Context) (*int, error) {
	if !c.QueryParams().Has("tail") {
		return nil, nil
	}
	n, err := strconv.Atoi(c.QueryParam("tail"))
	if n == math.MaxInt && errors.Is(err, strconv.ErrRange) {
		err = nil // more than there can be
	}
	if err != nil || n < 0 {
		return nil, fault.New(fault.CodeInvalidRequest, "tail is not a number from 0 up", "send how many of the last turns you want, such as tail=30")
	}
	return &n, nil
}

// turns gives a page of the shown branch's last turns, or of those before a cursor.
func (s *Server) turns(c echo.Context, id, before string, n int) error {
	limit, err := pageLimit(c)
	if err != nil {
		return err
	}
	p, err := s.Runs.Turns(c.Request().Context(), user(c), id, before, n, limit)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, p)
}

func pageLimit(c echo.Context) (int, error) {
	limit, err := number(c, "limit", maxPage)
	return min(max(limit, 1), maxPage), err
}

// page gives what is there now, and where to go on.
func (s *Server) page(c echo.Context, f *runs.Follower) error {
	limit, err := pageLimit(c)
	if err != nil {
		return err
	}
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
	next := f.Begin
	return s.streamOf(c, func(ctx context.Context) (b []byte, end bool, err error) {
		events, err := next(ctx)
		if err != nil {
			return nil, false, err
		}
		next = f.Next
		if len(events) == 0 { // the beginning, with nothing to tell
			b = sse.AppendPlace(b, f.Cursor())
		}
		for _, e := range events {
			if !only(e) {
				continue
			}
			data, err := json.Marshal(e)
			if err != nil {
				return nil, false, err
			}
			b = sse.Append(b, sse.Event{ID: e.Cursor, Type: e.Type, Data: data})
			if last(e) {
				return b, true, nil
			}
		}
		return b, false, nil
	})
}

// list tells what changes in the user's list of sessions and approvals.
func (s *Server) list(c echo.Context) error {
	after := c.QueryParam("after")
	if last := c.Request().Header.Get(chat.HeaderLastEventID); last != "" {
		after = last
	}
	w, err := s.Runs.Watch(c.Request().Context(), user(c), after)
	if err != nil {
		return err
	}
	defer w.Close()
	if w.UntilIdle, err = untilIdle(c); err != nil {
		return err
	}
	begun := after != ""
	return s.streamOf(c, func(ctx context.Context) (b []byte, end bool, err error) {
		if !begun { // a reader that has no event yet must not lose what comes before it is back
			begun = true
			return sse.AppendPlace(nil, w.Cursor()), false, nil
		}
		events, err := w.Next(ctx)
		for _, e := range events {
			data, err := json.Marshal(e)
			if err != nil {
				return nil, false, err
			}
			b = sse.Append(b, sse.Event{ID: e.Cursor, Type: e.Type, Data: data})
		}
		return b, false, err
	})
}

// streamOf writes what next gives until it ends, and keeps the stream alive where it
// gives nothing for long.
func (s *Server) streamOf(c echo.Context, next func(context.Context) (b []byte, end bool, err error)) error {
	out := s.openStream(c)
	// The head goes out at once: the client sees that it is connected.
	if err := out.write(sse.Comment); err != nil {
		return nil // the client has gone
	}
	for {
		ctx, cancel := context.WithTimeout(c.Request().Context(), keepAlive)
		b, end, err := next(ctx)
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
		if out.write(b) != nil || end {
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
