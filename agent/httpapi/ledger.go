package httpapi

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/loongclaw/loongclaw/agent/users"
)

// ledger shows a user what was done in their name, the newest lines.
func (s *Server) ledger(c echo.Context) error {
	limit, err := number(c, "limit", 100)
	if err != nil {
		return err
	}
	lines, err := s.Runs.Ledger(c.Request().Context(), user(c))
	if err != nil {
		return err
	}
	lines = lines[max(0, len(lines)-limit):]
	if lines == nil {
		lines = []users.Line{}
	}
	return c.JSON(http.StatusOK, map[string]any{"lines": lines})
}
