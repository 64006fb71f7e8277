package loop

import "context"

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
	Handed *HandedStep

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

// HandedStep hands calls that were recorded to the client, whose tools they are.
type HandedStep struct {
	Calls []string // their ids
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
	Fresh    Stage = iota // not recorded yet
	Asked                 // the user has been asked
	Allowed               // the user has just allowed it
	Refused               // the user has refused it
	Unknown               // it may have run before a crash
	AtClient              // the client has it, and has not said what came of it
)

// Pending is a call without a result.
type Pending struct {
	Call  Call
	Stage Stage
	Why   string // of Refused: what to tell the model
}
