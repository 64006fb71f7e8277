//go:build !js

package main

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/loongclaw/loongclaw/gateway/access"
	"github.com/loongclaw/loongclaw/telemetry/program"
)

// sessionFor is how long a minted session token counts when nothing is said.
const sessionFor = 24 * time.Hour

// token mints tokens, and inspects one.
func token(args []string, stdin io.Reader, stdout io.Writer, now time.Time) error {
	sub := ""
	if len(args) > 0 {
		sub, args = args[0], args[1:]
	}
	switch {
	case sub == "":
		_, err := fmt.Fprintln(stdout, access.NewToken())
		return err
	case sub == "inspect" && len(args) == 0:
		return inspect(stdin, stdout, now)
	case sub == "mint" && (len(args) == 1 || len(args) == 2):
		return mint(stdout, args[0], nth(args, 1))
	case sub == "session" && len(args) >= 1 && len(args) <= 3:
		return mintSession(stdout, args[0], nth(args, 1), nth(args, 2), now)
	}
	return errors.New("token does not take these arguments\nNext: gateway help")
}

// nth is an argument that may be missing.
func nth(args []string, i int) string {
	if i >= len(args) {
		return ""
	}
	return args[i]
}

func mint(stdout io.Writer, user, scope string) error {
	entry, err := access.NewEntry(user, scope)
	if err != nil {
		return fmt.Errorf("%w\nNext: gateway token mint alice, or gateway token mint alice read", err)
	}
	_, err = fmt.Fprintln(stdout, entry)
	return err
}

// mintSession makes a session token, as a login does: bound to the user's static
// token, whose end is its own, too.
func mintSession(stdout io.Writer, user, life, scope string, now time.Time) error {
	c, err := loadConfig(program.Version(version))
	if err != nil {
		return configError(err)
	}
	static, ok := c.edge.Tokens.Of(user)
	if !ok {
		return fmt.Errorf("%q has no token in LOONGCLAW_TOKENS\nNext: gateway token mint USER prints an entry to add there", user)
	}
	length, scopes := sessionFor, static.Scopes
	if life != "" {
		if length, err = time.ParseDuration(life); err != nil {
			return fmt.Errorf("%q is not a duration\nNext: write 30m or 24h", life)
		}
	}
	if scope != "" {
		if scopes, err = access.ParseScopes(scope); err != nil {
			return fmt.Errorf("%q %w\nNext: gateway token session USER 24h read", scope, err)
		}
	}
	sessions, err := access.NewSessions(c.edge.PassKey, c.edge.Tokens)
	if err != nil {
		return err
	}
	text, _, err := sessions.MintFor(static, scopes, length, now)
	if err != nil {
		return fmt.Errorf("%w\nNext: ask for less", err)
	}
	_, err = fmt.Fprintln(stdout, text)
	return err
}
