package runs

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/loongclaw/loongclaw/agent/guard"
	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/session"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// Aside is a question beside all conversations: what a chat client wants to know
// about one, such as a title for it.
type Aside struct {
	Instructions string
	Earlier      []Exchange
	Message      string
	RequestID    string

	Format *Format // nil: text
}

// Format is the JSON that an answer is to be.
type Format = loop.Format

// AsideAnswer is what the model said to that.
type AsideAnswer struct {
	Text      string
	Finish    chat.Finish
	Reasoning string      // at most what is shown of an answer's
	Usage     *chat.Usage // nil where the provider did not say
}

// maxAsides is how many questions of one user are asked beside conversations at
// once. Clients send a few after each answer.
const maxAsides = 8

// Aside asks the model, which has no tools, no memory and no persona for this, and
// keeps nothing. Unlike a run it ends with its request: nobody could read the
// answer later. onText gets the answer piece by piece.
func (m *Manager) Aside(ctx context.Context, user string, q Aside, onText func(string)) (AsideAnswer, error) {
	done, ok := m.begin()
	if !ok {
		return AsideAnswer{}, drainingFault()
	}
	defer done()
	if err := m.asides.enter(user); err != nil {
		return AsideAnswer{}, err
	}
	defer m.asides.leave(user)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(m.root, func() { cancel(errDraining) })()
	id, began := newID("run"), m.Now()
	ctx, traced := m.Trace.Run(ctx, m.Trace.Here(ctx), id, q.RequestID)
	question := loop.Question{System: told(q.Instructions, q.Format), RequestID: q.RequestID, Format: q.Format}
	for _, e := range q.Earlier {
		question.Messages = append(question.Messages, loop.Message{Role: chat.RoleUser, Text: e.User}, loop.Message{Role: chat.RoleAssistant, Text: e.Assistant})
	}
	question.Messages = append(question.Messages, loop.Message{Role: chat.RoleUser, Text: q.Message})
	answer, err := m.answerFormatted(ctx, question, onText)
	status := chat.RunDone
	switch {
	case err == nil && (answer.Text == "" || answer.Finish == chat.FinishEmpty):
		err = fault.New(fault.CodeEmptyAnswer, "the model gave no answer", "try again")
		status = chat.RunFailed
	case err != nil && errors.Is(context.Cause(ctx), errDraining):
		err = drainingFault()
		status = chat.RunCancelled
	case err != nil && ctx.Err() != nil:
		status = chat.RunCancelled
	case err != nil:
		status = chat.RunFailed
	}
	m.Observer.Ended(status, max(m.Now().Sub(began), 1))
	traced(status)
	m.Log.Info("answered beside the conversations", slog.String("user", user), slog.String("status", status), slog.String("requestId", q.RequestID))
	return AsideAnswer{Text: answer.Text, Finish: answer.Finish, Usage: answer.Usage, Reasoning: session.ShownReasoning(answer.Reasoning)}, err
}

// answerAside asks the model. A provider's word that makes it panic ends this
// question and nothing else.
func (m *Manager) answerAside(ctx context.Context, q loop.Question, onText func(string)) (a loop.Answer, err error) {
	err = guard.Run(func() (err error) {
		a, err = m.Model.Answer(ctx, q, onText)
		return err
	})
	if guard.Find(err) != nil {
		m.report(m.Log.With(slog.String("requestId", q.RequestID)), "question beside a conversation ended", err)
	}
	return a, err
}

// asides counts the questions beside conversations that are being answered, by
// user.
type asides struct {
	mu sync.Mutex
	of map[string]int
}

func (a *asides) enter(user string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.of[user] >= maxAsides {
		return fault.New(fault.CodeTooManyRuns, "too many of your client's own questions are being answered", "wait for one to end").After(5 * time.Second)
	}
	if a.of == nil {
		a.of = map[string]int{}
	}
	a.of[user]++
	return nil
}

func (a *asides) leave(user string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.of[user]--; a.of[user] == 0 {
		delete(a.of, user)
	}
}
