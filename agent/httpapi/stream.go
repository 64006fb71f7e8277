package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/loongclaw/loongclaw/agent/runs"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
	"github.com/loongclaw/loongclaw/pkg/sse"
)

// Proxies cut streams that say nothing for one to two minutes. What bounds a silence is
// made anew only when it is a while old: it need not be exact, and text may come
// dozens of times in a second.
const (
	keepAlive  = 15 * time.Second
	renewAfter = 5 * time.Second
)

// writeTimeout bounds one write to a reader that does not read, to between a half and
// all of it. Nothing is lost by it: the reader comes back with its cursor.
const writeTimeout = 30 * time.Second

// maxPage is how many events a JSON page holds.
const maxPage = 1000

// events replays a session after a cursor, then stays for what comes.
func (s *Server) events(c echo.Context) (page runs.Page, err error) {
	id, err := sessionOf(c)
	if err != nil {
		return page, err
	}
	after := c.QueryParam("after")
	if last := c.Request().Header.Get(chat.HeaderLastEventID); last != "" {
		after = last
	}
	tail, err := turns(c)
	if err != nil {
		return page, err
	}
	asJSON := accepts(c, echo.MIMEApplicationJSON) && !wantsStream(c)
	before := c.QueryParam("before")
	switch {
	case before != "" && (!asJSON || tail == nil || c.QueryParam("after") != ""):
		return page, fault.New(fault.CodeInvalidRequest, "before gives a page of earlier turns", "send it with tail=N and Accept: application/json, and without after")
	case asJSON && tail != nil && (before != "" || after == ""):
		return s.turns(c, id, before, *tail)
	}
	f, err := s.Runs.Follow(c.Request().Context(), user(c), id, after)
	if err != nil {
		return page, err
	}
	defer f.Close()
	if f.UntilIdle, err = untilIdle(c); err != nil {
		return page, err
	}
	if tail != nil {
		f.Tail(*tail)
	}
	if asJSON {
		return s.page(c, f)
	}
	return page, s.follow(c, f, func(chat.Event) bool { return true }, func(chat.Event) bool { return false })
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
func (s *Server) turns(c echo.Context, id, before string, n int) (page runs.Page, err error) {
	limit, err := pageLimit(c)
	if err != nil {
		return page, err
	}
	return s.Runs.Turns(c.Request().Context(), user(c), id, before, n, limit)
}

func pageLimit(c echo.Context) (int, error) {
	limit, err := number(c, "limit", maxPage)
	return min(max(limit, 1), maxPage), err
}

// page gives what is there now, and where to go on.
func (s *Server) page(c echo.Context, f *runs.Follower) (runs.Page, error) {
	limit, err := pageLimit(c)
	if err != nil {
		return runs.Page{}, err
	}
	events, err := f.Poll()
	if err != nil {
		return runs.Page{}, err
	}
	next := f.Cursor()
	if len(events) > limit {
		events = events[:limit]
		next = events[limit-1].Cursor
	}
	return runs.Page{Events: append([]chat.Event{}, events...), Next: next}, nil
}

// follow streams a session's events as they come, those that only lets through, until
// last.
func (s *Server) follow(c echo.Context, f *runs.Follower, only, last func(chat.Event) bool) error {
	next := f.Begin
	var room []byte // what is written is written before the next is asked for
	return s.stream(c, stream{first: sse.Comment, broken: errorFrame, next: func(ctx context.Context) (b []byte, end bool, err error) {
		events, err := next(ctx)
		if err != nil {
			return nil, false, err
		}
		next = f.Next
		b = room[:0]
		defer func() { room = reusable(b) }()
		if len(events) == 0 { // the beginning, with nothing to tell
			b = sse.AppendPlace(b, f.Cursor())
		}
		for _, e := range events {
			if !only(e) {
				continue
			}
			data, err := e.Encode()
			if err != nil {
				return b, true, err
			}
			if b = sse.Append(b, sse.Event{ID: e.Cursor, Type: e.Type, Data: data}); last(e) {
				return b, true, nil
			}
		}
		return b, false, nil
	}})
}

// appendEvent adds an event to what is to be written.
func appendEvent(b []byte, cursor, kind string, event any) ([]byte, error) {
	data, err := json.Marshal(event)
	if err != nil {
		return b, err
	}
	return sse.Append(b, sse.Event{ID: cursor, Type: kind, Data: data}), nil
}

// list tells what changes in the user's list of sessions and approvals.
func (s *Server) list(c echo.Context) error {
	after := c.QueryParam("after")
	if last := c.Request().Header.Get(chat.HeaderLastEventID); last != "" {
		after = last
	}
	w, err := s.Lists.Watch(c.Request().Context(), user(c), after)
	if err != nil {
		return err
	}
	defer w.Close()
	if w.UntilIdle, err = untilIdle(c); err != nil {
		return err
	}
	begun := after != ""
	return s.stream(c, stream{first: sse.Comment, broken: errorFrame, next: func(ctx context.Context) (b []byte, end bool, err error) {
		if !begun { // a reader that has no event yet must not lose what comes before it is back
			begun = true
			return sse.AppendPlace(nil, w.Cursor()), false, nil
		}
		events, err := w.Next(ctx)
		for _, e := range events {
			if b, err = appendEvent(b, e.Cursor, e.Type, e); err != nil {
				break
			}
		}
		return b, false, err
	}})
}

// stream is an answer of events.
type stream struct {
	first []byte // goes out at once: the client sees that it is connected
	// next waits for what is to be written next. Where it ends with its context it is
	// asked again, unless it says that this is the end.
	next   func(context.Context) (b []byte, end bool, err error)
	broken func(*fault.Error) []byte // tells the reader why the stream ends
}

// stream writes what there is until its end, and keeps the connection alive where
// there is nothing for long.
func (s *Server) stream(c echo.Context, from stream) error {
	h := c.Response().Header()
	h.Set("Content-Type", "text/event-stream; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
	c.Response().WriteHeader(http.StatusOK)
	out := streamWriter{rc: http.NewResponseController(c.Response()), c: c}
	if err := out.write(from.first); err != nil {
		return nil // the client has gone
	}
	quiet := quiet{of: c.Request().Context()}
	defer quiet.end()
	for {
		b, end, err := from.next(quiet.context())
		switch {
		case !end && errors.Is(err, context.DeadlineExceeded) && c.Request().Context().Err() == nil:
			b = sse.Comment
		case c.Request().Context().Err() != nil:
			return nil
		case errors.Is(err, runs.ErrIdle):
			_ = out.write(sse.Idle) // it is the end either way
			return nil
		case err != nil:
			_ = out.write(append(b, from.broken(fault.From(err).With(requestID(c)))...)) // it is the end either way
			if fault.CodeOf(err) == fault.CodeDraining {
				return nil
			}
			return err
		}
		if out.write(b) != nil || end {
			return nil
		}
	}
}

// quiet bounds how long a stream says nothing.
type quiet struct {
	of     context.Context
	now    context.Context
	cancel context.CancelFunc
	began  time.Time
}

// context returns one that ends when nothing was said for keepAlive, or a little less.
func (q *quiet) context() context.Context {
	if q.now == nil || time.Since(q.began) > renewAfter {
		q.end()
		q.now, q.cancel = context.WithTimeout(q.of, keepAlive)
		q.began = time.Now()
	}
	return q.now
}

func (q *quiet) end() {
	if q.cancel != nil {
		q.cancel()
	}
}

// maxRoom is how much a stream keeps for what it writes next. A conversation that is told
// from its beginning takes megabytes, and the reader may then be quiet for hours.
const maxRoom = 16 << 10

func reusable(b []byte) []byte {
	if cap(b) > maxRoom {
		return nil
	}
	return b
}

// errorFrame tells a reader of a session or of the list why its stream ends. It says
// nothing where this agent stops: the reader comes back with its cursor.
func errorFrame(f *fault.Error) []byte {
	if f.Code == fault.CodeDraining {
		return nil
	}
	b, err := appendEvent(nil, "", chat.TypeError, chat.ErrorFrame{Error: f})
	if err != nil {
		return nil // a fault is always JSON
	}
	return b
}

// streamWriter writes to a reader that may stand still.
type streamWriter struct {
	rc    *http.ResponseController
	c     echo.Context
	until time.Time // what is written must be written by then
}

func (w *streamWriter) write(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	// Moving a deadline costs more than writing an event does, so it is moved now and then.
	if now := time.Now(); w.until.Sub(now) < writeTimeout/2 {
		w.until = now.Add(writeTimeout)
		if err := w.rc.SetWriteDeadline(w.until); err != nil {
			return err
		}
	}
	if _, err := w.c.Response().Write(b); err != nil {
		return err
	}
	return w.rc.Flush()
}
