package httpapi

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/loongclaw/loongclaw/agent/skills"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

func (s *Server) listSkills(c echo.Context) error {
	all := []skills.Skill{}
	if s.Skills != nil {
		var err error
		if all, err = s.Skills.List(c.Request().Context(), user(c)); err != nil {
			return err
		}
	}
	return c.JSON(http.StatusOK, map[string]any{"skills": all})
}

func (s *Server) approveSkill(c echo.Context) error {
	if s.Skills == nil {
		return fault.New(fault.CodeNotFound, "this agent has no skills", "ask the owner")
	}
	name, err := param(c, "name")
	if err != nil {
		return err
	}
	var q struct {
		Hash string `json:"hash"`
	}
	if err := body(c, &q); err != nil {
		return err
	}
	one, err := s.Skills.Approve(c.Request().Context(), user(c), name, q.Hash)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, one)
}
