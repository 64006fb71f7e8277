package runs

import (
	"context"

	"github.com/loongclaw/loongclaw/agent/record"
	"github.com/loongclaw/loongclaw/agent/session"
	"github.com/loongclaw/loongclaw/agent/tasks"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// Return gives a run that waits for its client the results of that one's tools, and
// has it go on. They are not known where no run of the session waits for them, or has
// gone on with the very same.
func (m *Manager) Return(ctx context.Context, user, id string, q session.Results) (session.Returned, error) {
	q.Trace = m.env.Trace.Here(ctx)
	if err := checkRequest(id, Request{Message: "results", Instructions: q.Instructions, Key: q.Key}); err != nil {
		return session.Returned{}, err
	}
	if m.env.IsDraining() {
		return session.Returned{}, tasks.Draining()
	}
	s, err := m.sessions.lookup(ctx, user, id)
	if fault.CodeOf(err) == fault.CodeNotFound {
		return session.Returned{}, nil
	}
	if err != nil {
		return session.Returned{}, err
	}
	out, err := s.giveBack(ctx, q)
	if err == nil && !out.Known && s.log.Refresh(ctx) == nil {
		out, err = s.giveBack(ctx, q) // another agent may have given the calls a moment ago
	}
	return out, err
}

// giveBack writes the results. It does not end with its caller: what may be stored
// must also go on.
func (s *open) giveBack(ctx context.Context, q session.Results) (out session.Returned, err error) {
	ctx = context.WithoutCancel(ctx)
	err = s.commit(ctx, func() ([]record.Record, error) {
		if out = (session.Returned{}); s.life.Phase == session.Ended {
			return nil, nil
		}
		out, err = s.state.Return(q, s.Now())
		return out.Records, err
	})
	if err == nil && out.Known {
		s.carry(false)
	}
	return out, err
}

// Failed reports whether the run that an Idempotency-Key stands for in a session has
// come to another end than it should have.
func (m *Manager) Failed(ctx context.Context, user, id, key string) (failed bool, err error) {
	err = m.sessions.show(ctx, user, id, func(s *open) {
		r, _ := session.Keyed(s.state, key, s.Now())
		failed = r.Status != "" && r.Status != chat.RunDone
	})
	if fault.CodeOf(err) == fault.CodeNotFound {
		err = nil
	}
	return failed, err
}
