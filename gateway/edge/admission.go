package edge

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/loongclaw/loongclaw/gateway/access"
	"github.com/loongclaw/loongclaw/gateway/limit"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// admit lets a request pass that has a credential with the route's scope and is within
// its user's limit. A route without a scope is open to anybody.
func (c *Core) admit(r chat.Route, next echo.HandlerFunc) echo.HandlerFunc {
	if r.Scope == "" {
		return next
	}
	return func(e echo.Context) error {
		x := of(e)
		if err := x.authenticate(authorization(x.head)); err != nil {
			return err
		}
		if err := requireScope(x.id, r.Scope); err != nil {
			return err
		}
		q := x.core.limitQuestion(r.Limit, x.id.User)
		q.OnlyReads = r.OnlyReads()
		if err := x.count(q); err != nil {
			return err
		}
		return next(e)
	}
}

// authorization is the bearer token of a request, empty when it has none. Other
// schemes are ways in that are not configured, and ignored. Of several headers
// none is chosen: together they are no token, on every host.
func authorization(h Head) string {
	scheme, token, ok := strings.Cut(strings.Join(h.Header.Values("Authorization"), ", "), " ")
	if !ok || !strings.EqualFold(scheme, "bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// authenticate says whom a credential speaks for. A missing one is refused and
// not counted; a wrong one counts against its address; a right one passes
// whatever its neighbours did.
func (x *exchange) authenticate(secret string) error {
	if x.core.open {
		x.id = Identity{User: localUser, Scopes: access.AllScopes(), Via: access.ViaLoopback}
		return nil
	}
	if assertion := strings.Join(x.head.Header.Values(access.HeaderAssertion), ", "); secret == "" && assertion != "" && x.core.cfg.Access != nil {
		if err := x.notForeign(); err != nil {
			return err
		}
		return x.asserted(assertion)
	}
	if secret == "" {
		if session := x.sessionCookie(); session != "" {
			return x.byCookie(session)
		}
	}
	if secret == "" {
		return fault.New(fault.CodeUnauthorized, "a credential is missing", "send Authorization: Bearer TOKEN, with a token from LOONGCLAW_TOKENS or a login")
	}
	g, ok := x.core.bearer(secret, x.now())
	if !ok {
		return x.wrongCredential(fault.New(fault.CodeUnauthorized, "the credential is not known or has expired", "log in again, or check the token"))
	}
	x.id = g
	return nil
}

// bearer says what a bearer token gives.
func (c *Core) bearer(secret string, now time.Time) (Identity, bool) {
	if i := c.cfg.Tokens.Index(secret); i >= 0 {
		g := c.cfg.Tokens[i].Identity
		g.Via = c.tokenName(i, secret)
		return g, true
	}
	if g, ok := c.sessions.Find(secret, now); ok {
		g.Via = c.namer.Name(access.ViaSession, secret)
		return g, true
	}
	if c.cfg.JWT == nil || !access.LooksLikeJWT(secret) {
		return Identity{}, false
	}
	g, err := c.cfg.JWT.Verify(secret, now)
	g.Via = access.ViaJWT
	return g, err == nil
}

// wrongCredential counts a wrong one against its address.
func (x *exchange) wrongCredential(refusal *fault.Error) error {
	q := x.core.limitQuestion(limit.Auth, access.AddrKey(x.addr))
	a, ok := x.facts.answer(q)
	if !ok {
		return askLimit(q)
	}
	if !a.Allowed {
		x.limited(q, a)
		return fault.New(fault.CodeRateLimited, "too many wrong credentials from this address", "wait, then try again with the right one").After(a.RetryAfter)
	}
	return refusal
}

// tokenName is the name of a static token, which is reckoned once: it costs as much as
// all the rest of looking the token up.
func (c *Core) tokenName(i int, secret string) string {
	if name := c.names[i].Load(); name != nil {
		return *name
	}
	name := c.namer.Name(access.ViaToken, secret)
	c.names[i].Store(&name)
	return name
}

func requireScope(id Identity, scope string) error {
	if slices.Contains(id.Scopes, scope) {
		return nil
	}
	return fault.New(fault.CodeForbidden, "this credential may not do that: it lacks the scope "+scope, "use a token with the scope "+scope)
}

func askLimit(q LimitQuestion) error { return ask{Question{Limit: &q}} }

// count asks for one more request of the user.
func (x *exchange) count(q LimitQuestion) error {
	a, ok := x.facts.answer(q)
	if !ok {
		return askLimit(q)
	}
	x.limited(q, a)
	if !a.Allowed {
		return overLimit(q, a)
	}
	return nil
}

func overLimit(q LimitQuestion, a LimitAnswer) *fault.Error {
	per := time.Duration(q.Per) * time.Second
	return fault.New(fault.CodeRateLimited, "too many requests: "+strconv.Itoa(q.N)+" are allowed in "+per.String(),
		"wait for the time in Retry-After, or have the owner raise RATE_LIMIT_"+strings.ToUpper(q.Class)).After(a.RetryAfter)
}

// limited tells the client where it stands.
func (x *exchange) limited(q LimitQuestion, a LimitAnswer) {
	x.header["Ratelimit-Limit"] = []string{strconv.Itoa(q.N)}
	if a.Remaining >= 0 {
		x.header["Ratelimit-Remaining"] = []string{strconv.Itoa(a.Remaining)}
	}
	x.header["Ratelimit-Reset"] = []string{strconv.Itoa(int((a.Reset + time.Second - 1) / time.Second))}
}
