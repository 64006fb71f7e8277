package runs

import (
	"context"
	"errors"
	"log/slog"

	"github.com/loongclaw/loongclaw/agent/attach"
	"github.com/loongclaw/loongclaw/agent/files"
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
	Attachments  []Attachment // images that came with the request
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
	for _, e := range append(q.Earlier[:len(q.Earlier):len(q.Earlier)], Exchange{User: q.Message, Attachments: q.Attachments}) {
		attached, err := m.shown(ctx, e.Attachments)
		if err != nil {
			return AsideAnswer{}, err
		}
		question.Messages = append(question.Messages, loop.Message{Role: chat.RoleUser, Text: e.User, Attached: attached}, loop.Message{Role: chat.RoleAssistant, Text: e.Assistant})
	}
	question.Messages = question.Messages[:len(question.Messages)-1] // what it is to say
	loop.LimitImages(question.Messages, loop.MaxImages, loop.MaxImageBytes)
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

// answerFormatted asks the model, and gives an answer in JSON at its end: only then
// is it known what belongs to it. Held to JSON some models say nothing; such a one is
// asked once more, and only told.
func (m *Manager) answerFormatted(ctx context.Context, q loop.Question, onText func(string)) (loop.Answer, error) {
	if q.Format == nil {
		return m.answerAside(ctx, q, onText)
	}
	a, err := m.answerAside(ctx, q, func(string) {})
	if err == nil && a.Text == "" && a.Finish != chat.FinishRefusal && a.Finish != chat.FinishContentFilter {
		m.Log.Debug("asking again without a format", slog.String("requestId", q.RequestID))
		q.Format = nil
		a, err = m.answerAside(ctx, q, func(string) {})
	}
	if err == nil && a.Text != "" {
		a.Text = objectIn(a.Text)
		onText(a.Text)
	}
	return a, err
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

// shown makes what a model is shown of images that are kept nowhere.
func (m *Manager) shown(ctx context.Context, all []Attachment) ([]loop.Attached, error) {
	var out []loop.Attached
	for _, a := range all {
		is := attach.Detect(a.Body)
		if is.Kind != attach.Image || len(a.Body) > files.MaxFile {
			return nil, fault.New(fault.CodeUnsupported, a.Name+" is no PNG, JPEG, WebP or GIF that can be read", "send a smaller image of one of these kinds")
		}
		view, err := m.Reader.Read(ctx, a.Body, is, 0)
		if err != nil {
			return nil, fault.Wrap(err, fault.CodeUnavailable, "the images cannot be read now", "send the request again")
		}
		out = append(out, loop.Attached{Name: a.Name, MediaType: is.MediaType, Problem: view.Problem, Shown: loop.Shown{
			MediaType: view.MediaType, Size: len(view.Data), Width: view.Width, Height: view.Height, Data: view.Data,
		}})
	}
	return out, nil
}
