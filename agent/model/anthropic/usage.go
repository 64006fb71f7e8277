package anthropic

import (
	"strconv"
	"strings"

	"github.com/loongclaw/loongclaw/pkg/chat"
)

// number is a count of tokens, however it is written; what is none says nothing.
type number struct {
	n    int
	said bool
}

// UnmarshalJSON reads 3, 3.0 and "3".
func (c *number) UnmarshalJSON(b []byte) error {
	f, err := strconv.ParseFloat(strings.Trim(string(b), `"`), 64)
	*c = number{}
	if err == nil && f >= 0 && f < 1<<40 {
		*c = number{int(f), true}
	}
	return nil
}

// usage is how the provider counts.
type usage struct {
	Input   number `json:"input_tokens"`
	Created number `json:"cache_creation_input_tokens"`
	Read    number `json:"cache_read_input_tokens"`
	Output  number `json:"output_tokens"`
	Details struct {
		Thinking number `json:"thinking_tokens"`
	} `json:"output_tokens_details"`
}

// count takes a later count over an earlier one: they are totals. A 0 after a number
// is how some gateways leave a field out.
func (u *usage) count(o *usage) {
	if o == nil {
		return
	}
	later := func(c *number, n number) {
		if n.said && (n.n > 0 || !c.said) {
			*c = n
		}
	}
	later(&u.Input, o.Input)
	later(&u.Created, o.Created)
	later(&u.Read, o.Read)
	later(&u.Output, o.Output)
	later(&u.Details.Thinking, o.Details.Thinking)
}

// usage is the count as everybody has it: what was read from the cache, and what was
// written to it, is part of the prompt. It is nil where nothing was said.
func (u *usage) usage() *chat.Usage {
	c := chat.Usage{
		PromptTokens: u.Input.n + u.Created.n + u.Read.n, CompletionTokens: u.Output.n,
		CachedTokens: u.Read.n, ReasoningTokens: min(u.Details.Thinking.n, u.Output.n),
	}
	if c.PromptTokens+c.CompletionTokens == 0 {
		return nil
	}
	c.TotalTokens = c.PromptTokens + c.CompletionTokens
	return &c
}
