package model

import (
	"context"
	"log/slog"
	"slices"

	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// failover asks one model after the other, until one has begun to answer: from
// then on the answer is that one's, also when it breaks off.
type failover struct {
	models []candidate
	log    *slog.Logger
}

// candidate is a model that may answer, under the name that GET /api/models gives it.
type candidate struct {
	id string
	loop.Model
}

// order returns the models in the order in which they are asked: the one that the
// question prefers, if it is there, and then as they are configured.
func (f *failover) order(preferred string) []candidate {
	at := slices.IndexFunc(f.models, func(c candidate) bool { return c.id == preferred })
	if at <= 0 {
		return f.models
	}
	return slices.Concat(f.models[at:at+1], f.models[:at], f.models[at+1:])
}

// Answer asks the next model where one fails before its first token.
func (f *failover) Answer(ctx context.Context, q loop.Question, onText func(string)) (loop.Answer, error) {
	var a loop.Answer
	var first, err error
	for i, m := range f.order(q.Model) {
		a, err = m.Answer(ctx, q, onText)
		if err == nil || ctx.Err() != nil || a.Text != "" || a.Reasoning != "" || len(a.Calls) > 0 {
			return a, err
		}
		if first == nil {
			first = err // what the owner has to mend
		}
		if i+1 < len(f.models) {
			f.log.LogAttrs(ctx, slog.LevelWarn, "asking the next provider", slog.String("after", a.Model),
				slog.String("requestId", q.RequestID), slog.String("code", string(fault.CodeOf(err))), slog.Any("error", err))
		}
	}
	return a, first
}

var _ loop.Model = (*failover)(nil)
