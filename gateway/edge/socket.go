package edge

import (
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/loongclaw/loongclaw/gateway/access"
	"github.com/loongclaw/loongclaw/gateway/limit"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// MaxFrame is the longest frame of a client: a message of chat.MaxMessage with
// most of it escaped, and what stands around it.
const MaxFrame = 3*chat.MaxMessage + 4<<10

const (
	subprotocol = "loongclaw"
	// bearerProtocol comes before a token that a browser sends as a subprotocol:
	// it can set no header on a WebSocket, and a URL would end up in logs.
	bearerProtocol = "bearer."
)

// socketInstead makes GET / a socket when it asks to be one, as the original's
// pages do.
func (c *Core) socketInstead(next echo.HandlerFunc) echo.HandlerFunc {
	return func(e echo.Context) error {
		if x := of(e); x.head.Method == http.MethodGet && isUpgrade(x.head.Header) {
			return c.socket(e)
		}
		return next(e)
	}
}

// socket accepts a WebSocket.
func (c *Core) socket(e echo.Context) error {
	x := of(e)
	if !isUpgrade(x.head.Header) {
		return fault.New(fault.CodeUnsupported, "this path speaks WebSocket only", "open it with a WebSocket client")
	}
	// No Origin means no browser, and then no page of another origin either.
	if o := x.head.Header.Get("Origin"); o != "" && !access.SameHost(o, x.host) && !c.cfg.Origins.Has(o) {
		if access.LostPort(o, x.host) {
			return errOriginPort
		}
		return errOrigin
	}
	chosen, token := protocols(x.head.Header)
	if t := authorization(x.head); t != "" {
		token = t
	}
	if err := x.enter(token); err != nil {
		return err
	}
	if err := requireScope(x.id, access.ScopeRead); err != nil {
		return err
	}
	if err := x.count(x.core.limitQuestion(limit.API, x.id.User)); err != nil {
		return err
	}
	x.d.Socket = &Socket{Identity: x.id, Subprotocol: chosen, MaxFrame: MaxFrame}
	return nil
}

// errOriginPort is told where a proxy is the likely cause. The port is not guessed:
// a page at another port of the same machine may be somebody else's.
var errOriginPort = fault.New(fault.CodeOriginRefused, "this page's origin has a port, and the Host header that arrived here has none",
	"have the proxy before the gateway pass both (nginx: proxy_set_header Host $http_host), or X-Forwarded-Port where it is in TRUSTED_PROXIES; or add the origin to ALLOWED_ORIGINS")

// enter lets a socket in: by a ticket in its address, else by a credential. With
// both, they must name the same user.
func (x *exchange) enter(secret string) error {
	ticket := ticketOf(x.query)
	if ticket == "" || x.core.open {
		return x.authenticate(secret)
	}
	if secret == "" {
		return x.redeemTicket(ticket, "")
	}
	if err := x.authenticate(secret); err != nil {
		return err
	}
	return x.redeemTicket(ticket, x.id.User)
}

// protocols reads the pair "loongclaw, bearer.TOKEN". Only the first is ever
// chosen: the answer must not repeat the token.
func protocols(h http.Header) (chosen, token string) {
	for _, line := range h.Values("Sec-Websocket-Protocol") {
		for p := range strings.SplitSeq(line, ",") {
			p = strings.TrimSpace(p)
			if p == subprotocol {
				chosen = subprotocol
			} else if t, ok := strings.CutPrefix(p, bearerProtocol); ok && token == "" {
				token = t
			} else if ok {
				token += ", " + t // several are no token
			}
		}
	}
	return chosen, token
}

func isUpgrade(h http.Header) bool {
	return hasToken(h.Values("Connection"), "upgrade") && hasToken(h.Values("Upgrade"), "websocket")
}

func hasToken(lines []string, want string) bool {
	for _, line := range lines {
		for t := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.TrimSpace(t), want) {
				return true
			}
		}
	}
	return false
}
