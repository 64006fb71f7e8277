package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/coder/websocket"

	"github.com/loongclaw/loongclaw/deploy/internal/client"
)

func hostOf(base string) string {
	u, err := url.Parse(base)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// unlike is a difference in words.
func unlike(want, format string, args ...any) error {
	return &client.Difference{Want: want, Seen: fmt.Sprintf(format, args...)}
}

// slowly is how long a gateway, which asks nobody, may take to say that it is healthy.
const slowly = 3 * time.Second

// health asks whether anything is there, what it is, and which version. Nothing else
// is asked of what is no gateway, and it gets no token.
func health(ctx context.Context, v *visit) error {
	begin := time.Now()
	a, err := v.nobody.Do(ctx, http.MethodGet, "/health", nil)
	if err != nil {
		v.advise("At this address: " + unreachable(err))
		return err
	}
	if what := stranger(a); what != "" {
		v.advise("At this address: " + what)
		return unlike(`the gateway's health: status 200, "status":"ok" and a version`, "%s", a.Brief())
	}
	if took := time.Since(begin); took > slowly {
		v.advise(fmt.Sprintf("the first answer took %s, though it needs no agent.\nNext: try from another network, and look at what stands between.", took.Round(100*time.Millisecond)))
	}
	var h struct{ Version string }
	if err := a.JSON(&h); err != nil {
		return err
	}
	v.facts["the gateway's version"] = h.Version
	if v.here != "" && h.Version != v.here {
		v.advise(fmt.Sprintf("another version answers (%s) than the one whose questions these are (%s): what differs may be nothing but that.", shaped(h.Version), v.here))
	}
	return client.Open[0].Check(a)
}

// signIn trades the token for a session, as the page does, and comes in with both.
// Tokens that cannot be traded come in all the same.
func signIn(ctx context.Context, v *visit) error {
	ticket := client.Expectation{Method: http.MethodPost, Path: "/api/tickets", Status: http.StatusOK, Fields: map[string]string{"ticket": "", "expiresAt": ""}}
	a, err := v.user.Do(ctx, http.MethodPost, ticket.Path, nil)
	if err != nil {
		return err
	}
	if a.Status != http.StatusOK {
		if why := refusedToken(a); why != "" {
			v.advise(why)
		}
	}
	if err := ticket.Check(a); err != nil {
		return err
	}
	if strings.Count(v.user.Token, ".") == 2 {
		v.facts["signed in with"] = "a JSON Web Token, which gives no session"
		return nil
	}
	var session struct{ Token, User, ExpiresAt string }
	if err := v.user.Want(ctx, http.StatusOK, http.MethodPost, "/api/login", map[string]string{}, &session); err != nil {
		return err
	}
	if session.Token == "" || session.User == "" || session.ExpiresAt == "" {
		return unlike("token, user and expiresAt", "one of them is absent")
	}
	by := *v.user
	by.Token = session.Token
	return ticket.Ask(ctx, &by)
}

// mayChat sends a blank message, which is refused before anybody reads it.
func mayChat(ctx context.Context, v *visit) error {
	a, err := v.user.Do(ctx, http.MethodPost, "/api/chat", map[string]string{"message": " ", "sessionId": v.session("blank")})
	if err != nil {
		return err
	}
	if why := refusedToken(a); why != "" {
		v.advise(why)
	}
	return client.Expectation{Status: http.StatusBadRequest, Code: "missing_message"}.Check(a)
}

// foreignSocket opens a socket as a page of another site would, with the user's
// token in its hands.
func foreignSocket(ctx context.Context, v *visit) error {
	h := http.Header{"Authorization": {"Bearer " + v.user.Token}, "Origin": {foreign}}
	s, err := v.user.DialWith(ctx, "/ws", &websocket.DialOptions{HTTPHeader: h})
	if err == nil {
		s.Cut()
		return unlike("403 origin_refused", "the socket opened")
	}
	var refused *client.Refused
	if !errors.As(err, &refused) {
		return err
	}
	return client.Expectation{Status: http.StatusForbidden, Code: "origin_refused"}.Check(refused.Answer)
}

// limits wants the three headers, with counts that can be.
func limits(ctx context.Context, v *visit) error {
	a, err := v.user.Do(ctx, http.MethodGet, "/api/config", nil)
	if err != nil {
		return err
	}
	count := map[string]int{}
	for _, name := range []string{"RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"} {
		n, err := strconv.Atoi(a.Header.Get(name))
		if err != nil || n < 0 {
			return unlike("the header "+name+" with a count", "%q, %s", a.Header.Get(name), a.Brief())
		}
		count[name] = n
	}
	if count["RateLimit-Remaining"] >= count["RateLimit-Limit"] {
		return unlike("fewer left than allowed, after some requests", "%d left of %d", count["RateLimit-Remaining"], count["RateLimit-Limit"])
	}
	return nil
}
