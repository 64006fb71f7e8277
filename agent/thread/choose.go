package thread

import "github.com/loongclaw/loongclaw/agent/openai"

// Choice is a session with the place in it where a request's conversation may go
// on.
type Choice struct {
	Session
	Match
	alike bool // the client's instructions are much the same
}

// Consider weighs a place that was found in a proposed session. It is none where
// so little is the same that two conversations may share it, and the client's
// instructions are others: then they are two.
func Consider(s Session, m Match, q openai.Request) (Choice, bool) {
	c := Choice{s, m, s.unknown || s.said.alike(sketchOf(q.Instructions))}
	return c, c.alike || m.strong()
}

// Choose gives the best of several choices, which come the newest first. It gives
// none where the client sent so little that several sessions fit it equally well:
// a wrong one would show one conversation's earlier part to another's.
func Choose(all []Choice) (Choice, bool) {
	if len(all) == 0 {
		return Choice{}, false
	}
	best, rivals := all[0], 0
	for _, c := range all[1:] {
		switch {
		case c.above(best):
			best, rivals = c, 0
		case !best.above(c):
			rivals++
		}
	}
	return best, rivals == 0 || best.Whole || best.strong()
}

// above reports whether c is clearly the better choice.
func (c Choice) above(o Choice) bool {
	if c.alike != o.alike && c.Whole == o.Whole {
		return c.alike
	}
	return c.better(o.Match) && !o.better(c.Match)
}
