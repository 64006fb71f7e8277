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

	corsMethods = []string{"GET, HEAD, POST, PUT, PATCH, DELETE"}
	corsHeaders = []string{"Authorization, Content-Type, Idempotency-Key, If-None-Match, Last-Event-ID, X-Request-Id"}
	corsExpose  = []string{"ETag, X-List-Cursor, X-Request-Id, Retry-After, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset"}
	corsMaxAge  = []string{"600"}
)

// before is what stands before every handler, in this order. Echo wraps its chain of
// middleware around a handler anew for each request; these are one link of it.
func (c *Core) before(next echo.HandlerFunc) echo.HandlerFunc {
	return func(e echo.Context) error {
		x := of(e)
		x.requestID()
		x.route = e.Path()
		x.securityHeaders()
		x.realIP()
		if err := x.guardLoopback(); err != nil {
			return err
		}
		if x.cors() {
			return nil
		}
		return next(e)
	}
}

// securityHeaders sets what every answer carries. The page's handlers replace the policy
// and the caching.
func (x *exchange) securityHeaders() {
	x.header["X-Content-Type-Options"] = nosniff
	x.header["Referrer-Policy"] = noReferrer
	x.header["Content-Security-Policy"] = dataCSP
	x.header["Cache-Control"] = noStore
	x.header["Vary"] = varyOrigin
}

// realIP finds the client's own address, host and scheme behind trusted proxies.
func (x *exchange) realIP() {
	var trusted bool
	if x.addr, trusted = x.core.cfg.Proxies.Client(x.head.RemoteAddr, x.head.Header); trusted {
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
}

// guardLoopback stands in for credentials where there are none: without tokens
// only this machine's own programs and this gateway's own page are let in. A
// foreign page in the owner's browser is neither, nor is a name in the public
// DNS that was pointed at 127.0.0.1.
func (x *exchange) guardLoopback() error {
	if !x.core.open || x.path == chat.PathHealth || x.path == chat.PathReady {
		return nil
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
	return nil
}

var errOrigin = fault.New(fault.CodeOriginRefused, "this page's origin may not use the gateway", "add the origin to ALLOWED_ORIGINS and set LOONGCLAW_TOKENS")

// cors marks answers for the listed origins, and answers preflights: then it is true.
// Other origins get no mark, so their pages cannot read the answer.
func (x *exchange) cors() (answered bool) {
	origin := x.head.Header.Get("Origin")
	if origin == "" {
		return false
	}
	listed := x.core.cfg.Origins.Has(origin)
	if listed {
		x.header["Access-Control-Allow-Origin"] = []string{origin}
		x.header["Access-Control-Expose-Headers"] = corsExpose
	}
	if x.head.Method != http.MethodOptions || x.head.Header.Get("Access-Control-Request-Method") == "" {
		return false
	}
	if listed {
		x.header["Access-Control-Allow-Methods"] = corsMethods
		x.header["Access-Control-Allow-Headers"] = corsHeaders
		x.header["Access-Control-Max-Age"] = corsMaxAge
	}
	x.d = Decision{Respond: &Respond{Status: http.StatusNoContent}}
	return true
}
