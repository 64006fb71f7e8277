package loop

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// noMoreCalls is what the model is told with the last question of a turn. It
// stands behind the conversation, since a changed system text would cost the
// provider's cache of all of it.
const noMoreCalls = "[Added by the agent, not written by the user.] No more tool calls are possible in this turn. Answer now with what you know, and say what is missing."

// ask gets the next answer. The turn is done when it calls nothing.
func (t *turn) ask(ctx context.Context) (done bool, err error) {
	// What tools did is durable before the model goes on from it.
	if err := t.flush(ctx); err != nil {
		return false, err
	}
	if err := t.makeRoom(ctx); err != nil {
		return false, err
	}
	t.Rounds++
	a, err := t.answer(ctx)
	t.shown.Reset()
	t.used = t.used.Add(a.Usage)
	if err == nil {
		err = ctx.Err() // a provider library may swallow it
	}
	if err != nil {
		if a.Text != "" {
			// What the provider wants back is of use only when it is whole.
			a.Calls, a.Finish, a.Native = nil, "", nil
			t.held = append(t.held, Step{Answer: &AnswerStep{Answer: a, Round: t.Rounds, Incomplete: true}})
		}
		return false, err
	}
	t.interpret(a.Calls)
	t.delegate(a.Calls)
	t.unique(a.Calls)
	t.mindCut(a)
	if len(a.Calls) > 0 {
		a.Finish = chat.FinishToolCalls
	}
	t.held = append(t.held, Step{Answer: &AnswerStep{Answer: a, Round: t.Rounds}})
	t.Messages = append(t.Messages, a.Message())
	t.Pending = append(t.Pending, oursFirst(a.Calls)...)
	if a.Finish == chat.FinishEmpty {
		return false, emptyAnswer(a)
	}
	return len(a.Calls) == 0, nil
}

// answer asks the model until it has answered something: once more where the
// answer was empty, and with less of the conversation where it was too long.
func (t *turn) answer(ctx context.Context) (Answer, error) {
	var used *chat.Usage
	for tries := 1; ; tries++ {
		q := t.question()
		q.OnReasoning = t.think
		if tries > 1 {
			t.think("")
		}
		a, err := t.Model.Answer(ctx, q, t.show)
		if errors.Is(err, ErrTooLong) && a.Text == "" {
			shorter, err := t.shorten(ctx)
			if err != nil {
				return a, err
			}
			if shorter {
				continue
			}
		}
		used = used.Add(a.Usage)
		a.Usage = used
		if err != nil || ctx.Err() != nil {
			return a, err
		}
		if q.NoCalls {
			t.deaf = len(a.Calls) > 0
			a.Calls = nil
		}
		if a.Finish = outcome(a); a.Finish != chat.FinishEmpty || tries > maxEmpty {
			return a, nil
		}
	}
}

// interpret makes calls those that they stand for.
func (t *turn) interpret(calls []Call) {
	if in, ok := t.Tools.(Interpreter); ok {
		for i, c := range calls {
			calls[i] = in.Meant(c)
		}
	}
}

func (t *turn) show(piece string) {
	t.shown.WriteString(piece)
	t.Recorder.Show(piece)
}

func (t *turn) think(piece string) { t.Recorder.Think(piece) }

// maxEmpty is how often the model is asked again after an empty answer.
const maxEmpty = 1

// outcome says how an answer ended, whatever its provider called it. An answer
// without text and calls is empty, unless somebody meant it to be.
func outcome(a Answer) chat.Finish {
	switch {
	case len(a.Calls) > 0:
		return a.Finish
	case a.Finish == chat.FinishRefusal || a.Finish == chat.FinishContentFilter:
		return a.Finish
	case strings.TrimSpace(a.Text) == "":
		return chat.FinishEmpty
	case a.Finish == chat.FinishLength:
		return chat.FinishLength
	}
	return chat.FinishStop // calls that were announced and did not come are none
}

func emptyAnswer(a Answer) error {
	hint := "send the message again, or in other words"
	if a.Reasoning != "" {
		hint = "send the message again; if the model only thinks, raise LLM_MAX_TOKENS, which its reasoning counts towards"
	}
	return fault.New(fault.CodeEmptyAnswer, "the model gave an empty answer, twice", hint)
}

// question is what the model is asked now.
func (t *turn) question() Question {
	q := Question{System: t.System, Messages: fenced(t.Messages, t.Tools.Source), Tools: t.Tools.Specs(), Model: t.Preferred, RequestID: t.RequestID}
	t.choose(&q)
	if t.Rounds-t.Client.Rounds >= MaxRounds || t.loops.stuck() {
		q.NoCalls, q.Choice = true, Choice{}
		q.Messages = append(slices.Clip(q.Messages), Message{Role: chat.RoleUser, Context: noMoreCalls})
		if t.deaf {
			q.Tools = nil
		}
	}
	return q
}

// shorten has less of the conversation sent than was refused: a summary of its
// older part where none was tried, else without its oldest half. It reports whether
// anything could be left out.
func (t *turn) shorten(ctx context.Context) (bool, error) {
	size := Size(t.Messages)
	room := size / 2
	// What was refused had grown a little beyond the window: most of it fits.
	done, err := t.compact(ctx, room, size-size/8)
	if err != nil {
		return false, err
	}
	if !done {
		fewer := Fit(t.Messages, room)
		if len(fewer) == len(t.Messages) {
			return false, nil
		}
		t.Messages = fewer
	}
	t.room = room
	return true, nil
}

// mindCut remembers the calls of an answer that was cut off by its limit, so that
// the model is told why their arguments are of no use.
func (t *turn) mindCut(a Answer) {
	t.cut = nil
	if a.Finish != chat.FinishLength {
		return
	}
	t.cut = map[string]bool{}
	for _, c := range a.Calls {
		t.cut[c.ID] = true
	}
}
