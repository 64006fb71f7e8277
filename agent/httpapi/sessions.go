package httpapi

import (
	"net/http"
	"slices"
	"strconv"

	"github.com/labstack/echo/v4"

	"github.com/loongclaw/loongclaw/agent/model"
	"github.com/loongclaw/loongclaw/agent/runs"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

func (s *Server) history(c echo.Context) error {
	id, err := session(c)
	if err != nil {
		return err
	}
	limit, err := number(c, "limit", 0)
	if err != nil {
		return err
	}
	tree := c.QueryParam("tree") == "1"
	h, err := s.Runs.History(c.Request().Context(), user(c), id, runs.View{Limit: limit, Tree: tree, Summaries: tree, Reasoning: c.QueryParam("reasoning") == "1"})
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, h)
}

// clear empties a session, or with the id "all" every one, as the original.
func (s *Server) clear(c echo.Context) error {
	id, err := session(c)
	if err != nil {
		return err
	}
	if id == "all" {
		err = s.Runs.ClearAll(c.Request().Context(), user(c))
	} else {
		err = s.Runs.Clear(c.Request().Context(), user(c), id)
	}
	if err != nil && fault.CodeOf(err) != fault.CodeNotFound {
		return err
	}
	return c.JSON(http.StatusOK, map[string]any{"success": true, "sessionId": id})
}

func (s *Server) sessions(c echo.Context) error {
	all, err := s.Runs.List(c.Request().Context(), user(c), c.QueryParam("q"))
	if err != nil {
		return err
	}
	limit, err := number(c, "limit", 200)
	if err != nil {
		return err
	}
	from, err := number(c, "after", 0)
	if err != nil {
		return err
	}
	rows, next := all.Sessions[min(from, len(all.Sessions)):], ""
	if limit > 0 && len(rows) > limit {
		rows, next = rows[:limit], strconv.Itoa(from+limit)
	}
	// In the head: it may be another while the list is the same.
	c.Response().Header().Set(chat.HeaderListCursor, all.Cursor)
	return tagged(c, sessionPage{Sessions: rows, Next: next})
}

// sessionPage is a page of the list.
type sessionPage struct {
	Sessions []chat.Session `json:"sessions"`
	Next     string         `json:"next,omitempty"`
}

// approvals lists what waits for the user's decision.
func (s *Server) approvals(c echo.Context) error {
	open, err := s.Runs.Approvals(c.Request().Context(), user(c))
	if err != nil {
		return err
	}
	return tagged(c, map[string]any{"approvals": open})
}

func (s *Server) session(c echo.Context) error {
	id, err := session(c)
	if err != nil {
		return err
	}
	row, err := s.Runs.Session(c.Request().Context(), user(c), id)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, row)
}

func (s *Server) updateSession(c echo.Context) error {
	id, err := session(c)
	if err != nil {
		return err
	}
	var q struct {
		Title *string `json:"title"`
		Head  *string `json:"head"`
		Model *string `json:"model"`
	}
	if err := body(c, &q); err != nil {
		return err
	}
	if q.Title == nil && q.Head == nil && q.Model == nil {
		return fault.New(fault.CodeInvalidRequest, "there is nothing to change", `send {"title":"…"}, {"head":"MESSAGE ID"} or {"model":"ID"}`)
	}
	if err := s.checkModel(q.Model); err != nil {
		return err
	}
	row, err := s.Runs.Update(c.Request().Context(), user(c), id, runs.Edit{Title: q.Title, Head: q.Head, Model: q.Model})
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, row)
}

func (s *Server) deleteSession(c echo.Context) error {
	id, err := session(c)
	if err != nil {
		return err
	}
	if err := s.Runs.Delete(c.Request().Context(), user(c), id); err != nil {
		return err
	}
	return c.JSON(http.StatusOK, map[string]any{"success": true, "sessionId": id})
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

func (s *Server) stats(c echo.Context) error {
	rows, err := s.Runs.Sessions(c.Request().Context(), user(c), "")
	if err != nil {
		return err
	}
	u, err := s.Runs.Users().Get(c.Request().Context(), user(c))
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, map[string]any{"sessions": len(rows), "tools": len(s.Tools.For(user(c)).Specs()), "shortTermMemories": len(u.Memory.Recent(10))})
}

// config tells a client what it needs to draw itself. The public port is known
// to the gateway only; it says so in a header that no client can send through.
func (s *Server) config(c echo.Context) error {
	port, err := strconv.Atoi(c.Request().Header.Get(chat.HeaderPublicPort))
	if err != nil {
		port = 0
	}
	return c.JSON(http.StatusOK, map[string]any{
		"wsPort": port, "version": s.Version, "provider": s.Model.Provider, "model": s.Model.Model,
		"offline": s.Model.Offline, "maxMessageBytes": chat.MaxMessage,
	})
}

func (s *Server) tools(c echo.Context) error {
	return c.JSON(http.StatusOK, map[string]any{"tools": s.Tools.For(user(c)).Specs()})
}

// checkModel refuses a model that nobody has set up. Empty is the default.
func (s *Server) checkModel(id *string) error {
	if id == nil || *id == "" || slices.ContainsFunc(s.Model.Models, func(m model.Entry) bool { return m.ID == *id }) {
		return nil
	}
	return fault.New(fault.CodeInvalidRequest, "there is no such model here", "GET /api/models lists the ids; an empty one is the default")
}

func (s *Server) models(c echo.Context) error {
	return c.JSON(http.StatusOK, map[string]any{"models": s.Model.Models, "provider": s.Model.Provider, "model": s.Model.Model, "offline": s.Model.Offline})
}

func (s *Server) usage(c echo.Context) error {
	u, err := s.Runs.Usage(c.Request().Context(), user(c))
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, map[string]any{"usage": u})
}
