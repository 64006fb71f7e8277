package edge

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/loongclaw/loongclaw/gateway/access"
	"github.com/loongclaw/loongclaw/gateway/limit"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// maxLogin is the longest body of a login.
const maxLogin = 4 << 10

// login is the body of POST /api/login.
type login struct {
	Code   *string `json:"code"`
	Cookie bool    `json:"cookie"`
}

// redeem exchanges a one-time login code, or a token, for a session.
func (c *Core) redeem(e echo.Context) error {
	x := of(e)
	if x.head.Body == nil {
		return ask{Question{Body: maxLogin}}
	}
	var in login
	if err := json.Unmarshal(x.head.Body, &in); err != nil {
		return fault.New(fault.CodeInvalidJSON, "the body is not JSON with a code", `send {"code":"…"}`)
	}
	if own, told := x.ownPage(); in.Cookie && told && !own {
		return errForeign
	}
	if secret := authorization(x.head); secret != "" && in.Code == nil && !c.open {
		return x.trade(secret, in.Cookie)
	}
	return x.redeemCode(in)
}

// redeemCode compares the code before it is spent, so that a stranger's guesses
// spend nothing.
func (x *exchange) redeemCode(in login) error {
	c := x.core
	if c.cfg.LoginCode == "" {
		return fault.New(fault.CodeNotFound, "there is no login code here", "use a token; `make run` prints a login link")
	}
	if in.Code == nil || *in.Code == "" {
		return fault.New(fault.CodeInvalidRequest, "code is missing", `send {"code":"…"}, as it stands in the login link`)
	}
	sum := sha256.Sum256([]byte(*in.Code))
	if subtle.ConstantTimeCompare(sum[:], c.login[:]) != 1 {
		return x.wrongCredential(errLogin)
	}
	q := SpendQuestion{Key: c.loginKey(), User: c.cfg.Tokens[0].User}
	if err := x.spend(q, errLogin); err != nil {
		return err
	}
	return x.logIn(c.cfg.Tokens[0], in.Cookie)
}

// trade gives the holder of a token a session, so that a page need not keep the
// token itself. A session token is its own.
func (x *exchange) trade(secret string, cookie bool) error {
	if err := x.authenticate(secret); err != nil {
		return err
	}
	if err := x.count(x.core.limitQuestion(limit.API, x.id.User)); err != nil {
		return err
	}
	if static, ok := x.core.cfg.Tokens.Lookup(secret); ok {
		return x.logIn(static, cookie)
	}
	if g, ok := x.core.sessions.Find(secret, x.core.cfg.Now()); ok {
		return x.loggedIn(secret, g, cookie)
	}
	return fault.New(fault.CodeInvalidRequest, "a JSON Web Token gives no session: it has its own end", "send it as Authorization: Bearer TOKEN with each request")
}

// spend lets pass what was not spent before. Where the host cannot tell, it does
// not count: letting it pass would be once too often.
func (x *exchange) spend(q SpendQuestion, refusal *fault.Error) error {
	if x.facts.CannotSpend {
		return errCannotSpend.After(spendRetry)
	}
	first, known := x.facts.spend(q)
	switch {
	case !known:
		return ask{Question{Spend: &q}}
	case !first:
		return x.wrongCredential(refusal)
	}
	return nil
}

// spendRetry is when to try again after the host could not tell.
const spendRetry = 2 * time.Second

var errCannotSpend = fault.New(fault.CodeUnavailable, "what counts once cannot be redeemed now: this gateway cannot ask whether it was used", "try again, or send Authorization: Bearer TOKEN; the owner: see that the gateway reaches REDIS_URL")

var errLogin = fault.New(fault.CodeUnauthorized, "the login code is wrong or was used before", "start the gateway again for a new link, or use a token")

// loginKey names the code without telling it.
func (c *Core) loginKey() string { return "login:" + hex.EncodeToString(c.login[:16]) }

// logIn makes a session of a static token.
func (x *exchange) logIn(static access.Token, cookie bool) error {
	token, g, err := x.core.sessions.Mint(static, x.core.cfg.Now())
	if err != nil {
		return err
	}
	return x.loggedIn(token, g, cookie)
}

// loggedIn answers with a session token, and for a page that wants one sets it as
// a cookie, too. It is for the page to ask: one that knows nothing of cookies could
// not log out.
func (x *exchange) loggedIn(token string, g Identity, cookie bool) error {
	x.id = g
	end := time.Unix(g.Expires, 0)
	set := cookie && x.setCookie(token, int(end.Sub(x.core.cfg.Now())/time.Second))
	return x.respond(http.StatusOK, struct {
		Token     string    `json:"token"`
		User      string    `json:"user"`
		ExpiresAt chat.Time `json:"expiresAt"`
		Cookie    bool      `json:"cookie,omitempty"`
	}{token, g.User, chat.At(end), set})
}
