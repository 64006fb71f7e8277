package loop

import (
	"context"
	"strings"

	"github.com/loongclaw/loongclaw/agent/guard"
	"github.com/loongclaw/loongclaw/pkg/chat"
)

// State is where a turn stands.
type State struct {
	System      string
	Messages    []Message // the conversation, with what this turn has done so far
	Pending     []Pending // calls of the last answer, in order
	Rounds      int       // answers given so far
	Interactive bool      // somebody can be asked
	Client      Client    // what the client brought along
	Preferred   string    // the model that is asked first; empty: the default
	RequestID   string

	Compaction // of the conversation, where it outgrows the model
}

// Outcome is how a turn left off.
type Outcome struct {
	Parked bool   // it waits for the user, or for its client; its steps are recorded
	Steps  []Step // done, but not recorded yet: they belong with the turn's end
	Usage  *chat.Usage
	// Room is how many bytes of conversation the model took after it had refused
	// more as too long; 0 where it refused nothing.
	Room int
}

// MaxRounds is how many answers a turn has at most. The last one may not call
// tools, so that the user gets an answer and not an error.
const MaxRounds = 24

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
// is asked, the client has calls to run, or ctx ends. With an error the Outcome's steps are still to be
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
