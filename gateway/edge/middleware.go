package edge

import (
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/loongclaw/loongclaw/gateway/access"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// Header values that many answers share. Nobody changes them.
var (
	nosniff     = []string{"nosniff"}
	noReferrer  = []string{"no-referrer"}
	noStore     = []string{"no-store"}
	varyOrigin  = []string{"Origin"}
	sameOrigin  = []string{"same-origin"}
	hsts        = []string{"max-age=31536000"}
	dataCSP     = []string{"default-src 'none'; frame-ancestors 'none'"}
	permissions = []string{"camera=(), microphone=(), geolocation=(), payment=(), usb=()"}
)

// requestID settles the request's id, and which route it is for, before anything
// can be refused.
func (c *Core) requestID(next echo.HandlerFunc) echo.HandlerFunc {
	return func(e echo.Context) error {
		x := of(e)
		x.requestID()
		x.route = e.Path()
		return next(e)
	}
}

// securityHeaders sets what every answer carries. The page's handlers replace the policy
// and the caching.
func (c *Core) securityHeaders(next echo.HandlerFunc) echo.HandlerFunc {
	return func(e echo.Context) error {
		h := of(e).header
		h["X-Content-Type-Options"] = nosniff
		h["Referrer-Policy"] = noReferrer
		h["Content-Security-Policy"] = dataCSP
		h["Cache-Control"] = noStore
		h["Vary"] = varyOrigin
		return next(e)
	}
}

// realIP finds the client's own address, host and scheme behind trusted proxies.
func (c *Core) realIP(next echo.HandlerFunc) echo.HandlerFunc {
	return func(e echo.Context) error {
		x := of(e)
		var trusted bool
		if x.addr, trusted = c.cfg.Proxies.Client(x.head.RemoteAddr, x.head.Header); trusted {
			if proto := x.head.Header.Get("X-Forwarded-Proto"); proto != "" {
				x.tls = strings.EqualFold(proto, "https")
			}
			if host := x.head.Header.Get("X-Forwarded-Host"); host != "" {
				x.host = host
			}
			x.host = access.WithPort(x.host, x.head.Header.Get("X-Forwarded-Port"))
		}
		if x.tls && !access.IsLoopbackHost(x.host) {
			x.header["Strict-Transport-Security"] = hsts
		}
		return next(e)
	}
}

// guardLoopback stands in for credentials where there are none: without tokens
// only this machine's own programs and this gateway's own page are let in. A
// foreign page in the owner's browser is neither, nor is a name in the public
// DNS that was pointed at 127.0.0.1.
func (c *Core) guardLoopback(next echo.HandlerFunc) echo.HandlerFunc {
	if !c.open {
		return next
	}
	return func(e echo.Context) error {
		x := of(e)
		if x.path == chat.PathHealth || x.path == chat.PathReady {
			return next(e)
		}
		if !access.IsLoopbackHost(x.head.Host) {
			return fault.New(fault.CodeOriginRefused, "this gateway has no tokens and answers only on localhost", "ask http://localhost or http://127.0.0.1, or set LOONGCLAW_TOKENS")
		}
		if o := x.head.Header.Get("Origin"); o != "" && !access.SameHost(o, x.head.Host) {
			return errOrigin
		}
		// Browsers send no Origin with an image or a script of another page.
		// A link may lead here from anywhere; a form of another page may not.
		link := x.head.Header.Get("Sec-Fetch-Mode") == "navigate" && !x.changes()
		if site := x.head.Header.Get("Sec-Fetch-Site"); (site == "cross-site" || site == "same-site") && !link {
			return errOrigin
		}
		return next(e)
	}
}

var errOrigin = fault.New(fault.CodeOriginRefused, "this page's origin may not use the gateway", "add the origin to ALLOWED_ORIGINS and set LOONGCLAW_TOKENS")

// cors answers preflights and marks answers for the listed origins. Other
// origins get no mark, so their pages cannot read the answer.
func (c *Core) cors(next echo.HandlerFunc) echo.HandlerFunc {
	allowed := []string{"GET, HEAD, POST, PUT, PATCH, DELETE"}
	headers := []string{"Authorization, Content-Type, Idempotency-Key, If-None-Match, Last-Event-ID, X-Request-Id"}
	expose := []string{"ETag, X-List-Cursor, X-Request-Id, Retry-After, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset"}
	maxAge := []string{"600"}
	return func(e echo.Context) error {
		x := of(e)
		origin := x.head.Header.Get("Origin")
		if origin == "" {
			return next(e)
		}
		listed := c.cfg.Origins.Has(origin)
		if listed {
			x.header["Access-Control-Allow-Origin"] = []string{origin}
			x.header["Access-Control-Expose-Headers"] = expose
		}
		if x.head.Method != http.MethodOptions || x.head.Header.Get("Access-Control-Request-Method") == "" {
			return next(e)
		}
		if listed {
			x.header["Access-Control-Allow-Methods"] = allowed
			x.header["Access-Control-Allow-Headers"] = headers
			x.header["Access-Control-Max-Age"] = maxAge
		}
		x.d = Decision{Respond: &Respond{Status: http.StatusNoContent}}
		return nil
	}
}
