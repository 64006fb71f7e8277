package httpapi

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/loongclaw/loongclaw/agent/auditlog"
)

// ledger shows a user what was done in their name, the newest entries.
func (s *Server) ledger(c echo.Context) error {
	limit, err := number(c, "limit", 100)
	if err != nil {
		return err
	}
	entries, err := s.Runs.AuditLog(c.Request().Context(), user(c))
	if err != nil {
		return err
	}
	entries = entries[max(0, len(entries)-limit):]
	if entries == nil {
		entries = []auditlog.Entry{}
	}
	return c.JSON(http.StatusOK, map[string]any{"lines": entries})
}
