package httpapi

import (
	"mime"

	"github.com/labstack/echo/v4"

	"github.com/loongclaw/loongclaw/agent/mcpserver"
	"github.com/loongclaw/loongclaw/agent/tools/mcp"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// serverOf returns the source of servers, and which of them the path names.
func (s *Server) serverOf(c echo.Context) (from *mcp.Source, name string, err error) {
	if s.Servers == nil {
		return nil, "", fault.New(fault.CodeNotFound, "this agent has no MCP servers", "ask the owner")
	}
	name, err = param(c, "name")
	return s.Servers, name, err
}

func (s *Server) listServers(c echo.Context) (serversAnswer, error) {
	if s.Servers == nil {
		return serversAnswer{[]mcp.Server{}}, nil
	}
	list, err := s.Servers.List(c.Request().Context(), user(c))
	return serversAnswer{list}, err
}

func (s *Server) setServer(c echo.Context, e mcp.Entry) (server mcp.Server, err error) {
	from, name, err := s.serverOf(c)
	if err != nil {
		return server, err
	}
	return from.Put(c.Request().Context(), user(c), name, e)
}

func (s *Server) removeServer(c echo.Context) error {
	from, name, err := s.serverOf(c)
	if err != nil {
		return err
	}
	return from.Remove(c.Request().Context(), user(c), name)
}

func (s *Server) approveServer(c echo.Context, q approvalBody) (server mcp.Server, err error) {
	from, name, err := s.serverOf(c)
	if err != nil {
		return server, err
	}
	admin, _ := c.Get("admin").(bool)
	return from.Approve(c.Request().Context(), user(c), admin, name, q.Hash)
}

// mcp answers clients of the Model Context Protocol.
func (s *Server) mcp(c echo.Context) error {
	if kind, _, err := mime.ParseMediaType(c.Request().Header.Get("Content-Type")); err != nil || kind != echo.MIMEApplicationJSON {
		return fault.New(fault.CodeMediaType, "a request of the Model Context Protocol is JSON", "send it with Content-Type: application/json")
	}
	mayWrite, _ := c.Get("chat").(bool)
	s.clients.Serve(mcpserver.Caller{User: user(c), MayWrite: mayWrite, RequestID: requestID(c)}, c.Response(), c.Request())
	return nil
}
