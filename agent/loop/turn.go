package loop

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/loongclaw/loongclaw/agent/guard"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// Toolbox is what a turn may do, bound to its user and session.
type Toolbox interface {
	Specs() []Spec
	ReadOnly(name string) bool
	// Source says where a call's result comes from, if others may have written it and
	// it does not say so itself; it is fenced then. Else it is empty.
	Source(c Call) string
	Permit(c Call) Permission
	Run(ctx context.Context, c Call) (output string, err error)
}

// Interpreter is a Toolbox in which a call may stand for another one. What it means
// is asked once, before the call is recorded.
type Interpreter interface {
	Meant(c Call) Call
}

// Permission is what a call needs.
type Permission struct {
	Kind    PermissionKind
	Scope   string   // of Ask: exactly what an approval would allow
	Sources []string // of Ask: where foreign text comes from that makes it ask
	Reason  string   // of Deny: why
}

// PermissionKind says what a call needs.
type PermissionKind int

// What a call needs before it may run.
const (
	Deny PermissionKind = iota // the zero value lets nothing run
	Ask
	Allow
)

// Recorder makes steps durable and shows text.
type Recorder interface {
	// Record makes the steps durable, all or none.
	Record(ctx context.Context, steps ...Step) error
	// Show shows the next piece of the answer that is being given.
	Show(piece string)
	// Think shows the next piece of that answer's reasoning. An empty one says that
	// what was shown of an attempt came to nothing.
	Think(piece string)
}

// Step is one thing that a turn did. Exactly one field is set.
type Step struct {
	Answer *AnswerStep
	Call   *Call
	Ask    *AskStep
	Result *Result

	Summary *SummaryStep
}

// AnswerStep is a stretch of answer.
type AnswerStep struct {
	Answer
	Round      int // which answer of the turn, from 1
	Incomplete bool
}

// AskStep asks the user about a call that was just recorded.
type AskStep struct {
	Call    Call
	Scope   string
	Sources []string // where foreign text comes from that makes it ask
}

// Result is how a call ended.
type Result struct {
	Call   Call
	Status string // chat.ToolOK, …
	Output string
}

// Stage is where a call stands.
type Stage int

// The stages of a call that has no result.
const (
	Fresh   Stage = iota // not recorded yet
	Asked                // the user has been asked
	Allowed              // the user has just allowed it
	Refused              // the user has refused it
	Unknown              // it may have run before a crash
)

// Pending is a call without a result.
type Pending struct {
	Call  Call
	Stage Stage
	Why   string // of Refused: what to tell the model
}

// State is where a turn stands.
type State struct {
	System      string
	Messages    []Message // the conversation, with what this turn has done so far
	Pending     []Pending // calls of the last answer, in order
	Rounds      int       // answers given so far
	Interactive bool      // somebody can be asked
	RequestID   string

	Compaction // of the conversation, where it outgrows the model
}

// Outcome is how a turn left off.
type Outcome struct {
	Parked bool   // it waits for the user; its steps are recorded
	Steps  []Step // done, but not recorded yet: they belong with the turn's end
	Usage  *chat.Usage
	// Room is how many bytes of conversation the model took after it had refused
	// more as too long; 0 where it refused nothing.
	Room int
}

// MaxRounds is how many answers a turn has at most. The last one may not call
// tools, so that the user gets an answer and not an error.
const MaxRounds = 24

// noMoreCalls is what the model is told with the last question of a turn. It
// stands behind the conversation, since a changed system text would cost the
// provider's cache of all of it.
const noMoreCalls = "[Added by the agent, not written by the user.] No more tool calls are possible in this turn. Answer now with what you know, and say what is missing."

// Turn runs turns.
type Turn struct {
	Model    Model
	Tools    Toolbox
	Recorder Recorder
}

// turn is one turn under way.
type turn struct {
	Turn
	State
	held  []Step // done, to be recorded with the next step
	used  *chat.Usage
	loops repeats
	room  int
	deaf  bool            // the model called although it must not: it is asked again without tools
	shown strings.Builder // of the answer that is being given
	cut   map[string]bool // calls of an answer that a limit on tokens cut off
}

// Run goes on from a state until the model has nothing more to call, the user
// is asked, or ctx ends. With an error the Outcome's steps are still to be
// recorded: what could not be stored, a cut-off answer, and a result for each
// call that was left. A panic ends the turn with a *guard.Panic.
func (t Turn) Run(ctx context.Context, s State) (Outcome, error) {
	r := &turn{Turn: t, State: s}
	parked, err := r.guarded(ctx)
	if err != nil {
		r.skipRest(err)
	}
	return Outcome{Parked: parked, Steps: r.held, Usage: r.used, Room: r.room}, err
}

func (t *turn) guarded(ctx context.Context) (parked bool, err error) {
	err = guard.Run(func() (err error) {
		parked, err = t.run(ctx)
		return err
	})
	if guard.Find(err) != nil && t.shown.Len() > 0 { // whoever has read it must find it again
		t.held = append(t.held, Step{Answer: &AnswerStep{Answer: Answer{Text: t.shown.String()}, Round: t.Rounds, Incomplete: true}})
	}
	return parked, err
}

