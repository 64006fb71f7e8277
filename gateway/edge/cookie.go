package edge

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/loongclaw/loongclaw/gateway/access"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

const (
	// secureCookie can be set by this host over HTTPS alone, and for it alone.
	secureCookie = "__Host-loongclaw"
	// plainCookie and the port stand in for it on this machine, where there is no
	// TLS: browsers do not tell ports apart, and there may be several gateways.
	plainCookie = "loongclaw-"
)

// cookie is the session's cookie as it may be set here; nil where none may be:
// over plain HTTP from elsewhere anybody on the way could read it.
func (x *exchange) cookie(value string, maxAge int) *http.Cookie {
	c := &http.Cookie{Name: plainCookie + x.port(), Value: value, Path: "/", MaxAge: maxAge, HttpOnly: true, SameSite: http.SameSiteStrictMode}
	switch {
	case x.tls:
		c.Name, c.Secure = secureCookie, true
	case !access.IsLoopbackHost(x.host):
		return nil
	}
	return c
}

// sessionCookie is the session that a browser sends by itself.
func (x *exchange) sessionCookie() string {
	c := x.cookie("", 0)
	if c == nil || x.head.Header["Cookie"] == nil {
		return ""
	}
	found, err := (&http.Request{Header: x.head.Header}).Cookie(c.Name)
	if err != nil {
		return ""
	}
	return found.Value
}

// byCookie says whom a session's cookie speaks for. A browser sends it whoever
// asks, so for a change it must say, too, that this gateway's own page asks. One
// that has ended is not a guess, and not counted.
func (x *exchange) byCookie(value string) error {
	g, ok := x.core.sessions.Find(value, x.core.cfg.Now())
	if !ok {
		return fault.New(fault.CodeUnauthorized, "this browser's login has ended", "log in again, or send Authorization: Bearer TOKEN")
	}
	if own, _ := x.ownPage(); x.changes() && !own {
		return errForeign
	}
	g.Via = x.core.namer.Name(access.ViaSession, value)
	x.id = g
	return nil
}

// logOut takes the cookie away from the browser. The session token itself counts
// on until it ends: it is a signed statement, and nothing remembers it.
func (c *Core) logOut(e echo.Context) error {
	x := of(e)
	if own, told := x.ownPage(); told && !own {
		return errForeign
	}
	x.setCookie("", -1)
	x.d = Decision{Respond: &Respond{Status: http.StatusNoContent}}
	return nil
}

// setCookie reports whether a cookie may be set here.
func (x *exchange) setCookie(value string, maxAge int) bool {
	c := x.cookie(value, maxAge)
	if c != nil {
		x.header["Set-Cookie"] = []string{c.String()}
	}
	return c != nil
}
