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

// serverOf returns the source of servers, and which of them the path names.
func (s *Server) serverOf(c echo.Context) (from *mcp.Source, name string, err error) {
	if s.Servers == nil {
		return nil, "", noServers()
	}
	name, err = param(c, "name")
	return s.Servers, name, err
}

func noServers() error {
	return fault.New(fault.CodeNotFound, "this agent has no MCP servers", "ask the owner")
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
	return from.Approve(c.Request().Context(), user(c), may(c, chat.ScopeAdmin), name, q.Hash)
}

// mcp answers clients of the Model Context Protocol.
func (s *Server) mcp(c echo.Context) error {
	if kind, _, err := mime.ParseMediaType(c.Request().Header.Get("Content-Type")); err != nil || kind != echo.MIMEApplicationJSON {
		return fault.New(fault.CodeMediaType, "a request of the Model Context Protocol is JSON", "send it with Content-Type: application/json")
	}
	s.clients.Serve(mcpserver.Caller{User: user(c), MayWrite: may(c, chat.ScopeChat), RequestID: requestID(c)}, c.Response(), c.Request())
	return nil
}

// authorizeServer sends a person's browser to where the server's authorization is given.
func (s *Server) authorizeServer(c echo.Context) error {
	from, name, err := s.serverOf(c)
	if err != nil {
		return err
	}
	to, err := from.Authorize(c.Request().Context(), user(c), may(c, chat.ScopeAdmin), name, mcp.ApplicantAt(c.Request().Header.Get(chat.HeaderPublicURL)))
	if err != nil {
		return err
	}
	if accepts(c, echo.MIMEApplicationJSON) { // a page, which says where it leads before it goes there
		return c.JSON(http.StatusOK, grantAnswer{to})
	}
	return c.Redirect(http.StatusFound, to)
}

// backToPage is where a browser is led after an authorization: the page shows the
// server as it is now, so nothing that the address says of it has to be believed.
func backToPage(name string, err error) string {
	ending := "failed"
	switch {
	case err == nil:
		ending = "granted"
	case fault.CodeOf(err) == fault.CodeForbidden:
		ending = "denied"
	case fault.CodeOf(err) == fault.CodeNotFound:
		ending = "unknown"
	}
	to := chat.PageTools
	if name != "" {
		to += "/" + name
	}
	return to + "?authorization=" + ending
}

// serverAuthorized takes the browser back, to the page where it shows pages.
func (s *Server) serverAuthorized(c echo.Context) error {
	if s.Servers == nil {
		return noServers()
	}
	name, err := s.Servers.Authorized(c.Request().Context(), user(c), c.QueryParams())
	if accepts(c, echo.MIMETextHTML) {
		return c.Redirect(http.StatusSeeOther, backToPage(name, err))
	}
	if err != nil {
		return err
	}
	return c.String(http.StatusOK, "LoongClaw may use the MCP server "+name+" now; this page can be closed.\nLoongClaw 现在可以使用 MCP 服务器 "+name+"，此页可以关闭。\n")
}
