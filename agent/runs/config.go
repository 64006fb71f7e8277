package runs

import (
	"context"
	"log/slog"
	"time"

	"github.com/loongclaw/loongclaw/agent/attach"
	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/tools"
)

// Config is what runs need.
type Config struct {
	Bucket   bucket.Bucket
	Model    loop.Model
	Tools    *tools.Box
	Persona  Persona
	Instance string // AGENT_INSTANCE: stays over restarts
	MaxRuns  int    // MAX_CONCURRENT_RUNS of one user
	Window   int    // of the model, in tokens; 0 is one that takes all that is kept for it
	// AnswerTokens is how long an answer may be; 0 is the provider's own limit.
	AnswerTokens int
	Reader       *attach.Reader // makes what a model is shown of a file; without a worker of texts only
	Vision       bool           // a model may see images
	Log          *slog.Logger
	Now          func() time.Time
	// CheckpointAfter is how long after its last run a session is checkpointed: anchored in its
	// user's journal, its pending marker removed. EvictAfter is how long after its last
	// use it leaves memory.
	CheckpointAfter, EvictAfter time.Duration
	Observer                    Observer // nobody when nil
	Trace                       Tracer   // nobody when nil
}

// Persona gives the system prompt of a user's agent. It is asked at each run, so
// that a changed SOUL.md counts from the next one.
type Persona func(ctx context.Context, user string) string

// Tracer follows a request into the run that it starts. A run outlives its request
// and perhaps its process, so what ties the two is text in the journal.
type Tracer interface {
	Here(ctx context.Context) string // names where ctx is, for Run; empty when nowhere
	Run(ctx context.Context, from, id, requestID string) (context.Context, func(status string))
	Tool(ctx context.Context, name string) (context.Context, func(error))
}

// untraced is the tracer where there is none.
type untraced struct{}

func (untraced) Here(context.Context) string { return "" }

func (untraced) Run(ctx context.Context, _, _, _ string) (context.Context, func(string)) {
	return ctx, func(string) {}
}

func (untraced) Tool(ctx context.Context, _ string) (context.Context, func(error)) {
	return ctx, func(error) {}
}

// Observer is told what becomes of runs. It must not wait.
type Observer interface {
	// Ended: a run ended: a chat.Run… status, or Parked or Left. What never ran in
	// this process took 0.
	Ended(status string, took time.Duration)
	// Called: a tool call has its result, with a chat.Tool… status.
	Called(tool, status string)
	// Ran: a tool ran, whatever came of it.
	Ran(tool string, took time.Duration)
	// Panicked: a run or a task beside it panicked, and was ended.
	Panicked()
}

// How a run can leave this process without an end.
const (
	Parked = "parked" // it waits for the user
	Left   = "left"   // to its next start, or to another agent
)

// unseen is the observer where there is none.
type unseen struct{}

func (unseen) Ended(string, time.Duration) {}
func (unseen) Called(string, string)       {}
func (unseen) Ran(string, time.Duration)   {}
func (unseen) Panicked()                   {}
