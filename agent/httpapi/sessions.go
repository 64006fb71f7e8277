package httpapi

import (
	"strconv"

	"github.com/labstack/echo/v4"

	"github.com/loongclaw/loongclaw/agent/runs"
	"github.com/loongclaw/loongclaw/agent/session"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

func (s *Server) history(c echo.Context) (h chat.History, err error) {
	id, err := sessionOf(c)
	if err != nil {
		return h, err
	}
	limit, err := number(c, "limit", 0)
	if err != nil {
		return h, err
	}
	tree := c.QueryParam("tree") == "1"
	return s.Runs.History(c.Request().Context(), user(c), id, runs.View{Limit: limit, Tree: tree, Summaries: tree, Reasoning: c.QueryParam("reasoning") == "1"})
}

// clear empties a session, or with the id "all" every one, as the original.
func (s *Server) clear(c echo.Context) (endedAnswer, error) {
	id, err := sessionOf(c)
	if err != nil {
		return endedAnswer{}, err
	}
	if id == "all" {
		err = s.Runs.ClearAll(c.Request().Context(), user(c))
	} else {
		err = s.Runs.Clear(c.Request().Context(), user(c), id)
	}
	if fault.CodeOf(err) == fault.CodeNotFound {
		err = nil
	}
	return endedAnswer{Success: true, SessionID: id}, err
}

func (s *Server) sessions(c echo.Context) (sessionsAnswer, error) {
	all, err := s.Lists.List(c.Request().Context(), user(c), c.QueryParam("q"))
	if err != nil {
		return sessionsAnswer{}, err
	}
	limit, err := number(c, "limit", 200)
	if err != nil {
		return sessionsAnswer{}, err
	}
	from, err := number(c, "after", 0)
	if err != nil {
		return sessionsAnswer{}, err
	}
	page := sessionsAnswer{Sessions: all.Sessions[min(from, len(all.Sessions)):]}
	if limit > 0 && len(page.Sessions) > limit {
		page = sessionsAnswer{Sessions: page.Sessions[:limit], Next: strconv.Itoa(from + limit)}
	}
	// In the head: it may be another while the list is the same.
	c.Response().Header().Set(chat.HeaderListCursor, all.Cursor)
	return page, nil
}

// approvals lists what waits for the user's decision.
func (s *Server) approvals(c echo.Context) (approvalsAnswer, error) {
	open, err := s.Lists.Approvals(c.Request().Context(), user(c))
	return approvalsAnswer{open}, err
}

func (s *Server) session(c echo.Context) (row chat.Session, err error) {
	id, err := sessionOf(c)
	if err != nil {
		return row, err
	}
	return s.Runs.Session(c.Request().Context(), user(c), id)
}

func (s *Server) updateSession(c echo.Context, q sessionBody) (row chat.Session, err error) {
	id, err := sessionOf(c)
	if err != nil {
		return row, err
	}
	if q.Title == nil && q.Head == nil && q.Model == nil {
		return row, fault.New(fault.CodeInvalidRequest, "there is nothing to change", `send {"title":"…"}, {"head":"MESSAGE ID"} or {"model":"ID"}`)
	}
	if err := s.checkModel(q.Model); err != nil {
		return row, err
	}
	return s.Runs.Update(c.Request().Context(), user(c), id, session.Edit(q))
}

func (s *Server) deleteSession(c echo.Context) (endedAnswer, error) {
	id, err := sessionOf(c)
	if err != nil {
		return endedAnswer{}, err
	}
	return endedAnswer{Success: true, SessionID: id}, s.Runs.Delete(c.Request().Context(), user(c), id)
}

func number(c echo.Context, name string, absent int) (int, error) {
	text := c.QueryParam(name)
	if text == "" {
		return absent, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0, fault.New(fault.CodeInvalidRequest, name+" is not a number from 0 up", "leave it out or send a whole number")
	}
	return n, nil
}
