package access

import (
	"fmt"
	"slices"
	"strings"

	"github.com/loongclaw/loongclaw/pkg/chat"
)

// The scopes, each of which includes those before it.
const (
	ScopeRead  = chat.ScopeRead
	ScopeChat  = chat.ScopeChat
	ScopeAdmin = chat.ScopeAdmin
)

var ladder = []string{ScopeRead, ScopeChat, ScopeAdmin}

// AllScopes are the scopes of a token that names none.
func AllScopes() []string { return slices.Clone(ladder) }

// ParseScopes reads "read" or "read+chat" and adds what the highest one includes:
// somebody who may chat could not follow an answer without reading.
func ParseScopes(s string) ([]string, error) {
	highest := -1
	for name := range strings.SplitSeq(s, "+") {
		i := slices.Index(ladder, strings.ToLower(strings.TrimSpace(name)))
		if i < 0 {
			// The text may be half a token that held a colon: it is not repeated.
			return nil, fmt.Errorf("has a scope that is none of %s", strings.Join(ladder, ", "))
		}
		highest = max(highest, i)
	}
	return slices.Clone(ladder[:highest+1]), nil
}
