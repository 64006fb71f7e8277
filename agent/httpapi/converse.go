package httpapi

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/loongclaw/loongclaw/agent/openai"
	"github.com/loongclaw/loongclaw/agent/runs"
	"github.com/loongclaw/loongclaw/agent/session"
	"github.com/loongclaw/loongclaw/agent/thread"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// threadPrefix begins the names of sessions that conversations of /v1 have.
const threadPrefix = "v1-"

// maxLearned is how many sessions that another process kept are read when a
// conversation is not known here. Not to know it costs a second session.
const maxLearned = 4

// place finds where the request's conversation goes on, if it is known.
func (s *Server) place(ctx context.Context, user string, q openai.Request) (thread.Choice, bool, error) {
	if len(q.Earlier) == 0 && q.Greeting == "" {
		return thread.Choice{}, false, nil
	}
	choice, found, err := s.choose(ctx, user, q)
	if found || err != nil {
		return choice, found, err
	}
	learned, err := s.learn(ctx, user)
	if !learned || err != nil {
		return thread.Choice{}, false, err
	}
	return s.choose(ctx, user, q)
}

// proposed are the sessions in which the conversation may be: those where it was said
// what the client sent last, and those where it was given calls.
func (s *Server) proposed(user string, q openai.Request) []thread.Session {
	out := s.threads.Sessions(user, q)
	if len(q.Earlier) == 0 {
		return out
	}
	for _, step := range q.Earlier[len(q.Earlier)-1].Steps {
		for _, k := range step.Calls {
			id, ok := session.OfClientCall(k.ID)
			if ok && !slices.ContainsFunc(out, func(o thread.Session) bool { return o.ID == id }) {
				out = append(out, thread.Named(id))
			}
		}
	}
	return out
}

func (s *Server) choose(ctx context.Context, user string, q openai.Request) (thread.Choice, bool, error) {
	var all []thread.Choice
	for _, session := range s.proposed(user, q) {
		h, err := s.Runs.History(ctx, user, session.ID, runs.View{Tree: true})
		if fault.CodeOf(err) == fault.CodeDamaged {
			continue // it is reported where it is read; the conversation goes on in another session
		}
		if err != nil {
			return thread.Choice{}, false, err
		}
		if m, ok := thread.Locate(h, q); ok {
			if c, ok := thread.Consider(session, m, q); ok {
				all = append(all, c)
			}
		}
	}
	choice, found := thread.Choose(all)
	return choice, found, nil
}

// learn reads the user's newest conversations that this process has not seen, and
// reports whether there were any.
func (s *Server) learn(ctx context.Context, user string) (bool, error) {
	rows, err := s.Lists.Sessions(ctx, user, "")
	if err != nil {
		return false, err
	}
	learned := false
	newest := 0
	for _, row := range rows {
		if !strings.HasPrefix(row.ID, threadPrefix) {
			continue
		}
		if newest++; newest > maxLearned {
			break
		}
		if s.threads.Has(user, row.ID) {
			continue
		}
		h, err := s.Runs.History(ctx, user, row.ID, runs.View{Tree: true})
		if err != nil {
			s.Log.Debug("conversation not read", slog.String("session", row.ID), slog.Any("error", err))
			continue
		}
		s.threads.Learn(user, h)
		learned = true
	}
	return learned, nil
}

// converse starts the run: in the session that this conversation has here, or
// else in a new one that begins with what the client says was said.
func (s *Server) converse(c echo.Context, q openai.Request, known *thread.Choice) (chat.Run, error) {
	ctx, user := c.Request().Context(), user(c)
	r := runs.Request{
		Message: q.Message, Instructions: q.Instructions, Key: c.Request().Header.Get(chat.HeaderIdempotencyKey), RequestID: requestID(c),
		Earlier: exchanges(q.Earlier), Client: clientOf(q), Given: given(q), Attachments: images(q.Images),
	}
	if q.Greeting != "" && (known == nil || !known.Greeting) {
		r.Instructions = strings.TrimPrefix(q.Instructions+"\n\nYou began the conversation with: "+q.Greeting, "\n\n")
	}
	session := newThread(user, r.Key)
	// A request that is sent again finds the session that it has begun itself: it
	// must be the same request there.
	if known != nil && known.ID != session {
		r.ParentID = &known.Message
		run, err := s.Runs.Start(ctx, user, known.ID, r)
		// A session that was cleared since knows the message no more.
		if fault.CodeOf(err) != fault.CodeInvalidRequest {
			s.note(user, run, err, q)
			return run, err
		}
		r.ParentID = nil
	}
	run, err := s.Runs.Start(ctx, user, session, r)
	s.note(user, run, err, q)
	return run, err
}

// note remembers in which session a message was taken.
func (s *Server) note(user string, run chat.Run, err error, q openai.Request) {
	if err == nil {
		s.threads.Note(user, run.SessionID, q.Message, q)
	}
}

func exchanges(all []openai.Exchange) []runs.Exchange {
	out := make([]runs.Exchange, len(all))
	for i, e := range all {
		out[i] = runs.Exchange{User: e.User, Assistant: e.Assistant, Attachments: images(e.Images)}
		if len(e.Steps) > 0 {
			out[i].Assistant, out[i].Done = e.Last, done(e.Steps)
		}
	}
	return out
}

// images are what came with a message itself, under names for people.
func images(all [][]byte) []runs.Attachment {
	out := make([]runs.Attachment, len(all))
	for i := range all {
		out[i] = runs.Attachment{Name: fmt.Sprintf("image-%d", i+1), Body: all[i]}
	}
	return out
}

// newThread names a new session. The same Idempotency-Key means the same one, so
// that a request that is sent again finds its run.
func newThread(user, key string) string {
	if key == "" {
		return threadPrefix + strings.ToLower(rand.Text()[:20])
	}
	sum := sha256.Sum256([]byte(user + "\x00" + key))
	return threadPrefix + hex.EncodeToString(sum[:12])
}
