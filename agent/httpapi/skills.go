package httpapi

import (
	"github.com/labstack/echo/v4"

	"github.com/loongclaw/loongclaw/agent/skills"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

func (s *Server) listSkills(c echo.Context) (skillsAnswer, error) {
	if s.Skills == nil {
		return skillsAnswer{[]skills.Skill{}}, nil
	}
	all, err := s.Skills.List(c.Request().Context(), user(c))
	return skillsAnswer{all}, err
}

func (s *Server) approveSkill(c echo.Context, q approvalBody) (one skills.Skill, err error) {
	if s.Skills == nil {
		return one, fault.New(fault.CodeNotFound, "this agent has no skills", "ask the owner")
	}
	name, err := param(c, "name")
	if err != nil {
		return one, err
	}
	return s.Skills.Approve(c.Request().Context(), user(c), name, q.Hash)
}
