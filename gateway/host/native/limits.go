package native

import (
	"context"
	"time"

	"github.com/loongclaw/loongclaw/gateway/edge"
	"github.com/loongclaw/loongclaw/gateway/limit"
)

// Shared is what several gateways know together. An error says that it cannot be
// asked now.
type Shared interface {
	// Take asks for one more under key.
	Take(ctx context.Context, key string, r limit.Rate) (limit.Answer, error)
	// Strike notes one more wrong credential under key.
	Strike(ctx context.Context, key string, r limit.Rate) (limit.Answer, error)
	// Spend reports whether this call spent a key that can be spent from and until
	// then, in Unix milliseconds; both 0: any time.
	Spend(ctx context.Context, key string, from, until int64) (bool, error)
}

// limits is how often, and what was spent: in this process's memory, or in what it
// shares with other gateways.
type limits struct {
	shared   Shared // nil: this is the only gateway
	limiter  *limit.Limiter
	lockouts *limit.Lockouts
	spent    *consumed
	refused  func(class string)
}

func newLimits(shared Shared, now func() time.Time, refused func(class string)) *limits {
	return &limits{shared: shared, refused: refused, limiter: limit.New(maxKeys, now), lockouts: limit.NewLockouts(maxKeys, now), spent: newConsumed(maxKeys, now)}
}

// facts are those that need no waiting: all of them where nothing is shared.
func (c *limits) facts() edge.Facts {
	if c.shared != nil {
		return edge.Facts{}
	}
	return edge.Facts{Limit: c.own, Spend: c.spent.consume}
}

// own counts in this process's memory.
func (c *limits) own(q edge.LimitQuestion) edge.LimitAnswer {
	ask := c.limiter.Take
	if q.Class == limit.Auth {
		ask = c.lockouts.Strike
	}
	return c.told(q, ask(q.Key, rateOf(q)))
}

// told tells whoever watches what a limit refuses.
func (c *limits) told(q edge.LimitQuestion, a limit.Answer) edge.LimitAnswer {
	if !a.Allowed {
		c.refused(q.Class)
	}
	return edge.LimitAnswer(a)
}

func rateOf(q edge.LimitQuestion) limit.Rate {
	return limit.Rate{N: q.N, Per: time.Duration(q.Per) * time.Second}
}

// limit answers where counts are shared. While they cannot be had it counts here
// alone: nobody is without a limit, and nobody is shut out.
func (c *limits) limit(ctx context.Context, q edge.LimitQuestion) edge.LimitAnswer {
	ask := c.shared.Take
	if q.Class == limit.Auth {
		ask = c.shared.Strike
	}
	a, err := ask(ctx, q.Key, rateOf(q))
	if err != nil {
		return c.own(q)
	}
	return c.told(q, a)
}

// answer adds to the facts what the core asked for; false when it is not about
// counts, or was answered before.
func (c *limits) answer(ctx context.Context, ask edge.Question, facts *edge.Facts) bool {
	if c.shared == nil {
		return false
	}
	switch {
	case ask.Limit != nil:
		if _, known := facts.Limits[ask.Limit.Key]; known {
			return false
		}
		if facts.Limits == nil {
			facts.Limits = make(map[string]edge.LimitAnswer, 1)
		}
		facts.Limits[ask.Limit.Key] = c.limit(ctx, *ask.Limit)
	case ask.Spend != nil:
		if _, known := facts.Spent[ask.Spend.Key]; known || facts.CannotSpend {
			return false
		}
		first, err := c.shared.Spend(ctx, ask.Spend.Key, ask.Spend.From, ask.Spend.Until)
		facts.Spent = map[string]bool{ask.Spend.Key: first}
		facts.CannotSpend = err != nil
	default:
		return false
	}
	return true
}
