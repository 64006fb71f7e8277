package runs

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// limited is a model whose answers can be kept: one that is larger than any answer
// is ended where it passes the limit, whatever its adapter does. What was shown by
// then is kept, as of any answer that broke off.
type limited struct{ loop.Model }

// Answer asks the model, and counts what comes.
func (l limited) Answer(ctx context.Context, q loop.Question, onText func(string)) (loop.Answer, error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	shown := 0
	a, err := l.Model.Answer(ctx, q, func(piece string) {
		switch {
		case context.Cause(ctx) != nil:
		case shown+len(piece) > loop.MaxAnswer:
			stop(tooMuch("text", loop.MaxAnswer))
		default:
			shown += len(piece)
			onText(piece)
		}
	})
	if cause := context.Cause(ctx); errors.Is(cause, errTooMuch) {
		err = cause
	} else if err == nil {
		err = checkAnswer(a)
	}
	if errors.Is(err, errTooMuch) {
		// Of the rest nothing is kept: it is what was too much.
		return loop.Answer{Text: a.Text[:min(shown, len(a.Text))], Usage: a.Usage, Model: a.Model}, err
	}
	return a, err
}

// errTooMuch marks the errors of answers that are too large.
var errTooMuch = errors.New("the answer is larger than what can be kept")

func tooMuch(what string, most int) error {
	return fault.Wrap(errTooMuch, fault.CodeProviderFailed,
		fmt.Sprintf("the model's answer was ended: its %s passed %s", what, size(most)), "send the message again, or ask for less at once")
}

// size shows a number of bytes in MiB.
func size(n int) string { return fmt.Sprintf("%d MiB", n>>20) }

// perCall is what a call takes in a record beside its own text.
const perCall = 64

// checkAnswer refuses an answer that is too large in what is not shown.
func checkAnswer(a loop.Answer) error {
	arguments := 0
	for _, c := range a.Calls {
		arguments += perCall + len(c.ID) + len(c.Name) + len(c.Arguments)
	}
	switch {
	case len(a.Text) > loop.MaxAnswer:
		return tooMuch("text", loop.MaxAnswer)
	case len(a.Reasoning) > loop.MaxReasoning:
		return tooMuch("reasoning", loop.MaxReasoning)
	case len(a.Native) > loop.MaxNative:
		return tooMuch("signatures and other additions", loop.MaxNative)
	case arguments > loop.MaxArguments:
		return tooMuch("tool calls' arguments", loop.MaxArguments)
	}
	return nil
}

// checkRequest refuses what a client brings beside its message when it is too much
// to be kept.
func checkRequest(q Request) error {
	if len(q.Instructions) > chat.MaxInstructions {
		return fault.New(fault.CodeTooLarge, fmt.Sprintf("the system messages are longer than %s", size(chat.MaxInstructions)), "send shorter ones")
	}
	return nil
}

// newest is what is kept of an earlier conversation: who brings it has the whole of
// it, and a model is shown the newest part only.
func newest(earlier []Exchange) []Exchange {
	return earlier[max(0, len(earlier)-chat.MaxEarlier):]
}

// keptResult is a tool's output as it is kept.
func keptResult(output string) string {
	if len(output) <= loop.MaxResult {
		return output
	}
	const note = "\n[the rest was cut]"
	return cutText(output, loop.MaxResult-len(note)) + note
}

// cutText cuts a text between two characters.
func cutText(s string, most int) string {
	if len(s) <= most {
		return s
	}
	cut := 0
	for i := range s {
		if i > most {
			break
		}
		cut = i
	}
	return s[:cut]
}

// What is kept of a step that turned out too large in the form in which it is kept.
const (
	leftText  = 64 << 10
	leftArgs  = 1 << 10
	leftCalls = 256
)

// shortened is a step that could not be kept, as it stands behind a run that failed
// for that: enough to see what it was. Nothing runs with these arguments any more.
// The text of an answer stays as it is: clients have seen it.
func shortened(st loop.Step) loop.Step {
	args := func(c loop.Call) loop.Call {
		if len(c.Arguments) > leftArgs {
			c.Arguments = object([]byte(cutText(string(c.Arguments), leftArgs) + "…"))
		}
		c.ID, c.Name = cutText(c.ID, 256), cutText(c.Name, 256)
		return c
	}
	switch {
	case st.Answer != nil:
		a := *st.Answer
		a.Reasoning, a.Native, a.Incomplete = "", nil, true
		calls := slices.Clone(a.Calls[:min(leftCalls, len(a.Calls))])
		for i, c := range calls {
			calls[i] = args(c)
		}
		a.Calls = calls
		return loop.Step{Answer: &a}
	case st.Call != nil:
		c := args(*st.Call)
		return loop.Step{Call: &c}
	case st.Ask != nil:
		return loop.Step{Ask: &loop.AskStep{Call: args(st.Ask.Call), Scope: cutText(st.Ask.Scope, leftText)}}
	case st.Result != nil:
		r := *st.Result
		r.Call, r.Output = args(r.Call), cutText(r.Output, leftText)
		return loop.Step{Result: &r}
	}
	return st
}

// isTooLarge reports whether something was not stored because no object can hold
// it: trying again does not help.
func isTooLarge(err error) bool { return errors.Is(err, bucket.ErrTooLarge) }
