//go:build !js

package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/loongclaw/loongclaw/gateway/access"
	"github.com/loongclaw/loongclaw/gateway/edge"
	"github.com/loongclaw/loongclaw/telemetry/program"
)

// maxInspected is the longest line that can be a token.
const maxInspected = 16 << 10

// inspect reads a token and says what it gives at a gateway with this
// environment. It comes on standard input, where no list of processes and no
// shell's history shows it, and is never repeated.
func inspect(stdin io.Reader, stdout io.Writer, now time.Time) error {
	c, err := loadConfig(program.Version(version))
	if err != nil {
		return configError(err)
	}
	line, err := bufio.NewReader(io.LimitReader(stdin, maxInspected)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("reading standard input: %w", err)
	}
	token := strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(line), "Bearer "))
	if token == "" {
		return errors.New("standard input has no token\nNext: gateway token inspect <FILE, with the token on one line")
	}
	kind, g, err := kindOf(c.edge, token, now)
	if err != nil {
		return err
	}
	scopes, until := strings.Join(g.Scopes, ", "), "never"
	if scopes == "" {
		scopes = "none: it may do nothing"
	}
	if g.Expires != 0 {
		until = time.Unix(g.Expires, 0).UTC().Format(time.RFC3339)
	}
	_, err = fmt.Fprintf(stdout, "kind: %s\nuser: %s\nscopes: %s\nexpires: %s\n", kind, g.User, scopes, until)
	return err
}

// kindOf says what kind of token it is and what it gives.
func kindOf(c edge.Config, token string, now time.Time) (string, access.Identity, error) {
	sessions, err := access.NewSessions(c.PassKey, c.Tokens)
	if err != nil {
		return "", access.Identity{}, err
	}
	tickets, err := access.NewTickets(c.PassKey)
	if err != nil {
		return "", access.Identity{}, err
	}
	if g, ok := c.Tokens.Find(token); ok {
		return "static token of LOONGCLAW_TOKENS", g, nil
	}
	if g, ok := sessions.Find(token, now); ok {
		return "session token of a login", g, nil
	}
	if t, ok := tickets.Find(token, now); ok {
		return "WebSocket ticket until " + t.Until.UTC().Format(time.RFC3339) + ", unless it was used", t.Identity, nil
	}
	if !access.LooksLikeJWT(token) {
		return "", access.Identity{}, errors.New("the token does not count: it is unknown, changed or expired\nNext: compare it with LOONGCLAW_TOKENS, or log in again")
	}
	if c.JWT == nil {
		return "", access.Identity{}, errors.New("the token is a JSON Web Token, and that way in is not configured\nNext: set JWT_ISSUER, JWT_AUDIENCE and JWT_PUBLIC_KEYS")
	}
	g, err := c.JWT.Verify(token, now)
	if err != nil {
		return "", access.Identity{}, fmt.Errorf("the JSON Web Token does not count: %w\nNext: compare its claims with JWT_ISSUER, JWT_AUDIENCE and JWT_PUBLIC_KEYS; an assertion of Cloudflare Access can be judged only by a running gateway", err)
	}
	return "JSON Web Token of JWT_ISSUER", g, nil
}
