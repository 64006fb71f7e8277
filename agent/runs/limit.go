package runs

import (
	"context"
	"errors"
	"fmt"

	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/agent/loop"
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

// isTooLarge reports whether something was not stored because no object can hold
// it: trying again does not help.
func isTooLarge(err error) bool { return errors.Is(err, bucket.ErrTooLarge) }
