package aside

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/loongclaw/loongclaw/agent/attach"
	"github.com/loongclaw/loongclaw/agent/files"
	"github.com/loongclaw/loongclaw/agent/guard"
	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/session"
	"github.com/loongclaw/loongclaw/agent/tasks"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// maxPerUser is how many questions of one user are asked beside conversations at
// once. Clients send a few after each answer.
const maxPerUser = 8

// Config is what asides need.
type Config struct {
	Model    loop.Model
	Reader   *attach.Reader // makes what a model is shown of an image
	Tasks    *tasks.Group   // what a question ends with
	Log      *slog.Logger
	Now      func() time.Time
	Observer Observer
	Trace    Tracer
}

// Observer is told what became of a question, with a chat.Run… status. It must not wait.
type Observer interface {
	Ended(status string, took time.Duration)
}

// Tracer follows a request into its question.
type Tracer interface {
	Here(ctx context.Context) string
	Run(ctx context.Context, from, id, requestID string) (context.Context, func(status string))
}

// Asides answers questions beside conversations. Make it with New.
type Asides struct {
	c      Config
	mu     sync.Mutex
	asking map[string]int // how many questions of a user are being answered
}

// New makes what answers questions.
func New(c Config) *Asides { return &Asides{c: c, asking: map[string]int{}} }

func (a *Asides) enter(user string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.asking[user] >= maxPerUser {
		return fault.New(fault.CodeTooManyRuns, "too many of your client's own questions are being answered", "wait for one to end").After(5 * time.Second)
	}
	a.asking[user]++
	return nil
}

func (a *Asides) leave(user string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.asking[user]--; a.asking[user] == 0 {
		delete(a.asking, user)
	}
}

// Question is what a chat client wants to know, such as a title for a conversation.
type Question struct {
	Instructions string
	Turns        []Turn // the last one is the question, without an answer
	RequestID    string
	Format       *loop.Format // nil: text
}

// Turn is a message and its answer.
type Turn struct {
	User, Assistant string
	Images          [][]byte // that came with the message
}

// Answer is what the model said to that.
type Answer struct {
	Text      string
	Finish    chat.Finish
	Reasoning string      // at most what is shown of an answer's
	Usage     *chat.Usage // nil where the provider did not say
}

// Ask asks the model, which has no tools, no memory and no persona for this, and
// keeps nothing. Unlike a run it ends with its request: nobody could read the
// answer later. onText gets the answer piece by piece.
func (a *Asides) Ask(ctx context.Context, user string, q Question, onText func(string)) (Answer, error) {
	done, ok := a.c.Tasks.Begin()
	if !ok {
		return Answer{}, tasks.Draining()
	}
	defer done()
	if err := a.enter(user); err != nil {
		return Answer{}, err
	}
	defer a.leave(user)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(a.c.Tasks.Root(), func() { cancel(tasks.ErrDraining) })()
	question, err := a.question(ctx, q)
	if err != nil {
		return Answer{}, err
	}
	began := a.c.Now()
	ctx, traced := a.c.Trace.Run(ctx, a.c.Trace.Here(ctx), "run_"+strings.ToLower(rand.Text()[:20]), q.RequestID)
	answer, err := a.formatted(ctx, question, onText)
	status := chat.RunDone
	switch {
	case err == nil && (answer.Text == "" || answer.Finish == chat.FinishEmpty):
		err = fault.New(fault.CodeEmptyAnswer, "the model gave no answer", "try again")
		status = chat.RunFailed
	case err != nil && errors.Is(context.Cause(ctx), tasks.ErrDraining):
		err = tasks.Draining()
		status = chat.RunCancelled
	case err != nil && ctx.Err() != nil:
		status = chat.RunCancelled
	case err != nil:
		status = chat.RunFailed
	}
	a.c.Observer.Ended(status, max(a.c.Now().Sub(began), 1))
	traced(status)
	a.c.Log.Info("answered beside the conversations", slog.String("user", user), slog.String("status", status), slog.String("requestId", q.RequestID))
	return Answer{Text: answer.Text, Finish: answer.Finish, Usage: answer.Usage, Reasoning: session.ShownReasoning(answer.Reasoning)}, err
}

// question makes what the model is asked.
func (a *Asides) question(ctx context.Context, q Question) (loop.Question, error) {
	out := loop.Question{System: told(q.Instructions, q.Format), RequestID: q.RequestID, Format: q.Format}
	for _, t := range q.Turns {
		attached, err := a.shown(ctx, t.Images)
		if err != nil {
			return out, err
		}
		out.Messages = append(out.Messages, loop.Message{Role: chat.RoleUser, Text: t.User, Attached: attached}, loop.Message{Role: chat.RoleAssistant, Text: t.Assistant})
	}
	out.Messages = out.Messages[:len(out.Messages)-1] // what it is to say
	loop.LimitImages(out.Messages, loop.MaxImages, loop.MaxImageBytes)
	return out, nil
}

// formatted asks the model, and gives an answer in JSON at its end: only then
// is it known what belongs to it. Held to JSON some models say nothing; such a one is
// asked once more, and only told.
func (a *Asides) formatted(ctx context.Context, q loop.Question, onText func(string)) (loop.Answer, error) {
	if q.Format == nil {
		return a.answer(ctx, q, onText)
	}
	answer, err := a.answer(ctx, q, func(string) {})
	if err == nil && answer.Text == "" && answer.Finish != chat.FinishRefusal && answer.Finish != chat.FinishContentFilter {
		a.c.Log.Debug("asking again without a format", slog.String("requestId", q.RequestID))
		q.Format = nil
		answer, err = a.answer(ctx, q, func(string) {})
	}
	if err == nil && answer.Text != "" {
		answer.Text = objectIn(answer.Text)
		onText(answer.Text)
	}
	return answer, err
}

// answer asks the model. A provider's word that makes it panic ends this
// question and nothing else.
func (a *Asides) answer(ctx context.Context, q loop.Question, onText func(string)) (answer loop.Answer, err error) {
	err = guard.Run(func() (err error) {
		answer, err = a.c.Model.Answer(ctx, q, onText)
		return err
	})
	if guard.Find(err) != nil {
		a.c.Tasks.Report(a.c.Log.With(slog.String("requestId", q.RequestID)), "question beside a conversation ended", err)
	}
	return answer, err
}

// shown makes what a model is shown of images that are kept nowhere.
func (a *Asides) shown(ctx context.Context, images [][]byte) ([]loop.Attached, error) {
	var out []loop.Attached
	for i, body := range images {
		name, is := fmt.Sprintf("image-%d", i+1), attach.Detect(body)
		if is.Kind != attach.Image || len(body) > files.MaxFile {
			return nil, fault.New(fault.CodeUnsupported, name+" is no PNG, JPEG, WebP or GIF that can be read", "send a smaller image of one of these kinds")
		}
		view, err := a.c.Reader.Read(ctx, body, is, 0)
		if err != nil {
			return nil, fault.Wrap(err, fault.CodeUnavailable, "the images cannot be read now", "send the request again")
		}
		out = append(out, loop.Attached{Name: name, MediaType: is.MediaType, Problem: view.Problem, Shown: loop.Shown{
			MediaType: view.MediaType, Size: len(view.Data), Width: view.Width, Height: view.Height, Data: view.Data,
		}})
	}
	return out, nil
}
