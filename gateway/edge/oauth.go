package edge

import (
	"html"
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/loongclaw/loongclaw/gateway/access"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// Agents use servers of tools (MCP) that want an authorization. Who gives it leaves
// for an authorization server and is sent back to chat.PathServerReturn, so the agent
// must know the address of this gateway.

// publicURL is the address under which people reach this gateway; empty where nobody
// has said. On this machine it is where they are.
func (x *exchange) publicURL() string {
	if p := x.core.cfg.PublicURL; p != "" || !access.IsLoopbackHost(x.host) {
		return p
	}
	return "http://" + x.host
}

// clientDocument says to authorization servers who asks them: an OAuth Client ID
// Metadata Document, whose address is the client's id. It holds nothing secret.
func (c *Core) clientDocument(e echo.Context) error {
	public := c.cfg.PublicURL
	if !strings.HasPrefix(public, "https://") {
		return fault.New(fault.CodeNotFound, "this gateway has no https address of its own", "set PUBLIC_URL")
	}
	x := of(e)
	x.header["Cache-Control"] = []string{"public, max-age=3600"}
	return x.respond(http.StatusOK, map[string]any{
		"client_id": public + chat.PathServersClient, "client_name": "LoongClaw", "client_uri": public,
		"redirect_uris": []string{public + chat.PathServerReturn},
		"grant_types":   []string{"authorization_code", "refresh_token"}, "response_types": []string{"code"},
		"token_endpoint_auth_method": "none", "application_type": "web",
	})
}

// again marks an address that this gateway's own page has led to.
const again = "again"

// comeBack lets a browser that another site has sent here come once more, from here: a
// session's cookie stays away from what other sites lead to. So who ends an
// authorization is known as everywhere, and a link of somebody else's authorization
// ends nothing.
func (c *Core) comeBack(next echo.HandlerFunc) echo.HandlerFunc {
	return func(e echo.Context) error {
		x := of(e)
		query, err := url.ParseQuery(x.query)
		if err != nil || query.Has(again) || authorization(x.head) != "" || !x.browses() {
			return next(e)
		}
		if site := x.head.Header.Get("Sec-Fetch-Site"); site == "same-origin" || site == "" && x.sessionCookie() != "" {
			return next(e)
		}
		to := html.EscapeString(chat.PathServerReturn + "?" + x.query + "&" + again + "=1")
		x.header["Content-Type"] = unknownType
		x.d = Decision{Respond: &Respond{Status: http.StatusOK, Body: []byte(
			`<!doctype html><meta charset="utf-8"><title>LoongClaw</title><meta http-equiv="refresh" content="0;url=` + to + `"><a href="` + to + `">LoongClaw</a>`,
		)}}
		return nil
	}
}
