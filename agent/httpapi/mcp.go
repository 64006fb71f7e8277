package httpapi

import (
	"mime"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/loongclaw/loongclaw/agent/mcpserver"
	"github.com/loongclaw/loongclaw/agent/tools/mcp"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

func (s *Server) servers() (*mcp.Source, error) {
	if s.Servers == nil {
		return nil, fault.New(fault.CodeNotFound, "this agent has no MCP servers", "ask the owner")
	}
	return s.Servers, nil
}

func (s *Server) listServers(c echo.Context) error {
	list := []mcp.Server{}
	if s.Servers != nil {
		var err error
		if list, err = s.Servers.List(c.Request().Context(), user(c)); err != nil {
			return err
		}
	}
	return c.JSON(http.StatusOK, map[string]any{"servers": list})
}

func (s *Server) setServer(c echo.Context) error {
	from, err := s.servers()
	if err != nil {
		return err
	}
	name, err := param(c, "name")
	if err != nil {
		return err
	}
	var e mcp.Entry
	if err := body(c, &e); err != nil {
		return err
	}
	server, err := from.Put(c.Request().Context(), user(c), name, e)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, server)
}

func (s *Server) removeServer(c echo.Context) error {
	from, err := s.servers()
	if err != nil {
		return err
	}
	name, err := param(c, "name")
	if err != nil {
		return err
	}
	if err := from.Remove(c.Request().Context(), user(c), name); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}

func (s *Server) approveServer(c echo.Context) error {
	from, err := s.servers()
	if err != nil {
		return err
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
	admin, _ := c.Get("admin").(bool)
	server, err := from.Approve(c.Request().Context(), user(c), admin, name, q.Hash)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, server)
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

// authorizeServer sends a person's browser to where the server's authorization is given.
func (s *Server) authorizeServer(c echo.Context) error {
	from, err := s.servers()
	if err != nil {
		return err
	}
	name, err := param(c, "name")
	if err != nil {
		return err
	}
	admin, _ := c.Get("admin").(bool)
	to, err := from.Authorize(c.Request().Context(), user(c), admin, name, mcp.ApplicantAt(c.Request().Header.Get(chat.HeaderPublicURL)))
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusFound, to)
}

// serverAuthorized takes the browser back.
func (s *Server) serverAuthorized(c echo.Context) error {
	from, err := s.servers()
	if err != nil {
		return err
	}
	name, err := from.Authorized(c.Request().Context(), user(c), c.QueryParams())
	if err != nil {
		return err
	}
	return c.String(http.StatusOK, "LoongClaw may use the MCP server "+name+" now; this page can be closed.\nLoongClaw 现在可以使用 MCP 服务器 "+name+"，此页可以关闭。\n")
}