func (t *turn) run(ctx context.Context) (parked bool, err error) {
	for {
		if parked, err := t.settle(ctx); parked || err != nil {
			return parked, err
		}
		done, err := t.ask(ctx)
		if done || err != nil {
			return false, err
		}
	}
}

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
	t.unique(a.Calls)
	t.mindCut(a)
	if len(a.Calls) > 0 {
		a.Finish = chat.FinishToolCalls
	}
	t.held = append(t.held, Step{Answer: &AnswerStep{Answer: a, Round: t.Rounds}})
	t.Messages = append(t.Messages, a.Message())
	for _, c := range a.Calls {
		t.Pending = append(t.Pending, Pending{Call: c})
	}
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
	q := Question{System: t.System, Messages: fenced(t.Messages, t.Tools.Source), Tools: t.Tools.Specs(), RequestID: t.RequestID}
	if t.Rounds >= MaxRounds || t.loops.stuck() {
		q.NoCalls = true
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

// settle gives every pending call its result, or parks the turn.
func (t *turn) settle(ctx context.Context) (parked bool, err error) {
	for len(t.Pending) > 0 {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		p := t.Pending[0]
		if p.Stage == Fresh {
			if why := tooMany(t.Messages, p.Call.ID); why != "" {
				t.held = append(t.held, Step{Call: &p.Call})
				t.end(p.Call, chat.ToolSkipped, why)
				continue
			}
			if parked, err := t.begin(ctx, &p); parked || err != nil {
				return parked, err
			}
		}
		switch p.Stage {
		case Asked:
			return true, t.flush(ctx)
		case Refused:
			t.end(p.Call, chat.ToolDenied, p.Why)
		case Unknown:
			if !t.Tools.ReadOnly(p.Call.Name) {
				t.end(p.Call, chat.ToolError, "outcome unknown: the agent was interrupted while this call ran. Check what it did before calling it again.")
				continue
			}
			t.run1(ctx, p.Call)
		default:
			t.run1(ctx, p.Call)
		}
	}
	return false, nil
}

// begin judges a fresh call and records what must be durable before its effect.
func (t *turn) begin(ctx context.Context, p *Pending) (parked bool, err error) {
	t.held = append(t.held, Step{Call: &p.Call})
	if !IsObject(p.Call.Arguments) {
		p.Stage, p.Why = Allowed, ""
		return false, nil // run1 says what is wrong
	}
	permit := t.Tools.Permit(p.Call)
	switch {
	case permit.Kind == Allow:
		p.Stage = Allowed
		return false, t.flush(ctx)
	case permit.Kind == Ask && t.Interactive:
		t.held = append(t.held, Step{Ask: &AskStep{Call: p.Call, Scope: permit.Scope, Sources: permit.Sources}})
		return true, t.flush(ctx)
	case permit.Kind == Ask:
		p.Stage, p.Why = Refused, "this needs the user's approval, and this caller cannot be asked. Say what you wanted to do; the user can approve it in WebChat or over the WebSocket."
	default:
		p.Stage, p.Why = Refused, permit.Reason
	}
	return false, nil
}

// run1 runs a call.
func (t *turn) run1(ctx context.Context, c Call) {
	if !IsObject(c.Arguments) {
		why := "the arguments are not a JSON object; call it again with one"
		if t.cut[c.ID] {
			why = "your answer reached its limit on length before the arguments were whole, so nothing was done; send less at once"
		}
		t.end(c, chat.ToolError, why)
		return
	}
	out, err := t.Tools.Run(ctx, c)
	switch {
	case err == nil:
		t.end(c, chat.ToolOK, out)
	case errors.Is(err, ErrNotEnded):
		t.end(c, chat.ToolError, err.Error())
	case ctx.Err() != nil:
		t.end(c, chat.ToolError, "cancelled while it ran; what it had done by then stays")
	default:
		t.end(c, chat.ToolError, err.Error())
	}
}

// end gives the first pending call its result.
func (t *turn) end(c Call, status, output string) {
	t.loops.saw(c, status+output)
	t.held = append(t.held, Step{Result: &Result{Call: c, Status: status, Output: output}})
	t.Messages = append(t.Messages, ResultMessage(c, status, output))
	t.Pending = t.Pending[1:]
}

// ResultMessage is a call's result as the model sees it.
func ResultMessage(c Call, status, output string) Message {
	if status != chat.ToolOK {
		output = status + ": " + output
	}
	return Message{Role: RoleTool, CallID: c.ID, Name: c.Name, Text: output, Failed: status != chat.ToolOK}
}

func (t *turn) flush(ctx context.Context) error {
	if len(t.held) == 0 {
		return nil
	}
	// Cancelling a run must not leave it unknown whether a step is durable. When
	// the store fails it is: the steps stay with the turn's end, and whoever
	// records that leaves out what had been stored after all.
	if err := t.Recorder.Record(context.WithoutCancel(ctx), t.held...); err != nil {
		return err
	}
	t.held = nil
	return nil
}
