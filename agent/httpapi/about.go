package httpapi

import (
	"slices"
	"strconv"

	"github.com/labstack/echo/v4"

	"github.com/loongclaw/loongclaw/agent/auditlog"
	"github.com/loongclaw/loongclaw/agent/model"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

func (s *Server) stats(c echo.Context) (statsAnswer, error) {
	rows, err := s.Lists.Sessions(c.Request().Context(), user(c), "")
	if err != nil {
		return statsAnswer{}, err
	}
	u, err := s.Users.Get(c.Request().Context(), user(c))
	if err != nil {
		return statsAnswer{}, err
	}
	return statsAnswer{Sessions: len(rows), Tools: len(s.Tools.For(user(c)).Specs()), ShortTermMemories: len(u.Memory.Recent(10))}, nil
}

// config tells a client what it needs to draw itself. The public port is known
// to the gateway only; it says so in a header that no client can send through.
func (s *Server) config(c echo.Context) (configAnswer, error) {
	port, err := strconv.Atoi(c.Request().Header.Get(chat.HeaderPublicPort))
	if err != nil {
		port = 0
	}
	scopes := []string{chat.ScopeRead}
	for _, more := range []string{chat.ScopeChat, chat.ScopeAdmin} {
		if may(c, more) {
			scopes = append(scopes, more)
		}
	}
	return configAnswer{
		WSPort: port, Version: s.Version, Provider: s.Model.Provider, Model: s.Model.Model, Offline: s.Model.Offline, MaxMessageBytes: chat.MaxMessage, Scopes: scopes,
	}, nil
}

func (s *Server) tools(c echo.Context) (toolsAnswer, error) {
	specs := s.Tools.For(user(c)).Specs()
	rows := make([]toolRow, len(specs))
	for i, spec := range specs {
		rows[i] = toolRow(spec)
	}
	return toolsAnswer{rows}, nil
}

// checkModel refuses a model that nobody has set up. Empty is the default.
func (s *Server) checkModel(id *string) error {
	if id == nil || *id == "" || slices.ContainsFunc(s.Model.Models, func(m model.Entry) bool { return m.ID == *id }) {
		return nil
	}
	return fault.New(fault.CodeInvalidRequest, "there is no such model here", "GET /api/models lists the ids; an empty one is the default")
}

func (s *Server) models(echo.Context) (modelsAnswer, error) {
	return modelsAnswer{Models: s.Model.Models, Provider: s.Model.Provider, Model: s.Model.Model, Offline: s.Model.Offline}, nil
}

func (s *Server) usage(c echo.Context) (usageAnswer, error) {
	u, err := s.Lists.Usage(c.Request().Context(), user(c))
	return usageAnswer{u}, err
}

// ledger shows a user what was done in their name, the newest entries.
func (s *Server) ledger(c echo.Context) (ledgerAnswer, error) {
	limit, err := number(c, "limit", 100)
	if err != nil {
		return ledgerAnswer{}, err
	}
	entries, err := s.Audit.Entries(c.Request().Context(), user(c))
	return ledgerAnswer{append([]auditlog.Entry{}, entries[max(0, len(entries)-limit):]...)}, err
}
