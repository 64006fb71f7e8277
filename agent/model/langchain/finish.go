package langchain

import (
	"strings"

	"github.com/loongclaw/loongclaw/pkg/chat"
)

// ending is what a provider's finish reason says.
type ending int

const (
	endNone    ending = iota // nothing: the answer goes on
	endStop                  // the answer is complete, whatever the provider calls it
	endLength                // a limit on tokens cut it off
	endContext               // the window of the model is full
	endCalls                 // calls come, or were to come
	endFilter                // a filter cut it off
	endRefusal               // the model declined
	endBroken                // something failed
)

// cut reports whether a limit ended the answer.
func (e ending) cut() bool { return e == endLength || e == endContext }

// endings are the words by which a finish reason is told, in the order in which
// they are looked for: Gemini's "function_call_filter: MALFORMED_FUNCTION_CALL" is
// a call that did not come, "model_context_window_exceeded" no limit on tokens.
var endings = []struct {
	end   ending
	words []string
}{
	{endCalls, []string{"malformed", "unexpected_tool", "invalid_tool", "too_many_tool", "missing_thought"}},
	{endContext, []string{"context_window", "context_length", "context_exceeded", "model_length"}},
	{endRefusal, []string{"refus", "declin"}},
	{endFilter, []string{"filter", "safety", "sensitive", "recitation", "prohibited", "blocklist", "blocked", "spii", "moderation", "guardrail", "violation", "censor", "risk", "language"}},
	{endBroken, []string{"error", "insufficient", "abort", "network", "timeout", "timed_out", "interrupt", "fail", "cancel", "disconnect", "overload", "exception", "unavailable", "preempt", "killed"}},
	{endLength, []string{"length", "max_token", "max_output", "max_new", "maxtoken", "token_limit", "limit", "truncat", "incomplete", "budget"}},
	{endCalls, []string{"tool", "function"}},
}

// endingOf reads a finish reason.
func endingOf(reason string) ending {
	s := strings.Map(func(r rune) rune {
		if r == '-' || r == ' ' || r == '.' {
			return '_'
		}
		return r
	}, strings.ToLower(strings.TrimSpace(reason)))
	switch s {
	case "", "null", "none", "nil", "undefined", "finish_reason_unspecified", "unspecified", "in_progress":
		return endNone
	}
	for _, e := range endings {
		if has(s, e.words...) {
			return e.end
		}
	}
	return endStop
}

// refine prefers what the provider behind a gateway said where the gateway says
// less.
func refine(reason, native string) ending {
	end := endingOf(reason)
	switch behind := endingOf(native); {
	case end == endStop && (behind == endLength || behind == endFilter || behind == endRefusal || behind == endContext):
		return behind
	case end == endBroken && behind == endCalls:
		return behind // a malformed call
	case end == endBroken && behind == endFilter:
		return behind
	}
	return end
}

// made is what an answer consists of.
type made struct {
	text    bool // more than blanks
	calls   bool
	refused bool // part of the text is a refusal
}

// outcome is how an answer ended that did not break off. A limit is said also where
// there are calls, so that a model is told why their arguments are not whole, and
// where nothing but reasoning came before it. An answer without anything in it has
// simply stopped: whoever asked judges that. A call is not run when a filter or a
// refusal ended the answer that it stands in.
func outcome(end ending, m made) chat.Finish {
	switch {
	case end == endFilter:
		return chat.FinishContentFilter
	case end == endRefusal || m.refused && !m.calls:
		return chat.FinishRefusal
	case end.cut():
		return chat.FinishLength
	case m.calls:
		return chat.FinishToolCalls
	}
	return chat.FinishStop
}
