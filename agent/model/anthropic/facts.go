package anthropic

import (
	"regexp"
	"strconv"
)

// generation is which Claude a model's name speaks of; the zero value is none.
type generation struct {
	family       string // opus, sonnet, haiku, …; empty in the oldest names
	major, minor int
}

// A minor version has one or two digits; what is longer is a date.
var versions = regexp.MustCompile(`claude-(?:([a-z]+)-)?(\d{1,2})(?:[.-](\d{1,2}))?(?:\D|$)`)

// generationOf reads names such as claude-sonnet-4-5-20250929, and what gateways
// make of them.
func generationOf(model string) generation {
	m := versions.FindStringSubmatch(model)
	if m == nil {
		return generation{}
	}
	g := generation{family: m[1]}
	g.major, _ = strconv.Atoi(m[2])
	g.minor, _ = strconv.Atoi(m[3]) // 0 where there is none
	return g
}

// unknownMaxTokens is the limit for models that are no Claude: the protocol wants
// one, and a server refuses more than its model can.
const unknownMaxTokens = 8192

// maxTokens is the longest answer that a model can give, by Anthropic's overview of
// its models (October 2026).
func (g generation) maxTokens() int {
	switch {
	case g.major == 0:
		return unknownMaxTokens
	case g.major < 3 || (g.major == 3 && g.minor == 0):
		return 4096
	case g.major == 3 && g.minor < 7:
		return 8192
	case g.major == 4 && g.family == "opus" && g.minor < 5:
		return 32_000
	case g.major == 3, g.major == 4 && g.minor < 6, g.major == 4 && g.minor == 6 && g.family != "opus":
		return 64_000
	}
	return 128_000
}

// temperature reports whether a model takes one: from 4.7 on they refuse it.
func (g generation) temperature() bool {
	return g.major < 4 || (g.major == 4 && g.minor < 7)
}

// budget reports whether a model takes a number of tokens for its thinking: from the
// fifth generation on they decide that themselves, and refuse one.
func (g generation) budget() bool { return g.major < 5 }

// Window is the window of a model in tokens, 0 where its name says nothing.
func Window(model string) int {
	switch g := generationOf(model); {
	case g.major == 0:
		return 0
	case g.major < 5:
		return 200_000
	}
	return 1_000_000
}
